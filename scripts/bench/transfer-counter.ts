import { RRTYPE } from '../../src/dns/index.ts';

const HEADER_OCTETS = 12;
const ANSWER_COUNT = 6;
const ADDITIONAL_COUNT = 10;
/** Serial and the four times, at the end of an SOA. */
const SOA_FIXED_OCTETS = 20;
/** Type, class, TTL and length of the rdata. */
const RECORD_FIXED_OCTETS = 10;
/** Header, question and the first SOA lie within this. */
const HEAD_OCTETS_MAX = 1_024;

/** Follows a transfer over the boundaries of chunks, and looks at next to nothing of it. */
export interface TransferCounter {
  /** True when the last message has come. Throws when the answer is a refusal. */
  add(chunk: Uint8Array): boolean;
  octets(): number;
  messages(): number;
  /** Messages that something stands in the additional section of, which is their signature. */
  signed(): number;
}

/**
 * A transfer ends with the SOA that it began with (RFC 5936 section 2.2), so only the first octets of
 * each message and its last ones are kept. `tsigOctets` is what a TSIG record takes in the answers to
 * signed questions. There must be no EDNS in answers, and a transfer of changes that happens to end a
 * message with an SOA in its midst would be taken for over.
 */
export function createTransferCounter(tsigOctets = 0): TransferCounter {
  const head = Buffer.alloc(HEAD_OCTETS_MAX);
  const tail = Buffer.alloc(tsigOctets + SOA_FIXED_OCTETS);
  let octets = 0;
  let messages = 0;
  let signed = 0;
  /** Of the current message: the octets of its length that have come, its length, how far it is read. */
  let lengthOctets = 0;
  let length = 0;
  let read = 0;
  /** The first message is kept up to its first SOA, the others up to the end of their headers. */
  let headOctets = HEAD_OCTETS_MAX;
  let lastOctets: Buffer | null = null;

  /** Keeps what of a message's octets from `read` on lies in its head or in its tail. */
  function keep(chunk: Uint8Array, at: number, taken: number): void {
    if (read < headOctets)
      head.set(chunk.subarray(at, at + Math.min(taken, headOctets - read)), read);
    const tailStart = Math.max(0, length - tail.length);
    if (read + taken <= tailStart) return;
    const skipped = Math.max(0, tailStart - read);
    tail.set(chunk.subarray(at + skipped, at + taken), read + skipped - tailStart);
  }

  function endsTransfer(): boolean {
    const isSigned = head.readUInt16BE(ADDITIONAL_COUNT) > 0;
    if (isSigned) signed++;
    const end = Math.min(length, tail.length) - (isSigned ? tsigOctets : 0);
    const ending = tail.subarray(Math.max(0, end - SOA_FIXED_OCTETS), end);
    if (lastOctets !== null) return ending.equals(lastOctets);
    lastOctets = soaEnd(head);
    headOctets = HEADER_OCTETS;
    return isWhole(head, ending.equals(lastOctets));
  }

  return {
    octets: () => octets,
    messages: () => messages,
    signed: () => signed,
    add(chunk) {
      octets += chunk.length;
      for (let at = 0; at < chunk.length; ) {
        if (lengthOctets < 2) {
          length = (length << 8) | chunk[at++];
          lengthOctets++;
          continue;
        }
        const taken = Math.min(length - read, chunk.length - at);
        keep(chunk, at, taken);
        read += taken;
        at += taken;
        if (read < length) continue;
        messages++;
        if (endsTransfer()) return true;
        lengthOctets = 0;
        length = 0;
        read = 0;
      }
      return false;
    },
  };
}

/** Whether the first message is all there is: of one SOA it is when changes were asked for, and there are none. */
function isWhole(head: Buffer, endsInSoa: boolean): boolean {
  if (!endsInSoa) return false;
  const type = head.readUInt16BE(skipName(head, HEADER_OCTETS));
  return head.readUInt16BE(ANSWER_COUNT) > 1 || type === RRTYPE.IXFR;
}

/** The last octets of the SOA that the first message begins with. */
function soaEnd(head: Buffer): Buffer {
  const rcode = head[3] & 0x0f;
  if (rcode !== 0) throw new Error(`the transfer is refused with RCODE ${rcode}`);
  const owner = skipName(head, HEADER_OCTETS) + 4;
  const fixed = skipName(head, owner);
  const rdata = fixed + RECORD_FIXED_OCTETS;
  const end = rdata + head.readUInt16BE(rdata - 2);
  return Buffer.from(head.subarray(end - SOA_FIXED_OCTETS, end));
}

function skipName(message: Buffer, from: number): number {
  let at = from;
  while (message[at] !== 0) {
    if (message[at] >= 0xc0) return at + 2;
    at += message[at] + 1;
  }
  return at + 1;
}
