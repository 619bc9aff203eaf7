import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import Fastify from 'fastify';
import { describe, expect, it, onTestFinished } from 'vitest';
import { sendExport } from '../../src/http/send-export.ts';

/** Nothing that compression makes smaller: its window does not reach from one to the next. */
const PIECE = randomBytes(64 * 1024);
const PIECES = 4_000;

/** A server with one export of 250 MB, which counts what was made of it. */
async function serveLargeExport() {
  const count = { made: 0, ended: false };
  const app = Fastify();
  app.get('/', (request, reply) =>
    sendExport(request, reply, {
      mediaType: 'text/plain',
      fileName: 'large.txt',
      validator: 'large',
      *pieces() {
        try {
          for (; count.made < PIECES; count.made++) yield PIECE;
        } finally {
          count.ended = true;
        }
      },
    }),
  );
  await app.listen({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => app.close());
  const { port } = app.server.address() as AddressInfo;
  return { port, count };
}

describe('a large export', () => {
  it.each(['identity', 'gzip'])(
    'is not made for a client that stops reading (%s)',
    async (coding) => {
      const { port, count } = await serveLargeExport();
      const client = connect(port, '127.0.0.1');
      onTestFinished(() => void client.destroy());
      client.pause();
      client.write(`GET / HTTP/1.1\r\nhost: x\r\naccept-encoding: ${coding}\r\n\r\n`);
      let before = -1;
      while (count.made !== before) {
        before = count.made;
        await sleep(150);
      }
      // What stands between is the buffers of two sockets and of the compression.
      expect(count.made).toBeGreaterThan(0);
      expect(count.made).toBeLessThan(400);
      client.destroy();
      for (let tries = 0; !count.ended && tries < 40; tries++) await sleep(25);
      expect(count.ended).toBe(true);
      expect(count.made).toBeLessThan(PIECES);
    },
  );

  it('lets others have their turn between its pieces', async () => {
    const { port, count } = await serveLargeExport();
    const client = connect(port, '127.0.0.1');
    onTestFinished(() => void client.destroy());
    client.resume();
    client.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    await once(client, 'close');
    clearInterval(timer);
    expect(count.made).toBe(PIECES);
    expect(turns).toBeGreaterThan(20);
  });
});
