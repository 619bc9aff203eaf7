import { describe, expect, it } from 'vitest';
import type { Peer } from '../../src/nameserver/handler-port.ts';
import { requirePeer } from '../interop/peers/require-peer.ts';
import { makeIdentity, type TestIdentity, tlsOn } from './identities.ts';
import { echo, framed, query, scene } from './scene.ts';
import type { TlsClient, TlsClientOptions } from './tls-client.ts';

interface Asked {
  readonly made: TestIdentity;
  readonly server: Awaited<ReturnType<typeof scene>>['server'];
  /** Connects, asks, and tells who the server took the client for. */
  ask(options?: TlsClientOptions): Promise<{ peer: Peer; client: TlsClient }>;
}

async function serverThatAsks(): Promise<Asked> {
  const made = makeIdentity();
  const peers: Peer[] = [];
  const { tls, server } = await scene(
    (octets, peer) => {
      peers.push(peer);
      return echo()(octets, peer);
    },
    tlsOn(made.identity({ asksClients: true })),
  );
  return {
    made,
    server,
    async ask(options) {
      const client = await tls(options);
      client.send(framed(query(1)));
      await client.message();
      return { peer: peers.at(-1)!, client };
    },
  };
}

const shown = ({ certificate, key }: { readonly certificate: string; readonly key: string }) => ({
  cert: certificate,
  key,
});

const withOpenssl = describe.skipIf(!requirePeer('openssl'));

withOpenssl('a client certificate', () => {
  it('that an authority signed gives its DNS names, lower case and absolute', async () => {
    const { made, ask, server } = await serverThatAsks();
    const names = 'DNS:NS1.Example,DNS:ns2.example,DNS:*.example,IP:192.0.2.1,email:a@b.example';
    const { peer } = await ask(shown(made.client({ names, commonName: 'cn.example' })));
    expect(peer.certificateNames).toEqual(['ns1.example.', 'ns2.example.']);
    expect(server.statistics().tlsClientsVerified).toBe(1);
  });

  it('is not asked for without authorities', async () => {
    const made = makeIdentity();
    const peers: Peer[] = [];
    const { tls } = await scene((octets, peer) => {
      peers.push(peer);
      return echo()(octets, peer);
    }, tlsOn(made.identity()));
    const client = await tls(shown(made.client({ names: 'DNS:ns1.example' })));
    client.send(framed(query(1)));
    await client.message();
    expect(peers[0]).not.toHaveProperty('certificateNames');
  });

  it('is not needed: without one a client is served, and has no names', async () => {
    const { ask, server } = await serverThatAsks();
    const { peer } = await ask();
    expect(peer).not.toHaveProperty('certificateNames');
    expect(server.statistics()).toMatchObject({ tlsConnections: 1, tlsClientsVerified: 0 });
  });

  it('has no names by its common name alone', async () => {
    const { made, ask } = await serverThatAsks();
    const { peer } = await ask(shown(made.client({ commonName: 'ns1.example' })));
    expect(peer.certificateNames).toEqual([]);
  });

  it.each([
    ['of an authority that is not ours', () => makeIdentity().client({ names: 'DNS:a.example' })],
    ['that has expired', (made: TestIdentity) => made.client({ names: 'DNS:a.example', days: -1 })],
    [
      'that is for servers only',
      (made: TestIdentity) => made.authority.issue({ for: 'server', names: 'DNS:a.example' }),
    ],
  ])('%s ends nothing and proves nothing', async (_, certificate) => {
    const { made, ask, server } = await serverThatAsks();
    const { peer } = await ask(shown(certificate(made)));
    expect(peer).not.toHaveProperty('certificateNames');
    expect(server.statistics().tlsHandshakeFailures).toBe(0);
  });
});

withOpenssl('a resumed session', () => {
  it('has the names that it began with, whatever certificate is offered now', async () => {
    const { made, ask, server } = await serverThatAsks();
    const first = await ask(shown(made.client({ names: 'DNS:ns1.example' })));
    const again = await ask({
      ...shown(made.client({ names: 'DNS:other.example' })),
      session: await first.client.session,
    });
    expect(again.client.socket.isSessionReused()).toBe(true);
    expect(again.peer.certificateNames).toEqual(['ns1.example.']);
    const bare = await ask({ session: await first.client.session });
    expect(bare.peer.certificateNames).toEqual(['ns1.example.']);
    expect(server.statistics().tlsResumptions).toBe(2);
  });

  it('that began without a certificate has no names', async () => {
    const { made, ask } = await serverThatAsks();
    const first = await ask();
    const again = await ask({
      ...shown(made.client({ names: 'DNS:ns1.example' })),
      session: await first.client.session,
    });
    expect(again.client.socket.isSessionReused()).toBe(true);
    expect(again.peer).not.toHaveProperty('certificateNames');
  });

  it('that began with a certificate that proved nothing proves nothing', async () => {
    const { ask } = await serverThatAsks();
    const first = await ask(shown(makeIdentity().client({ names: 'DNS:ns1.example' })));
    const again = await ask({ session: await first.client.session });
    expect(again.client.socket.isSessionReused()).toBe(true);
    expect(again.peer).not.toHaveProperty('certificateNames');
  });

  it('does not outlive the authorities by which it was verified', async () => {
    const { made, ask, server } = await serverThatAsks();
    const certificate = shown(made.client({ names: 'DNS:ns1.example' }));
    const first = await ask(certificate);
    const others = makeIdentity().authority.certificate;
    server.replaceTls({ ...made.identity(), clientAuthorities: others });
    const again = await ask({ ...certificate, session: await first.client.session });
    expect(again.client.socket.isSessionReused()).toBe(false);
    expect(again.peer).not.toHaveProperty('certificateNames');
    server.replaceTls(made.identity({ asksClients: true }));
    expect((await ask(certificate)).peer.certificateNames).toEqual(['ns1.example.']);
  });
});
