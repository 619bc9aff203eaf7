import { describe, expect, it } from 'vitest';
import { requirePeer } from '../interop/peers/require-peer.ts';
import { makeIdentity, tlsOn } from '../server/identities.ts';
import {
  afterwards,
  echo,
  framed,
  idOf,
  query,
  rcodeOf,
  scene,
  tlsTarget,
  until,
} from '../server/scene.ts';
import { tcpClient } from '../server/tcp-client.ts';

describe.skipIf(!requirePeer('openssl'))('RFC 7858, DNS over TLS', () => {
  it('3.1: the port for TLS takes no clear text, and that for clear text no TLS', async () => {
    const { server, address, port, tls } = await scene(echo(), {
      ...tlsOn(makeIdentity().identity()),
      tcpMessageMs: 200,
    });
    const clear = await tcpClient(tlsTarget(server));
    afterwards(clear.destroy);
    clear.send(framed(query(1)));
    expect(await clear.closed()).toEqual([]);
    await expect(tls({ address, port })).rejects.toThrow();
    expect(server.statistics().tcpQueries).toBe(0);
  });

  it('3.3: messages carry the length of two octets as over TCP, in any number of segments', async () => {
    const { tls } = await scene(echo(), tlsOn(makeIdentity().identity()));
    const client = await tls();
    for (const octet of framed(query(1), query(2))) client.send(Buffer.of(octet));
    expect((await client.messages(2)).map(idOf)).toEqual([1, 2]);
  });

  it('3.3: length and message go together, and the answers to queries of one read in one write', async () => {
    const { tls } = await scene(echo(), tlsOn(makeIdentity().identity()));
    const client = await tls();
    const queries = framed(...Array.from({ length: 100 }, (_, id) => query(id)));
    client.send(queries);
    await client.messages(100);
    expect(client.chunks).toEqual([queries.length]);
  });

  it('3.3: pipelined queries are all answered, whatever the order', async () => {
    const { tls } = await scene(echo(), tlsOn(makeIdentity().identity()));
    const client = await tls();
    const ids = Array.from({ length: 3_000 }, (_, i) => i);
    client.send(framed(...ids.map((id) => query(id))));
    expect((await client.messages(ids.length)).map(idOf).sort((a, b) => a - b)).toEqual(ids);
  });

  it('3.4: a connection is used again and again, and closed when it is idle', async () => {
    const { tls, server } = await scene(echo(), {
      ...tlsOn(makeIdentity().identity()),
      tcpIdleMs: 300,
    });
    const client = await tls();
    for (let id = 1; id <= 10; id += 1) {
      client.send(framed(query(id)));
      expect(idOf(await client.message())).toBe(id);
    }
    await client.closed();
    expect(server.statistics()).toMatchObject({ tlsConnections: 1, tcpClosedIdle: 1 });
  });

  it('3.4: a session is resumed', async () => {
    const { tls, server } = await scene(echo(), tlsOn(makeIdentity().identity()));
    const first = await tls();
    first.send(framed(query(1)));
    await first.message();
    const again = await tls({ session: await first.session });
    expect(again.socket.isSessionReused()).toBe(true);
    again.send(framed(query(2)));
    expect(idOf(await again.message())).toBe(2);
    expect(server.statistics().tlsResumptions).toBe(1);
  });

  it('4.2: a client that knows the authority can tell this server from another', async () => {
    const made = makeIdentity();
    const { tls } = await scene(echo(), tlsOn(made.identity()));
    await tls({ ca: made.authority.certificate });
    await expect(tls({ ca: makeIdentity().authority.certificate })).rejects.toThrow();
  });

  it('failures of the handler are answered as over TCP', async () => {
    const { tls, server } = await scene(() => {
      throw new Error('broken');
    }, tlsOn(makeIdentity().identity()));
    const client = await tls();
    client.send(framed(query(1)));
    expect(rcodeOf(await client.message())).toBe(2);
    await until(() => server.statistics().handlerFailures === 1);
  });
});
