import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseName, RCODE, RRTYPE, type TsigKey } from '../../src/dns/index.ts';
import { requirePeer } from '../interop/peers/require-peer.ts';
import { makeIdentity, type TestIdentity, tlsOn } from '../server/identities.ts';
import {
  afterwards,
  echo,
  framed,
  idOf,
  query,
  scene,
  testStream,
  tlsTarget,
  until,
} from '../server/scene.ts';
import type { TcpTarget } from '../server/tcp-client.ts';
import { type TlsClient, type TlsClientOptions, tlsClient } from '../server/tls-client.ts';
import { takeTransfer } from '../support/dns-clients.ts';
import { makeQuery } from '../support/dns-query.ts';
import { startTestSluice, type TestSluice } from '../support/test-sluice.ts';
import { readAnswer, serialIn, type Transfer } from '../support/transfer.ts';

const SIZE = 16_000;

interface XotServer {
  readonly made: TestIdentity;
  readonly sluice: TestSluice;
  readonly policyId: number;
  readonly targetId: number;
  readonly zone: string;
  connect(options?: TlsClientOptions): Promise<TlsClient>;
  /** The certificate to show, and how to ask. */
  transfer(shown?: TlsClientOptions, asked?: { key?: TsigKey; have?: number }): Promise<Transfer>;
}

/** All of Sluice with one zone, over TLS, where client certificates are asked for. */
async function xotServer(): Promise<XotServer> {
  const made = makeIdentity();
  const server = made.authority.issue({ for: 'server', names: 'DNS:localhost' });
  const tls = [
    'listen: [{address: 127.0.0.1, port: 853}]',
    `certificateFile: ${server.certificateFile}`,
    `keyFile: ${server.keyFile}`,
    `clientAuthoritiesFile: ${made.authority.certificateFile}`,
  ].join(', ');
  const sluice = await startTestSluice({ yaml: `sampleCatalogue: false\ndns: {tls: {${tls}}}` });
  const post = <Kind extends string>(kind: Kind, path: string, body: object) =>
    sluice
      .api<Record<Kind, { readonly id: number }>>('POST', path, body)
      .then((answer) => answer[kind].id);
  const targetId = await post('target', '/targets', { name: 'names' });
  const names = Array.from({ length: 3_000 }, (_, i) => `name${i}.example.org`);
  await sluice.api('PUT', `/targets/${targetId}/indicators`, names.join('\n'));
  const policyId = await post('policy', '/policies', {
    name: 'p',
    type: 'dns',
    attachments: [{ kind: 'target', id: targetId }],
  });
  const zone = 'rpz.p.main.sluice.internal.';
  const [target] = sluice.sluice.dnsTlsAddresses();
  const connect = async (options: TlsClientOptions = {}): Promise<TlsClient> => {
    const client = await tlsClient({ ...target!, ca: made.authority.certificate, ...options });
    onTestFinished(client.destroy);
    return client;
  };
  return {
    made,
    sluice,
    policyId,
    targetId,
    zone,
    connect,
    transfer: async (shown, asked) => takeTransfer(await connect(shown), zone, asked),
  };
}

async function keyDevice({ sluice, policyId }: XotServer): Promise<TsigKey> {
  const { device } = await sluice.api<{ device: { id: number } }>('POST', '/devices', {
    name: 'signs',
    type: 'dns',
    access: 'key',
    policyId,
  });
  const { key, secret } = await sluice.api<{ key: { name: string }; secret: string }>(
    'POST',
    `/devices/${device.id}/keys`,
    { algorithm: 'hmac-sha256' },
  );
  return {
    name: parseName(key.name),
    algorithm: 'hmac-sha256',
    secret: Uint8Array.from(Buffer.from(secret, 'base64')),
  };
}

