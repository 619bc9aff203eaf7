import { describe, expect, it } from 'vitest';
import { decodeRdata, formatRdata, parseName, RRTYPE, serial } from '../../src/dns/index.ts';
import { ModelError } from '../../src/policy/model-error.ts';
import {
  assignPolicy,
  changeIndicators,
  createDevice,
  createPolicy,
  deleteDevice,
  deletePolicy,
  type Edit,
  releasePolicy,
  rollBackPolicy,
  updatePolicy,
} from '../../src/publish/edits/index.ts';
import { bodyAt, digestAt } from '../../src/zone/content-at.ts';
import { sideOf } from '../../src/zone/snapshot.ts';
import { zoneText } from '../../src/zone/zone-text.ts';
import { type House, openHouse, ROOT } from '../support/house.ts';
import { createRandom, type Random } from '../support/random.ts';
import { addPolicy, addTarget, BLOCK, zoneName } from '../support/scene.ts';
import {
  compareImages,
  followIxfr,
  formOf,
  imageOfAxfr,
  SAME_IMAGE,
  type ZoneImage,
} from '../support/zone-image.ts';
import { naiveZoneDigest } from '../zone/naive-zone-digest.ts';
import { firstModel, randomEdit } from './random-edits.ts';

const SEEDS = [21, 22];
const STEPS = 50;
const STEPS_PER_RESTART = 8;
const REVISIONS_KEPT = 8;
/** A secondary of the whole server may read every zone there is. */
const TIER = '192.0.2.90';
const DEVICES = ['fw1', 'fw2'];
const PASSING_POLICY = 'pass';
/** Otherwise the property would say little. */
const INCREMENTAL_MIN = { ip: 40, catalog: 10 };

const WITH_DIGESTS = { defaults: { catalogs: true, zonemd: true } };
const WITHOUT_DIGESTS = { defaults: { catalogs: true, zonemd: false } };

function addTier(edit: Edit): void {
  const access = { access: 'source', sources: [TIER] };
  createDevice(edit, { name: 'tier', type: 'secondary', scope: 'server', ...access });
}

const axfr = (house: House, origin: string): ZoneImage =>
  imageOfAxfr(house.transfer(origin, { from: TIER }).records);

const digestsOf = ({ records }: ZoneImage) =>
  [...records.values()].filter(({ type }) => type === RRTYPE.ZONEMD);

/** A zone as it is transferred, held against the judge that shares no code with the server. */
function judgedImage(house: House, origin: string): ZoneImage {
  const zone = house.zone(origin);
  const image = axfr(house, origin);
  expect(image.records.size).toBe(zone.records);
  const digests = digestsOf(image);
  if (zone.body.kind === 'rpz') {
    expect(digests).toEqual([]);
    return image;
  }
  expect(digests).toHaveLength(1);
  const { name, ttl, rdata } = digests[0]!;
  const apex = parseName(origin);
  expect({ name, ttl }).toEqual({ name: apex, ttl: zone.settings.apexTtl });
  const naive = naiveZoneDigest(apex, [...image.records.values()]);
  expect(formatRdata(RRTYPE.ZONEMD, rdata)).toBe(`${image.serial} 1 1 ${naive}`);
  const asked = house.ask(origin, 'ZONEMD', { from: TIER }).answers;
  expect(asked.map((record) => record.rdata)).toEqual([rdata]);
  if (zone.body.kind === 'ip') {
    const summary = [...image.records.values()].find(({ type }) => type === RRTYPE.TXT)!;
    expect(formatRdata(RRTYPE.TXT, summary.rdata)).toContain(` records=${image.records.size} `);
  }
  return image;
}

type History = Map<string, Map<number, ZoneImage>>;

function remember(history: History, origin: string, image: ZoneImage): Map<number, ZoneImage> {
  const known = history.get(origin) ?? new Map<number, ZoneImage>();
  history.set(origin, known.set(image.serial, image));
  return known;
}

