import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { Peer } from '../../src/nameserver/handler-port.ts';
import { requirePeer } from '../interop/peers/require-peer.ts';
import { makeIdentity, tlsOn } from './identities.ts';
import { LOCAL, proxyFor, proxyHeader } from './proxy-headers.ts';
import {
  afterwards,
  echo,
  framed,
  idOf,
  query,
  type Scene,
  scene,
  sleep,
  tlsTarget,
  udpExchange,
  until,
} from './scene.ts';
import { type TcpTarget, tcpClient } from './tcp-client.ts';
import { tlsClient } from './tls-client.ts';

const BRIEF_MS = 150;
const PROXIES = ['127.0.0.0/30', '::1'];

async function behindProxies(
  options: Parameters<typeof scene>[1] = {},
): Promise<Scene & { peers: Peer[]; shown(): string[] }> {
  const peers: Peer[] = [];
  const made = await scene(
    (octets, peer) => {
      peers.push(peer);
      return echo()(octets, peer);
    },
    { proxies: PROXIES, ...options },
  );
  const shown = () => peers.map(({ protocol, address, port }) => `${protocol} ${address} ${port}`);
  return { ...made, peers, shown };
}

describe('a query that a proxy passes on over TCP', () => {
  it('is from the client that its header tells, and so are all others of the connection', async () => {
    const { tcp, shown, server } = await behindProxies();
    const client = await tcp();
    client.send(Buffer.concat([proxyFor('2001:db8::7', 99), framed(query(1), query(2))]));
    client.send(framed(query(3)));
    expect((await client.messages(3)).map(idOf)).toEqual([1, 2, 3]);
    expect(shown()).toEqual(new Array(3).fill('tcp 2001:db8::7 99'));
    expect(server.statistics().proxyHeaders).toBe(1);
  });

  it('is understood wherever header and query are cut into segments', async () => {
    const { tcp, shown } = await behindProxies();
    const octets = Buffer.concat([proxyFor('192.0.2.1', 5), framed(query(1))]);
    const client = await tcp();
    client.socket.setNoDelay(true);
    for (const octet of octets) {
      client.send(Buffer.of(octet));
      await sleep(1);
    }
    expect(idOf(await client.message())).toBe(1);
    for (const cut of [1, 15, 16, 27, 28, 29, 31]) {
      const halves = await tcp();
      halves.send(octets.subarray(0, cut));
      await sleep(20);
      halves.send(octets.subarray(cut));
      expect(idOf(await halves.message())).toBe(1);
    }
    expect(new Set(shown())).toEqual(new Set(['tcp 192.0.2.1 5']));
  });

  it('is from the proxy itself when the header is LOCAL or tells nothing', async () => {
    const { tcp, shown } = await behindProxies();
    for (const header of [LOCAL, proxyHeader({ familyAndTransport: 0, body: Buffer.alloc(9) })]) {
      const client = await tcp('127.0.0.2');
      client.send(Buffer.concat([header, framed(query(1))]));
      await client.message();
      expect(shown().at(-1)).toBe(`tcp 127.0.0.2 ${client.socket.localPort}`);
    }
  });

  it('is not answered without a header, or with one that is malformed', async () => {
    const { tcp, server, peers, logged } = await behindProxies();
    const wrong = [
      framed(query(1)),
      Buffer.from('PROXY TCP4 192.0.2.1 192.0.2.2 1 53\r\n'),
      proxyHeader({ versionAndCommand: 0x2f }),
      proxyHeader({ length: 65_535 }),
    ];
    for (const octets of wrong) {
      const client = await tcp();
      client.send(octets);
      await client.closed();
    }
    const half = await tcp();
    half.send(proxyFor('192.0.2.1').subarray(0, 20));
    half.socket.end();
    await half.closed();
    expect(peers).toEqual([]);
    expect(server.statistics()).toMatchObject({ proxyHeadersRefused: 5, tcpConnectionsOpen: 0 });
    expect(logged).toEqual([]);
  });

  it('is waited for no longer than the limit', async () => {
    const { tcp, server } = await behindProxies({ proxyHeaderMs: 150 });
    const silent = await tcp();
    const slow = await tcp();
    slow.send(proxyFor('192.0.2.1').subarray(0, 20));
    await Promise.all([silent.closed(), slow.closed()]);
    expect(server.statistics()).toMatchObject({ proxyHeadersTooSlow: 2, proxyHeadersRefused: 0 });
  });

  it('has no effect on limits but for its own client', async () => {
    const { tcp, server } = await behindProxies({ tcpConnectionsPerClientMax: 2 });
    const connect = async (source: string): Promise<Awaited<ReturnType<typeof tcp>>> => {
      const client = await tcp();
      client.send(Buffer.concat([proxyFor(source), framed(query(1))]));
      return client;
    };
    for (const source of ['192.0.2.1', '192.0.2.1', '192.0.2.2', '192.0.2.2', '192.0.2.3']) {
      await (await connect(source)).message();
    }
    await (await connect('192.0.2.1')).closed();
    expect(server.statistics()).toMatchObject({ tcpRefusedPerClient: 1, tcpConnectionsOpen: 5 });
  });
});

