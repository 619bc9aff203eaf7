import { describe, expect, it } from 'vitest';
import type { Device, Model, Policy } from '../../src/policy/model.ts';
import { ModelError } from '../../src/policy/model-error.ts';
import {
  assignPolicy,
  createDevice,
  createPolicy,
  deleteDevice,
  deletePolicy,
  duplicatePolicy,
  type Edit,
  releasePolicy,
  rollBackPolicy,
  updatePolicy,
} from '../../src/publish/edits/index.ts';
import { sideOf } from '../../src/zone/snapshot.ts';
import { type House, openHouse } from '../support/house.ts';
import { createRandom, type Random } from '../support/random.ts';
import { recordText } from '../support/zone-image.ts';
import { firstModel, randomEdit } from './random-edits.ts';
import {
  checkedImage,
  checkIxfrs,
  checkRestart,
  type History,
  readerOf,
  remember,
} from './zone-history.ts';

const SEEDS = [11, 12];
const STEPS = 60;
const STEPS_PER_RESTART = 10;
const GRACE_MS = 60_000;
/** Otherwise the property would say little. */
const SEEN_MIN = {
  reassigned: 5,
  rolledBack: 3,
  renamed: 2,
  incrementalAcross: 3,
  policyMade: 2,
  policyDeleted: 1,
  deviceMade: 2,
  deviceDeleted: 1,
};
const POLICIES_MAX = 6;
/** Devices and policies that come and go, under names that come again. */
const PASSING_DEVICES = ['x1', 'x2'];
const PASSING_POLICIES = ['da', 'db', 'dc'];

/** What happens to policies and devices as a whole, among edits of all other kinds. */
function randomDuty(edit: Edit, house: House, random: Random): string {
  const { model } = edit.draft;
  const policy = random.pick([...model.policies.values()]);
  const device = random.pick(devicesWithPolicies(model));
  try {
    switch (random.below(11)) {
      case 0:
      case 1: {
        const type = device.type === 'ip' ? 'ip' : 'dns';
        const policies = [...model.policies.values()].filter(
          (other) => other.type === type && other.id !== device.policyId,
        );
        if (policies.length === 0) return 'none';
        const other = random.chance(0.1) ? null : random.pick(policies).id;
        assignPolicy(edit, device.id, other);
        return 'reassigned';
      }
      case 2: {
        const zones = [...model.policies.keys()].map((id) => house.zone(ownZones(house, id)[0]));
        const withHistory = zones.filter(({ revisions }) => revisions.length > 0);
        if (withHistory.length === 0) return 'none';
        const zone = random.pick(withHistory);
        const { fromSerial } = random.pick(zone.revisions);
        rollBackPolicy(edit, zone.policyId!, { serial: fromSerial, zone: sideOf(zone.body) });
        return 'rolledBack';
      }
      case 3:
        if (policy.rollback === null) return 'none';
        releasePolicy(edit, policy.id);
        return 'released';
      case 4: {
        const name = random.pick(['alpha', 'beta', 'gamma']);
        updatePolicy(edit, policy.id, { name });
        return 'renamed';
      }
      case 5:
      case 6:
        return makeOrDeletePolicy(edit, policy, random);
      case 7:
        return makeOrDeleteDevice(edit, policy, random);
      default:
        return randomEdit(edit, random);
    }
  } catch (error) {
    if (error instanceof ModelError) return 'refused';
    throw error;
  }
}

/** All but the secondary that reads the catalog zones. */
function devicesWithPolicies({ devices }: Model): Device[] {
  return [...devices.values()].filter(({ type }) => type !== 'secondary');
}

function makeOrDeletePolicy(edit: Edit, { id, type, attachments }: Policy, random: Random): string {
  const { model } = edit.draft;
  const name = random.pick(PASSING_POLICIES);
  const known = [...model.policies.values()].find((policy) => policy.name === name);
  if (known === undefined && model.policies.size < POLICIES_MAX) {
    if (random.chance(0.5)) duplicatePolicy(edit, id, { name });
    else createPolicy(edit, { name, type, attachments: attachments.slice(0, 2) });
    return 'policyMade';
  }
  const gone = known ?? random.pick([...model.policies.values()]);
  if ([...model.policies.values()].filter((policy) => policy.type === gone.type).length < 2)
    return 'none';
  for (const device of model.devices.values())
    if (device.policyId === gone.id) assignPolicy(edit, device.id, null);
  deletePolicy(edit, gone.id);
  return 'policyDeleted';
}

