import { describe, expect, it } from 'vitest';
import { RCODE } from '../../src/dns/index.ts';
import { startPeer } from '../notify/peer.ts';
import { startTestSluice, type TestSluice, temporaryDirectory } from '../support/test-sluice.ts';
import { type FakeResolver, startFakeResolver } from './fake-resolver.ts';

const HOST = 'resolver-1.example.com.';
const OWN_ZONE = 'rpz.r1.dev.main.sluice.internal.';

const yamlFor = ({ address, port }: FakeResolver): string =>
  [
    'sampleCatalogue: false',
    'lookup:',
    '  servers:',
    `    - address: ${address}`,
    `      port: ${port}`,
    '',
  ].join('\n');

const pause = () => new Promise((resolve) => setTimeout(resolve, 10));

/** A server whose resolver says what the test tells it, and a policy. */
async function scene(
  directory = temporaryDirectory(),
): Promise<{ server: TestSluice; resolver: FakeResolver }> {
  const resolver = await startFakeResolver();
  const server = await startTestSluice({ yaml: yamlFor(resolver), directory });
  await server.api('POST', '/policies', { name: 'corp', type: 'dns' });
  return { server, resolver };
}

const device = { name: 'r1', type: 'dns', hostnames: [HOST], policyId: 1 };

interface DeviceBody {
  readonly hosts: readonly { readonly addresses: readonly string[]; lastError: string | null }[];
}

interface Status {
  readonly zone: string;
  readonly notified: unknown;
}

async function untilHost(server: TestSluice, check: (host: DeviceBody['hosts'][0]) => boolean) {
  for (;;) {
    const { hosts } = await server.api<DeviceBody>('GET', '/devices/1');
    if (check(hosts[0]!)) return hosts[0]!;
    await pause();
  }
}

describe('a device that is known by its host name', () => {
  it('may transfer its zones from the addresses of that name, and from no others', async () => {
    const { server, resolver } = await scene();
    resolver.names.set(HOST, { v4: ['127.0.0.1'], ttl: 60 });
    await server.api('POST', '/devices', device);
    await untilHost(server, ({ addresses }) => addresses.length > 0);
    for (const zone of [OWN_ZONE, 'rpz.corp.main.sluice.internal.']) {
      expect((await server.udp(zone, 'SOA')).rcode).toBe(RCODE.NOERROR);
    }
    resolver.names.set(HOST, { v4: ['192.0.2.1'], ttl: 60 });
    // Another name in between makes it new, and so asked for at once.
    await server.api('PATCH', '/devices/1', { hostnames: ['other.example.com'] });
    expect((await server.udp(OWN_ZONE, 'SOA')).rcode).toBe(RCODE.REFUSED);
    await server.api('PATCH', '/devices/1', { hostnames: [HOST] });
    await untilHost(server, ({ addresses }) => addresses[0] === '192.0.2.1');
    expect((await server.udp(OWN_ZONE, 'SOA')).rcode).toBe(RCODE.REFUSED);
  });

  it('is refused while nothing is known of the name, which begins anew with a start', async () => {
    const directory = temporaryDirectory();
    const first = await scene(directory);
    first.resolver.names.set(HOST, { v4: ['127.0.0.1'], ttl: 60 });
    await first.server.api('POST', '/devices', device);
    while ((await first.server.udp(OWN_ZONE, 'SOA')).rcode !== RCODE.NOERROR) await pause();
    await first.server.stop();

    const resolver = await startFakeResolver();
    resolver.names.set(HOST, { rcode: RCODE.SERVFAIL });
    const server = await startTestSluice({ yaml: yamlFor(resolver), directory });
    while (resolver.asked.length < 2) await pause();
    await pause();
    expect((await server.udp(OWN_ZONE, 'SOA')).rcode).toBe(RCODE.REFUSED);
  });

  it('is told at the address that its host name has', async () => {
    const { server, resolver } = await scene();
    const peer = await startPeer('127.0.0.1');
    try {
      resolver.names.set(HOST, { v4: ['127.0.0.1'], ttl: 60 });
      const notify = [{ address: HOST, port: peer.port }];
      await server.api('POST', '/devices', { ...device, notify });
      const readStatus = async () =>
        (await server.api<{ items: Status[] }>('GET', '/devices/1/status')).items;
      let items = await readStatus();
      const isTold = () => items.length === 2 && items.every(({ notified }) => notified !== null);
      for (; !isTold(); items = await readStatus()) await pause();
      expect(items.map(({ zone }) => zone).toSorted()).toEqual([
        'rpz.corp.main.sluice.internal.',
        OWN_ZONE,
      ]);
      expect(items[0]!.notified).toMatchObject({ address: HOST });
    } finally {
      peer.close();
    }
  });
});
