import { describe, expect, it } from 'vitest';
import { createConvergence, type ZoneConvergence } from '../../src/publish/convergence.ts';
import { openDeviceStatusBook } from '../../src/publish/device-status.ts';
import {
  changeIndicators,
  createDevice,
  deleteDevice,
  deletePolicy,
  updateDevice,
  updatePolicy,
} from '../../src/publish/edits/index.ts';
import type { Refusal } from '../../src/publish/refusal-book.ts';
import { openHouse } from '../support/house.ts';
import { memoryStore } from '../support/memory-store.ts';
import { addPolicy, addTarget, NXDOMAIN, zoneName } from '../support/scene.ts';

const RPZ = zoneName('rpz', 'corp');
const RPZ_OWN = 'rpz.d-corp.dev.acme.sluice.internal.';
const EXPECTED_MS = 60_000;
const DEVICE = 1;

/** A policy of each type, each with a device, and what these did. */
async function openScene() {
  const house = await openHouse({
    limits: { revisionsMax: 3 },
    defaults: { catalogs: true },
  });
  await house.edit((edit) => {
    const target = addTarget(edit, 'bad', ['bad.example', '192.0.2.1']);
    addPolicy(edit, 'corp', 'dns', { targets: [[target, NXDOMAIN]] });
    addPolicy(edit, 'fw', 'ip', { targets: [[target, { kind: 'block' }]] });
  });
  const { model } = house.publisher;
  const status = await openDeviceStatusBook(memoryStore(), () => house.time.now, {
    hasDevice: (id) => house.publisher.model.devices.has(id as never),
    hasZone: (origin) => house.publisher.state.zones.has(origin),
    followsAll: (id) => house.publisher.model.devices.get(id as never)?.type === 'secondary',
  });
  const refusals: Refusal[] = [];
  const convergence = createConvergence({
    state: () => house.publisher.state,
    status,
    refusals: { ofDevice: () => refusals.toReversed() },
    clock: () => house.time.now,
    expectedMs: () => EXPECTED_MS,
  });
  const event = (origin: string, clientSerial: number | null = null, deviceId = DEVICE) => ({
    deviceId: deviceId as never,
    zone: house.zone(origin),
    address: '192.0.2.10',
    protocol: 'tcp' as const,
    key: null,
    clientSerial: clientSerial as never,
  });
  const outcome = { kind: 'AXFR', octets: 100, durationMs: 1 } as const;
  const deviceOf = (id: number) => house.publisher.model.devices.get(id as never)!;
  return {
    house,
    model,
    status,
    serial: (origin = RPZ) => house.zone(origin).serial,
    waits(ms: number) {
      house.time.now += ms;
    },
    polls: (origin = RPZ, clientSerial: number | null = null, deviceId = DEVICE) =>
      status.polled(event(origin, clientSerial, deviceId)),
    transfers: (origin = RPZ, deviceId = DEVICE) =>
      status.transferred({ ...event(origin, null, deviceId), ...outcome, completed: true }),
    isCutOff: (origin = RPZ) =>
      status.transferred({ ...event(origin), ...outcome, completed: false }),
    acknowledges: (origin = RPZ) =>
      status.acknowledged({
        deviceId: DEVICE,
        origin,
        serial: house.zone(origin).serial,
        address: '192.0.2.53',
        at: house.time.now,
      }),
    leavesUnanswered: (problem = 'no answer') =>
      status.notAcknowledged({
        deviceId: DEVICE,
        origin: RPZ,
        address: '192.0.2.53',
        port: 53,
        problem,
        at: house.time.now,
      }),
    isRefused: (refusal: Partial<Refusal> = {}) =>
      refusals.push({
        reason: 'prohibited',
        name: RPZ,
        address: '192.0.2.10',
        protocol: 'udp',
        tsig: null,
        keyName: null,
        firstAt: house.time.now,
        lastAt: house.time.now,
        count: 1,
        ...refusal,
      }),
    /** The zones change. */
    async changes() {
      house.time.now += 1_000;
      const name = `n${house.time.now}.example`;
      await house.edit((edit) => changeIndicators(edit, 1, { add: [name, '192.0.2.2'] }));
    },
    has: (update: object) => house.edit((edit) => updateDevice(edit, DEVICE, update)),
    expected: (id = DEVICE) => convergence.expectedOf(deviceOf(id)).map(({ origin }) => origin),
    all: (id = DEVICE) => convergence.ofDevice(deviceOf(id)),
    zone: (origin = RPZ, id = DEVICE): ZoneConvergence =>
      convergence.expectedOf(deviceOf(id)).find((each) => each.origin === origin)!,
  };
}

