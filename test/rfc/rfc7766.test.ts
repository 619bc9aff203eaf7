import { describe, expect, it } from 'vitest';
import { echo, framed, idOf, query, scene, sleep, testStream, until } from '../server/scene.ts';

/** Ids from here on ask for a transfer of 300 messages. */
const TRANSFERS_FROM = 1_000;
const MESSAGES = 300;

function handler(): Parameters<typeof scene>[0] {
  const single = echo();
  return (octets, peer) =>
    idOf(octets) < TRANSFERS_FROM
      ? single(octets, peer)
      : testStream(idOf(octets), MESSAGES, 16_000).answer;
}

describe('RFC 7766, DNS transport over TCP', () => {
  it('5: a server answers over UDP and over TCP', async () => {
    const { udp, tcp } = await scene(handler());
    expect(idOf(await udp(query(1)))).toBe(1);
    const client = await tcp();
    client.send(framed(query(2)));
    expect(idOf(await client.message())).toBe(2);
  });

  it('6.2.1: a connection takes one query after another', async () => {
    const { tcp, server } = await scene(handler());
    const client = await tcp();
    for (let id = 1; id <= 20; id += 1) {
      client.send(framed(query(id)));
      expect(idOf(await client.message())).toBe(id);
    }
    // The sequence of SOA and AXFR on one connection, and what comes after it.
    client.send(framed(query(21)));
    await client.message();
    client.send(framed(query(TRANSFERS_FROM)));
    await client.messages(MESSAGES);
    client.send(framed(query(22)));
    expect(idOf(await client.message())).toBe(22);
    expect(server.statistics().tcpConnections).toBe(1);
  });

  it('6.2.1.1: pipelined queries are all answered', async () => {
    const { tcp } = await scene(handler());
    const client = await tcp();
    const ids = Array.from({ length: 900 }, (_, i) => i);
    client.send(framed(...ids.map((id) => query(id))));
    const answered = (await client.messages(ids.length)).map(idOf);
    expect(answered.sort((a, b) => a - b)).toEqual(ids);
  });

  it('6.2.1.1: pipelined queries are not read without end while their transfers wait', async () => {
    let asked = 0;
    const transfers = handler();
    const { tcp } = await scene(
      (octets, peer) => {
        asked += 1;
        return transfers(octets, peer);
      },
      { tcpPendingQueriesMax: 4 },
    );
    const client = await tcp();
    client.socket.pause();
    const ids = Array.from({ length: 12 }, (_, i) => TRANSFERS_FROM + i);
    client.send(framed(...ids.map((id) => query(id))));
    await until(() => asked >= 4);
    await sleep(100);
    expect(asked).toBeLessThan(ids.length);
    client.socket.resume();
    const answered = (await client.messages(ids.length * MESSAGES)).map(idOf);
    expect(answered).toEqual(ids.flatMap((id) => new Array(MESSAGES).fill(id)));
    expect(asked).toBe(ids.length);
  });

  it('6.2.2: connections are limited per client, and other clients are not hurt', async () => {
    const { tcp } = await scene(handler(), { tcpConnectionsPerClientMax: 3 });
    await Promise.all([tcp(), tcp(), tcp()]);
    await (await tcp()).closed();
    const other = await tcp('127.0.0.9');
    other.send(framed(query(1)));
    expect(idOf(await other.message())).toBe(1);
  });

  it('6.2.3: an idle connection is closed, and a full message puts that off', async () => {
    const { tcp, server } = await scene(handler(), { tcpIdleMs: 300 });
    const idle = await tcp();
    const active = await tcp();
    let closed = false;
    active.socket.on('close', () => {
      closed = true;
    });
    const start = performance.now();
    const asking = (async () => {
      for (let id = 1; id <= 8; id += 1) {
        await sleep(100);
        active.send(framed(query(id)));
        await active.message();
      }
    })();
    await idle.closed();
    expect(performance.now() - start).toBeGreaterThan(250);
    await asking;
    expect(closed).toBe(false);
    await active.closed();
    expect(server.statistics().tcpClosedIdle).toBe(2);
  });

  it('6.2.3: parts of a message do not reset the idle timeout', async () => {
    const { tcp, server } = await scene(handler(), { tcpIdleMs: 300, tcpMessageMs: 60_000 });
    const client = await tcp();
    const octets = framed(Buffer.alloc(500));
    const start = performance.now();
    let sent = 0;
    const dripping = setInterval(() => client.send(octets.subarray(sent, (sent += 1))), 20);
    await client.closed();
    clearInterval(dripping);
    expect(performance.now() - start).toBeLessThan(1_500);
    expect(server.statistics().tcpClosedIdle).toBe(1);
  });

  it('6.2.3: neither do messages that are no queries', async () => {
    const { tcp, server } = await scene(handler(), { tcpIdleMs: 300 });
    const client = await tcp();
    const sending = setInterval(() => client.send(framed(Buffer.alloc(0), query(1, 0x8000))), 20);
    await client.closed();
    clearInterval(sending);
    expect(server.statistics().tcpClosedIdle).toBe(1);
  });

  it('6.2.3: a message has to be whole within its own time', async () => {
    const { tcp, server } = await scene(handler(), { tcpIdleMs: 60_000, tcpMessageMs: 200 });
    const client = await tcp();
    const untouched = await tcp();
    client.send(framed(query(1), query(2)).subarray(0, 40));
    expect(idOf(await client.message())).toBe(1);
    await client.closed();
    expect(server.statistics().tcpClosedSlowMessage).toBe(1);
    untouched.send(framed(query(3)));
    expect(idOf(await untouched.message())).toBe(3);
  });

  it('6.2.4: a client that closes its sending side gets all that it asked for', async () => {
    const { tcp, server } = await scene(handler());
    const client = await tcp();
    client.send(framed(query(TRANSFERS_FROM), query(1), query(TRANSFERS_FROM + 1)));
    client.socket.end();
    const ids = (await client.closed()).map(idOf);
    expect(ids.filter((id) => id === 1)).toHaveLength(1);
    expect(ids.filter((id) => id === TRANSFERS_FROM)).toHaveLength(MESSAGES);
    expect(ids.filter((id) => id === TRANSFERS_FROM + 1)).toHaveLength(MESSAGES);
    await until(() => server.statistics().tcpConnectionsOpen === 0);
    expect(server.statistics()).toMatchObject({ transfersCompleted: 2, transfersCut: 0 });
  });

  it('6.2.4: nothing is sent to a client that is gone', async () => {
    const { tcp, server } = await scene(handler());
    const client = await tcp();
    client.socket.pause();
    client.send(framed(query(TRANSFERS_FROM), query(TRANSFERS_FROM + 1)));
    await until(() => server.statistics().tcpQueries === 2);
    client.socket.resetAndDestroy();
    await until(() => server.statistics().tcpConnectionsOpen === 0);
    expect(server.statistics()).toMatchObject({ transfersRunning: 0, transfersCut: 2 });
  });

  it('7: answers come when they are ready, whatever was asked before', async () => {
    const { tcp } = await scene(handler());
    const client = await tcp();
    client.send(framed(query(TRANSFERS_FROM), query(1)));
    const ids = (await client.messages(MESSAGES + 1)).map(idOf);
    expect(ids.indexOf(1)).toBeLessThan(MESSAGES);
  });

  it('8: length and message arrive together, and the answers to one read in one write', async () => {
    const { tcp } = await scene(handler());
    const client = await tcp();
    const queries = framed(...Array.from({ length: 100 }, (_, id) => query(id)));
    client.send(queries);
    await client.messages(100);
    expect(client.chunks).toEqual([queries.length]);
  });

  it('8: a message may arrive in any number of segments', async () => {
    const { tcp } = await scene(handler());
    const client = await tcp();
    client.socket.setNoDelay(true);
    for (const octet of framed(query(1), query(2))) {
      client.send(Buffer.of(octet));
      await sleep(1);
    }
    expect((await client.messages(2)).map(idOf)).toEqual([1, 2]);
  });
});
