import { describe, expect, it } from 'vitest';
import { TRANSFER_PIECE_OCTETS } from '../../src/nameserver/handler-port.ts';
import {
  echo,
  framed,
  idOf,
  query,
  rcodeOf,
  scene,
  sleep,
  streamMessage,
  type TestStream,
  testStream,
  until,
} from './scene.ts';
import type { TcpClient } from './tcp-client.ts';

/** Ids from here on ask for a stream; those below for one message. */
const STREAMS_FROM = 1_000;
const SIZE = 16_000;
const FRAMED_SIZE = SIZE + 2;
/** About 64 MB: far more than kernels buffer. */
const LARGE = 4_000;

/** Answers an id of STREAMS_FROM or more with a stream of `count` messages. */
function streamsOf(count: (id: number) => number): {
  handler: Parameters<typeof scene>[0];
  streams: Map<number, TestStream>;
} {
  const streams = new Map<number, TestStream>();
  const single = echo();
  return {
    streams,
    handler: (octets, peer) => {
      const id = idOf(octets);
      if (id < STREAMS_FROM) return single(octets, peer);
      const stream = testStream(id, count(id), SIZE);
      streams.set(id, stream);
      return stream.answer;
    },
  };
}

async function expectStream(client: TcpClient, id: number, count: number): Promise<void> {
  for (const [number, message] of (await client.messages(count)).entries()) {
    if (!message.equals(streamMessage(id, number, SIZE))) {
      expect(message).toEqual(streamMessage(id, number, SIZE));
    }
  }
}

/** The client may have everything before the server has noticed that there is no more. */
async function outcomesOf(
  streams: Map<number, TestStream>,
  id: number,
): Promise<TestStream['outcomes']> {
  await until(() => (streams.get(id)?.outcomes.length ?? 0) > 0);
  return streams.get(id)?.outcomes ?? [];
}