/** A device that held the zone until it changed. */
async function openBehind() {
  const scene = await openScene();
  scene.transfers();
  scene.waits(10_000);
  await scene.changes();
  scene.waits(EXPECTED_MS);
  return { ...scene, reason: () => scene.zone().behind };
}

describe('the zones that a device is to hold', () => {
  it('are those of its policy and its own, until it has asked for some', async () => {
    const { expected, transfers } = await openScene();
    expect(expected()).toEqual([RPZ, RPZ_OWN]);
    transfers(RPZ_OWN);
    expect(expected()).toEqual([RPZ_OWN]);
  });

  it('are both lists of an IP policy, of the kind that it follows', async () => {
    const { expected, transfers } = await openScene();
    transfers(zoneName('block', 'fw'), 2);
    expect(expected(2).sort()).toEqual([zoneName('allow', 'fw'), zoneName('block', 'fw')]);
  });

  it('are the one under a former name as long as it asks for that', async () => {
    const { house, expected, transfers, waits } = await openScene();
    transfers(RPZ);
    await house.edit((edit) => updatePolicy(edit, 1, { name: 'renamed' }));
    const renamed = zoneName('rpz', 'renamed');
    expect(expected()).toEqual([RPZ]);
    waits(1_000);
    transfers(renamed);
    expect(expected()).toEqual([renamed, RPZ]);
    waits(2 * 24 * 3_600_000);
    transfers(renamed);
    expect(expected()).toEqual([renamed]);
  });

  it('are none for a device without a policy that asks for nothing', async () => {
    const { has, expected, polls } = await openScene();
    await has({ policyId: null });
    expect(expected()).toEqual([]);
    polls(RPZ_OWN);
    expect(expected()).toEqual([RPZ_OWN]);
  });

  it('are all that a secondary may read, whatever it asks for', async () => {
    const { house, expected, transfers } = await openScene();
    const { value } = await house.edit((edit) =>
      createDevice(edit, { name: 'tier', type: 'secondary' }),
    );
    transfers(RPZ, value.id);
    const account = [...house.publisher.state.zones.keys()].filter((origin) =>
      /^(?!catalog).*[.]acme[.]sluice[.]internal[.]$/.test(origin),
    );
    expect(account.length).toBeGreaterThan(5);
    expect(expected(value.id).sort()).toEqual(account.sort());
  });

  it('are of the catalog zones those that a secondary asks for: it needs one, or none', async () => {
    const { house, expected, transfers } = await openScene();
    const { value } = await house.edit((edit) =>
      createDevice(edit, { name: 'tier', type: 'secondary', scope: 'server' }),
    );
    const catalogs = ['catalog.acme.sluice.internal.', 'catalog.sluice.internal.'];
    expect([...house.publisher.state.zones.keys()]).toEqual(expect.arrayContaining(catalogs));
    const expectedCatalogs = () => expected(value.id).filter((each) => catalogs.includes(each));
    expect(expected(value.id)).toContain(RPZ);
    expect(expectedCatalogs()).toEqual([]);
    transfers('catalog.sluice.internal.', value.id);
    expect(expectedCatalogs()).toEqual(['catalog.sluice.internal.']);
  });
});

