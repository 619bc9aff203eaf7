import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRandom, type Random } from '../support/random.ts';
import {
  axfr,
  compareZones,
  type Endpoint,
  endpointFor,
  eventually,
  keepPeersTidy,
  type Peer,
  requirePeer,
  servedSerial,
  startKnot,
  startNamed,
  startNsd,
  startPowerDns,
  type TsigKey,
  type ZoneSource,
} from './peers/index.ts';
import { type DeviceStatus, type SluicePrimary, startPrimary } from './sluice-primary.ts';

keepPeersTidy();

const SAME = { onlyInFirst: [], onlyInSecond: [] };
const RPZ = 'rpz.corp.main.sluice.internal';
const BLOCK = 'block.fw.main.sluice.internal';
const UPDATES = 20;
const FOLLOW_MS_MAX = 20_000;
const SEED = 20_260_822;
const UPDATES_MS_MAX = 60_000;

interface Secondary {
  readonly title: string;
  readonly program: string;
  /** Known to Sluice by its address instead of a key, for this zone. */
  readonly bySource?: string;
  /** What it asks for to follow; PowerDNS 4.7 asks for an IXFR only where a zone is marked so. */
  readonly follows: 'IXFR' | 'AXFR';
  start(options: { listen: Endpoint; secondary: ZoneSource }): Promise<Peer>;
}

const SECONDARIES: readonly Secondary[] = [
  {
    title: 'BIND',
    program: 'named',
    follows: 'IXFR',
    start: ({ listen, secondary }) => startNamed({ listen, secondaries: [secondary] }),
  },
  { title: 'Knot DNS', program: 'knotd', follows: 'IXFR', start: startKnot },
  { title: 'NSD', program: 'nsd', bySource: BLOCK, follows: 'IXFR', start: startNsd },
  { title: 'PowerDNS', program: 'pdns_server', follows: 'AXFR', start: startPowerDns },
];

const installed = requirePeer('dig', ...SECONDARIES.map(({ program }) => program));

/** A running secondary of one zone. */
interface Follower {
  readonly title: string;
  readonly zone: string;
  readonly deviceId: number;
  readonly peer: Peer;
  readonly follows: Secondary['follows'];
}

