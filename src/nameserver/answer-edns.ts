import { cookieOption } from '../dns/cookie.ts';
import {
  type EdnsOption,
  expireOption,
  keepaliveOption,
  PADDING_BLOCK_OCTETS,
} from '../dns/edns.ts';
import type { EdnsFields } from '../dns/opt-record.ts';
import { EDNS_OPTION } from '../dns/registry.ts';
import type { CookieDesk } from './cookie-desk.ts';
import type { Outcome } from './outcome.ts';
import type { Request } from './request.ts';
import type { ServerIdentity } from './server-identity.ts';

/** What answers may say by EDNS besides what belongs to each. */
export interface AnswerEdnsOptions {
  readonly udpOctetsMax: number;
  readonly identity: ServerIdentity;
  readonly cookies: CookieDesk | null;
  /** How long an idle connection stays open at this moment. */
  readonly keepaliveMs: (() => number) | null;
}

export type AnswerEdns = (
  request: Request,
  said: Pick<Outcome, 'extendedError' | 'expire'>,
) => EdnsFields | null;

const NO_OPTIONS: readonly EdnsOption[] = [];

/**
 * What our OPT record says: null to one who sent none (RFC 6891 section 6.1.1), and of options only
 * those that the query asked for, besides extended errors. For a query without options nothing but
 * the fields is allocated.
 */
export function createAnswerEdns(given: AnswerEdnsOptions): AnswerEdns {
  const { udpOctetsMax, identity, cookies, keepaliveMs } = given;
  const optionsFor: (...given: Parameters<AnswerEdns>) => readonly EdnsOption[] = (
    request,
    { extendedError, expire },
  ) => {
    const { options: asked, cookie, peer } = request;
    const options: EdnsOption[] = [];
    if (asked.cookie !== null && cookie !== null && cookie !== 'malformed' && cookies !== null) {
      // RFC 7873 section 5.2: a good cookie comes back as it is, all others get one of now.
      const isGood = cookie === 'valid';
      options.push(
        isGood
          ? { code: EDNS_OPTION.COOKIE, data: asked.cookie }
          : cookieOption(asked.cookie, cookies.checkFor(peer.address)),
      );
    }
    if (extendedError !== undefined) options.push(extendedError);
    if (asked.expire && expire !== undefined) options.push(expireOption(expire));
    if (asked.keepalive && keepaliveMs !== null) options.push(keepaliveOption(keepaliveMs()));
    const nsid = asked.nsid ? identity.nsidOption() : null;
    if (nsid !== null) options.push(nsid);
    return options;
  };

  return (request, said) => {
    const { edns } = request.message;
    if (edns === null) return null;
    const { dnssecOk } = edns;
    const isPlain = edns.options.length === 0 && said.extendedError === undefined;
    const options = isPlain ? NO_OPTIONS : optionsFor(request, said);
    // RFC 8467 section 4.1; RFC 7830 section 6: padding is of use in encrypted transports only.
    const isPadded = request.options.padding && request.peer.protocol === 'tls';
    return isPadded
      ? { udpPayloadSize: udpOctetsMax, dnssecOk, options, paddingBlock: PADDING_BLOCK_OCTETS }
      : { udpPayloadSize: udpOctetsMax, dnssecOk, options };
  };
}

/** The same with only the option that a client cannot do without, for answers that have no room for more. */
export function leastEdns(edns: EdnsFields): EdnsFields {
  const { udpPayloadSize, dnssecOk = false, options = NO_OPTIONS } = edns;
  const cookies = options.filter(({ code }) => code === EDNS_OPTION.COOKIE);
  return { udpPayloadSize, dnssecOk, options: cookies };
}
