import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  axfr,
  compareZones,
  type Endpoint,
  endpointFor,
  eventually,
  findProgram,
  keepPeersTidy,
  type Peer,
  requirePeer,
  servedSerial,
  startKnot,
  startNamed,
  startPowerDns,
  type TsigKey,
  type ZoneSource,
} from './peers/index.ts';
import { type SluicePrimary, startPrimary } from './sluice-primary.ts';

keepPeersTidy();

const run = promisify(execFile);
const ROOT = 'sluice.internal';
const CATALOG = `catalog.main.${ROOT}`;
const SERVER_CATALOG = `catalog.${ROOT}`;
const SAME = { onlyInFirst: [], onlyInSecond: [] };
const FOLLOW_MS_MAX = 30_000;
const TEST_MS_MAX = 120_000;

interface Consumer {
  readonly title: string;
  readonly program: string;
  /** PowerDNS gives members no key (interop.md), so it is known by its address. */
  readonly bySource: boolean;
  start(options: { listen: Endpoint; catalog: ZoneSource }): Promise<Peer>;
  /** Has it read the catalog again where that failed by a fault of its own. */
  recover?(peer: Peer): Promise<void>;
}

const CONSUMERS: readonly Consumer[] = [
  {
    title: 'BIND',
    program: 'named',
    bySource: false,
    start: ({ listen, catalog }) => startNamed({ listen, catalogs: [catalog] }),
  },
  {
    title: 'Knot DNS',
    program: 'knotd',
    bySource: false,
    start: ({ listen, catalog }) => startKnot({ listen, secondary: catalog, isCatalog: true }),
  },
  {
    title: 'PowerDNS',
    program: 'pdns_server',
    bySource: true,
    start: ({ listen, catalog }) => startPowerDns({ listen, secondary: catalog, isCatalog: true }),
    recover: retrieveAgain,
  },
];

/**
 * PowerDNS 4.7 on SQLite gives up the changes of a catalog when another of its threads writes at the
 * same moment ("Error while retrieving SQLite query"), and comes back to them with the next transfer.
 */
async function retrieveAgain(peer: Peer): Promise<void> {
  const failures = peer.log().split('Catalog-Zone update failed').length - 1;
  if (failures <= (recovered.get(peer) ?? 0)) return;
  recovered.set(peer, failures);
  const control = findProgram('pdns_control')!;
  await run(control, [`--config-dir=${peer.folder}`, 'retrieve', CATALOG]);
}

const recovered = new WeakMap<Peer, number>();

const installed = requirePeer('pdns_control', 'dig', ...CONSUMERS.map(({ program }) => program));

