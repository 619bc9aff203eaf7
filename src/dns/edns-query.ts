import type { Edns } from './edns.ts';
import { EDNS_OPTION } from './registry.ts';

/** What a query asks for by its EDNS options, as far as they are understood here. */
export interface QueryOptions {
  /** The first COOKIE option; what it is worth, cookie.ts says. */
  readonly cookie: Uint8Array | null;
  readonly nsid: boolean;
  readonly expire: boolean;
  readonly keepalive: boolean;
  readonly padding: boolean;
  /** Some option does not have the form that its RFC gives it in queries. */
  readonly isMalformed: boolean;
}

const NONE: QueryOptions = {
  cookie: null,
  nsid: false,
  expire: false,
  keepalive: false,
  padding: false,
  isMalformed: false,
};

/**
 * Reads the options of a query. Most have none, and for those nothing is allocated. `isOverTcp` is
 * true for TLS too.
 */
export function readQueryOptions(edns: Edns | null, isOverTcp: boolean): QueryOptions {
  if (edns === null || edns.options.length === 0) return NONE;
  const found = { ...NONE };
  for (const { code, data } of edns.options) {
    switch (code) {
      case EDNS_OPTION.COOKIE:
        // RFC 7873 section 5.2: of several the first counts.
        found.cookie ??= data;
        break;
      case EDNS_OPTION.NSID:
        // RFC 5001 section 2.1: a payload in a query is ignored.
        found.nsid = true;
        break;
      case EDNS_OPTION.EXPIRE:
        // RFC 7314 section 3.1: of zero length in a query.
        found.expire = true;
        found.isMalformed ||= data.length !== 0;
        break;
      case EDNS_OPTION.KEEPALIVE:
        // RFC 7828 section 3.2.1: without a timeout in a query; section 3.3.1: ignored over UDP.
        found.keepalive = isOverTcp;
        found.isMalformed ||= isOverTcp && data.length !== 0;
        break;
      case EDNS_OPTION.PADDING:
        found.padding = true;
        break;
    }
  }
  return found;
}