/** From every serial that is still kept to now, and what the zone says of itself at that serial. */
function checkKept(house: House, origin: string, known: Map<number, ZoneImage>): number {
  const zone = house.zone(origin);
  const now = known.get(zone.serial)!;
  let incremental = 0;
  for (const { fromSerial } of zone.revisions) {
    const then = known.get(fromSerial)!;
    const { records } = house.transfer(origin, { from: TIER, have: fromSerial });
    if (formOf(records) === 'changes') incremental++;
    expect(compareImages(followIxfr(then, records), now)).toEqual(SAME_IMAGE);
    const digest = digestAt(zone, fromSerial);
    expect(digest && Buffer.from(digest)).toEqual(
      digestsOf(then).map(({ rdata }) => Buffer.from(rdata))[0] ?? null,
    );
    if (digest === null) continue;
    const source = { ...zone, serial: fromSerial, body: bodyAt(zone, fromSerial)!, digest };
    const text = Buffer.concat([...zoneText(source, house.publisher.catalogue)]).toString();
    expect(text).toContain(`@ IN ZONEMD ${formatRdata(RRTYPE.ZONEMD, digest)}\n`);
    expect(text.split('\n').filter((line) => line.includes(' ZONEMD '))).toHaveLength(1);
  }
  return incremental;
}

/** What makes zones come and go, change what they carry, or go back. */
function randomDuty(edit: Edit, house: House, random: Random): void {
  const { model } = edit.draft;
  const ipPolicies = [...model.policies.values()].filter(({ type }) => type === 'ip');
  const policy = random.pick(ipPolicies);
  const name = random.pick(DEVICES);
  const device = [...model.devices.values()].find((known) => known.name === name);
  const passing = ipPolicies.find((known) => known.name === PASSING_POLICY);
  switch (random.below(6)) {
    case 0:
      if (device === undefined) createDevice(edit, { name, type: 'ip', policyId: policy.id });
      else deleteDevice(edit, device.id);
      return;
    case 1:
      if (device) assignPolicy(edit, device.id, random.chance(0.2) ? null : policy.id);
      return;
    case 2:
      if (passing) deletePolicy(edit, passing.id);
      else {
        const { attachments } = policy;
        createPolicy(edit, { name: PASSING_POLICY, type: 'ip', attachments });
      }
      return;
    case 3: {
      const zone = house.zone(zoneName('block', policy.name));
      if (zone.revisions.length === 0) return;
      const { fromSerial } = random.pick(zone.revisions);
      rollBackPolicy(edit, policy.id, { serial: fromSerial, zone: sideOf(zone.body) });
      return;
    }
    case 4:
      if (policy.rollback) releasePolicy(edit, policy.id);
      return;
    default:
      updatePolicy(edit, policy.id, { ttl: random.pick([60, 120]) });
  }
}

async function publish(house: House, random: Random): Promise<void> {
  await house.edit((edit) => {
    if (random.chance(0.6)) randomEdit(edit, random);
    else {
      try {
        randomDuty(edit, house, random);
      } catch (error) {
        // What the rules refuse is no edit.
        if (!(error instanceof ModelError)) throw error;
      }
    }
  });
}

const serialsOf = (house: House): Record<string, number> =>
  Object.fromEntries(
    [...house.publisher.state.zones].map(([origin, zone]) => [origin, zone.serial]),
  );

describe.each(SEEDS)('zones with digests that are edited at random (seed %i)', (seed) => {
  it('have the right one at every serial, by AXFR, by IXFR and after a restart', async () => {
    const random = createRandom(seed);
    let house = await openHouse({ ...WITH_DIGESTS, limits: { revisionsMax: REVISIONS_KEPT } });
    await house.edit(addTier);
    const history: History = new Map();
    const incremental = { rpz: 0, ip: 0, catalog: 0 };
    for (let step = 0; step < STEPS; step++) {
      for (const [origin, zone] of house.publisher.state.zones) {
        if (history.get(origin)?.has(zone.serial)) continue;
        const known = remember(history, origin, judgedImage(house, origin));
        incremental[zone.body.kind] += checkKept(house, origin, known);
      }
      if (step % STEPS_PER_RESTART === 0) {
        const before = serialsOf(house);
        house = await house.restart();
        expect(serialsOf(house)).toEqual(before);
        for (const [origin, { serial: last }] of house.publisher.state.zones) {
          const known = history.get(origin)!;
          expect(compareImages(judgedImage(house, origin), known.get(last)!)).toEqual(SAME_IMAGE);
          checkKept(house, origin, known);
        }
      }
      house.time.now += random.pick([0, 300, 1_000, 5_000]);
      if (step === 0) await house.edit((edit) => firstModel(edit, random));
      else await publish(house, random);
    }
    expect(incremental.ip).toBeGreaterThan(INCREMENTAL_MIN.ip);
    expect(incremental.catalog).toBeGreaterThan(INCREMENTAL_MIN.catalog);
  }, 120_000);
});

