import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FEEDS_FOLDER, HAS_FEEDS, NEEDS_FEEDS } from '../indicators/real-feeds.ts';
import {
  axfr,
  endpointFor,
  eventually,
  type FakeInternet,
  keepPeersTidy,
  type Peer,
  requirePeer,
  servedSerial,
  startFakeInternet,
  startNamed,
  startUnbound,
  type TsigKey,
  untilVerdict,
} from './peers/index.ts';
import { type SluicePrimary, startPrimary } from './sluice-primary.ts';

keepPeersTidy();

const RPZ = 'rpz.names.main.sluice.internal';
const BLOCK = 'block.addrs.main.sluice.internal';
const LOADED_MS_MAX = 60_000;

/** Each list as it was published, and the format that it is found to have. */
const NAME_FEEDS = [
  ['domains-phishing.txt.gz', 'lines'],
  ['domains-stevenblack.txt.gz', 'lines'],
  ['hosts-adguarddns.txt.gz', 'hosts'],
  ['wildcard-light.txt.gz', 'wildcard'],
  ['adblock-light.txt.gz', 'adblock'],
  ['dnsmasq-someonewhocares.conf.gz', 'dnsmasq'],
  ['unbound-easylist.conf.gz', 'unbound'],
] as const;
const ADDRESS_FEEDS = [
  ['data-shield-ipv4.txt.gz', 'lines'],
  ['ipsum.txt.gz', 'lines'],
  ['ipsum-level3.txt', 'lines'],
] as const;

interface Run {
  readonly end: string;
  readonly detected: string;
  readonly indicators: number;
  readonly added: number;
  readonly guarded: number;
}

const installed = requirePeer('named', 'unbound', 'dig');

describe.skipIf(!HAS_FEEDS || !installed)(`published lists as feeds${NEEDS_FEEDS}`, () => {
  let sluice: SluicePrimary;
  let internet: FakeInternet;
  const peers: Peer[] = [];
  const runs = new Map<string, Run>();
  const policies = new Map<string, number>();

  beforeAll(async () => {
    internet = await startFakeInternet({
      hosts: { 'plain.example': ['198.51.100.1', '2001:db8:b::1'] },
    });
    sluice = await startPrimary({ settings: { feeds: { directory: FEEDS_FOLDER } } });
    for (const [name, type, feeds] of [
      ['names', 'dns', NAME_FEEDS],
      ['addrs', 'ip', ADDRESS_FEEDS],
    ] as const) {
      const targets = await Promise.all(feeds.map(([file]) => feed(file)));
      // Nothing has to be confirmed: what must never be blocked was left out of the lists.
      const attachments = targets.map((id) => ({ kind: 'target', id }));
      const { policy } = await sluice.ok('POST', '/policies', { name, type, attachments });
      policies.set(name, Number(policy.id));
    }
  }, 240_000);
  afterAll(async () => {
    await Promise.all(peers.map((peer) => peer.stop()));
    await sluice?.stop();
    await internet?.stop();
  });

  /** A target that is kept by the file, once its first run has ended. */
  async function feed(file: string): Promise<number> {
    const { target } = await sluice.ok('POST', '/targets', { name: file });
    const { feed } = await sluice.ok('POST', '/feeds', {
      targetId: target.id,
      source: { kind: 'file', path: file },
      schedule: { kind: 'interval', seconds: 86_400 },
    });
    const run = await eventually(
      `${file} is taken in`,
      async () => (await sluice.ok('GET', `/feeds/${feed.id}/runs`)).items[0] as unknown as Run,
      LOADED_MS_MAX,
    );
    runs.set(file, run);
    return Number(target.id);
  }

  it('are found to be what they are, and published', () => {
    for (const [file, detected] of [...NAME_FEEDS, ...ADDRESS_FEEDS]) {
      const run = runs.get(file)!;
      expect(run, file).toMatchObject({ end: 'published', detected });
      expect(run.added, file).toBe(run.indicators);
      expect(run.indicators, file).toBeGreaterThan(5_000);
    }
  });

  it('make one DNS and one IP policy that BIND loads, record for record', async () => {
    const keys = new Map<string, TsigKey>();
    for (const [zone, name, type] of [
      [RPZ, 'names', 'dns'],
      [BLOCK, 'addrs', 'ip'],
    ] as const) {
      const device = await sluice.addDevice({ name, type, policyId: policies.get(name)! });
      keys.set(zone, device.key!);
    }
    const secondaries = [RPZ, BLOCK].map((zone) => ({
      zone,
      primary: sluice,
      key: keys.get(zone)!,
    }));
    const named = await startNamed({ secondaries });
    peers.push(named);
    for (const zone of [RPZ, BLOCK]) {
      const { serial, records } = await sluice.ok('GET', `/zones/${zone}`);
      await eventually(
        `BIND serves ${zone}`,
        async () => (await servedSerial(named, zone)) === Number(serial),
        LOADED_MS_MAX,
      );
      expect(await axfr(named, zone)).toHaveLength(Number(records));
    }
  }, 120_000);

  it('are enforced by Unbound', async () => {
    const listen = await endpointFor('unbound');
    // It asks for the serial from its own address and transfers from whatever the system gives it.
    await sluice.addDevice({
      name: 'unbound',
      type: 'dns',
      policyId: policies.get('names')!,
      source: '127.0.0.0/8',
    });
    const rpz = { zone: RPZ, primary: sluice };
    const unbound = await startUnbound({ listen, internet, rpz });
    peers.push(unbound);
    // One of a hosts file, one of an adblock list, one of a plain list.
    for (const name of ['69oxt4q05.com', 'www.9377ku.com', 'airbrigdecargo.com']) {
      await untilVerdict(unbound, name, 'nxdomain', { withinMs: LOADED_MS_MAX });
    }
    await untilVerdict(unbound, 'plain.example', 'resolved', { withinMs: LOADED_MS_MAX });
  }, 120_000);
});