describe('a transfer', () => {
  it('arrives whole and in order, over many pieces', async () => {
    const { handler, streams } = streamsOf(() => 500);
    const { tcp, server } = await scene(handler);
    const client = await tcp();
    client.send(framed(query(1_000)));
    await expectStream(client, 1_000, 500);
    const [outcome] = await outcomesOf(streams, 1_000);
    expect(outcome).toMatchObject({ completed: true, octets: 500 * FRAMED_SIZE });
    expect(outcome.durationMs).toBeGreaterThan(0);
    expect(server.statistics()).toMatchObject({
      transfersCompleted: 1,
      transfersCut: 0,
      transfersRunning: 0,
      transferOctets: 500 * FRAMED_SIZE,
    });
  });

  it('without any message is over at once', async () => {
    const { handler, streams } = streamsOf(() => 0);
    const { tcp } = await scene(handler);
    const client = await tcp();
    client.send(framed(query(1_000), query(2)));
    expect(idOf(await client.message())).toBe(2);
    expect(await outcomesOf(streams, 1_000)).toMatchObject([{ completed: true, octets: 0 }]);
  });

  it('runs after those asked for before it on its connection, while other answers go between', async () => {
    const { handler, streams } = streamsOf(() => 400);
    const { tcp } = await scene(handler);
    const client = await tcp();
    client.send(framed(query(1_000), query(1), query(1_001), query(2)));
    const ids = (await client.messages(802)).map(idOf);
    // RFC 7766 section 7: the answer to a later query need not wait.
    expect(ids.indexOf(2)).toBeLessThan(ids.lastIndexOf(1_000));
    expect(ids.lastIndexOf(1_000)).toBeLessThan(ids.indexOf(1_001));
    for (const id of streams.keys()) {
      expect(await outcomesOf(streams, id)).toMatchObject([{ completed: true }]);
    }
  });

  it('is asked for no more than a client takes, and goes on when it does', async () => {
    const { handler, streams } = streamsOf(() => LARGE);
    const { tcp } = await scene(handler);
    const client = await tcp();
    client.socket.pause();
    client.send(framed(query(1_000)));
    const filled = (): number => streams.get(1_000)?.filled() ?? -1;
    let before = -2;
    while (filled() !== before) {
      before = filled();
      await sleep(100);
    }
    expect(filled()).toBeLessThan((LARGE * FRAMED_SIZE) / 2);
    client.socket.resume();
    await expectStream(client, 1_000, LARGE);
    expect(await outcomesOf(streams, 1_000)).toMatchObject([{ completed: true }]);
  });

  it('holds one piece of memory for each client that never reads', async () => {
    const CLIENTS = 20;
    let fills = 0;
    const endless = {
      kind: 'stream',
      key: null,
      isShort: false,
      fill: (buffer: Uint8Array) => {
        fills += 1;
        return buffer.length;
      },
      ended: () => {},
    } as const;
    const { tcp, server } = await scene(() => endless, { transfersPerClientMax: CLIENTS });
    const before = process.memoryUsage();
    for (let i = 0; i < CLIENTS; i += 1) {
      const client = await tcp();
      client.socket.pause();
      client.send(framed(query(1_000 + i)));
    }
    let last = -1;
    while (fills !== last || server.statistics().transfersRunning < CLIENTS) {
      last = fills;
      await sleep(200);
    }
    const after = process.memoryUsage();
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(
      1.5 * CLIENTS * TRANSFER_PIECE_OCTETS,
    );
  });

  it('is cut when the client takes nothing for the stall limit', async () => {
    const { handler, streams } = streamsOf(() => LARGE);
    const { tcp, server } = await scene(handler, { tcpStallMs: 100 });
    const client = await tcp();
    client.socket.pause();
    client.send(framed(query(1_000)));
    expect(await outcomesOf(streams, 1_000)).toMatchObject([{ completed: false }]);
    expect(server.statistics()).toMatchObject({
      tcpClosedStalled: 1,
      transfersCut: 1,
      transfersRunning: 0,
    });
  });

  it('is cut in the end when a client trickles, and is not when it is merely slow', async () => {
    const { handler, streams } = streamsOf(() => LARGE);
    const { tcp } = await scene(handler, { tcpStallMs: 400, tcpWriteMs: 700, tcpIdleMs: 150 });
    const slow = await tcp();
    const trickling = await tcp();
    for (const client of [slow, trickling]) client.socket.pause();
    slow.send(framed(query(1_000)));
    trickling.send(framed(query(1_001)));
    const readSome = async (client: TcpClient, octets: number): Promise<void> => {
      while (!client.socket.closed && (streams.get(1_000)?.outcomes.length ?? 0) === 0) {
        client.socket.resume();
        const read = client.socket.bytesRead;
        while (client.socket.bytesRead - read < octets && !client.socket.closed) await sleep(1);
        client.socket.pause();
        await sleep(20);
      }
    };
    await Promise.race([readSome(slow, 1_000_000), sleep(20_000)]);
    expect(await outcomesOf(streams, 1_000)).toMatchObject([{ completed: true }]);
    expect(await outcomesOf(streams, 1_001)).toMatchObject([{ completed: false }]);
  });

  it('is ended once when the client resets, in whatever state it was', async () => {
    const { handler, streams } = streamsOf(() => LARGE);
    const { tcp, server } = await scene(handler, { transfersMax: 2, transfersPerClientMax: 2 });
    const clients = await Promise.all([tcp(), tcp(), tcp()]);
    for (const [i, client] of clients.entries()) {
      client.socket.pause();
      // Two run, one waits for a place, and each has another one behind it.
      client.send(framed(query(1_000 + 2 * i), query(1_001 + 2 * i)));
    }
    await until(() => streams.size === 6 && server.statistics().transfersWaiting === 1);
    for (const client of clients.reverse()) client.socket.resetAndDestroy();
    await until(() => server.statistics().transfersCut === 6);
    for (const { outcomes } of streams.values())
      expect(outcomes).toMatchObject([{ completed: false }]);
    expect(server.statistics()).toMatchObject({ transfersRunning: 0, transfersWaiting: 0 });
  });

  it('that throws or fills more than there is cuts its own connection only', async () => {
    const ends: unknown[] = [];
    const failing = (
      fill: (buffer: Uint8Array) => number,
    ): ReturnType<ReturnType<typeof echo>> => ({
      kind: 'stream',
      key: null,
      isShort: false,
      fill,
      ended: (outcome) => {
        ends.push(outcome);
        throw new Error('broken in the end too');
      },
    });
    const faults = [
      () => {
        throw new Error('broken');
      },
      (buffer: Uint8Array) => buffer.length + 1,
      () => -1,
      () => Number.NaN,
    ];
    const { tcp, server } = await scene((octets, peer) =>
      idOf(octets) < STREAMS_FROM ? echo()(octets, peer) : failing(faults[idOf(octets) - 1_000]),
    );
    const bystander = await tcp();
    for (let id = 1_000; id < 1_004; id += 1) {
      const client = await tcp();
      client.send(framed(query(id)));
      await client.closed();
    }
    expect(ends).toHaveLength(4);
    expect(ends).toEqual(
      ends.map(() => ({ completed: false, octets: 0, durationMs: expect.any(Number) })),
    );
    expect(server.statistics()).toMatchObject({ handlerFailures: 4, transfersRunning: 0 });
    bystander.send(framed(query(1)));
    expect(idOf(await bystander.message())).toBe(1);
  });
});