describe('the lag of a device', () => {
  it('is nothing when it holds what is served', async () => {
    const { transfers, zone, serial } = await openScene();
    transfers();
    expect(zone()).toMatchObject({
      serial: serial(),
      converged: true,
      behind: null,
      judgedBy: 'held',
      lag: { serials: 0, isLowerBound: false, since: null },
    });
  });

  it('counts the revisions that it lacks, and the time since the first of them', async () => {
    const { house, transfers, changes, zone } = await openScene();
    transfers();
    await changes();
    const first = house.time.now;
    await changes();
    expect(zone()).toMatchObject({
      converged: false,
      lag: { serials: 2, isLowerBound: false, since: first },
    });
  });

  it('is at least all of history when that does not reach back', async () => {
    const { house, transfers, changes, zone } = await openScene();
    transfers();
    for (let change = 0; change < 5; change += 1) await changes();
    const { revisions } = house.zone(RPZ);
    expect(revisions).toHaveLength(3);
    const { lag } = zone();
    expect(lag).toMatchObject({ serials: 4, isLowerBound: true });
    expect(lag.since).toBeLessThanOrEqual(revisions[0]!.at);
    expect(lag.since).toBeGreaterThan(house.time.now - 6_000);
  });

  it('runs from the last edit of a device that proved nothing, or from when the zone came', async () => {
    const { house, has, zone, waits } = await openScene();
    waits(100_000);
    const edited = house.time.now;
    await has({ description: 'new' });
    waits(5_000);
    expect(zone().lag.since).toBe(edited);
    const made = house.time.now;
    await house.edit((edit) => createDevice(edit, { name: 'tier', type: 'secondary' }));
    waits(50_000);
    await house.edit((edit) => addPolicy(edit, 'late', 'dns', {}));
    const since = zone(zoneName('rpz', 'late'), 3).lag.since!;
    expect(since).toBeGreaterThan(made);
    expect(Math.abs(since - house.time.now)).toBeLessThan(1_000);
  });

  it('runs anew for a zone that came again under the name of one that was there before', async () => {
    const { house, zone, waits } = await openScene();
    const late = zoneName('rpz', 'late');
    const { value: tier } = await house.edit((edit) =>
      createDevice(edit, { name: 'tier', type: 'secondary' }),
    );
    const { value: policy } = await house.edit((edit) => addPolicy(edit, 'late', 'dns', {}));
    expect(zone(late, tier.id).lag.since).not.toBeNull();
    waits(500_000);
    await house.edit((edit) => {
      for (const { id, policyId } of edit.draft.model.devices.values())
        if (policyId === policy) deleteDevice(edit, id);
      deletePolicy(edit, policy);
    });
    expect(zone(late, tier.id)).toBeUndefined();
    await house.edit((edit) => addPolicy(edit, 'late', 'dns', {}));
    expect(house.time.now - zone(late, tier.id).lag.since!).toBeLessThan(1_000);
  });

  it('goes by what it last asked for where an IP zone is read by ordinary queries', async () => {
    const { polls, changes, zone, waits, isCutOff } = await openScene();
    const block = zoneName('block', 'fw');
    polls(block, null, 2);
    expect(zone(block, 2)).toMatchObject({ judgedBy: 'polled', converged: true });
    await changes();
    waits(EXPECTED_MS);
    expect(zone(block, 2)).toMatchObject({
      judgedBy: 'polled',
      lag: { serials: 1 },
      behind: { reason: 'not-asked' },
    });
    // A response policy zone is good for nothing unless it is transferred.
    polls(RPZ);
    expect(zone(RPZ)).toMatchObject({ judgedBy: 'held', converged: false });
    isCutOff(RPZ);
    expect(zone(RPZ).judgedBy).toBe('held');
  });
});

