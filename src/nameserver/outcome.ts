import { type EdnsOption, extendedErrorOption } from '../dns/edns.ts';
import type { Name } from '../dns/name.ts';
import { EXTENDED_ERROR, RCODE } from '../dns/registry.ts';
import type { RelativeRrset } from '../zone/records.ts';

/** What is said to a request in one message. */
export interface Outcome {
  readonly rcode: number;
  /** For clients that sent EDNS (RFC 8914). */
  readonly extendedError?: EdnsOption;
  readonly authoritative?: boolean;
  /** Sends the client to TCP, whatever there is to say. */
  readonly truncated?: boolean;
  /** Seconds, of the zone that is answered from: for those who ask for it (RFC 7314 section 3.2). */
  readonly expire?: number | undefined;
  readonly answer?: { readonly owner: Name; readonly rrsets: readonly RelativeRrset[] };
  readonly authority?: { readonly owner: Name; readonly soa: RelativeRrset };
}

// Refusals are made once: strangers bring them about, at any pace.

export const FORMERR: Outcome = { rcode: RCODE.FORMERR };

/** RFC 8914 section 4.19. */
export const PROHIBITED: Outcome = {
  rcode: RCODE.REFUSED,
  extendedError: extendedErrorOption(EXTENDED_ERROR.PROHIBITED),
};

const notAuthoritative = extendedErrorOption(EXTENDED_ERROR['NOT-AUTHORITATIVE']);

/** RFC 8914 section 4.21, of a name that is not below our root. */
export const NOT_OURS: Outcome = { rcode: RCODE.REFUSED, extendedError: notAuthoritative };

/** The same, of a zone that there is not (RFC 5936 section 2.2.1, RFC 1996 section 3.10). */
export const NOT_AUTHORITATIVE: Outcome = { rcode: RCODE.NOTAUTH, extendedError: notAuthoritative };

const notSupported = extendedErrorOption(EXTENDED_ERROR['NOT-SUPPORTED']);

/** RFC 8914 section 4.22. */
export const NOT_IMPLEMENTED: Outcome = { rcode: RCODE.NOTIMP, extendedError: notSupported };
export const CLASS_REFUSED: Outcome = { rcode: RCODE.REFUSED, extendedError: notSupported };
/** RFC 5936 section 4.2: AXFR is not defined over UDP. */
export const AXFR_OVER_UDP: Outcome = { rcode: RCODE.FORMERR, extendedError: notSupported };

/** RFC 8914 section 4.15: what is served is still being loaded. */
export const NOT_READY: Outcome = {
  rcode: RCODE.SERVFAIL,
  extendedError: extendedErrorOption(EXTENDED_ERROR['NOT-READY']),
};

/** RFC 7873 section 5.2.3: come again, with the cookie that is in this answer. */
export const BAD_COOKIE: Outcome = { rcode: RCODE.BADCOOKIE };
export const COOKIE_GIVEN: Outcome = { rcode: RCODE.NOERROR };
/** RFC 7873 section 5.2.1: who does not speak cookies shows by TCP that its address is its own. */
export const COME_BY_TCP: Outcome = { rcode: RCODE.NOERROR, truncated: true };

/**
 * No code of RFC 8914 stands for TSIG, so the general one (section 4.1) carries what the TSIG record
 * says, for tools that do not show its error field.
 */
export function tsigRefusal(rcode: number, error: string): Outcome {
  const known = tsigRefusals.get(error);
  if (known !== undefined) return known;
  const text = `TSIG ${error}`;
  const outcome = { rcode, extendedError: extendedErrorOption(EXTENDED_ERROR.OTHER, text) };
  tsigRefusals.set(error, outcome);
  return outcome;
}

/** One for each error that verifying knows. */
const tsigRefusals = new Map<string, Outcome>();
