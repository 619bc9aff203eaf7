import { UDP_OCTETS_MAX } from '../dns/edns.ts';
import { isMalformed, type MalformedMessage, type Message, readMessage } from '../dns/message.ts';
import { createMessageWriter } from '../dns/message-writer.ts';
import { RCODE } from '../dns/registry.ts';
import type { Handler } from './handler-port.ts';
import { NOT_READY } from './outcome.ts';

const buffer = new Uint8Array(UDP_OCTETS_MAX);
const writer = createMessageWriter(buffer);

/**
 * Answers every query with SERVFAIL while what is served is still being loaded, so that clients go
 * elsewhere at once, or come again, instead of waiting. Keys are not there yet either, so answers to
 * signed queries are not signed, and clients take them for what they are: no answer.
 */
export const answerNotReady: Handler = (query) => {
  const message = readMessage(query);
  const isUnanswerable = isMalformed(message) && message.id === null;
  if (isUnanswerable || message.isResponse) return { kind: 'none' };
  return { kind: 'message', bytes: buffer.subarray(0, writeFailure(message)) };
};

function writeFailure(message: Message | MalformedMessage): number {
  const { id, opcode, recursionDesired, edns } = message;
  const malformed = isMalformed(message);
  const [question = null] = malformed ? [message.question] : message.questions;
  const rcode = malformed ? RCODE.FORMERR : NOT_READY.rcode;
  writer.start({ id: id ?? 0, opcode, recursionDesired, isResponse: true, rcode });
  if (question !== null) writer.question(question);
  const { extendedError } = NOT_READY;
  const options = malformed || extendedError === undefined ? [] : [extendedError];
  const dnssecOk = edns?.dnssecOk ?? false;
  if (edns !== null) writer.edns({ udpPayloadSize: UDP_OCTETS_MAX, dnssecOk, options });
  return writer.finish();
}
