import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import {
  CLASS,
  createMessageWriter,
  isMalformed,
  RRTYPE,
  readMessage,
} from '../../../src/dns/index.ts';
import type { Endpoint } from '../client.ts';

/** What every name has upstream. */
const ADDRESS = Uint8Array.of(198, 51, 100, 1);
const TTL_SECONDS = 60;

/**
 * The Internet as a resolver sees it: every name has an address, so a name error can only come from
 * a policy.
 */
export async function startUpstream(): Promise<Endpoint & { stop(): void }> {
  const socket = createSocket('udp4');
  const buffer = new Uint8Array(512);
  socket.on('message', (query, { port, address }) => {
    const message = readMessage(query);
    if (isMalformed(message)) return;
    const [question] = message.questions;
    if (question === undefined) return;
    const writer = createMessageWriter(buffer);
    writer.start({ id: message.id, isResponse: true, recursionAvailable: true });
    writer.question(question);
    if (question.type === RRTYPE.A) {
      const record = { name: question.name, type: RRTYPE.A, class: CLASS.IN, ttl: TTL_SECONDS };
      writer.record('answer', { ...record, rdata: ADDRESS });
    }
    socket.send(buffer.slice(0, writer.finish()), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return { address: '127.0.0.1', port: socket.address().port, stop: () => socket.close() };
}
