import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { Peer } from '../../src/nameserver/handler-port.ts';
import { requirePeer } from '../interop/peers/require-peer.ts';
import { makeIdentity, tlsOn } from './identities.ts';
import {
  afterwards,
  echo,
  framed,
  idOf,
  query,
  scene,
  sleep,
  streamMessage,
  testStream,
  tlsTarget,
  until,
} from './scene.ts';
import { tcpClient } from './tcp-client.ts';
import { tlsClient } from './tls-client.ts';

const SIZE = 16_000;
const FRAMED_SIZE = SIZE + 2;
/** About 64 MB: far more than kernels buffer. */
const LARGE = 4_000;

/** An echo that remembers who asked. */
function remembering(): { peers: Peer[]; handler: Parameters<typeof scene>[0] } {
  const peers: Peer[] = [];
  return {
    peers,
    handler: (octets, peer) => {
      peers.push(peer);
      return echo()(octets, peer);
    },
  };
}

const withOpenssl = describe.skipIf(!requirePeer('openssl'));

withOpenssl('the server over TLS', () => {
  it('answers, and says that the query came over TLS', async () => {
    const { peers, handler } = remembering();
    const made = makeIdentity();
    const { tls, server } = await scene(handler, tlsOn(made.identity()));
    const client = await tls({ ca: made.authority.certificate });
    client.send(framed(query(5)));
    expect(idOf(await client.message())).toBe(5);
    expect(peers).toEqual([{ protocol: 'tls', address: '127.0.0.1', port: client.raw.localPort }]);
    expect(server.statistics()).toMatchObject({
      tlsConnections: 1,
      tlsConnectionsOpen: 1,
      tcpConnectionsOpen: 1,
      tlsHandshakesRunning: 0,
      tlsHandshakeFailures: 0,
    });
    client.destroy();
    await until(() => server.statistics().tlsConnectionsOpen === 0);
  });

  it('listens on several addresses, IPv6 too', async () => {
    const { peers, handler } = remembering();
    const listen = [
      { address: '127.0.0.1', port: 0 },
      { address: '::1', port: 0 },
    ];
    const { server } = await scene(handler, tlsOn(makeIdentity().identity(), listen));
    expect(server.tlsAddresses()).toHaveLength(2);
    for (const address of server.tlsAddresses()) {
      const client = await tlsClient(address);
      afterwards(client.destroy);
      client.send(framed(query(1)));
      await client.message();
    }
    expect(peers.map(({ address }) => address)).toEqual(['127.0.0.1', '::1']);
  });

  it('speaks no clear text there', async () => {
    let asked = 0;
    const { server } = await scene(() => {
      asked += 1;
      return { kind: 'none' };
    }, tlsOn(makeIdentity().identity()));
    const client = await tcpClient(tlsTarget(server));
    afterwards(client.destroy);
    client.send(framed(query(1), query(2)));
    await client.closed();
    expect(asked).toBe(0);
    await until(() => server.statistics().tlsHandshakeFailures === 1);
    expect(server.statistics()).toMatchObject({ tcpQueries: 0, tcpConnectionsOpen: 0 });
  });

  it('ends a handshake that takes too long, however many octets drip in', async () => {
    const { server, logged } = await scene(echo(), {
      ...tlsOn(makeIdentity().identity()),
      tlsHandshakeMs: 200,
    });
    const start = performance.now();
    const silent = await tcpClient(tlsTarget(server));
    const dripping = await tcpClient(tlsTarget(server));
    // The beginning of a record that holds a ClientHello (RFC 8446 section 5.1).
    const record = Buffer.from([22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3, ...new Array(400).fill(7)]);
    let at = 0;
    const drip = setInterval(() => dripping.send(record.subarray(at, (at += 1))), 20);
    await Promise.all([silent.closed(), dripping.closed()]);
    clearInterval(drip);
    expect(performance.now() - start).toBeLessThan(2_000);
    await until(() => server.statistics().tlsHandshakesRunning === 0);
    expect(server.statistics()).toMatchObject({ tlsHandshakesTooSlow: 2, tlsHandshakeFailures: 2 });
    expect(logged).toEqual([]);
  });

  it('takes so many handshakes at a time and no more, and goes on when they are over', async () => {
    const { server, tls } = await scene(echo(), {
      ...tlsOn(makeIdentity().identity()),
      tlsHandshakesMax: 2,
      // A client that leaves is noticed, and not waited for.
      tlsHandshakeMs: 60_000,
    });
    const pending = await Promise.all([tcpClient(tlsTarget(server)), tcpClient(tlsTarget(server))]);
    await until(() => server.statistics().tlsHandshakesRunning === 2);
    await expect(tls()).rejects.toThrow();
    expect(server.statistics().tlsHandshakesRefused).toBe(1);
    for (const client of pending) client.destroy();
    await until(() => server.statistics().tlsHandshakesRunning === 0);
    const client = await tls();
    client.send(framed(query(1)));
    expect(idOf(await client.message())).toBe(1);
  });

  it('lets a client in while another has all handshakes under way and goes on with none', async () => {
    const { server, tls } = await scene(echo(), {
      ...tlsOn(makeIdentity().identity()),
      tlsHandshakesMax: 4,
      tlsHandshakeMs: 60_000,
    });
    const silent = [];
    for (let i = 0; i < 4; i += 1) silent.push(await tcpClient(tlsTarget(server)));
    await until(() => server.statistics().tlsHandshakesRunning === 4);
    const client = await tls({ localAddress: '127.0.0.2' });
    client.send(framed(query(1)));
    expect(idOf(await client.message())).toBe(1);
    // The oldest had to go for it, and has left a place.
    await silent[0].closed();
    expect(server.statistics()).toMatchObject({
      tlsHandshakesRunning: 3,
      tlsHandshakesRefused: 1,
      tlsHandshakeFailures: 0,
    });
    for (const each of silent) each.destroy();
  });

  it('logs nothing of a flood of garbage, and answers others meanwhile', async () => {
    const { server, tls, logged } = await scene(echo(), {
      ...tlsOn(makeIdentity().identity()),
      tlsHandshakeMs: 500,
    });
    const good = await tls();
    const { address, port } = tlsTarget(server);
    const flood = Array.from({ length: 100 }, async (_, i) => {
      const socket = connect({ host: address, port });
      socket.on('error', () => {});
      socket.resume();
      socket.write(Buffer.alloc(1 + i * 7, i));
      if (i % 2 === 0) socket.end();
      await once(socket, 'close');
    });
    good.send(framed(query(9)));
    expect(idOf(await good.message())).toBe(9);
    await Promise.all(flood);
    await until(() => server.statistics().tlsHandshakeFailures === 100);
    expect(logged).toEqual([]);
  });

  it('counts connections in handshake against the limits in all and per client', async () => {
    const { server, tls } = await scene(echo(), {
      ...tlsOn(makeIdentity().identity()),
      tcpConnectionsMax: 3,
      tcpConnectionsPerClientMax: 2,
    });
    for (let i = 0; i < 2; i += 1) afterwards((await tcpClient(tlsTarget(server))).destroy);
    await until(() => server.statistics().tlsHandshakesRunning === 2);
    await expect(tls()).rejects.toThrow();
    expect(server.statistics().tcpRefusedPerClient).toBe(1);
    await tls({ localAddress: '127.0.0.2' });
    await expect(tls({ localAddress: '127.0.0.3' })).rejects.toThrow();
    expect(server.statistics()).toMatchObject({ tcpRefusedTotal: 1, tlsConnectionsOpen: 1 });
  });
});

