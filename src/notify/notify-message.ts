import {
  CLASS,
  createMessageWriter,
  isMalformed,
  type MessageWriter,
  type Name,
  namesEqual,
  OPCODE,
  type Question,
  RRTYPE,
  rcodeName,
  readMessage,
  type Serial,
  signRequest,
  type TsigKey,
  tsigErrorName,
  tsigOctets,
  verifyResponse,
} from '../dns/index.ts';

/** The SOA that a zone is served with. */
export interface ServedSoa {
  readonly serial: Serial;
  /** Seconds. */
  readonly ttl: number;
  /** In wire form, uncompressed. */
  readonly rdata: Uint8Array;
}

export interface NotifyRequest {
  readonly bytes: Uint8Array;
  readonly id: number;
  readonly question: Question;
  /** What the answer has to be verified with; null when the request is not signed. */
  readonly signed: { readonly key: TsigKey; readonly mac: Uint8Array } | null;
}

/** RFC 1035 section 4.2.1: without EDNS, which RFC 1996 section 3.9 leaves no room for. */
const UDP_OCTETS_MAX = 512;

/** Returns a function that writes one request after the other, each into octets of its own. */
export function createNotifyWriter(): (options: {
  readonly id: number;
  readonly zone: Name;
  readonly soa: ServedSoa;
  readonly key: TsigKey | undefined;
  readonly nowSeconds: number;
}) => NotifyRequest {
  const buffer = new Uint8Array(UDP_OCTETS_MAX);
  const writer = createMessageWriter(buffer);
  return ({ id, zone, soa, key, nowSeconds }) => {
    const question = { name: zone, type: RRTYPE.SOA, class: CLASS.IN };
    const length = writeUnsigned(writer, { id, question, soa, key });
    if (key === undefined) return { bytes: buffer.slice(0, length), id, question, signed: null };
    const { length: signedLength, mac } = signRequest({ buffer, length, key, nowSeconds });
    return { bytes: buffer.slice(0, signedLength), id, question, signed: { key, mac } };
  };
}

function writeUnsigned(
  writer: MessageWriter,
  {
    id,
    question,
    soa,
    key,
  }: {
    readonly id: number;
    readonly question: Question;
    readonly soa: ServedSoa;
    readonly key: TsigKey | undefined;
  },
): number {
  // RFC 1996 section 4.5: AA is set in the request.
  writer.start({ id, opcode: OPCODE.NOTIFY, authoritative: true });
  if (key !== undefined) writer.reserve(tsigOctets(key));
  if (!writer.question(question)) throw new Error('a zone name too long for a NOTIFY');
  // RFC 1996 section 3.7: the new SOA is a hint, so it may be left out when there is no room for it.
  const { ttl, rdata } = soa;
  writer.record('answer', { ...question, ttl, rdata });
  return writer.finish();
}

/** What to make of octets that came from where the request went. */
export type Judgement =
  /** The device has spoken; RFC 1996 section 4.8: this request need not be sent again. */
  | { readonly kind: 'answer'; readonly rcode: number; readonly key: TsigKey | null }
  /** The device knows the key, and says that it cannot accept the signature. */
  | { readonly kind: 'tsig-error'; readonly error: string }
  /** No acceptable answer: someone else's, or a forgery. The true one may still come. */
  | { readonly kind: 'not-acceptable'; readonly reason: string };

export function judgeResponse(
  request: NotifyRequest,
  bytes: Uint8Array,
  nowSeconds: number,
): Judgement {
  const message = readMessage(bytes);
  if (isMalformed(message)) return notAcceptable(`malformed: ${message.reason}`);
  // RFC 1996 section 3.6: the response has the query id and the QNAME of the request.
  if (message.id !== request.id || !message.isResponse || message.opcode !== OPCODE.NOTIFY) {
    return notAcceptable('not a response to this NOTIFY');
  }
  const asked = message.questions.length === 1 ? message.questions[0] : null;
  if (asked === null || !sameQuestion(asked, request.question)) {
    return notAcceptable(`another question, ${rcodeName(message.rcode)}`);
  }
  const { signed } = request;
  if (signed === null) return { kind: 'answer', rcode: message.rcode, key: null };
  const verdict = verifyResponse({
    bytes,
    message,
    key: signed.key,
    requestMac: signed.mac,
    nowSeconds,
  });
  switch (verdict.kind) {
    case 'valid':
      return { kind: 'answer', rcode: message.rcode, key: signed.key };
    case 'error': {
      const error = `TSIG ${tsigErrorName(verdict.error)}`;
      return verdict.authenticated ? { kind: 'tsig-error', error } : notAcceptable(error);
    }
    // RFC 8945 section 5.4: not acceptable whatever its RCODE, and waiting goes on.
    case 'invalid':
      return notAcceptable(`answer fails verification: ${tsigErrorName(verdict.error)}`);
    default:
      return notAcceptable(`unsigned answer, ${rcodeName(message.rcode)}`);
  }
}

function notAcceptable(reason: string): Judgement {
  return { kind: 'not-acceptable', reason };
}

function sameQuestion(a: Question, b: Question): boolean {
  return a.type === b.type && a.class === b.class && namesEqual(a.name, b.name);
}
