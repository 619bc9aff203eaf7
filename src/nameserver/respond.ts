import { type Edns, udpResponseOctetsMax } from '../dns/edns.ts';
import type { MalformedMessage, Message } from '../dns/message.ts';
import { createMessageWriter, type MessageWriter } from '../dns/message-writer.ts';
import type { Name } from '../dns/name.ts';
import type { EdnsFields } from '../dns/opt-record.ts';
import { CLASS, RCODE } from '../dns/registry.ts';
import { createResponseSigner, type ResponseSigner } from '../dns/tsig.ts';
import type { RelativeRrset } from '../zone/records.ts';
import { type AnswerEdns, leastEdns } from './answer-edns.ts';
import type { Observer } from './directory-port.ts';
import type { Answer, Peer } from './handler-port.ts';
import { BAD_COOKIE, COME_BY_TCP, type Outcome } from './outcome.ts';
import { LIMITED, type LimitedKind, type RateLimiter } from './rate-limit.ts';
import { hasValidCookie, type Request } from './request.ts';

export const MESSAGE_OCTETS_MAX = 65_535;

type WrittenAnswer = Extract<Answer, { readonly kind: 'message' }>;

/** Answers of one message. All are written into the same buffer. */
export interface Responder {
  /** Writes the answer, unless there were too many like it. */
  respond(request: Request, outcome: Outcome): Answer;
  /** Counts an answer that is to be; what is said in its place when there were too many, else null. */
  limit(request: Request, outcome: Outcome): Answer | null;
  /** Writes an answer that was counted already. */
  write(request: Request, outcome: Outcome): WrittenAnswer;
  /** FORMERR to octets that are no message, or nothing where not even that can be said. */
  answerMalformed(query: MalformedMessage, peer: Peer): Answer;
}

const NOTHING: Answer = { kind: 'none' };

export function createResponder(options: {
  readonly observer: Observer;
  readonly answerEdns: AnswerEdns;
  readonly limiter: RateLimiter | null;
  readonly udpOctetsMax: number;
  readonly nowSeconds: () => number;
}): Responder {
  const { observer, answerEdns, limiter, udpOctetsMax, nowSeconds } = options;
  const buffer = new Uint8Array(MESSAGE_OCTETS_MAX);
  const writer = createMessageWriter(buffer);

  const write = (request: Request, outcome: Outcome): WrittenAnswer => {
    const { message, peer, verdict } = request;
    const signer = createResponseSigner(verdict, nowSeconds);
    const limit = messageOctetsMax(peer, message.edns, udpOctetsMax);
    const edns = answerEdns(request, outcome);
    const length = writeResponse({ writer, message, outcome, signer, limit, edns });
    observer.answered(outcome.rcode, peer.protocol);
    return {
      kind: 'message',
      bytes: buffer.subarray(0, signer === null ? length : signer.sign(buffer, 0, length)),
    };
  };

  const limit = (request: Request, outcome: Outcome): Answer | null => {
    const { peer, verdict, cookie } = request;
    // TCP, a cookie and a signature show that the address is the client's own.
    if (limiter === null || peer.protocol !== 'udp') return null;
    if (verdict.kind === 'valid' || hasValidCookie(request)) return null;
    const limited = limiter.judge(peer.address, kindOf(outcome), nameOf(request, outcome));
    if (limited === 'pass') return null;
    if (limited === 'drop') return NOTHING;
    // RFC 7873 section 5.2.3: who speaks cookies comes again with a good one.
    if (cookie === 'client-only' || cookie === 'bad') return write(request, BAD_COOKIE);
    // What has no records is no larger truncated than it is whole.
    const isBare = outcome.answer === undefined && outcome.authority === undefined;
    return write(request, isBare ? outcome : COME_BY_TCP);
  };

  const answerMalformed = (query: MalformedMessage, peer: Peer): Answer => {
    if (query.id === null || query.isResponse) return NOTHING;
    if (limiter !== null && peer.protocol === 'udp') {
      if (limiter.judge(peer.address, LIMITED.error, null) === 'drop') return NOTHING;
    }
    observer.answered(RCODE.FORMERR, peer.protocol);
    return {
      kind: 'message',
      bytes: buffer.subarray(0, writeFormerr(writer, query, udpOctetsMax)),
    };
  };

  return {
    write,
    limit,
    answerMalformed,
    respond: (request, outcome) => limit(request, outcome) ?? write(request, outcome),
  };
}

/** Octets that a message to this client may have. */
function messageOctetsMax({ protocol }: Peer, edns: Edns | null, udpOctetsMax: number): number {
  return protocol === 'udp' ? udpResponseOctetsMax(edns, udpOctetsMax) : MESSAGE_OCTETS_MAX;
}

function kindOf({ rcode, answer, authority }: Outcome): LimitedKind {
  if (answer !== undefined) return LIMITED.answer;
  if (authority !== undefined) return LIMITED.negative;
  return rcode === RCODE.REFUSED || rcode === RCODE.NOTAUTH ? LIMITED.refusal : LIMITED.error;
}

function nameOf({ message }: Request, { answer, authority }: Outcome): Name | null {
  if (answer !== undefined) return message.questions[0].name;
  return authority === undefined ? null : authority.owner;
}

/** Writes header, question and what there is to say; truncated by TC when it does not fit. Returns the length. */
function writeResponse(options: {
  readonly writer: MessageWriter;
  readonly message: Message;
  readonly outcome: Outcome;
  readonly signer: ResponseSigner | null;
  readonly limit: number;
  readonly edns: EdnsFields | null;
}): number {
  const { writer, message, outcome, signer, limit, edns } = options;
  const { id, opcode, recursionDesired, questions } = message;
  const { rcode, authoritative = false, truncated = false, answer, authority } = outcome;
  writer.start({ id, opcode, recursionDesired, authoritative, isResponse: true, rcode }, limit);
  if (signer !== null) writer.reserve(signer.octets);
  const question = questions.length === 1 ? questions[0] : null;
  if (question !== null) writer.question(question);
  if (edns !== null && !writer.edns(edns)) writer.edns(leastEdns(edns));
  const rrClass = question === null ? CLASS.IN : question.class;
  const write = (section: 'answer' | 'authority', name: Name, rrset: RelativeRrset): boolean => {
    const { type, ttl, rdatas } = rrset;
    return writer.rrset(section, { name, type, class: rrClass, ttl }, rdatas);
  };
  const fits =
    (answer?.rrsets.every((rrset) => write('answer', answer.owner, rrset)) ?? true) &&
    (authority === undefined || write('authority', authority.owner, authority.soa));
  if (truncated || !fits) writer.setTruncated();
  return writer.finish();
}

/** RFC 6891 section 6.1.1: with an OPT record, if one could be read before the fault. */
function writeFormerr(
  writer: MessageWriter,
  { id, opcode, recursionDesired, question, edns }: MalformedMessage,
  udpOctetsMax: number,
): number {
  const header = { id: id ?? 0, opcode, recursionDesired, isResponse: true };
  writer.start({ ...header, rcode: RCODE.FORMERR });
  if (question !== null) writer.question(question);
  if (edns !== null) writer.edns({ udpPayloadSize: udpOctetsMax, dnssecOk: edns.dnssecOk });
  return writer.finish();
}