withOpenssl('a connection over TLS', () => {
  it('is closed when it is idle, and when a message does not become whole', async () => {
    const { tls, server } = await scene(echo(), {
      ...tlsOn(makeIdentity().identity()),
      tcpIdleMs: 300,
      tcpMessageMs: 150,
    });
    const idle = await tls();
    const slow = await tls();
    slow.send(framed(query(1)).subarray(0, 9));
    await slow.closed();
    expect(server.statistics()).toMatchObject({ tcpClosedSlowMessage: 1, tcpClosedIdle: 0 });
    await idle.closed();
    expect(server.statistics().tcpClosedIdle).toBe(1);
  });

  it('that is half closed by the client gets all that was asked for', async () => {
    const { tls, server } = await scene(
      (octets, peer) =>
        idOf(octets) < 1_000 ? echo()(octets, peer) : testStream(idOf(octets), 300, SIZE).answer,
      tlsOn(makeIdentity().identity()),
    );
    const client = await tls();
    client.send(framed(query(1_000), query(1), query(1_001)));
    client.socket.end();
    const ids = (await client.closed()).map(idOf);
    expect(ids.filter((id) => id === 1)).toHaveLength(1);
    expect(ids.filter((id) => id === 1_000)).toHaveLength(300);
    expect(ids.filter((id) => id === 1_001)).toHaveLength(300);
    await until(() => server.statistics().tcpConnectionsOpen === 0);
    expect(server.statistics()).toMatchObject({ transfersCompleted: 2, transfersCut: 0 });
  });

  it('carries a transfer over many pieces whole and in order, with answers between its messages', async () => {
    const stream = testStream(1_000, 700, SIZE);
    const { tls } = await scene(
      (octets, peer) => (idOf(octets) < 1_000 ? echo()(octets, peer) : stream.answer),
      tlsOn(makeIdentity().identity()),
    );
    const client = await tls();
    client.send(framed(query(1_000), query(7)));
    let number = 0;
    let between = 0;
    for (const message of await client.messages(701)) {
      if (idOf(message) === 7) between += 1;
      else if (!message.equals(streamMessage(1_000, number, SIZE))) {
        expect(message).toEqual(streamMessage(1_000, number, SIZE));
      } else number += 1;
    }
    expect([number, between]).toEqual([700, 1]);
    await until(() => stream.outcomes.length === 1);
    expect(stream.outcomes).toMatchObject([{ completed: true, octets: 700 * FRAMED_SIZE }]);
  });

  it('is read no further while its client does not read, and all is there once it does', async () => {
    let asked = 0;
    const { tls } = await scene((octets) => {
      asked += 1;
      const bytes = new Uint8Array(20_000).fill(1);
      bytes.set(octets.subarray(0, 2));
      return { kind: 'message', bytes };
    }, tlsOn(makeIdentity().identity()));
    const client = await tls();
    client.socket.pause();
    const count = 5_000;
    client.send(framed(...Array.from({ length: count }, (_, id) => query(id))));
    let before = -1;
    while (asked !== before) {
      before = asked;
      await sleep(100);
    }
    expect(asked).toBeLessThan(count / 2);
    client.socket.resume();
    expect((await client.messages(count)).map(idOf)).toEqual(
      Array.from({ length: count }, (_, id) => id),
    );
  });

  it('whose client takes nothing for the stall limit is cut off', async () => {
    const stream = testStream(1, LARGE, SIZE);
    const { tls, server } = await scene(() => stream.answer, {
      ...tlsOn(makeIdentity().identity()),
      tcpStallMs: 100,
    });
    const client = await tls();
    client.raw.pause();
    client.socket.pause();
    client.send(framed(query(1)));
    await until(() => stream.outcomes.length === 1);
    expect(stream.outcomes).toMatchObject([{ completed: false }]);
    expect(server.statistics()).toMatchObject({ tcpClosedStalled: 1, transfersRunning: 0 });
  });

  it('is cut in the end when its client trickles, and is not when that is merely slow', async () => {
    const streams = new Map([1, 2].map((id) => [id, testStream(id, 1_500, SIZE)]));
    const { tls } = await scene((octets) => streams.get(idOf(octets))!.answer, {
      ...tlsOn(makeIdentity().identity()),
      tcpStallMs: 400,
      tcpWriteMs: 700,
      tcpIdleMs: 150,
    });
    const slow = await tls();
    const trickling = await tls();
    for (const client of [slow, trickling]) client.socket.pause();
    slow.send(framed(query(1)));
    trickling.send(framed(query(2)));
    const isOver = (id: number): boolean => streams.get(id)!.outcomes.length > 0;
    while (!isOver(1)) {
      slow.socket.resume();
      const read = slow.socket.bytesRead;
      while (slow.socket.bytesRead - read < 500_000 && !isOver(1)) await sleep(1);
      slow.socket.pause();
      await sleep(20);
    }
    expect(streams.get(1)!.outcomes).toMatchObject([{ completed: true }]);
    await until(() => isOver(2));
    expect(streams.get(2)!.outcomes).toMatchObject([{ completed: false }]);
  });

  it('is finished when the server stops, and cut at the deadline', async () => {
    const streams = new Map([1, 2].map((id) => [id, testStream(id, id * 1_000, SIZE)]));
    const { tls, server } = await scene(
      (octets) => streams.get(idOf(octets))!.answer,
      tlsOn(makeIdentity().identity()),
    );
    const [reading, stuck, pending] = [
      await tls(),
      await tls(),
      await tcpClient(tlsTarget(server)),
    ];
    stuck.socket.pause();
    reading.send(framed(query(1)));
    stuck.send(framed(query(2)));
    await until(() => streams.get(1)!.filled() > 0 && streams.get(2)!.filled() > 0);
    const stopped = server.stop({ deadlineMs: 1_500 });
    expect(await reading.closed()).toHaveLength(1_000);
    await pending.closed();
    await stopped;
    await until(() => streams.get(1)!.outcomes.length + streams.get(2)!.outcomes.length === 2);
    expect(streams.get(1)!.outcomes).toMatchObject([{ completed: true }]);
    expect(streams.get(2)!.outcomes).toMatchObject([{ completed: false }]);
    expect(server.statistics()).toMatchObject({ tcpConnectionsOpen: 0, tlsConnectionsOpen: 0 });
  });
});

