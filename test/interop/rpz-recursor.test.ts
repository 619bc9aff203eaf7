import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  endpointFor,
  eventually,
  type FakeInternet,
  keepPeersTidy,
  type Peer,
  requirePeer,
  startRecursor,
  untilVerdict,
} from './peers/index.ts';
import { openPolicyDrill, type PolicyDrill } from './policy-drill.ts';
import {
  ALL_DECISIONS,
  decisionsOf,
  findDisagreements,
  startDrillInternet,
} from './policy-questions.ts';
import { createDevice, deviceStatus, type SluiceStage, startSluiceStage } from './sluice-stage.ts';

keepPeersTidy();

const SEED = 20_409;
const UPDATES = 10;
const BURSTS = 3;

describe.skipIf(!requirePeer('pdns_recursor'))('The PowerDNS Recursor with a TSIG key', () => {
  let internet: FakeInternet;
  let stage: SluiceStage;
  let drill: PolicyDrill;
  let resolver: Peer;
  let deviceId: number;

  beforeAll(async () => {
    internet = await startDrillInternet(SEED);
    stage = await startSluiceStage();
    drill = await openPolicyDrill(stage, SEED);
    const { policyId, zone } = drill;
    // It takes no NOTIFY and asks every second instead.
    const { id, key } = await createDevice(stage, {
      name: 'recursor',
      policyId,
      profile: 'powerdns',
      access: 'key',
    });
    deviceId = id;
    const rpz = { zone, primary: stage.dns, key: key! };
    const listen = await endpointFor('pdns_recursor');
    resolver = await startRecursor({ listen, internet, rpz });
  });
  afterAll(async () => {
    await resolver?.stop();
    await stage?.stop();
    await internet?.stop();
  });

  it('enforces from its first transfer on exactly what the policy explains', async () => {
    await untilVerdict(resolver, await drill.mark(), 'nxdomain');
    const expected = await drill.expectations();
    expect(await findDisagreements(resolver, expected)).toEqual([]);
    expect([...decisionsOf(expected)].sort()).toEqual([...ALL_DECISIONS].sort());
    expect(stage.transfers[0]).toMatchObject({ kind: 'AXFR', completed: true });
  });

  it('finds changes by asking, takes them as IXFR, and then still agrees', async () => {
    const before = stage.transfers.length;
    for (let burst = 0; burst < BURSTS; burst++) {
      await drill.update(UPDATES);
      await untilVerdict(resolver, await drill.mark(), 'nxdomain');
    }
    const serial = await drill.serial();
    await eventually('Sluice knows that the Recursor has all', async () => {
      return (await deviceStatus(stage, deviceId))?.transferred?.serial === serial;
    });
    expect(await deviceStatus(stage, deviceId)).toMatchObject({
      serial,
      notified: null,
      transferred: { serial, kind: 'IXFR' },
    });
    const transfers = stage.transfers.slice(before);
    expect(transfers.length).toBeGreaterThanOrEqual(BURSTS);
    expect(new Set(transfers.map(({ kind }) => kind))).toEqual(new Set(['IXFR']));
    expect(await findDisagreements(resolver, await drill.expectations())).toEqual([]);
  });
});
