import { describe, expect, it } from 'vitest';
import { TRANSFER_PIECE_OCTETS } from '../../src/nameserver/handler-port.ts';
import { requirePeer } from '../interop/peers/require-peer.ts';
import { makeIdentity, tlsOn } from './identities.ts';
import { echo, framed, idOf, query, scene, sleep, testStream, until } from './scene.ts';
import type { TcpClient } from './tcp-client.ts';

const SIZE = 16_000;
/** About 64 MB: far more than kernels buffer. */
const LARGE = 4_000;
const SHORT_FROM = 5_000;
const LONG_FROM = 1_000;

/** Ids from SHORT_FROM ask for a short transfer of 2 messages, those from LONG_FROM for a long one. */
function transfers(
  options: { long?: (id: number) => number; keyOf?: (id: number) => string | null } = {},
) {
  const { long = () => LARGE, keyOf = () => null } = options;
  const streams = new Map<number, ReturnType<typeof testStream>>();
  const single = echo();
  const handler: Parameters<typeof scene>[0] = (octets, peer) => {
    const id = idOf(octets);
    if (id < LONG_FROM) return single(octets, peer);
    const isShort = id >= SHORT_FROM;
    const name = keyOf(id);
    const key = name === null ? null : { name, transfersMax: null };
    const stream = testStream(id, isShort ? 2 : long(id), SIZE, { isShort, key });
    streams.set(id, stream);
    return stream.answer;
  };
  return { handler, streams };
}

describe('a short transfer', () => {
  it('does not wait for a place behind long ones that have them all', async () => {
    const { handler, streams } = transfers();
    const { tcp, server } = await scene(handler, { transfersMax: 2, transfersPerClientMax: 2 });
    for (let id = LONG_FROM; id < LONG_FROM + 4; id += 1) {
      const client = await tcp();
      client.socket.pause();
      client.send(framed(query(id)));
    }
    await until(() => server.statistics().transfersWaiting === 2);
    const client = await tcp();
    client.send(framed(query(SHORT_FROM)));
    expect((await client.messages(2)).map(idOf)).toEqual([SHORT_FROM, SHORT_FROM]);
    await until(() => streams.get(SHORT_FROM)!.outcomes.length === 1);
    expect(server.statistics()).toMatchObject({
      transfersRunning: 2,
      transfersWaiting: 2,
      transfersShortRunning: 0,
    });
  });

  it('waits for a place among short ones when they have all of theirs', async () => {
    const { handler } = transfers();
    const stuck = testStream(9, LARGE, SIZE, { isShort: true });
    const { tcp, server } = await scene(
      (octets, peer) => (idOf(octets) === 9 ? stuck.answer : handler(octets, peer)),
      { transfersShortMax: 1 },
    );
    const first = await tcp();
    first.socket.pause();
    first.send(framed(query(9)));
    await until(() => server.statistics().transfersShortRunning === 1);
    const second = await tcp();
    second.send(framed(query(SHORT_FROM)));
    await until(() => server.statistics().transfersShortWaiting === 1);
    first.destroy();
    await second.messages(2);
  });

  it('has the next turn, before all long ones that run', async () => {
    const FILL_MS = 4;
    const LONG = 30;
    let running = 0;
    const { tcp } = await scene(
      (octets, peer) => {
        if (idOf(octets) >= SHORT_FROM) {
          return testStream(idOf(octets), 2, SIZE, { isShort: true }).answer;
        }
        if (idOf(octets) < LONG_FROM) return echo()(octets, peer);
        running += 1;
        return {
          kind: 'stream',
          key: null,
          isShort: false,
          fill(buffer) {
            const start = performance.now();
            while (performance.now() - start < FILL_MS);
            buffer.set(framed(Buffer.alloc(SIZE)));
            return SIZE + 2;
          },
          ended: () => {},
        };
      },
      { transfersPerClientMax: LONG },
    );
    for (let i = 0; i < LONG; i += 1) (await tcp()).send(framed(query(LONG_FROM + i)));
    await until(() => running === LONG);
    const delays: number[] = [];
    const client = await tcp();
    for (let i = 0; i < 15; i += 1) {
      const start = performance.now();
      client.send(framed(query(SHORT_FROM + i)));
      await client.messages(2);
      delays.push(performance.now() - start);
    }
    // A round of all the long ones takes 120 ms.
    expect(delays.sort((a, b) => a - b)[7]).toBeLessThan((LONG * FILL_MS) / 2);
  });

  it('that turns out long takes turns as long ones do, and is counted', async () => {
    const pieces: string[] = [];
    const endless = (name: string, isShort: boolean) =>
      ({
        kind: 'stream',
        key: null,
        isShort,
        fill(buffer: Uint8Array) {
          pieces.push(name);
          buffer.set(framed(Buffer.alloc(60_000)));
          return pieces.length > 400 ? 0 : 60_002;
        },
        ended: () => {},
      }) as const;
    const { tcp, server } = await scene((octets) =>
      idOf(octets) === 1 ? endless('long', false) : endless('false', true),
    );
    const [long, posing] = await Promise.all([tcp(), tcp()]);
    long.send(framed(query(1)));
    await until(() => pieces.length > 20);
    posing.send(framed(query(2)));
    await until(() => pieces.length > 400);
    const from = pieces.indexOf('false') + 10;
    const shared = pieces.slice(from, from + 200);
    const share = shared.filter((name) => name === 'false').length / shared.length;
    expect(share).toBeGreaterThan(0.3);
    expect(share).toBeLessThan(0.7);
    expect(server.statistics().transfersOutgrown).toBe(1);
  });

  it('leaves the long ones a piece in each turn, however many follow one another', async () => {
    let asked = 0;
    const long = testStream(LONG_FROM, 600, SIZE);
    const { tcp } = await scene(
      (octets) => {
        if (idOf(octets) === LONG_FROM) return long.answer;
        asked += 1;
        let left = 3;
        return {
          kind: 'stream',
          key: null,
          isShort: true,
          // A turn and more of work for each.
          fill(buffer) {
            const start = performance.now();
            while (performance.now() - start < 3);
            buffer.set(framed(octets));
            left -= 1;
            return left < 0 ? 0 : octets.length + 2;
          },
          ended: () => {},
        };
      },
      { transfersPerClientMax: 64 },
    );
    const floods = await Promise.all(Array.from({ length: 10 }, () => tcp()));
    let isFlooding = true;
    const flooding = floods.map(async (client) => {
      while (isFlooding) {
        client.send(framed(query(SHORT_FROM)));
        await client.messages(3);
      }
    });
    await until(() => asked > 20);
    const reader = await tcp();
    reader.send(framed(query(LONG_FROM)));
    expect(await reader.messages(600)).toHaveLength(600);
    isFlooding = false;
    await Promise.all(flooding);
  });
});