withOpenssl('a new certificate', () => {
  it('is used by new handshakes, while transfers and connections go on', async () => {
    const stream = testStream(1_000, LARGE, SIZE);
    const before = makeIdentity();
    const after = makeIdentity();
    const { tls, server } = await scene(
      (octets, peer) => (idOf(octets) < 1_000 ? echo()(octets, peer) : stream.answer),
      tlsOn(before.identity()),
    );
    const running = await tls({ ca: before.authority.certificate });
    running.socket.pause();
    running.send(framed(query(1_000)));
    await until(() => stream.filled() > 0);
    server.replaceTls(after.identity());
    await expect(tls({ ca: before.authority.certificate })).rejects.toThrow();
    const next = await tls({ ca: after.authority.certificate });
    next.send(framed(query(1)));
    expect(idOf(await next.message())).toBe(1);
    running.socket.resume();
    await running.messages(LARGE);
    running.send(framed(query(2)));
    expect(idOf(await running.message())).toBe(2);
  });

  it('that OpenSSL does not take leaves the one before in use', async () => {
    const made = makeIdentity();
    const { tls, server } = await scene(echo(), tlsOn(made.identity()));
    const wrong = { ...made.identity(), key: makeIdentity().identity().key };
    expect(() => server.replaceTls(wrong)).toThrow();
    expect(() => server.replaceTls({ ...wrong, certificate: 'nothing' })).toThrow();
    await tls({ ca: made.authority.certificate });
  });
});
