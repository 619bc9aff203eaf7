import { describe, expect, it } from 'vitest';
import { echo, framed, idOf, query, rcodeOf, scene, sleep, testStream, until } from './scene.ts';

describe('the server over TCP', () => {
  it('answers one query', async () => {
    const { tcp } = await scene(echo());
    const client = await tcp();
    client.send(framed(query(5)));
    expect(idOf(await client.message())).toBe(5);
  });

  it('drops and counts messages without octets, shorter than a header, and responses, and goes on', async () => {
    const { tcp, server } = await scene(echo());
    const client = await tcp();
    client.send(
      framed(Buffer.alloc(0), Buffer.alloc(11), query(1, 0x8000), query(2), Buffer.alloc(0)),
    );
    expect(idOf(await client.message())).toBe(2);
    client.send(framed(query(3)));
    expect(idOf(await client.message())).toBe(3);
    expect(server.statistics()).toMatchObject({ tcpQueries: 2, tcpAnswers: 2, tcpMalformed: 4 });
  });

  it('answers SERVFAIL when the handler throws or its answer is too long, and goes on', async () => {
    const { tcp, server, logged } = await scene((octets, peer) => {
      if (idOf(octets) === 1) throw new Error('broken');
      if (idOf(octets) === 2) return { kind: 'message', bytes: new Uint8Array(65_536) };
      return echo()(octets, peer);
    });
    const client = await tcp();
    client.send(framed(query(1), query(2), query(3)));
    const answers = await client.messages(3);
    expect(answers.map((answer) => [idOf(answer), rcodeOf(answer)])).toEqual([
      [1, 2],
      [2, 2],
      [3, 0],
    ]);
    expect(logged).toHaveLength(2);
    expect(server.statistics().handlerFailures).toBe(2);
  });

  it('carries the longest answer', async () => {
    const { tcp } = await scene((octets) => {
      const bytes = new Uint8Array(65_535).fill(3);
      bytes.set(octets.subarray(0, 2));
      return { kind: 'message', bytes };
    });
    const client = await tcp();
    client.send(framed(query(1), query(2)));
    expect((await client.messages(2)).map((answer) => answer.length)).toEqual([65_535, 65_535]);
  });

  it('reads no more from a client that does not read, and all is there once it does', async () => {
    let asked = 0;
    const { tcp } = await scene((octets) => {
      asked += 1;
      const bytes = new Uint8Array(20_000).fill(1);
      bytes.set(octets.subarray(0, 2));
      return { kind: 'message', bytes };
    });
    const client = await tcp();
    client.socket.pause();
    // Asks for 200 MB in one chunk of queries after another.
    const count = 10_000;
    client.send(framed(...Array.from({ length: count }, (_, id) => query(id))));
    let before = -1;
    while (asked !== before) {
      before = asked;
      await sleep(100);
    }
    // What the two kernels buffer, and one write of ours: far from all of it.
    expect(asked).toBeLessThan(count / 2);
    client.socket.resume();
    const answers = await client.messages(count);
    expect(answers.map(idOf)).toEqual(Array.from({ length: count }, (_, id) => id));
    expect(answers.every((answer) => answer.length === 20_000)).toBe(true);
  });

  it('closes and counts connections above the limits in all and per client', async () => {
    const { tcp, server } = await scene(echo(), {
      tcpConnectionsMax: 3,
      tcpConnectionsPerClientMax: 2,
    });
    const first = await tcp();
    await tcp();
    await (await tcp()).closed();
    expect(server.statistics()).toMatchObject({ tcpRefusedPerClient: 1, tcpConnectionsOpen: 2 });
    const other = await tcp('127.0.0.2');
    await (await tcp('127.0.0.3')).closed();
    expect(server.statistics()).toMatchObject({ tcpRefusedTotal: 1, tcpConnectionsOpen: 3 });
    // The place of one that leaves is free again, and the others were not disturbed.
    first.destroy();
    await until(() => server.statistics().tcpConnectionsOpen === 2);
    const again = await tcp();
    for (const client of [again, other]) {
      client.send(framed(query(1)));
      expect(idOf(await client.message())).toBe(1);
    }
  });

  it('shows the handler who asks', async () => {
    const peers: string[] = [];
    const { tcp } = await scene((octets, peer) => {
      peers.push(`${peer.protocol} ${peer.address} ${peer.port}`);
      return echo()(octets, peer);
    });
    const client = await tcp('127.0.0.5');
    client.send(framed(query(1)));
    await client.message();
    expect(peers).toEqual([`tcp 127.0.0.5 ${client.socket.localPort}`]);
  });

  it('survives clients that reset in the middle of everything', async () => {
    const { tcp, server } = await scene(() => testStream(1, 10_000, 16_000).answer);
    for (let i = 0; i < 20; i += 1) {
      const client = await tcp();
      client.send(framed(query(1)).subarray(0, i % 3 === 0 ? 5 : 1_000));
      if (i % 2 === 0) await sleep(5);
      client.socket.resetAndDestroy();
    }
    await until(() => server.statistics().tcpConnectionsOpen === 0);
    expect(server.statistics()).toMatchObject({ transfersRunning: 0, transfersWaiting: 0 });
  });

  it('survives any octets', async () => {
    const { tcp } = await scene(echo());
    for (let seed = 1; seed < 50; seed += 1) {
      const client = await tcp();
      let state = seed;
      const octets = Buffer.alloc(3_000).map(() => {
        state = (state * 1_103_515_245 + 12_345) & 0x7fffffff;
        return state >> 16;
      });
      client.send(octets);
      client.socket.end();
    }
    const client = await tcp();
    client.send(framed(query(4)));
    expect(idOf(await client.message())).toBe(4);
  });
});
