import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  axfr,
  createTsigKey,
  type Endpoint,
  endpointFor,
  eventually,
  type FakeInternet,
  keepPeersTidy,
  type Named,
  requirePeer,
  servedSerial,
  startNamed,
  type TsigKey,
  untilVerdict,
} from './peers/index.ts';
import { BALLAST_HOSTS, openPolicyDrill, type PolicyDrill } from './policy-drill.ts';
import {
  ALL_DECISIONS,
  decisionsOf,
  findDisagreements,
  startDrillInternet,
} from './policy-questions.ts';
import { createDevice, deviceStatus, type SluiceStage, startSluiceStage } from './sluice-stage.ts';

keepPeersTidy();

const SEED = 20_401;
const UPDATES = 50;
const UPDATES_IN_A_BURST = 5;

describe.skipIf(!requirePeer('named', 'dig'))('BIND with a TSIG key', () => {
  let internet: FakeInternet;
  let stage: SluiceStage;
  let drill: PolicyDrill;
  let listen: Endpoint;
  let device: { readonly id: number; readonly key: TsigKey | null };
  let resolver: Named;

  beforeAll(async () => {
    internet = await startDrillInternet(SEED);
    stage = await startSluiceStage();
    drill = await openPolicyDrill(stage, SEED);
    listen = await endpointFor('named');
    const { policyId, zone } = drill;
    device = await createDevice(stage, {
      name: 'bind',
      policyId,
      profile: 'bind',
      access: 'key',
      notify: [listen],
    });
    const rpz = { zone, primary: stage.dns, key: device.key! };
    resolver = await startNamed({ listen, internet, rpz });
  });
  afterAll(async () => {
    await resolver?.stop();
    await stage?.stop();
    await internet?.stop();
  });

  it('enforces from its first transfer on exactly what the policy explains', async () => {
    await untilVerdict(resolver, await drill.mark(), 'nxdomain', { withinMs: 15_000 });
    const expected = await drill.expectations();
    expect(await findDisagreements(resolver, expected)).toEqual([]);
    expect([...decisionsOf(expected)].sort()).toEqual([...ALL_DECISIONS].sort());
    expect(stage.transfers[0]).toMatchObject({ kind: 'AXFR', completed: true });
  });

  it('follows every burst of changes by signed NOTIFY and IXFR, and then still agrees', async () => {
    const before = stage.transfers.length;
    for (let made = 0; made < UPDATES; made += UPDATES_IN_A_BURST) {
      await drill.update(UPDATES_IN_A_BURST);
      const serial = await drill.serial();
      await eventually('BIND has the last serial', async () => {
        return (await servedSerial(resolver, drill.zone)) === serial;
      });
    }
    const mark = await drill.mark();
    const serial = await drill.serial();
    await eventually('Sluice knows that BIND has all', async () => {
      const status = await deviceStatus(stage, device.id);
      return status?.notified?.serial === serial && status.transferred?.serial === serial;
    });
    expect(await deviceStatus(stage, device.id)).toMatchObject({
      serial,
      notified: { serial, address: listen.address },
      polled: { address: resolver.source },
      transferred: { serial, kind: 'IXFR', address: resolver.source },
    });

    const transfers = stage.transfers.slice(before);
    expect(transfers.length).toBeGreaterThanOrEqual(UPDATES / UPDATES_IN_A_BURST);
    expect(new Set(transfers.map(({ kind }) => kind))).toEqual(new Set(['IXFR']));
    const received = [
      ...resolver.log().matchAll(/Transfer completed: \d+ messages, (\d+) records/g),
    ];
    const records = received.map(([, count]) => Number(count)).slice(-transfers.length);
    expect(records).toHaveLength(transfers.length);
    expect(Math.max(...records)).toBeLessThan(BALLAST_HOSTS);
    const notified = resolver.log().split(`received notify for zone '${drill.zone}': TSIG`);
    expect(notified.length - 1).toBeGreaterThanOrEqual(UPDATES / UPDATES_IN_A_BURST);

    await untilVerdict(resolver, mark, 'nxdomain', { withinMs: 15_000 });
    expect(await servedSerial(resolver, drill.zone)).toBe(serial);
    expect(await findDisagreements(resolver, await drill.expectations())).toEqual([]);
  });

  it('is the only one that gets the zone: no key, a wrong key and another device do not', async () => {
    const other = await createDevice(stage, {
      name: 'other',
      policyId: drill.policyId,
      profile: 'bind',
      access: 'key',
    });
    const otherPolicy = await stage.call<{ policy: { id: number } }>('POST', '/policies', {
      name: 'other',
      type: 'dns',
    });
    await stage.call('PUT', `/devices/${other.id}/policy?confirm=true`, {
      policyId: otherPolicy.policy.id,
    });
    const key = device.key!;
    const wrong = { ...createTsigKey(key.name), algorithm: key.algorithm };
    await expect(axfr(stage.dns, drill.zone)).rejects.toThrow('Transfer failed');
    await expect(axfr(stage.dns, drill.zone, { key: wrong })).rejects.toThrow(
      "Couldn't verify signature",
    );
    await expect(axfr(stage.dns, drill.zone, { key: other.key! })).rejects.toThrow(
      'Transfer failed',
    );
    expect((await axfr(stage.dns, drill.zone, { key })).length).toBeGreaterThan(100);
  });
});