async function certificateDevice(
  { sluice, made, policyId }: XotServer,
  certificateName: string,
): Promise<Pick<TlsClientOptions, 'cert' | 'key'>> {
  const device = { name: 'shows', type: 'dns', access: 'certificate', certificateName, policyId };
  await sluice.api('POST', '/devices', device);
  const { certificate, key } = made.client({ names: `DNS:${certificateName}` });
  return { cert: certificate, key };
}

const withOpenssl = describe.skipIf(!requirePeer('openssl'));

withOpenssl('RFC 9103, DNS zone transfer over TLS: the connection', () => {
  it('7.1: the token dot is selected when a client offers it, among others too', async () => {
    const { tls } = await scene(echo(), tlsOn(makeIdentity().identity()));
    expect((await tls({ ALPNProtocols: ['dot'] })).socket.alpnProtocol).toBe('dot');
    expect((await tls({ ALPNProtocols: ['h2', 'dot', 'doq'] })).socket.alpnProtocol).toBe('dot');
  });

  it('7.1 and RFC 7301 3.2: a client that offers other tokens only is refused by an alert', async () => {
    const { tls, server } = await scene(echo(), tlsOn(makeIdentity().identity()));
    await expect(tls({ ALPNProtocols: ['h2', 'http/1.1'] })).rejects.toMatchObject({
      code: 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL',
    });
    await until(() => server.statistics().tlsHandshakeFailures === 1);
  });

  it('7.1: a client that offers no token at all is served, as RFC 7858 knows none', async () => {
    const { tls } = await scene(echo(), tlsOn(makeIdentity().identity()));
    const client = await tls({ ALPNProtocols: [] });
    expect(client.socket.alpnProtocol).toBe(false);
    client.send(framed(query(1)));
    expect(idOf(await client.message())).toBe(1);
  });

  it('7.2: TLS 1.3 is spoken and nothing older', async () => {
    const { tls } = await scene(echo(), tlsOn(makeIdentity().identity()));
    const client = await tls({ minVersion: 'TLSv1.2' });
    expect(client.socket.getProtocol()).toBe('TLSv1.3');
    await expect(tls({ minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' })).rejects.toMatchObject({
      code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
    });
  });

  it('7.6: transfers of several zones and other queries share a connection', async () => {
    const { tls, server } = await scene(
      (octets, peer) =>
        idOf(octets) < 1_000 ? echo()(octets, peer) : testStream(idOf(octets), 50, SIZE).answer,
      tlsOn(makeIdentity().identity()),
    );
    const client = await tls();
    client.send(framed(query(1_000), query(1), query(1_001), query(2)));
    const ids = (await client.messages(102)).map(idOf);
    for (const id of [1_000, 1_001]) expect(ids.filter((other) => other === id)).toHaveLength(50);
    // RFC 5936 section 4.1.1: the client tells transfers apart, and gets each of them in one go.
    expect(ids.lastIndexOf(1_000)).toBeLessThan(ids.indexOf(1_001));
    expect(server.statistics().tlsConnections).toBe(1);
  });

  it('7.6: an idle connection stays open for a while, and is closed as RFC 8446 6.1 says', async () => {
    const { server } = await scene(echo(), { ...tlsOn(makeIdentity().identity()), tcpIdleMs: 400 });
    const wire = await listeningRelay(tlsTarget(server));
    const client = await tlsClient(wire);
    afterwards(client.destroy);
    const start = performance.now();
    await client.closed();
    expect(performance.now() - start).toBeGreaterThan(350);
    // RFC 8446 section 5.2: an alert of two octets looks like data of 19 from outside.
    expect(wire.received().subarray(-24, -19).toString('hex')).toBe('1703030013');
    expect(server.statistics().tcpClosedIdle).toBe(1);
  });
});

withOpenssl('RFC 9103: transfers over TLS', () => {
  it('7.5: the zone is the same over TLS and over TCP', async () => {
    const xot = await xotServer();
    const key = await keyDevice(xot);
    const overTls = await xot.transfer({}, { key });
    const overTcp = await xot.sluice.transfer(xot.zone, { key });
    expect(overTls.records.length).toBeGreaterThan(6_000);
    expect(overTls.records).toEqual(overTcp.records);
  });

  it('7.5 and 9.3.3: a client certificate is enough to be known by, and its name counts', async () => {
    const xot = await xotServer();
    const shown = await certificateDevice(xot, 'secondary.example');
    expect((await xot.transfer(shown)).records.length).toBeGreaterThan(6_000);
    const { certificate, key } = xot.made.client({ names: 'DNS:other.example' });
    expect((await xot.transfer({ cert: certificate, key })).rcode).toBe(RCODE.REFUSED);
    expect((await xot.transfer()).rcode).toBe(RCODE.REFUSED);
    const forged = makeIdentity().client({ names: 'DNS:secondary.example' });
    const stranger = await xot.transfer({ cert: forged.certificate, key: forged.key });
    expect(stranger.rcode).toBe(RCODE.REFUSED);
  });

  it('7.5: a device that is known by its certificate is nobody over TCP', async () => {
    const xot = await xotServer();
    await certificateDevice(xot, 'secondary.example');
    expect((await xot.sluice.transfer(xot.zone)).rcode).toBe(RCODE.REFUSED);
  });

  it('7.5: a resumed session is known by the certificate that it began with', async () => {
    const xot = await xotServer();
    const shown = await certificateDevice(xot, 'secondary.example');
    const first = await xot.connect(shown);
    const again = await xot.connect({ session: await first.session });
    expect(again.socket.isSessionReused()).toBe(true);
    const { records } = await takeTransfer(again, xot.zone);
    expect(records.length).toBeGreaterThan(6_000);
  });

  it('7.8: a refusal says why by an extended error', async () => {
    const xot = await xotServer();
    const client = await xot.connect();
    client.send(framed(makeQuery(xot.zone, 'AXFR', { edns: {} }).bytes));
    const answer = readAnswer(await client.message());
    expect(answer.rcode).toBe(RCODE.REFUSED);
    expect(answer.edns?.options.map(({ code }) => code)).toContain(15);
  });

  it('7.10: an IXFR over TLS has the changes, and the SOA alone when there are none', async () => {
    const xot = await xotServer();
    const key = await keyDevice(xot);
    const before = serialIn((await xot.transfer({}, { key })).records[0]!);
    await xot.sluice.api('PATCH', `/targets/${xot.targetId}/indicators`, {
      add: ['fresh.example.org'],
      remove: ['name7.example.org'],
    });
    const changes = await xot.transfer({}, { key, have: before });
    const owners = changes.records.filter(({ type }) => type !== RRTYPE.SOA);
    // Two records for each name, the name and what is below it.
    expect(owners).toHaveLength(4);
    expect(changes.records.filter(({ type }) => type === RRTYPE.SOA)).toHaveLength(4);
    const now = serialIn(changes.records[0]!);
    expect((await xot.transfer({}, { key, have: now })).records).toHaveLength(1);
  });

  it('7.10.2: an IXFR from a serial that is not known any more is answered with the zone', async () => {
    const xot = await xotServer();
    const key = await keyDevice(xot);
    const fallback = await xot.transfer({}, { key, have: 1 });
    expect(fallback.records.length).toBeGreaterThan(6_000);
  });
});

/** Passes a connection on, and keeps what comes back. */
async function listeningRelay(target: TcpTarget): Promise<TcpTarget & { received(): Buffer }> {
  const chunks: Buffer[] = [];
  const relay = createServer((client) => {
    const upstream = connect({ host: target.address, port: target.port });
    for (const socket of [client, upstream]) socket.on('error', () => {});
    upstream.on('data', (chunk: Buffer) => chunks.push(chunk));
    client.pipe(upstream).pipe(client);
  }).listen(0, '127.0.0.1');
  afterwards(() => relay.close());
  await once(relay, 'listening');
  const { port } = relay.address() as AddressInfo;
  return { address: '127.0.0.1', port, received: () => Buffer.concat(chunks) };
}
