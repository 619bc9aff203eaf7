import { Socket } from 'node:dgram';
import { describe, expect, it, vi } from 'vitest';
import type { Peer } from '../../src/nameserver/handler-port.ts';
import { startDnsServer } from '../../src/server/index.ts';
import { echo, idOf, query, rcodeOf, scene, testStream, udpExchange, until } from './scene.ts';

const NO_LOG = { warn: () => {}, error: () => {} };
const BRIEF_MS = 150;

describe('the server over UDP', () => {
  it('answers from the address and port that was asked, on the port that TCP has too', async () => {
    const { server, udp, tcp, port } = await scene(echo());
    expect(idOf(await udp(query(7)))).toBe(7);
    expect((await tcp()).socket.remotePort).toBe(port);
    expect(server.addresses()).toEqual([{ address: '127.0.0.1', port }]);
    expect(server.statistics()).toMatchObject({ udpQueries: 1, udpAnswers: 1 });
  });

  it('listens on several addresses, IPv6 and IPv4 each for itself', async () => {
    const peers: Peer[] = [];
    const listen = [
      { address: '127.0.0.1', port: 0 },
      { address: '::1', port: 0 },
      { address: '::', port: 0 },
    ];
    const { server } = await scene(
      (octets, peer) => {
        peers.push(peer);
        return echo()(octets, peer);
      },
      { listen },
    );
    const [v4, v6, any6] = server.addresses();
    expect(idOf(await udpExchange(v4, query(1)))).toBe(1);
    expect(idOf(await udpExchange(v6, query(2)))).toBe(2);
    expect(peers.map(({ protocol, address }) => `${protocol} ${address}`)).toEqual([
      'udp 127.0.0.1',
      'udp ::1',
    ]);
    // An IPv6 socket does not take IPv4 as well, so 0.0.0.0 stays free for who wants it.
    const mapped = { address: '127.0.0.1', port: any6.port };
    await expect(udpExchange(mapped, query(3), BRIEF_MS)).rejects.toThrow();
  });

  it('says nothing to what is shorter than a header, to responses, and when the handler is silent', async () => {
    let asked = 0;
    const { server, udp, address, port } = await scene((octets, peer) => {
      asked += 1;
      return idOf(octets) === 9 ? { kind: 'none' } : echo()(octets, peer);
    });
    const silence = [Buffer.alloc(0), Buffer.alloc(11), query(1, 0x8000), query(9)];
    for (const octets of silence) {
      await expect(udpExchange({ address, port }, octets, BRIEF_MS)).rejects.toThrow('no answer');
    }
    expect(idOf(await udp(query(2)))).toBe(2);
    expect(asked).toBe(2);
    expect(server.statistics()).toMatchObject({ udpMalformed: 3, udpQueries: 2, udpAnswers: 1 });
  });

  it('answers SERVFAIL with id, opcode and RD of the query when the handler throws', async () => {
    const { server, udp, logged } = await scene(() => {
      throw new Error('broken');
    });
    // NOTIFY with RD: the response echoes both.
    const answer = await udp(query(0xbeef, 0x2100));
    expect([...answer]).toEqual([0xbe, 0xef, 0xa1, 0x02, 0, 0, 0, 0, 0, 0, 0, 0]);
    expect(logged).toHaveLength(1);
    expect(server.statistics().handlerFailures).toBe(1);
  });

  it('ends a stream at once and answers SERVFAIL: transfers are for TCP', async () => {
    const stream = testStream(1, 5, 100);
    const { udp } = await scene(() => stream.answer);
    expect(rcodeOf(await udp(query(1)))).toBe(2);
    expect(stream.outcomes).toEqual([{ completed: false, octets: 0, durationMs: 0 }]);
    expect(stream.filled()).toBe(0);
  });

  it('drops and counts answers above the send backlog', async () => {
    const { server, address, port } = await scene(echo(), { udpSendBacklogOctetsMax: 10 });
    await expect(udpExchange({ address, port }, query(1), BRIEF_MS)).rejects.toThrow('no answer');
    expect(server.statistics()).toMatchObject({ udpQueries: 1, udpAnswers: 0, udpBacklogDrops: 1 });
  });

  it('keeps answers apart though the handler writes each into the same buffer', async () => {
    const { udp } = await scene(echo());
    const ids = Array.from({ length: 200 }, (_, i) => i);
    const answers = await Promise.all(ids.map((id) => udp(query(id))));
    expect(answers.map(idOf)).toEqual(ids);
  });

  it('logs a few failures a second, however many there are', async () => {
    const { server, udp, logged } = await scene(() => {
      throw new Error('broken');
    });
    await Promise.all(Array.from({ length: 100 }, (_, id) => udp(query(id))));
    await until(() => server.statistics().handlerFailures === 100);
    expect(logged.length).toBeGreaterThan(0);
    expect(logged.length).toBeLessThan(40);
  });

  it('survives any octets', async () => {
    const { udp, address, port } = await scene(echo());
    for (let size = 0; size < 600; size += 1) {
      const octets = Buffer.alloc(size, (size * 37) & 255);
      udpExchange({ address, port }, octets, 1).catch(() => {});
    }
    expect(idOf(await udp(query(3)))).toBe(3);
  });

  it('survives a datagram from port 0, which no answer can go to, and counts it', async () => {
    // Only root can send such a datagram, so the socket of the server is told of one.
    const bind = vi.spyOn(Socket.prototype, 'bind');
    const { server, udp } = await scene(echo());
    const [socket] = bind.mock.contexts as [Socket];
    bind.mockRestore();
    const from = { address: '127.0.0.1', family: 'IPv4', port: 0, size: query(1).length };
    expect(socket.emit('message', query(1), from)).toBe(true);
    expect(idOf(await udp(query(2)))).toBe(2);
    expect(server.statistics()).toMatchObject({ udpMalformed: 1, udpQueries: 1, udpAnswers: 1 });
  });

  it('holds nothing when one of the addresses cannot be had', async () => {
    const { port } = await scene(echo());
    const free = { address: '127.0.0.2', port };
    const taken = { address: '127.0.0.1', port };
    const start = (listen: (typeof free)[]): ReturnType<typeof startDnsServer> =>
      startDnsServer({ listen }, echo(), NO_LOG);
    await expect(start([free, taken])).rejects.toMatchObject({ code: 'EADDRINUSE' });
    const second = await start([free]);
    await second.stop({ deadlineMs: 0 });
  });
});