describe('places for transfers', () => {
  it('are limited in all: those above wait, and those above that get SERVFAIL', async () => {
    const { handler, streams } = streamsOf((id) => (id === 1_000 ? LARGE : 3));
    const { tcp, server } = await scene(handler, { transfersMax: 1, transfersWaitingMax: 1 });
    const [running, waiting, refused] = await Promise.all([tcp(), tcp(), tcp()]);
    running.socket.pause();
    running.send(framed(query(1_000)));
    await until(() => server.statistics().transfersRunning === 1);
    waiting.send(framed(query(1_001)));
    await until(() => server.statistics().transfersWaiting === 1);
    refused.send(framed(query(1_002), query(1)));
    const answers = await refused.messages(2);
    expect(answers.map((answer) => [idOf(answer), rcodeOf(answer)])).toEqual([
      [1_002, 2],
      [1, 0],
    ]);
    expect(streams.get(1_002)?.outcomes).toEqual([{ completed: false, octets: 0, durationMs: 0 }]);
    expect(streams.get(1_001)?.filled()).toBe(0);
    running.destroy();
    await expectStream(waiting, 1_001, 3);
    expect(await outcomesOf(streams, 1_001)).toMatchObject([{ completed: true }]);
    expect(server.statistics()).toMatchObject({ transfersRefused: 1, transfersCompleted: 1 });
  });

  it('are limited per client, and a client that has all of its own does not hold up another', async () => {
    const { handler, streams } = streamsOf((id) => (id < 1_002 ? LARGE : 3));
    const { tcp, server } = await scene(handler, { transfersMax: 3, transfersPerClientMax: 2 });
    const greedy = await Promise.all([tcp(), tcp(), tcp()]);
    for (const [i, client] of greedy.entries()) {
      client.socket.pause();
      client.send(framed(query(1_000 + i)));
      // One after the other: connections are read in whatever order the system names them.
      await until(() => server.statistics().tcpQueries === i + 1);
    }
    expect(server.statistics()).toMatchObject({ transfersRunning: 2, transfersWaiting: 1 });
    const other = await tcp('127.0.0.2');
    other.send(framed(query(1_003)));
    await expectStream(other, 1_003, 3);
    expect(streams.get(1_002)?.filled()).toBe(0);
    greedy[0].destroy();
    greedy[2].socket.resume();
    await expectStream(greedy[2], 1_002, 3);
  });

  it('take turns with answers: slow fills of many transfers delay a query by little', async () => {
    const FILL_MS = 5;
    const TRANSFERS = 20;
    let running = 0;
    const { tcp, udp } = await scene(
      (octets, peer) => {
        if (idOf(octets) < STREAMS_FROM) return echo()(octets, peer);
        running += 1;
        return {
          kind: 'stream',
          key: null,
          isShort: false,
          fill(buffer) {
            const start = performance.now();
            while (performance.now() - start < FILL_MS);
            buffer.set(framed(streamMessage(idOf(octets), 0, SIZE)));
            return FRAMED_SIZE;
          },
          ended: () => {},
        };
      },
      { transfersPerClientMax: TRANSFERS },
    );
    for (let i = 0; i < TRANSFERS; i += 1) (await tcp()).send(framed(query(1_000 + i)));
    await until(() => running === TRANSFERS);
    const delays: number[] = [];
    for (let i = 0; i < 31; i += 1) {
      const start = performance.now();
      await udp(query(i));
      delays.push(performance.now() - start);
    }
    // A query meets the fill under way, and the client of the test shares our event loop.
    expect(delays.sort((a, b) => a - b)[15]).toBeLessThan((TRANSFERS * FILL_MS) / 2);
  });
});
