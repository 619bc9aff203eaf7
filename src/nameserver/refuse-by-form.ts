import { EDNS_VERSION } from '../dns/edns.ts';
import { CLASS, OPCODE, RCODE, tsigErrorName } from '../dns/registry.ts';
import {
  BAD_COOKIE,
  CLASS_REFUSED,
  COME_BY_TCP,
  COOKIE_GIVEN,
  FORMERR,
  NOT_IMPLEMENTED,
  type Outcome,
  tsigRefusal,
} from './outcome.ts';
import { hasValidCookie, type Request } from './request.ts';

/** What is settled without looking at zones; null for a query that deserves an answer. */
export function refuseByForm(request: Request, cookiesRequired: boolean): Outcome | null {
  const { message, verdict, options, cookie } = request;
  const { edns, opcode, questions } = message;
  if (verdict.kind === 'invalid') {
    return tsigRefusal(verdict.rcode, tsigErrorName(verdict.error));
  }
  // RFC 6891 section 6.1.3: a version above ours is answered with ours.
  if (edns !== null && edns.version > EDNS_VERSION) return { rcode: RCODE.BADVERS };
  // RFC 7873 section 5.2.2 for cookies.
  if (options.isMalformed || cookie === 'malformed') return FORMERR;
  if (opcode !== OPCODE.QUERY && opcode !== OPCODE.NOTIFY) return NOT_IMPLEMENTED;
  if (questions.length === 0 && opcode === OPCODE.QUERY && cookie !== null) {
    // RFC 7873 section 5.4: no question but for a cookie, or whether the one at hand is good.
    return cookie === 'bad' ? BAD_COOKIE : COOKIE_GIVEN;
  }
  // RFC 9619 section 4: a query has one question.
  if (questions.length !== 1) return FORMERR;
  if (cookiesRequired && mustShowCookie(request)) {
    return cookie === null ? COME_BY_TCP : BAD_COOKIE;
  }
  if (questions[0].class !== CLASS.IN && questions[0].class !== CLASS.CH) return CLASS_REFUSED;
  return null;
}

/**
 * A signature shows more than a cookie; NOTIFY is heard from known primaries only, and its senders do
 * not come again by TCP.
 */
function mustShowCookie(request: Request): boolean {
  const { peer, message, verdict } = request;
  return (
    peer.protocol === 'udp' &&
    message.opcode === OPCODE.QUERY &&
    verdict.kind === 'unsigned' &&
    !hasValidCookie(request)
  );
}
