import type { Socket } from 'node:net';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { bodyOf, failureOf, get, startRawServer } from './fetching.ts';

const reply = (head: string, body: string | Uint8Array = '') =>
  Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n`), Buffer.from(body)]);

/** Sends pieces for as long as anybody listens. */
function endless(socket: Socket, head: string, piece: string | Uint8Array, pauseMs = 0): void {
  socket.write(head);
  const send = () => {
    if (socket.destroyed) return;
    socket.write(piece);
    setTimeout(send, pauseMs);
  };
  send();
}

const chunk = (octets: Uint8Array) =>
  Buffer.concat([Buffer.from(`${octets.length.toString(16)}\r\n`), octets, Buffer.from('\r\n')]);

describe('a body of which not all arrives is never used', () => {
  const cases: readonly [string, Buffer][] = [
    ['ends before its announced length', reply('Content-Length: 100', 'a.example\n')],
    ['ends in the middle of a chunk', reply('Transfer-Encoding: chunked', '20\r\na.example\n')],
    ['ends without its last chunk', reply('Transfer-Encoding: chunked', 'a\r\na.example\n\r\n')],
    ['is longer than its announced length', reply('Content-Length: 5', 'a.example\nb.example\n')],
    [
      'ends in the middle of its gzip stream',
      reply('Content-Encoding: gzip', gzipSync('a.example\n'.repeat(500)).subarray(0, 40)),
    ],
  ];
  for (const [title, answer] of cases) {
    it(`when it ${title}`, async () => {
      const server = await startRawServer((socket) => socket.end(answer));
      expect((await failureOf(get(server.url))).reason).toBe('truncated');
    });
  }

  it('when the connection is reset', async () => {
    const server = await startRawServer((socket) => {
      socket.write(reply('Content-Length: 100', 'a.example\n'));
      setTimeout(() => socket.resetAndDestroy(), 50);
    });
    expect((await failureOf(get(server.url))).reason).toBe('truncated');
  });
});

describe('a server that does not end', () => {
  it('is left when its body is larger than allowed', async () => {
    const piece = Buffer.alloc(60_000, 'a.example\n');
    const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
    const server = await startRawServer((socket) => endless(socket, head, chunk(piece)));
    let received = 0;
    const failure = await failureOf(
      get(server.url, {
        onOctets: (octets) => {
          received = octets;
        },
      }),
    );
    expect(failure.reason).toBe('too-large');
    expect(received).toBeLessThanOrEqual(1_000_000);
  });

  it('is left when it goes on in small pieces', async () => {
    const head = 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n';
    const server = await startRawServer((socket) => endless(socket, head, 'a.example\n', 1));
    const failure = await failureOf(get(server.url, { limits: { octetsMax: 1_000 } }));
    expect(failure.reason).toBe('too-large');
  });

  it('is left when its head never ends', async () => {
    const slow = await startRawServer((socket) =>
      endless(socket, 'HTTP/1.1 200 OK\r\n', 'X-More: 1\r\n', 50),
    );
    const failure = await failureOf(get(slow.url, { limits: { idleMs: 400 } }));
    expect(failure.reason).toBe('timeout');
    const fast = await startRawServer((socket) =>
      endless(socket, 'HTTP/1.1 200 OK\r\n', `X-More: ${'1'.repeat(4_000)}\r\n`),
    );
    expect((await failureOf(get(fast.url))).reason).toBe('protocol');
  });

  it('is left when nothing comes, before or in the middle of its answer', async () => {
    const silent = await startRawServer(() => {});
    const first = await failureOf(get(silent.url, { limits: { idleMs: 200 } }));
    expect(first.reason).toBe('timeout');
    const stuck = await startRawServer((socket) =>
      socket.write(reply('Content-Length: 100', 'a.example\n')),
    );
    const second = await failureOf(get(stuck.url, { limits: { idleMs: 200 } }));
    expect(second.reason).toBe('timeout');
    expect(second.message).toContain('nothing for 0.2 s');
  });

  it('is not left while octets wait in the socket, however long this thread was busy', async () => {
    const server = await startRawServer((socket) => {
      socket.write(reply('Content-Length: 4', 'ab'));
      setTimeout(() => {
        socket.write('cd');
        // The next turn comes after the limit, with the octets there.
        setImmediate(() => {
          const until = performance.now() + 500;
          while (performance.now() < until);
        });
      }, 50);
    });
    expect((await bodyOf(get(server.url, { limits: { idleMs: 300 } }))).text).toBe('abcd');
  });
});

describe('a compressed body', () => {
  const text = 'a.example\n'.repeat(1_000);

  it('is decoded from each encoding that was asked for, and from deflate without a frame', async () => {
    const encoded: readonly [string, Uint8Array][] = [
      ['gzip', gzipSync(text)],
      ['x-gzip', gzipSync(text)],
      ['deflate', deflateSync(text)],
      ['deflate', deflateRawSync(text)],
      ['br', brotliCompressSync(text)],
      ['identity', Buffer.from(text)],
    ];
    for (const [encoding, body] of encoded) {
      const head = `Content-Encoding: ${encoding}\r\nContent-Length: ${body.length}`;
      const server = await startRawServer((socket) => socket.end(reply(head, body)));
      expect((await bodyOf(get(server.url))).text).toBe(text);
    }
  });

  it('is refused when it would unpack to more than allowed, in little memory', async () => {
    const bomb = gzipSync(Buffer.alloc(200_000_000), { level: 9 });
    const head = `Content-Encoding: gzip\r\nContent-Length: ${bomb.length}`;
    const server = await startRawServer((socket) => socket.end(reply(head, bomb)));
    const before = process.memoryUsage().arrayBuffers;
    const failure = await failureOf(get(server.url));
    expect(failure.reason).toBe('too-large');
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20_000_000);
  });

  it('is refused when it is damaged or encoded in another way', async () => {
    const damaged = gzipSync(text);
    damaged.fill(0xff, 12, 40);
    const bad = await startRawServer((socket) =>
      socket.end(reply(`Content-Encoding: gzip\r\nContent-Length: ${damaged.length}`, damaged)),
    );
    expect((await failureOf(get(bad.url))).reason).toBe('decompress');
    for (const encoding of ['zstd', 'gzip, gzip', 'compress']) {
      const head = `Content-Encoding: ${encoding}\r\nContent-Length: 1`;
      const server = await startRawServer((socket) => socket.end(reply(head, 'a')));
      expect((await failureOf(get(server.url))).message).toContain(encoding);
    }
  });
});

describe('what is no HTTP', () => {
  it('is said to be that', async () => {
    const server = await startRawServer((socket) => socket.end('SSH-2.0-OpenSSH\r\n'));
    expect((await failureOf(get(server.url))).reason).toBe('protocol');
  });

  it('is an answer whose length can be read in two ways, or that changes the protocol', async () => {
    const heads = [
      '200 OK\r\nContent-Length: 2\r\nContent-Length: 3',
      '200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked',
      '200 OK\r\nContent-Length: -1',
      '101 Switching Protocols\r\nUpgrade: other\r\nConnection: Upgrade',
    ];
    for (const head of heads) {
      const server = await startRawServer((socket) => socket.end(`HTTP/1.1 ${head}\r\n\r\nabc`));
      expect([head, (await failureOf(get(server.url))).reason]).toEqual([head, 'protocol']);
    }
  });

  it('is told apart from a server that hangs up or is not there', async () => {
    const silent = await startRawServer((socket) => socket.end());
    expect((await failureOf(get(silent.url))).reason).toBe('connect');
    const nobody = await failureOf(get('http://127.0.0.1:1/'));
    expect([nobody.reason, nobody.message]).toEqual([
      'connect',
      expect.stringContaining('ECONNREFUSED'),
    ]);
    const nameless = await failureOf(get('http://feeds.invalid/'));
    expect(nameless.reason).toBe('dns');
  });

  it('is a 304 that nobody asked for, and any success but 200', async () => {
    for (const status of ['304 Not Modified', '206 Partial Content', '204 No Content', '999 Odd']) {
      const answer = `HTTP/1.1 ${status}\r\nContent-Length: 0\r\n\r\n`;
      const server = await startRawServer((socket) => socket.end(answer));
      const failure = await failureOf(get(server.url));
      expect([failure.reason, failure.message]).toEqual([
        'http-status',
        expect.stringContaining(status.slice(0, 3)),
      ]);
    }
  });
});
