import type { Question } from '../dns/message.ts';
import { lowerCaseName } from '../dns/name.ts';
import { RCODE, RRTYPE } from '../dns/registry.ts';
import { NOT_AUTHORITATIVE, NOT_IMPLEMENTED, type Outcome, PROHIBITED } from './outcome.ts';
import type { Request } from './request.ts';
import type { NotifyVerdict, Upstreams } from './upstream-port.ts';

const OUTCOMES: Readonly<Record<NotifyVerdict, Outcome>> = {
  taken: { rcode: RCODE.NOERROR, authoritative: true },
  stranger: PROHIBITED,
  'not-followed': NOT_AUTHORITATIVE,
};

/**
 * RFC 1996 section 3.10: only a primary of a zone that is followed is heard. The answer is the
 * request with QR and AA (section 4.7); what the zone holds now is asked for afterwards.
 */
export function answerNotify(
  { requester }: Request,
  question: Question,
  upstreams: Upstreams | undefined,
): Outcome {
  // RFC 1996 defines the telling of a new SOA only; of what else could be told, nothing is understood.
  if (question.type !== RRTYPE.SOA) return NOT_IMPLEMENTED;
  const { key, address } = requester;
  const event = { zone: lowerCaseName(question.name), address, key };
  return OUTCOMES[upstreams?.notified(event) ?? 'not-followed'];
}