describe.skipIf(!installed)('BIND, Knot, NSD and PowerDNS as secondaries of Sluice', () => {
  const random = createRandom(SEED);
  let sluice: SluicePrimary;
  let scene: Scene;
  let inspectors: ReadonlyMap<string, TsigKey>;
  const followers: Follower[] = [];

  beforeAll(async () => {
    sluice = await startPrimary();
    scene = await makeScene(sluice);
    inspectors = new Map([
      [RPZ, (await sluice.addDevice({ name: 'look-r', type: 'dns', policyId: scene.dns })).key!],
      [BLOCK, (await sluice.addDevice({ name: 'look-b', type: 'ip', policyId: scene.ip })).key!],
    ]);
    for (const secondary of SECONDARIES) {
      for (const zone of [RPZ, BLOCK]) followers.push(await startFollower(secondary, zone));
    }
  });
  afterAll(async () => {
    await Promise.all(followers.map(({ peer }) => peer.stop()));
    await sluice?.stop();
  });

  async function startFollower(secondary: Secondary, zone: string): Promise<Follower> {
    const { title, program, follows, bySource } = secondary;
    const listen = await endpointFor(program);
    const { id, key } = await sluice.addDevice({
      name: `${program.replace('_', '-')}-${zone === RPZ ? 'r' : 'b'}`,
      type: zone === RPZ ? 'dns' : 'ip',
      policyId: zone === RPZ ? scene.dns : scene.ip,
      notify: listen,
      ...(bySource === zone ? { source: listen.address } : {}),
    });
    const source = { zone, primary: sluice, ...(key === undefined ? {} : { key }) };
    const peer = await secondary.start({ listen, secondary: source });
    return { title, zone, deviceId: id, peer, follows };
  }

  /** What Sluice serves: its records, and the serial in them. */
  async function served(zone: string): Promise<{ records: string[]; serial: number }> {
    const records = await axfr(sluice, zone, { key: inspectors.get(zone)! });
    const soa = records.find((line) => line.includes(' IN SOA ')) ?? '';
    return { records, serial: Number(soa.split(' ')[6]) };
  }

  async function expectAllToBeEqual(): Promise<void> {
    for (const zone of [RPZ, BLOCK]) {
      const { records, serial } = await served(zone);
      for (const { title, peer } of followers.filter((follower) => follower.zone === zone)) {
        await eventually(
          `${title} serves serial ${serial} of ${zone}`,
          async () => (await servedSerial(peer, zone)) === serial,
          FOLLOW_MS_MAX,
        );
        expect(compareZones(await axfr(peer, zone), records), `${title}, ${zone}`).toEqual(SAME);
      }
    }
  }

  /** Each update is awaited at one of the quick secondaries, so that steps are seen. */
  async function update(count: number): Promise<number> {
    let changes = 0;
    for (let step = 0; step < count; step++) {
      for (const { zone, serial } of await changeAtRandom(sluice, scene, random)) {
        changes++;
        const quick = followers.filter(
          (follower) => `${follower.zone}.` === zone && follower.title !== 'PowerDNS',
        );
        if (quick.length === 0) continue;
        const { title, peer } = random.pick(quick);
        await eventually(
          `${title} follows to serial ${serial}`,
          async () => (await servedSerial(peer, zone)) === serial,
          FOLLOW_MS_MAX,
        );
      }
    }
    return changes;
  }

  async function statusOf({ deviceId, zone }: Follower): Promise<DeviceStatus> {
    const status = (await sluice.statusOf(deviceId)).find((row) => row.zone === `${zone}.`);
    if (status === undefined) throw new Error(`nothing is known of device ${deviceId}`);
    return status;
  }

  async function expectAllToHaveFollowed(since: number): Promise<void> {
    for (const follower of followers) {
      const what = `${follower.title}, ${follower.zone}`;
      const { serial } = await served(follower.zone);
      const status = await eventually(`the status of ${what} is of serial ${serial}`, async () => {
        const now = await statusOf(follower);
        return now.notified?.serial === serial && now.transferred?.serial === serial ? now : null;
      });
      const { address } = follower.peer;
      expect(status, what).toMatchObject({
        serial,
        notified: { serial, address },
        // NSD sends no SOA query when a NOTIFY tells the serial: it asks for the IXFR at once.
        transferred: { serial, kind: follower.follows, address: follower.peer.source },
      });
      expect(status.transferred!.bytes).toBeGreaterThan(100);
      expect(Date.parse(status.transferred!.at)).toBeGreaterThanOrEqual(since);
    }
  }

  it('have both zones as Sluice serves them, with a key or known by their address', async () => {
    await expectAllToBeEqual();
    const kinds = await Promise.all(followers.map(async (it) => (await statusOf(it)).transferred));
    expect(kinds.map((transferred) => transferred?.kind)).toEqual(followers.map(() => 'AXFR'));
  });

  it(
    `follow ${UPDATES / 2} random updates by NOTIFY and IXFR to the same content and serial`,
    async () => {
      const since = Date.now();
      expect(await update(UPDATES / 2)).toBeGreaterThanOrEqual(UPDATES / 2);
      await expectAllToBeEqual();
      await expectAllToHaveFollowed(since);
    },
    UPDATES_MS_MAX,
  );

  it(
    'go on by IXFR after a restart of Sluice, which keeps its serials',
    async () => {
      const before = new Map<string, number>();
      for (const zone of [RPZ, BLOCK]) before.set(zone, (await served(zone)).serial);
      await sluice.restart();
      for (const zone of [RPZ, BLOCK]) expect((await served(zone)).serial).toBe(before.get(zone));

      const since = Date.now();
      await update(UPDATES / 2);
      await expectAllToBeEqual();
      await expectAllToHaveFollowed(since);
    },
    UPDATES_MS_MAX,
  );

  it('are seen to poll, acknowledge and transfer', async () => {
    const seen = await Promise.all(followers.map((follower) => statusOf(follower)));
    expect(seen.filter(({ polled }) => polled !== null).length).toBeGreaterThanOrEqual(4);
    expect(seen.every(({ notified }) => notified !== null)).toBe(true);
    expect(seen.filter(({ transferred }) => transferred?.kind === 'IXFR')).toHaveLength(6);
  });
});

