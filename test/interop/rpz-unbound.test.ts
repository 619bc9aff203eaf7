import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  axfr,
  type Endpoint,
  endpointFor,
  eventually,
  type FakeInternet,
  keepPeersTidy,
  type Peer,
  requirePeer,
  startUnbound,
  untilVerdict,
} from './peers/index.ts';
import { BALLAST_HOSTS, openPolicyDrill, type PolicyDrill } from './policy-drill.ts';
import {
  ALL_DECISIONS,
  decisionsOf,
  findDisagreements,
  type ResolverHabits,
  startDrillInternet,
} from './policy-questions.ts';
import { createDevice, deviceStatus, type SluiceStage, startSluiceStage } from './sluice-stage.ts';

keepPeersTidy();

const SEED = 20_410;
const SYSTEM_ADDRESS = '127.0.0.1';
/**
 * The log tells of transfers from level 4 on. Out of its cache, 1.17.1 gives an answer whose address
 * is to be dropped or sent to TCP as if there were no rule, so here it keeps no answers.
 */
const OWN_OPTIONS = '  verbosity: 4\n  cache-max-ttl: 0';
const HABITS: ResolverHabits = { keepsWildcardByAddress: true, judgesAddressesOverTcp: true };
const UPDATES = 50;
const UPDATES_IN_A_BURST = 5;

describe.skipIf(!requirePeer('unbound', 'dig'))('Unbound, known by its address', () => {
  let internet: FakeInternet;
  let stage: SluiceStage;
  let drill: PolicyDrill;
  let listen: Endpoint;
  let device: { readonly id: number };
  let resolver: Peer;

  beforeAll(async () => {
    internet = await startDrillInternet(SEED);
    stage = await startSluiceStage();
    drill = await openPolicyDrill(stage, SEED);
    listen = await endpointFor('unbound');
    const { policyId, zone } = drill;
    device = await createDevice(stage, {
      name: 'unbound',
      policyId,
      profile: 'unbound',
      access: 'source',
      // It asks for the serial from its outgoing-interface, but 1.17.1 transfers from whatever address
      // the system gives its connection.
      sources: [listen.address, SYSTEM_ADDRESS],
      notify: [listen],
    });
    const rpz = { zone, primary: stage.dns };
    resolver = await startUnbound({ listen, internet, rpz, extraOptions: OWN_OPTIONS });
  });
  afterAll(async () => {
    await resolver?.stop();
    await stage?.stop();
    await internet?.stop();
  });

  it('enforces from its first transfer on exactly what the policy explains', async () => {
    await untilVerdict(resolver, await drill.mark(), 'nxdomain', { withinMs: 15_000 });
    const expected = await drill.expectations(HABITS);
    expect(await findDisagreements(resolver, expected)).toEqual([]);
    expect([...decisionsOf(expected)].sort()).toEqual([...ALL_DECISIONS].sort());
    expect(stage.transfers[0]).toMatchObject({ kind: 'AXFR', completed: true });
  });

  it('follows every burst of changes by NOTIFY and IXFR, and then still agrees', async () => {
    const before = stage.transfers.length;
    const loggedBefore = resolver.log().length;
    for (let made = 0; made < UPDATES; made += UPDATES_IN_A_BURST) {
      await drill.update(UPDATES_IN_A_BURST);
      const serial = await drill.serial();
      await eventually('Unbound has the last serial', async () => (await keptSerial()) === serial);
    }
    const mark = await drill.mark();
    const serial = await drill.serial();
    await untilVerdict(resolver, mark, 'nxdomain');
    await eventually('Unbound keeps the last serial', async () => (await keptSerial()) === serial);
    await eventually('Sluice knows that Unbound has all', async () => {
      const status = await deviceStatus(stage, device.id);
      return status?.notified?.serial === serial && status.transferred?.serial === serial;
    });
    expect(await deviceStatus(stage, device.id)).toMatchObject({
      serial,
      notified: { serial, address: listen.address },
      polled: { address: listen.address },
      transferred: { serial, kind: 'IXFR', address: SYSTEM_ADDRESS },
    });

    const transfers = stage.transfers.slice(before);
    expect(new Set(transfers.map(({ kind }) => kind))).toEqual(new Set(['IXFR']));
    expect(transfers.length).toBeGreaterThanOrEqual(UPDATES / UPDATES_IN_A_BURST);
    const log = resolver.log().slice(loggedBefore);
    expect(count(log, 'transfer next AXFR fetch')).toBe(0);
    expect(count(log, 'transfer next IXFR fetch')).toBeGreaterThanOrEqual(transfers.length);
    expect(count(log, 'received NOTIFY serial')).toBeGreaterThanOrEqual(
      UPDATES / UPDATES_IN_A_BURST,
    );
    expect(await findDisagreements(resolver, await drill.expectations(HABITS))).toEqual([]);
  });

  it('is the only one that gets the zone: a stranger is refused', async () => {
    const stranger = (await endpointFor('stranger')).address;
    await expect(axfr(stage.dns, drill.zone, { from: stranger })).rejects.toThrow(
      'Transfer failed',
    );
    const zone = await axfr(stage.dns, drill.zone, { from: listen.address });
    expect(zone.length).toBeGreaterThan(BALLAST_HOSTS);
  });

  /** The serial in the file that it writes after each transfer. */
  async function keptSerial(): Promise<number> {
    const text = await readFile(join(resolver.folder, `${drill.zone}.db`), 'utf8');
    return Number(/\tSOA\t\S+ \S+ (\d+)/.exec(text)?.[1]);
  }
});

function count(text: string, part: string): number {
  return text.split(part).length - 1;
}
