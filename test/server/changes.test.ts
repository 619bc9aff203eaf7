import { describe, expect, it } from 'vitest';
import type { Handler } from '../../src/nameserver/handler-port.ts';
import { requirePeer } from '../interop/peers/require-peer.ts';
import { makeIdentity, tlsOn } from './identities.ts';
import {
  afterwards,
  echo,
  framed,
  idOf,
  query,
  rcodeOf,
  scene,
  testStream,
  udpExchange,
  until,
} from './scene.ts';
import { tcpClient } from './tcp-client.ts';
import { tlsClient } from './tls-client.ts';

/** SERVFAIL to everything, as before the zones are there. */
const notReady: Handler = (octets) => {
  const bytes = Buffer.from(octets);
  bytes[2] |= 0x80;
  bytes[3] = 2;
  return { kind: 'message', bytes };
};

describe.skipIf(!requirePeer('openssl'))('a server that changes while it runs', () => {
  it('answers by another handler from one query to the next, on connections that are open too', async () => {
    const { udp, tcp, tls, server } = await scene(notReady, tlsOn(makeIdentity().identity()));
    const clients = [await tcp(), await tls()];
    const rcodes = async (): Promise<number[]> => {
      const answers = [await udp(query(1))];
      for (const client of clients) {
        client.send(framed(query(2)));
        answers.push(await client.message());
      }
      return answers.map(rcodeOf);
    };
    expect(await rcodes()).toEqual([2, 2, 2]);
    server.handle(echo());
    expect(await rcodes()).toEqual([0, 0, 0]);
  });

  it('finishes a transfer of the handler before', async () => {
    const stream = testStream(1, 2_000, 16_000);
    const { tcp, server } = await scene(() => stream.answer);
    const client = await tcp();
    client.socket.pause();
    client.send(framed(query(1)));
    await until(() => stream.filled() > 0);
    server.handle(echo());
    client.socket.resume();
    await client.messages(2_000);
    client.send(framed(query(2)));
    expect(idOf(await client.message())).toBe(2);
    expect(stream.outcomes).toMatchObject([{ completed: true }]);
  });

  it('keeps to limits that are changed, and admits transfers that they let run', async () => {
    const streams = [1, 2].map((id) => testStream(id, 4_000, 16_000));
    const { tcp, server } = await scene((octets) => streams[idOf(octets) - 1].answer, {
      transfersMax: 1,
      tcpConnectionsMax: 2,
    });
    const clients = [await tcp(), await tcp()];
    for (const [i, client] of clients.entries()) {
      client.socket.pause();
      client.send(framed(query(i + 1)));
    }
    await until(() => server.statistics().transfersWaiting === 1);
    await (await tcp()).closed();
    server.useLimits({ transfersMax: 2, tcpConnectionsMax: 3, tcpIdleMs: 100 });
    await until(() => server.statistics().transfersRunning === 2);
    await (await tcp()).closed();
    expect(server.statistics()).toMatchObject({ tcpRefusedTotal: 1, tcpClosedIdle: 1 });
  });
});

describe.skipIf(!requirePeer('openssl'))('a server on IPv6', () => {
  it('answers over UDP, TCP and TLS, and shows the address of its client', async () => {
    const seen: string[] = [];
    const any = [{ address: '::1', port: 0 }];
    const { server } = await scene(
      (octets, peer) => {
        seen.push(`${peer.protocol} ${peer.address}`);
        return echo()(octets, peer);
      },
      { listen: any, ...tlsOn(makeIdentity().identity(), any) },
    );
    const [plain] = server.addresses();
    const [secured] = server.tlsAddresses();
    expect(idOf(await udpExchange(plain!, query(1)))).toBe(1);
    for (const client of [await tcpClient(plain!), await tlsClient(secured!)]) {
      afterwards(client.destroy);
      client.send(framed(query(2)));
      expect(idOf(await client.message())).toBe(2);
    }
    expect(seen).toEqual(['udp ::1', 'tcp ::1', 'tls ::1']);
  });
});