/** The ids of what the updates change. */
interface Scene {
  readonly dns: number;
  readonly ip: number;
  readonly names: number;
  readonly allowedNames: number;
  readonly addresses: number;
  readonly allowList: number;
  /** Attached and detached again by the updates. */
  readonly more: number;
  /** Texts that were added, for later removals. */
  readonly added: Map<string, string[]>;
}

async function makeScene({ ok }: SluicePrimary): Promise<Scene> {
  const make = async (path: string, body: object, kind: string): Promise<number> =>
    Number((await ok('POST', path, body))[kind]?.id);
  const names = await make('/targets', { name: 'Names' }, 'target');
  const allowedNames = await make('/targets', { name: 'Good names' }, 'target');
  const addresses = await make('/targets', { name: 'Addresses' }, 'target');
  const base = await make('/targets', { name: 'Base' }, 'target');
  const more = await make('/targets', { name: 'More' }, 'target');
  const allowList = await make('/lists', { name: 'Own', action: 'allow' }, 'list');
  const dns = await make('/policies', { name: 'corp', type: 'dns' }, 'policy');
  const ip = await make('/policies', { name: 'fw', type: 'ip' }, 'policy');
  // An IP policy takes only what holds addresses.
  await ok('PATCH', `/targets/${names}/indicators`, { add: ['*.evil.example', 'ip:192.0.2.0/24'] });
  await ok('PUT', `/targets/${base}/indicators`, BASE.join('\n'));
  await ok('PATCH', `/targets/${more}/indicators`, {
    add: ['n1.evil.example', 'more.example', '198.51.101.0/24', '2001:db8:1::/48'],
  });
  await ok('PATCH', `/lists/${allowList}/entries`, { add: ['198.51.100.1'] });
  await ok('PATCH', `/targets/${addresses}/indicators`, {
    add: ['198.51.100.0/24', '2001:db8::/32'],
  });
  const attach = (policy: number, kind: string, id: number, action?: string) =>
    ok('POST', `/policies/${policy}/attachments`, {
      kind,
      id,
      ...(action === undefined ? {} : { action: { kind: action } }),
    });
  await attach(dns, 'target', base, 'nxdomain');
  await attach(ip, 'target', base, 'block');
  await attach(dns, 'target', names, 'nxdomain');
  await attach(dns, 'target', allowedNames, 'allow');
  await attach(ip, 'target', addresses, 'block');
  await attach(ip, 'list', allowList);
  return { dns, ip, names, allowedNames, addresses, more, allowList, added: new Map() };
}

/** What no update touches: where the changes were larger than the zone, Sluice would send the zone. */
const BASE = [
  ...Array.from({ length: 2_000 }, (_, at) => `base${at}.example`),
  ...Array.from({ length: 6_000 }, (_, at) => `11.${at >> 7}.${at & 127}.1`),
  ...Array.from({ length: 1_000 }, (_, at) => `2001:db8:ffff:${at.toString(16)}::/64`),
];

interface ZoneChange {
  readonly zone: string;
  readonly serial: number;
}