describe('long transfers', () => {
  it('of one key are limited, whatever addresses they come from', async () => {
    const { handler, streams } = transfers({ keyOf: () => 'shared.' });
    const { tcp, server } = await scene(handler, { transfersPerKeyMax: 2 });
    const clients: TcpClient[] = [];
    for (let i = 0; i < 3; i += 1) {
      const client = await tcp(`127.0.0.${10 + i}`);
      client.socket.pause();
      client.send(framed(query(LONG_FROM + i)));
      clients.push(client);
    }
    await until(() => server.statistics().transfersWaiting === 1);
    expect(server.statistics().transfersRunning).toBe(2);
    expect(streams.get(LONG_FROM + 2)!.filled()).toBe(0);
    server.useLimits({ transfersPerKeyMax: 3 });
    await until(() => streams.get(LONG_FROM + 2)!.filled() > 0);
  });

  it('of a client that asks for many do not keep another waiting until they are all done', async () => {
    const BLOCKER = 4_000;
    const { handler } = transfers({ long: (id) => (id === BLOCKER ? LARGE : 20) });
    const order: number[] = [];
    const { tcp, server } = await scene(
      (octets, peer) => {
        const answer = handler(octets, peer);
        if (answer.kind !== 'stream') return answer;
        const ended: typeof answer.ended = (outcome) => {
          order.push(idOf(octets));
          answer.ended(outcome);
        };
        return { ...answer, ended };
      },
      { transfersMax: 1, transfersPerClientMax: 1 },
    );
    const holding = await tcp('127.0.0.77');
    holding.socket.pause();
    holding.send(framed(query(BLOCKER)));
    await until(() => server.statistics().transfersRunning === 1);
    const greedy = await Promise.all(Array.from({ length: 30 }, () => tcp('127.0.0.78')));
    for (const [i, client] of greedy.entries()) client.send(framed(query(LONG_FROM + i)));
    await until(() => server.statistics().transfersWaiting === 30);
    const modest = await tcp('127.0.0.79');
    modest.send(framed(query(3_000)));
    await until(() => server.statistics().transfersWaiting === 31);
    holding.destroy();
    await until(() => order.length === 32);
    expect(order.indexOf(3_000)).toBeLessThanOrEqual(2);
  });
});

describe('clients that never read', () => {
  const CLIENTS = 20;
  /** A piece each, and a chunk that was read at each of the two ends. What OpenSSL holds is not seen here. */
  const OCTETS_EACH = TRANSFER_PIECE_OCTETS + 2 * 65_536;
  const MESSAGES_EACH = 15;
  const PIECES = 200;
  const piece = framed(...new Array(MESSAGES_EACH).fill(Buffer.alloc(SIZE)));

  it.each([
    ['TCP', false],
    ['TLS', true],
  ])('cost bounded memory over %s, are cut off, and hinder nobody', async (_, overTls) => {
    if (overTls && !requirePeer('openssl')) return;
    let fills = 0;
    const outcomes: boolean[] = [];
    const { tcp, tls, server } = await scene(
      () => {
        let left = PIECES;
        return {
          kind: 'stream',
          key: null,
          isShort: false,
          // Makes nothing that a collector of garbage would have to find.
          fill(buffer) {
            fills += 1;
            left -= 1;
            if (left < 0) return 0;
            buffer.set(piece);
            return piece.length;
          },
          ended: ({ completed }) => outcomes.push(completed),
        };
      },
      {
        ...(overTls ? tlsOn(makeIdentity().identity()) : {}),
        transfersPerClientMax: CLIENTS + 1,
        tcpStallMs: 2_000,
      },
    );
    const connect = (): Promise<TcpClient> => (overTls ? tls() : tcp());
    const clients: TcpClient[] = [];
    for (let i = 0; i <= CLIENTS; i += 1) clients.push(await connect());
    const reader = clients.pop()!;
    const before = process.memoryUsage().arrayBuffers;
    for (const client of clients) {
      client.socket.pause();
      client.send(framed(query(1)));
    }
    for (let last = -1; last !== fills || fills < CLIENTS; ) {
      last = fills;
      await sleep(150);
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(CLIENTS * OCTETS_EACH);
    reader.send(framed(query(2)));
    expect(await reader.messages(PIECES * MESSAGES_EACH)).toHaveLength(PIECES * MESSAGES_EACH);
    await until(() => server.statistics().transfersCut === CLIENTS);
    expect(outcomes.filter((completed) => completed)).toHaveLength(1);
    expect(server.statistics()).toMatchObject({
      transfersCompleted: 1,
      tcpClosedStalled: CLIENTS,
      transfersRunning: 0,
      tcpConnectionsOpen: 1,
    });
  });
});