describe.skipIf(!installed)('BIND, Knot and PowerDNS that follow a catalog zone', () => {
  let sluice: SluicePrimary;
  let inspector: TsigKey;
  const consumers: (Pick<Consumer, 'title' | 'recover'> & { readonly peer: Peer })[] = [];

  beforeAll(async () => {
    sluice = await startPrimary();
    inspector = (await addSecondary('look', {})).key!;
    for (const consumer of CONSUMERS) {
      const listen = await endpointFor(consumer.program);
      const { key } = await addSecondary(consumer.program.replace('_', '-'), {
        notify: [listen],
        ...(consumer.bySource ? { sources: [listen.address] } : {}),
      });
      const catalog = { zone: CATALOG, primary: sluice, ...(key === null ? {} : { key }) };
      const peer = await consumer.start({ listen, catalog });
      consumers.push({ ...consumer, peer });
    }
  }, TEST_MS_MAX);
  afterAll(async () => {
    await Promise.all(consumers.map(({ peer }) => peer.stop()));
    await sluice?.stop();
  });

  async function addSecondary(
    name: string,
    more: object,
  ): Promise<{ readonly id: number; readonly key: TsigKey | null }> {
    const { device } = await sluice.ok('POST', '/devices', { name, type: 'secondary', ...more });
    const id = Number(device?.id);
    if (String(device?.access) === 'source') return { id, key: null };
    const { key, secret } = await sluice.ok('POST', `/devices/${id}/keys`, {});
    return {
      id,
      key: {
        name: String(key?.name).replace(/\.$/, ''),
        algorithm: 'hmac-sha256',
        secret: String(secret),
      },
    };
  }

  /** Everybody has each of these zones as Sluice has it, and none of those. */
  async function expectServed(zones: readonly string[], gone: readonly string[] = []) {
    for (const zone of zones) {
      const records = await axfr(sluice, zone, { key: inspector });
      const soa = records.find((line) => line.includes(' IN SOA ')) ?? '';
      const serial = Number(soa.split(' ')[6]);
      for (const { title, peer, recover } of consumers) {
        await eventually(
          `${title} serves serial ${serial} of ${zone}`,
          async () => {
            await recover?.(peer);
            return (await servedSerial(peer, zone)) === serial;
          },
          FOLLOW_MS_MAX,
        );
        expect(compareZones(await axfr(peer, zone), records), `${title}, ${zone}`).toEqual(SAME);
      }
    }
    for (const zone of gone) {
      for (const { title, peer, recover } of consumers) {
        await eventually(
          `${title} serves ${zone} no more`,
          async () => {
            await recover?.(peer);
            return (await servedSerial(peer, zone)) === null;
          },
          FOLLOW_MS_MAX,
        );
      }
    }
  }

  const rpz = (policy: string): string => `rpz.${policy}.main.${ROOT}`;
  const pair = (policy: string): string[] =>
    ['block', 'allow'].map((side) => `${side}.${policy}.main.${ROOT}`);
  const idOf = async (path: string, body: object, kind: string): Promise<number> =>
    Number((await sluice.ok('POST', path, body))[kind]?.id);

  let names = 0;
  let addresses = 0;
  let first = 0;
  let device = 0;

  it(
    'take up the zones of a new policy and of a new device',
    async () => {
      names = await idOf('/targets', { name: 'Names' }, 'target');
      await sluice.ok('PATCH', `/targets/${names}/indicators`, { add: ['evil.example'] });
      addresses = await idOf('/targets', { name: 'Addresses' }, 'target');
      await sluice.ok('PATCH', `/targets/${addresses}/indicators`, { add: ['198.51.100.0/24'] });
      const nxdomain = { kind: 'nxdomain' };
      const named = [{ kind: 'target', id: names, action: nxdomain }];
      const listed = [{ kind: 'target', id: addresses, action: { kind: 'block' } }];
      const policy = { type: 'dns', attachments: named };
      first = await idOf('/policies', { ...policy, name: 'corp' }, 'policy');
      await idOf('/policies', { name: 'edge', type: 'ip', attachments: listed }, 'policy');
      device = await idOf(
        '/devices',
        { name: 'resolver', type: 'dns', policyId: first, sources: ['192.0.2.7'] },
        'device',
      );
      await expectServed([rpz('corp'), ...pair('edge'), `rpz.resolver.dev.main.${ROOT}`]);
    },
    TEST_MS_MAX,
  );

  it(
    'follow changes of what a member holds',
    async () => {
      await sluice.ok('PATCH', `/targets/${names}/indicators`, { add: ['more.example'] });
      await sluice.ok('PATCH', `/targets/${addresses}/indicators`, { add: ['203.0.113.9'] });
      await expectServed([rpz('corp'), ...pair('edge')]);
    },
    TEST_MS_MAX,
  );

  it(
    'follow a policy to its new name, and serve the former one until its grace is over',
    async () => {
      await sluice.ok('PATCH', `/policies/${first}`, { name: 'office' });
      await expectServed([rpz('office'), rpz('corp')]);
    },
    TEST_MS_MAX,
  );

  it(
    'follow the zone of a device through a reassignment',
    async () => {
      const second = await idOf('/policies', { name: 'empty', type: 'dns' }, 'policy');
      await sluice.ok('PUT', `/devices/${device}/policy`, { policyId: second });
      await expectServed([rpz('empty'), `rpz.resolver.dev.main.${ROOT}`]);
    },
    TEST_MS_MAX,
  );

  it(
    'drop the zones of a policy and of a device that are deleted, and no others',
    async () => {
      const own = `rpz.resolver.dev.main.${ROOT}`;
      await sluice.ok('DELETE', `/devices/${device}`);
      await sluice.ok('DELETE', `/policies/${first}?confirm=true`);
      await expectServed([rpz('empty'), ...pair('edge')], [own, rpz('office'), rpz('corp')]);
    },
    TEST_MS_MAX,
  );
});

describe.skipIf(!requirePeer('named', 'dig'))('BIND that follows two catalog zones', () => {
  it(
    'hands the zones of an account over to the catalog that owns them, and serves on',
    async () => {
      const settings = { soa: { refresh: '10s', retry: '5s' } };
      const sluice = await startPrimary({ settings });
      const { items } = await sluice.ok('GET', '/accounts');
      const account = `/accounts/${(items as unknown as { id: number }[])[0]!.id}`;
      await sluice.ok('PATCH', account, { catalogs: 'account' });
      const listen = await endpointFor('named');
      const { device } = await sluice.ok('POST', '/devices', {
        name: 'tier',
        type: 'secondary',
        scope: 'server',
        sources: [listen.address, '127.0.0.0/8'],
        notify: [listen],
      });
      expect(device?.catalogZone).toBe(`${SERVER_CATALOG}.`);
      await sluice.ok('POST', '/policies', { name: 'corp', type: 'dns' });
      const catalogs = [CATALOG, SERVER_CATALOG].map((zone) => ({ zone, primary: sluice }));
      const peer = await startNamed({ listen, catalogs });
      const zone = `rpz.corp.main.${ROOT}`;
      const isServed = async (): Promise<boolean> => (await servedSerial(peer, zone)) !== null;
      await eventually('BIND serves the zone', isServed, FOLLOW_MS_MAX);
      await eventually('BIND has both catalogs', () =>
        [CATALOG, SERVER_CATALOG].every((it) => peer.log().includes(`catz: ${it}: reload done`)),
      );

      // Announced for as long as the refresh time of the catalogs, then carried out.
      await sluice.ok('PATCH', account, { catalogs: 'server' });
      const moved = `catz: adding zone '${zone}' from catalog '${SERVER_CATALOG}' - success`;
      await eventually(
        'BIND has the zone from its new owner',
        () => peer.log().includes(moved),
        FOLLOW_MS_MAX,
      );
      expect(peer.log()).not.toContain('another catalog zone already contains an entry');
      await eventually('BIND serves the zone again', isServed, FOLLOW_MS_MAX);
      await peer.stop();
      await sluice.stop();
    },
    TEST_MS_MAX,
  );
});