function makeOrDeleteDevice(edit: Edit, { id, type }: Policy, random: Random): string {
  const name = random.pick(PASSING_DEVICES);
  const known = [...edit.draft.model.devices.values()].find((device) => device.name === name);
  if (known !== undefined) deleteDevice(edit, known.id);
  // One edit may delete a device and make another of its name.
  if (known !== undefined && random.chance(0.7)) return 'deviceDeleted';
  const source = `192.0.2.${70 + PASSING_DEVICES.indexOf(name)}`;
  const policyId = random.chance(0.7) ? id : null;
  createDevice(edit, { name, type, access: 'source', sources: [source], policyId });
  return 'deviceMade';
}

/** The zones of a policy under its present name. */
function ownZones(house: House, policyId: number): string[] {
  return [...house.publisher.state.zones].flatMap(([origin, zone]) =>
    zone.deviceId === null && zone.policyId === policyId && !zone.former ? [origin] : [],
  );
}

/** Everything below the apex, whatever the zone is called. */
function contentOf(house: House, origin: string, from: string): string[] {
  const { records } = house.transfer(origin, { from });
  return records
    .map(recordText)
    .filter((text) => !text.startsWith(`${origin} `))
    .map((text) => text.replaceAll(origin, '@'))
    .sort();
}

/** Both families with one page that lists nothing. */
const EMPTY_IP_ZONE = [
  '0.v4.@ 60 APL ',
  '0.v6.@ 60 APL ',
  'index.v4.@ 60 PTR 0.v4.@',
  'index.v6.@ 60 PTR 0.v6.@',
];

/** A device's own zones, and a policy's zones under former names, hold what the policy's zones hold. */
function checkCarried(house: House): void {
  for (const [origin, zone] of house.publisher.state.zones) {
    if (zone.body.kind === 'catalog') {
      checkCatalog(house, origin);
      continue;
    }
    const from = readerOf(house, origin);
    if (from === undefined) continue;
    const side = origin.split('.')[0];
    const carried =
      zone.policyId === null
        ? []
        : ownZones(house, zone.policyId).filter((own) => own.startsWith(`${side}.`));
    const [own] = carried;
    const reader = own === undefined ? undefined : readerOf(house, own);
    const wanted = own === undefined || reader === undefined ? null : contentOf(house, own, reader);
    if (zone.policyId === null)
      expect(contentOf(house, origin, from)).toEqual(side === 'rpz' ? [] : EMPTY_IP_ZONE);
    else if (wanted !== null) expect(contentOf(house, origin, from)).toEqual(wanted);
  }
}

/** A catalog zone lists every zone that is served, and no catalog zone. */
function checkCatalog(house: House, origin: string): void {
  const { records } = house.transfer(origin, { from: TIER });
  const listed = records
    .map((record) => / PTR (\S+)$/.exec(recordText(record))?.[1])
    .filter((name) => name !== undefined)
    .sort();
  const served = [...house.publisher.state.zones]
    .filter(([, { body }]) => body.kind !== 'catalog')
    .map(([name]) => name)
    .sort();
  expect(listed).toEqual(served);
}

/** Reads the catalog zones. */
const TIER = '192.0.2.90';

describe.each(SEEDS)('zones of devices and of renamed policies (seed %i)', (seed) => {
  it('carry what their policy carries, and lead from every serial to the present one', async () => {
    const random = createRandom(seed);
    const defaults = { catalogs: true };
    let house = await openHouse({ limits: { revisionsMax: 12 }, defaults });
    await house.edit((edit) => {
      firstModel(edit, random);
      const tier = { name: 'tier', type: 'secondary', scope: 'server' };
      createDevice(edit, { ...tier, access: 'source', sources: [TIER] });
    });
    const history: History = new Map();
    const seen: Record<string, number> = {};
    for (let step = 0; step < STEPS; step++) {
      house.time.now += random.pick([0, 1_000, GRACE_MS / 10]);
      const before = new Map(house.publisher.state.zones);
      const { value: what } = await house.edit((edit) => randomDuty(edit, house, random));
      seen[what] = (seen[what] ?? 0) + 1;
      for (const [origin, zone] of house.publisher.state.zones) {
        const was = before.get(origin);
        if (was === zone || readerOf(house, origin) === undefined) continue;
        const known = remember(history, origin, checkedImage(house, house, origin));
        const incremental = checkIxfrs(house, origin, known);
        if (was !== undefined && was.policyId !== zone.policyId && incremental > 0)
          seen.incrementalAcross = (seen.incrementalAcross ?? 0) + 1;
      }
      checkCarried(house);
      if (step % STEPS_PER_RESTART === 0) await checkRestart(house, history);
      if (random.chance(0.1)) house = await house.restart();
    }
    expect(seen).toMatchObject(
      Object.fromEntries(
        Object.entries(SEEN_MIN).map(([what, count]) => [
          what,
          expect.toSatisfy((value: number) => value >= count),
        ]),
      ),
    );
  }, 120_000);
});
