import { RRTYPE } from '../../src/dns/index.ts';

const HEADER_OCTETS = 12;
const ANSWER_COUNT = 6;
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
}

/**
 * A transfer ends with the SOA that it began with (RFC 5936 section 2.2), so only the end of each
 * message is kept and compared. Answers must have neither TSIG nor EDNS, and a transfer of changes that
 * happens to end a message with an SOA in its midst would be taken for over.
 */
export function createTransferCounter(): TransferCounter {
  let octets = 0;
  let messages = 0;
  /** Octets of the current message still to come. */
  let left = 0;
  let lengthOctets = 0;
  let length = 0;
  let tail: Buffer = Buffer.alloc(0);
  let head: Buffer | null = tail;
  let end: Buffer = tail;
  return {
    octets: () => octets,
    messages: () => messages,
    add(chunk) {
      octets += chunk.length;
      for (let at = 0; at < chunk.length; ) {
        if (left === 0) {
          length = (length << 8) | chunk[at++];
          if (++lengthOctets < 2) continue;
          left = length;
          lengthOctets = 0;
          length = 0;
          continue;
        }
        const taken = Math.min(left, chunk.length - at);
        if (head !== null && head.length < HEAD_OCTETS_MAX) {
          head = Buffer.concat([head, chunk.subarray(at, at + Math.min(taken, HEAD_OCTETS_MAX))]);
        }
        left -= taken;
        at += taken;
        // Only the last octets of a message are ever looked at.
        if (left < SOA_FIXED_OCTETS) {
          const last = chunk.subarray(Math.max(0, at - Math.min(taken, SOA_FIXED_OCTETS)), at);
          tail = Buffer.concat([tail, last]).subarray(-SOA_FIXED_OCTETS);
        }
        if (left > 0) continue;
        messages++;
        if (head === null) {
          if (tail.equals(end)) return true;
        } else {
          end = soaEnd(head);
          if (isWhole(head, tail.equals(end))) return true;
          head = null;
        }
        tail = Buffer.alloc(0);
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