describe('the setting of zones.zonemd', () => {
  const ORIGINS = ['gate', 'hosts'].flatMap((policy) =>
    (['block', 'allow'] as const).map((side) => zoneName(side, policy)),
  );
  const CATALOGS = [`catalog.${ROOT}`, `catalog.acme.${ROOT}`];

  async function openWith(options: typeof WITH_DIGESTS): Promise<House> {
    const house = await openHouse(options);
    await house.edit((edit) => {
      firstModel(edit, createRandom(5));
      addTier(edit);
    });
    return house;
  }

  it.each([
    ['taken away', WITH_DIGESTS, WITHOUT_DIGESTS, 0],
    ['brought in, also with a database from before,', WITHOUT_DIGESTS, WITH_DIGESTS, 1],
  ])(
    'when %s gives IP and catalog zones a new serial, and no others',
    async (_, was, is, count) => {
      const house = await openWith(was);
      const before = serialsOf(house);
      house.time.now += 10_000;
      const after = await house.restart(is);
      for (const [origin, zone] of after.publisher.state.zones) {
        const image = axfr(after, origin);
        expect(image.records.size).toBe(zone.records);
        if (zone.body.kind === 'rpz') expect(zone.serial).toBe(before[origin]);
        else {
          expect(zone.serial).toBeGreaterThan(before[origin]!);
          expect(digestsOf(image)).toHaveLength(count);
          if (count > 0) judgedImage(after, origin);
          // Who has the zone of before is not told a difference that leaves the digest wrong.
          const { records } = after.transfer(origin, { from: TIER, have: before[origin]! });
          expect(formOf(records)).toBe('full');
        }
      }
      expect(Object.keys(before)).toEqual(expect.arrayContaining([...ORIGINS, ...CATALOGS]));
      const again = await after.restart(is);
      expect(serialsOf(again)).toEqual(serialsOf(after));
    },
  );
});

describe('a dry run', () => {
  it('counts the digest and makes none, and leaves the one that is served', async () => {
    const house = await openHouse(WITH_DIGESTS);
    const { value: target } = await house.edit((edit) => {
      addTier(edit);
      const id = addTarget(edit, 'scanners', ['198.51.100.1', '198.51.100.77']);
      addPolicy(edit, 'gate', 'ip', { targets: [[id, BLOCK]] });
      return id;
    });
    const origin = zoneName('block', 'gate');
    const before = judgedImage(house, origin);
    const planned = await house.publisher.preview(
      (draft) =>
        changeIndicators(
          { draft, settings: house.settings, accountId: house.accountId, system: true },
          target,
          { add: ['198.51.100.9'] },
        ),
      ({ after }) => after.zones.get(origin)!,
    );
    expect(planned.records).toBe(before.records.size);
    expect(planned.digest).toHaveLength(0);
    expect(compareImages(judgedImage(house, origin), before)).toEqual(SAME_IMAGE);
  });
});

describe('a digest that is taken for another serial', () => {
  it('would be noticed by the judge of these tests', async () => {
    const house = await openHouse(WITH_DIGESTS);
    await house.edit((edit) => {
      addTier(edit);
      addPolicy(edit, 'gate', 'ip', { targets: [[addTarget(edit, 't', ['198.51.100.1']), BLOCK]] });
    });
    const origin = zoneName('block', 'gate');
    const image = axfr(house, origin);
    const records = [...image.records.values()];
    const rdata = digestsOf(image)[0]!.rdata;
    const decoded = decodeRdata(RRTYPE.ZONEMD, rdata, 0, rdata.length);
    expect(decoded).toMatchObject({ type: 'ZONEMD', serial: serial(image.serial) });
    const soa = records.find(({ type }) => type === RRTYPE.SOA)!;
    const later = soa.rdata.slice();
    later[later.length - 17]!++;
    const changed = records.map((record) => (record === soa ? { ...soa, rdata: later } : record));
    expect(naiveZoneDigest(parseName(origin), changed)).not.toBe(
      Buffer.from(rdata.subarray(6)).toString('hex'),
    );
  });
});
