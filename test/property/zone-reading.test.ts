import { describe, expect, it } from 'vitest';
import type { Serial } from '../../src/dns/serial.ts';
import { changeIndicators } from '../../src/publish/edits/index.ts';
import { compareSerials } from '../../src/publish/zone-compare.ts';
import type { ZoneItem } from '../../src/publish/zone-items.ts';
import { retainedSerials } from '../../src/publish/zone-reading.ts';
import { readZoneRecords } from '../../src/publish/zone-records.ts';
import type { ZoneSnapshot } from '../../src/zone/snapshot.ts';
import { type House, openHouse } from '../support/house.ts';
import { createRandom } from '../support/random.ts';
import { addPolicy, addTarget, NXDOMAIN, zoneName } from '../support/scene.ts';
import { firstModel, randomEdit } from './random-edits.ts';

const SEEDS = [1, 2];
const STEPS = 30;
const REVISIONS_KEPT = 6;
/** Small, so that pages end everywhere. */
const PAGE_ITEMS = 97;

const lineOf = ({ owner, type, ttl, data }: ZoneItem) => `${owner} ${ttl} ${type} ${data}`;

async function readWhole(house: House, zone: ZoneSnapshot, serial: Serial): Promise<Set<string>> {
  const { catalogue } = house.publisher;
  const lines: string[] = [];
  let from: readonly number[] | null = null;
  let total = 0;
  do {
    const query = { limit: PAGE_ITEMS, from, q: '' };
    const page: Awaited<ReturnType<typeof readZoneRecords>> = await readZoneRecords({
      zone,
      serial,
      catalogue,
      query,
    });
    lines.push(...page.items.map(lineOf));
    from = page.next;
    total = page.total;
  } while (from !== null);
  expect(lines).toHaveLength(total);
  expect(new Set(lines).size).toBe(total);
  return new Set(lines);
}

/** Every item of a comparison, as `removed …` and `added …`. */
async function compareWhole(house: House, zone: ZoneSnapshot, from: Serial, to: Serial) {
  const { catalogue } = house.publisher;
  const lines: string[] = [];
  let place: readonly number[] | null = null;
  do {
    const query = { limit: PAGE_ITEMS, from: place, q: '' };
    const options = { zone, from, to, catalogue, query };
    const page: Awaited<ReturnType<typeof compareSerials>> = await compareSerials(options);
    lines.push(...page.items.map((item) => `${item.change} ${lineOf(item)}`));
    expect(page.removed + page.added).toBeGreaterThanOrEqual(lines.length);
    place = page.next;
    if (place === null) expect(page.removed + page.added).toBe(lines.length);
  } while (place !== null);
  return lines;
}

function differenceOf(before: ReadonlySet<string>, after: ReadonlySet<string>): string[] {
  return [
    ...[...before].filter((line) => !after.has(line)).map((line) => `removed ${line}`),
    ...[...after].filter((line) => !before.has(line)).map((line) => `added ${line}`),
  ];
}

/** Holds every reading and every comparison of a zone against one another; says how many were made. */
async function checkZone(house: House, zone: ZoneSnapshot): Promise<number> {
  const serials = retainedSerials(zone).map(({ serial }) => serial);
  const contents = new Map<Serial, Set<string>>();
  for (const serial of serials) contents.set(serial, await readWhole(house, zone, serial));
  for (const from of serials) {
    for (const to of serials) {
      const expected = differenceOf(contents.get(from)!, contents.get(to)!);
      const compared = await compareWhole(house, zone, from, to);
      expect(compared.toSorted(), `${from} to ${to}`).toEqual(expected.toSorted());
    }
  }
  return serials.length ** 2;
}

describe.each(SEEDS)('zones that are edited at random (seed %i)', (seed) => {
  it('differ between two serials by exactly what the readings at both differ by', async () => {
    const random = createRandom(seed);
    const house = await openHouse({ limits: { revisionsMax: REVISIONS_KEPT } });
    await house.edit((edit) => firstModel(edit, random));
    for (let step = 0; step < STEPS; step++) {
      house.time.now += 1_000;
      await house.edit((edit) => randomEdit(edit, random));
    }
    let compared = 0;
    for (const zone of house.publisher.state.zones.values())
      compared += await checkZone(house, zone);
    expect(compared).toBeGreaterThan(50);
  }, 60_000);
});

describe('a zone in which tens of thousands of rules changed', () => {
  it('is read and compared at all its serials', async () => {
    const house = await openHouse();
    const names = (prefix: string) =>
      Array.from({ length: 15_000 }, (_, index) => `${prefix}${index}.example`);
    const { value: target } = await house.edit((edit) => {
      const id = addTarget(edit, 'many', ['10.0.0.1', ...names('a')]);
      addPolicy(edit, 'one', 'dns', { targets: [[id, NXDOMAIN]] });
      return id;
    });
    const zone = () => house.zone(zoneName('rpz', 'one'));
    const [first, before] = [zone().serial, await readWhole(house, zone(), zone().serial)];
    for (const change of [{ add: names('b') }, { remove: names('a').slice(100) }]) {
      house.time.now += 1_000;
      await house.edit((edit) => changeIndicators(edit, target, change));
    }
    expect(await readWhole(house, zone(), first)).toEqual(before);
    const after = await readWhole(house, zone(), zone().serial);
    const compared = await compareWhole(house, zone(), first, zone().serial);
    expect(compared.toSorted()).toEqual(differenceOf(before, after).toSorted());
    expect(compared).toHaveLength(2 * (15_000 + 14_900));
  }, 60_000);
});
