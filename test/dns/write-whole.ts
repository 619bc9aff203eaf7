import type { Message } from '../../src/dns/message.ts';
import { createMessageWriter } from '../../src/dns/message-writer.ts';

/** The octets of a message, TSIG aside; throws when it does not fit. */
export function writeWhole(message: Message, buffer = new Uint8Array(65_535)): Uint8Array {
  const writer = createMessageWriter(buffer);
  writer.start(message);
  const fits = [
    message.edns === null || writer.edns(message.edns),
    ...message.questions.map((question) => writer.question(question)),
    ...message.answers.map((record) => writer.record('answer', record)),
    ...message.authorities.map((record) => writer.record('authority', record)),
    ...message.additionals.map((record) => writer.record('additional', record)),
  ];
  if (fits.includes(false)) throw new Error('the message does not fit into the buffer');
  return buffer.slice(0, writer.finish());
}

/** `ab:cd ef` to octets; white space and punctuation are for the reader. */
export function hex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replace(/[^0-9a-f]/gi, ''), 'hex'));
}