/** One random edit, and one more of another kind when it happened to change nothing. */
async function changeAtRandom(
  sluice: SluicePrimary,
  scene: Scene,
  random: Random,
): Promise<readonly ZoneChange[]> {
  const edits = [
    () => edit(sluice, scene, random, `/targets/${scene.names}/indicators`, someName),
    () => edit(sluice, scene, random, `/targets/${scene.allowedNames}/indicators`, someName),
    () => edit(sluice, scene, random, `/targets/${scene.addresses}/indicators`, someNetwork),
    () => edit(sluice, scene, random, `/lists/${scene.allowList}/entries`, someAddress),
    () => changeAction(sluice, scene, random),
    () => attachOrDetach(sluice, scene, random),
  ];
  for (let attempt = 0; attempt < 10; attempt++) {
    const zones = (await random.pick(edits)()).zones as unknown as readonly ZoneChange[];
    if (zones.length > 0) return zones;
  }
  throw new Error('ten random edits changed nothing');
}

async function edit(
  { ok }: SluicePrimary,
  { added }: Scene,
  random: Random,
  path: string,
  some: (random: Random) => string,
) {
  const held = added.get(path) ?? [];
  const remove = held.filter(() => random.chance(0.2));
  const add = Array.from({ length: 1 + random.below(30) }, () => some(random));
  added.set(path, [...new Set([...held.filter((text) => !remove.includes(text)), ...add])]);
  const changed = await ok('PATCH', path, { add: [...new Set(add)], remove });
  // An update that is rejected would prove nothing.
  expect(changed.rejected).toEqual([]);
  return changed;
}

function changeAction({ ok }: SluicePrimary, { dns, names }: Scene, random: Random) {
  const action = random.pick([
    { kind: 'nxdomain' },
    { kind: 'nodata' },
    { kind: 'drop' },
    { kind: 'redirect', to: 'garden.example.' },
    {
      kind: 'local-data',
      records: [
        { type: 'A', data: '192.0.2.80' },
        { type: 'AAAA', data: '2001:db8::80' },
        { type: 'TXT', data: '"blocked here"' },
        { type: 'MX', data: '0 .' },
      ],
    },
  ]);
  return ok('PATCH', `/policies/${dns}/attachments/target/${names}`, { action });
}

async function attachOrDetach({ ok }: SluicePrimary, { dns, ip, more }: Scene, random: Random) {
  const [id, kind] = random.pick([
    [dns, 'allow'],
    [dns, 'nodata'],
    [ip, 'block'],
  ] as const);
  const attachments = `/policies/${id}/attachments`;
  const { attachments: held } = await ok('GET', `/policies/${id}`);
  const isHeld = (held as unknown as readonly { readonly id: number }[]).some(
    (attachment) => attachment.id === more,
  );
  if (isHeld) return ok('DELETE', `${attachments}/target/${more}`);
  return ok('POST', attachments, { kind: 'target', id: more, action: { kind } });
}

/** Names nest below a few parents, so that covers, exceptions and empty nodes come and go. */
function someName(random: Random): string {
  const name = Array.from({ length: 1 + random.below(3) }, () => `n${random.below(6)}`).join('.');
  const below = random.pick(['evil.example', 'bad.example', 'mixed.evil.example']);
  return random.pick([
    () => `${name}.${below}`,
    () => `*.${name}.${below}`,
    () => `host:${name}.${below}`,
    () => `nsname:${name}.${below}`,
    () => `ip:${someNetwork(random)}`,
    () => `clientip:${someAddress(random)}`,
  ])();
}

function someNetwork(random: Random): string {
  if (random.chance(0.4)) {
    const length = random.pick([32, 40, 47, 48, 64, 127, 128]);
    return `2001:db8:${random.below(4).toString(16)}:${random.below(40).toString(16)}::${random.below(9)}/${length}`;
  }
  return `198.51.${100 + random.below(3)}.${random.below(256)}/${random.pick([24, 25, 28, 31, 32])}`;
}

/** Inside what is blocked from the start: an allow is carved out of it. */
function someAddress(random: Random): string {
  return random.chance(0.5)
    ? `198.51.100.${random.below(256)}`
    : `2001:db8:${random.below(9)}::${random.below(300).toString(16)}`;
}
