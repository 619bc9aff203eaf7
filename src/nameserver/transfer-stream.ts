import { HEADER_OCTETS, headerFlags } from '../dns/header.ts';
import type { Question } from '../dns/message.ts';
import { writeUint16 } from '../dns/octets.ts';
import { type EdnsFields, optOctets, paddingOctets, writeOpt } from '../dns/opt-record.ts';
import { EDNS_OPTION, RCODE } from '../dns/registry.ts';
import type { ResponseSigner } from '../dns/tsig.ts';
import type { OpenMessage, TransferPart } from './transfer-parts.ts';

const MESSAGE_OCTETS_MAX = 65_535;
/** A message of a transfer, its length octets included, never takes more. */
const FRAMED_MESSAGE_OCTETS_MAX = MESSAGE_OCTETS_MAX + 2;

export interface TransferStream {
  /** Fills the buffer with whole messages; returns the number of octets, 0 at the end. */
  fill(buffer: Uint8Array): number;
  /** Lets go of what is held for the client, whether all was written or not. */
  close(): void;
}

/**
 * The messages of a transfer, written one after the other into whatever buffer is given. Every
 * message carries the question (RFC 5936 section 2.2.1 allows it), so that records can point to the
 * zone's name at one and the same offset in all of them; AA is set in all.
 */
export function createTransferStream(options: {
  readonly id: number;
  readonly question: Question;
  readonly recursionDesired: boolean;
  /**
   * For a client that sent EDNS: what the first message says; later ones repeat the cookie. With
   * padding every message is padded, since the size of a transfer is that of all of them (RFC 9103 leaves the policy to servers).
   */
  readonly edns: EdnsFields | null;
  readonly signer: ResponseSigner | null;
  readonly parts: readonly TransferPart[];
}): TransferStream {
  const { id, question, recursionDesired, signer, parts } = options;
  const prefix = messagePrefix({ id, question, recursionDesired });
  let opt = options.edns;
  let part = 0;

  /** Writes one message with its length in front; returns the offset behind it. */
  const writeMessage = (buffer: Uint8Array, at: number): number => {
    const start = at + 2;
    buffer.set(prefix, start);
    const message: OpenMessage = { buffer, start, at: start + prefix.length, records: 0 };
    while (part < parts.length && parts[part].write(message)) part++;
    writeUint16(buffer, start + ANSWER_COUNT, message.records);
    if (opt !== null) {
      const octets = message.at - start + optOctets(opt) + (signer?.octets ?? 0);
      const padding = paddingOctets(opt, octets, MESSAGE_OCTETS_MAX);
      message.at = writeOpt(buffer, message.at, opt, { rcode: RCODE.NOERROR, padding });
      writeUint16(buffer, start + ADDITIONAL_COUNT, 1);
      opt = laterOpt(opt);
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
    close() {
      for (const { close } of parts) close?.();
    },
  };
}

const QUESTION_COUNT = 4;
const ANSWER_COUNT = 6;
const ADDITIONAL_COUNT = 10;
const FLAGS = 2;

/**
 * RFC 5936 section 2.2.5: an OPT record in the first message is enough, but for padding and for
 * cookies: dig looks for the cookie in every message, and says so where it is missing.
 */
function laterOpt({ udpPayloadSize, dnssecOk = false, paddingBlock, options = [] }: EdnsFields) {
  const cookie = options.filter(({ code }) => code === EDNS_OPTION.COOKIE);
  if (paddingBlock === undefined && cookie.length === 0) return null;
  const padding = paddingBlock === undefined ? {} : { paddingBlock };
  return { udpPayloadSize, dnssecOk, options: cookie, ...padding };
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
