import type { CookieVerdict } from '../dns/cookie.ts';
import type { QueryOptions } from '../dns/edns-query.ts';
import type { Message } from '../dns/message.ts';
import type { TsigVerdict } from '../dns/tsig.ts';
import type { Directory, Requester } from './directory-port.ts';
import type { Peer } from './handler-port.ts';

/** A query that has been read and checked as far as its sender is concerned. */
export interface Request {
  /** As it came: a view that is valid during the call only. */
  readonly octets: Uint8Array;
  readonly message: Message;
  readonly peer: Peer;
  readonly verdict: TsigVerdict;
  readonly requester: Requester;
  readonly directory: Directory;
  readonly options: QueryOptions;
  /** Null without a cookie, and where cookies are not answered. */
  readonly cookie: CookieVerdict | null;
}

/** Whether a cookie of ours shows that the client's address is its own (RFC 7873 section 5.2.5). */
export function hasValidCookie({ cookie }: Request): boolean {
  return cookie === 'valid' || cookie === 'renew';
}