describe('a device that is behind', () => {
  it('is reported after the expected time, and not before', async () => {
    const { house, zone } = await openBehind();
    expect(zone().behind).not.toBeNull();
    house.time.now -= 1;
    expect(zone()).toMatchObject({ converged: false, behind: null });
  });

  it('is not reported for a zone that it is not to hold, and that is told all the same', async () => {
    const { all, acknowledges } = await openBehind();
    acknowledges(RPZ_OWN);
    const own = all().find(({ origin }) => origin === RPZ_OWN);
    expect(own).toMatchObject({ expected: false, converged: false, behind: null });
  });

  it('has not asked since', async () => {
    const { reason } = await openBehind();
    expect(reason()).toMatchObject({ reason: 'not-asked' });
  });

  it('has never asked', async () => {
    const { waits, zone, acknowledges, has } = await openScene();
    await has({ notify: [{ address: '192.0.2.53' }] });
    waits(EXPECTED_MS + 1_000);
    acknowledges();
    expect(zone().behind).toMatchObject({ reason: 'never-asked' });
  });

  it('acknowledges no NOTIFY, with what came instead', async () => {
    const { reason, has, leavesUnanswered, acknowledges } = await openBehind();
    await has({ notify: [{ address: '192.0.2.53' }] });
    expect(reason()).toEqual({
      reason: 'not-acknowledged',
      detail: 'It acknowledged no NOTIFY; nothing is known of an answer.',
    });
    leavesUnanswered('REFUSED');
    expect(reason()?.detail).toBe('It acknowledged no NOTIFY; 192.0.2.53 port 53: REFUSED.');
    acknowledges();
    expect(reason()).toMatchObject({ reason: 'not-asked' });
  });

  it('asked for the serial, and for no transfer', async () => {
    const { reason, polls } = await openBehind();
    polls();
    expect(reason()).toMatchObject({ reason: 'not-transferred' });
  });

  it('was cut off, which says more than that it asked', async () => {
    const { reason, polls, isCutOff, serial } = await openBehind();
    isCutOff();
    polls();
    expect(reason()).toMatchObject({
      reason: 'transfer-cut',
      detail: expect.stringContaining(`serial ${serial()} to 192.0.2.10`),
    });
  });

  it('was refused the zone, also when it may ask for its serial', async () => {
    const { reason, isRefused, polls } = await openBehind();
    isRefused({ keyName: 'old.key.acme.sluice.internal.', count: 3 });
    polls();
    expect(reason()).toEqual({
      reason: 'refused',
      detail: `It asked for ${RPZ} from 192.0.2.10, 3 times with the key old.key.acme.sluice.internal., which does not entitle it to the zone.`,
    });
  });

  it('was refused a name in the zone, as who reads it by ordinary queries asks for', async () => {
    const { reason, isRefused } = await openBehind();
    isRefused({ name: `x${RPZ}` });
    expect(reason()).toMatchObject({ reason: 'not-asked' });
    isRefused({ name: `p1.v4.${RPZ}` });
    expect(reason()).toMatchObject({ reason: 'refused' });
  });

  it.each([
    ['BADKEY', 'tsig-badkey', 'no key of this name'],
    ['BADSIG', 'tsig-badsig', 'the secret is another one'],
    ['BADTIME', 'tsig-badtime', 'its clock and ours differ'],
    ['BADTRUNC', 'tsig-badtrunc', 'cut too short'],
    ['BADALG', 'tsig-other', 'BADALG'],
  ])('signs so that the answer is %s', async (error, code, sentence) => {
    const { reason, isRefused } = await openBehind();
    isRefused({ reason: 'tsig', tsig: { error, keyName: 'r1.key.acme.sluice.internal.' } });
    expect(reason()).toMatchObject({ reason: code, detail: expect.stringContaining(sentence) });
    expect(reason()?.detail).toContain('r1.key.acme.sluice.internal.');
  });

  it('asks for another name that is no zone, and not for this one', async () => {
    const { reason, isRefused, polls } = await openBehind();
    isRefused({ reason: 'not-authoritative', name: 'rpz.korp.acme.sluice.internal.' });
    expect(reason()).toMatchObject({
      reason: 'not-authoritative',
      detail: expect.stringContaining('rpz.korp.acme.sluice.internal.'),
    });
    polls();
    expect(reason()).toMatchObject({ reason: 'not-transferred' });
  });

  it('is not explained by what it was refused before, or of zones of others', async () => {
    const { reason, isRefused, house } = await openBehind();
    isRefused({ name: zoneName('block', 'fw') });
    isRefused({ lastAt: house.time.now - EXPECTED_MS - 5_000 });
    expect(reason()).toMatchObject({ reason: 'not-asked' });
  });

  it('is not explained by a refusal when it has proved since what it holds', async () => {
    const { reason, isRefused, polls, waits, house } = await openBehind();
    isRefused({ reason: 'tsig', tsig: { error: 'BADTIME', keyName: 'r1.' } });
    waits(1_000);
    polls(RPZ, house.zone(RPZ).revisions.at(-1)!.fromSerial);
    expect(reason()).toMatchObject({ reason: 'not-transferred' });
  });

  it('holds a serial above the one that is served', async () => {
    const { reason, polls, serial, waits } = await openBehind();
    polls(RPZ, serial() + 1_000);
    waits(EXPECTED_MS);
    expect(reason()).toMatchObject({ reason: 'newer-serial' });
  });

  it('is behind no more once it has transferred', async () => {
    const { zone, transfers, isCutOff, isRefused } = await openBehind();
    isCutOff();
    isRefused();
    transfers();
    expect(zone()).toMatchObject({ converged: true, behind: null });
  });
});
