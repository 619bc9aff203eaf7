import { EDNS_VERSION, OPT_OCTETS, optTtl } from '../dns/edns.ts';
import { HEADER_OCTETS, headerFlags } from '../dns/header.ts';
import type { Question } from '../dns/message.ts';
import type { EdnsFields } from '../dns/message-writer.ts';
import { writeOctets, writeUint16, writeUint32 } from '../dns/octets.ts';
import { RCODE, RRTYPE } from '../dns/registry.ts';
import type { ResponseSigner } from '../dns/tsig.ts';
import type { OpenMessage, TransferPart } from './transfer-parts.ts';

/** A message of a transfer, its length octets included, never takes more. */
const FRAMED_MESSAGE_OCTETS_MAX = 65_537;

/**
 * The messages of a transfer, written one after the other into whatever buffer is given. Every
 * message carries the question (RFC 5936 section 2.2.1 allows it), so that records can point to the
 * zone's name at one and the same offset in all of them; AA is set in all.
 */
export function createTransferStream(options: {
  readonly id: number;
  readonly question: Question;
  readonly recursionDesired: boolean;
  /** For a client that sent EDNS. */
  readonly edns: EdnsFields | null;
  readonly signer: ResponseSigner | null;
  readonly parts: readonly TransferPart[];
}): { fill(buffer: Uint8Array): number } {
  const { id, question, recursionDesired, signer, parts } = options;
  const prefix = messagePrefix({ id, question, recursionDesired });
  let opt = options.edns === null ? null : encodeOpt(options.edns);
  let part = 0;

  /** Writes one message with its length in front; returns the offset behind it. */
  const writeMessage = (buffer: Uint8Array, at: number): number => {
    const start = at + 2;
    buffer.set(prefix, start);
    const message: OpenMessage = { buffer, start, at: start + prefix.length, records: 0 };
    while (part < parts.length && parts[part].write(message)) part++;
    writeUint16(buffer, start + ANSWER_COUNT, message.records);
    // RFC 5936 section 2.2.5: an OPT record in the first message is enough.
    if (opt !== null) {
      message.at = writeOctets(buffer, message.at, opt);
      writeUint16(buffer, start + ADDITIONAL_COUNT, 1);
      opt = null;
    }
    const unsigned = message.at - start;
    const length = signer === null ? unsigned : signer.sign(buffer, start, unsigned);
    writeUint16(buffer, at, length);
    return start + length;
  };

  return {
    fill(buffer) {
      let at = 0;
      while (part < parts.length && buffer.length - at >= FRAMED_MESSAGE_OCTETS_MAX) {
        at = writeMessage(buffer, at);
      }
      return at;
    },
  };
}

const QUESTION_COUNT = 4;
const ANSWER_COUNT = 6;
const ADDITIONAL_COUNT = 10;
const FLAGS = 2;

/** An OPT record without options (RFC 6891 section 6.1.2). */
function encodeOpt({ udpPayloadSize, dnssecOk = false }: EdnsFields): Uint8Array {
  const opt = new Uint8Array(OPT_OCTETS);
  writeUint16(opt, 1, RRTYPE.OPT);
  writeUint16(opt, 3, udpPayloadSize);
  writeUint32(opt, 5, optTtl(RCODE.NOERROR, EDNS_VERSION, dnssecOk));
  return opt;
}

function messagePrefix(options: {
  readonly id: number;
  readonly question: Question;
  readonly recursionDesired: boolean;
}): Uint8Array {
  const { id, question, recursionDesired } = options;
  const prefix = new Uint8Array(HEADER_OCTETS + question.name.length + 4);
  writeUint16(prefix, 0, id);
  const header = { id, isResponse: true, authoritative: true, recursionDesired };
  writeUint16(prefix, FLAGS, headerFlags(header));
  writeUint16(prefix, QUESTION_COUNT, 1);
  prefix.set(question.name, HEADER_OCTETS);
  const at = writeUint16(prefix, HEADER_OCTETS + question.name.length, question.type);
  writeUint16(prefix, at, question.class);
  return prefix;
}