describe('a header from one who is no proxy', () => {
  it('is garbage, as it is when there are no proxies', async () => {
    for (const proxies of [PROXIES, []]) {
      const { tcp, peers, address, port } = await behindProxies({ proxies });
      const client = await tcp('127.0.0.9');
      client.send(Buffer.concat([proxyFor('192.0.2.1'), framed(query(1))]));
      const from = createSocket('udp4').bind(0, '127.0.0.9');
      afterwards(() => from.close());
      await once(from, 'listening');
      from.send(Buffer.concat([proxyFor('192.0.2.1'), query(2)]), port, address);
      await sleep(BRIEF_MS);
      expect(peers.filter(({ address }) => address === '192.0.2.1')).toEqual([]);
    }
  });

  it('is believed from when it becomes one, and no longer when it is none any more', async () => {
    const { tcp, server, shown } = await behindProxies({ proxies: [] });
    server.useProxies(['127.0.0.1']);
    const client = await tcp();
    client.send(Buffer.concat([proxyFor('192.0.2.1', 1), framed(query(1))]));
    await client.message();
    server.useProxies([]);
    const plain = await tcp();
    plain.send(framed(query(1)));
    await plain.message();
    expect(shown()).toEqual(['tcp 192.0.2.1 1', `tcp 127.0.0.1 ${plain.socket.localPort}`]);
  });
});

describe('a query that a proxy passes on over UDP', () => {
  it('is from the client that its header tells, and is answered to the proxy without a header', async () => {
    const { udp, shown, server } = await behindProxies();
    const answer = await udp(Buffer.concat([proxyFor('192.0.2.1', 1_053), query(7)]));
    const expected = query(7);
    expected[2] |= 0x80;
    expect(answer.equals(expected)).toBe(true);
    expect(shown()).toEqual(['udp 192.0.2.1 1053']);
    expect(server.statistics()).toMatchObject({ proxyHeaders: 1, udpAnswers: 1 });
  });

  it('comes over IPv6 as well', async () => {
    const { server, shown } = await behindProxies({ listen: [{ address: '::1', port: 0 }] });
    const [target] = server.addresses();
    await udpExchange(target!, Buffer.concat([proxyFor('2001:db8::1', 2), query(1)]));
    expect(shown()).toEqual(['udp 2001:db8::1 2']);
  });

  it('is from the proxy itself when the header is LOCAL', async () => {
    const { udp, peers } = await behindProxies();
    await udp(Buffer.concat([LOCAL, query(1)]));
    expect(peers[0]).toMatchObject({ address: '127.0.0.1' });
  });

  it('is dropped and counted without a whole header', async () => {
    const { server, address, port, peers, udp } = await behindProxies();
    const whole = Buffer.concat([proxyFor('192.0.2.1'), query(1)]);
    const wrong = [query(1), Buffer.alloc(0), whole.subarray(0, 27), proxyHeader({ length: 99 })];
    for (const octets of wrong) {
      await expect(udpExchange({ address, port }, octets, BRIEF_MS)).rejects.toThrow('no answer');
    }
    expect(peers).toEqual([]);
    expect(server.statistics()).toMatchObject({ proxyHeadersRefused: 4, udpMalformed: 0 });
    await expect(udpExchange({ address, port }, whole.subarray(0, 28), BRIEF_MS)).rejects.toThrow();
    expect(server.statistics().udpMalformed).toBe(1);
    await udp(whole);
  });
});

describe.skipIf(!requirePeer('openssl'))('a connection that a proxy passes on over TLS', () => {
  it('begins with the header in clear, and then with the handshake', async () => {
    const made = makeIdentity();
    const { tls, shown, peers } = await behindProxies(tlsOn(made.identity({ asksClients: true })));
    const { certificate, key } = made.client({ names: 'DNS:ns1.example' });
    const client = await tls({
      preface: proxyFor('2001:db8::8', 3),
      ca: made.authority.certificate,
      cert: certificate,
      key,
    });
    client.send(framed(query(1)));
    expect(idOf(await client.message())).toBe(1);
    expect(shown()).toEqual(['tls 2001:db8::8 3']);
    expect(peers[0]!.certificateNames).toEqual(['ns1.example.']);
  });

  it('keeps what came with the header: a handshake in the same segment', async () => {
    const { server } = await behindProxies(tlsOn(makeIdentity().identity()));
    for (let i = 0; i < 10; i += 1) {
      const header = proxyFor(`192.0.2.${i}`, 3, Buffer.alloc(i * 20));
      const client = await tlsClient(await balancer(tlsTarget(server), header));
      afterwards(client.destroy);
      client.send(framed(query(i)));
      expect(idOf(await client.message())).toBe(i);
    }
    expect(server.statistics()).toMatchObject({ proxyHeaders: 10, tlsHandshakeFailures: 0 });
  });

  it('is closed when the handshake comes without a header', async () => {
    const { tls, server } = await behindProxies(tlsOn(makeIdentity().identity()));
    await expect(tls()).rejects.toThrow();
    await until(() => server.statistics().proxyHeadersRefused === 1);
    expect(server.statistics().tlsHandshakesRunning).toBe(0);
    const bare = await tcpClient(tlsTarget(server));
    bare.send(Buffer.concat([proxyFor('192.0.2.1'), framed(query(1))]));
    await bare.closed();
    await until(() => server.statistics().tlsHandshakeFailures === 1);
  });
});

/** A load balancer that passes connections on, its header and the first octets in one write. */
async function balancer(target: TcpTarget, header: Buffer): Promise<TcpTarget> {
  const server = createServer((client) => {
    const upstream = connect({ host: target.address, port: target.port });
    for (const socket of [client, upstream]) socket.on('error', () => {});
    client.once('data', (first) => {
      upstream.write(Buffer.concat([header, first]));
      client.pipe(upstream).pipe(client);
    });
  }).listen(0, '127.0.0.1');
  afterwards(() => server.close());
  await once(server, 'listening');
  return { address: '127.0.0.1', port: (server.address() as AddressInfo).port };
}
