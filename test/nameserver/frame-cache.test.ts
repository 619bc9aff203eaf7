import { describe, expect, it } from 'vitest';
import { createFrameCache } from '../../src/nameserver/frame-cache.ts';
import { createOctetBudget } from '../../src/nameserver/octet-budget.ts';
import type { TargetId } from '../../src/policy/model.ts';
import { attach, changeIndicators, createTarget } from '../../src/publish/edits/index.ts';
import { type House, openHouse } from '../support/house.ts';
import { openTransfer } from '../support/open-transfer.ts';
import { createRandom, type Random } from '../support/random.ts';
import { addPolicy, addTarget, NODATA, NXDOMAIN, zoneName } from '../support/scene.ts';
import { compareImages, imageOfAxfr, SAME_IMAGE } from '../support/zone-image.ts';

const ZONE = zoneName('rpz', 'corp');
/** About nine messages of 16 KiB. */
const NAMES = 3_500;

const names = (from: number, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `name-${from + index}.example.com`);

async function openLargeHouse(frameCacheOctets: number): Promise<House> {
  const house = await openHouse({ nameserver: { frameCacheOctets } });
  await house.edit((edit) => {
    const target = addTarget(edit, 'kits', names(0, NAMES));
    addPolicy(edit, 'corp', 'dns', { targets: [[target, NXDOMAIN]] });
  });
  return house;
}

const KITS = 1 as TargetId;

/** The zone from ready frames equals the zone encoded anew. */
function expectFramesRight(house: House): void {
  const uncached = house.openDesk({ frameCacheOctets: 0 });
  const expected = imageOfAxfr(uncached.transfer(ZONE).records);
  for (let time = 0; time < 2; time++) {
    expect(compareImages(imageOfAxfr(house.transfer(ZONE).records), expected)).toEqual(SAME_IMAGE);
  }
}

/** Removes and adds at places that are hard on frames: their beginnings, their ends, whole stretches. */
function editStretch(house: House, random: Random) {
  const from = random.pick([0, 0, 1, 350, 700, random.below(NAMES)]);
  const count = random.pick([1, 3, 400, 1_200]);
  const stretch = names(from, count);
  return house.edit((edit) =>
    changeIndicators(edit, KITS, random.chance(0.5) ? { remove: stretch } : { add: stretch }),
  );
}

describe('transfers from ready frames', () => {
  it.each([20_000, 60_000, 16 * 1024 * 1024])(
    'carry exactly the zone after any edits, within a budget of %i octets',
    async (budget) => {
      const house = await openLargeHouse(budget);
      const random = createRandom(budget);
      for (let round = 0; round < 40; round++) {
        await editStretch(house, random);
        if (random.chance(0.8)) expectFramesRight(house);
      }
      expectFramesRight(house);
    },
  );

  it('carry exactly the zone when an action with many records makes owners grow', async () => {
    const house = await openLargeHouse(16 * 1024 * 1024);
    expectFramesRight(house);
    const records = Array.from({ length: 60 }, (_, index) => ({
      type: 'TXT' as const,
      data: `"${'x'.repeat(200)} ${index}"`,
    }));
    await house.edit((edit) => {
      const { id } = createTarget(edit, { name: 'local', attributes: { severity: 5 } });
      changeIndicators(edit, id, { add: names(100, 20) });
      attach(edit, 1, { kind: 'target', id, action: { kind: 'local-data', records } });
    });
    expectFramesRight(house);
  });

  it('lose no frame to one that does not fit at all', async () => {
    const house = await openLargeHouse(0);
    await house.edit((edit) => addPolicy(edit, 'branch', 'dns', { targets: [[KITS, NODATA]] }));
    const budget = createOctetBudget(1_000);
    const cache = createFrameCache(budget);
    const put = (zone: string, octets: number) => {
      const list = cache.framesOf(house.zone(zone));
      const encoded = { octets: new Uint8Array(octets), records: 1, startsAt: 0 };
      cache.keep(list, list.first, encoded);
    };
    put(ZONE, 600);
    put(zoneName('rpz', 'branch'), 1_001);
    expect(budget.held()).toBe(600);
    put(zoneName('rpz', 'branch'), 900);
    expect(budget.held()).toBe(900);
  });

  it('of an older state go on as they began while newer ones are read and published', async () => {
    const house = await openLargeHouse(60_000);
    const before = imageOfAxfr(house.transfer(ZONE).records);
    const slow = openTransfer(house, ZONE);
    slow.read(3);
    for (const add of [names(NAMES, 500), names(NAMES + 500, 500)]) {
      await house.edit((edit) => changeIndicators(edit, KITS, { add, remove: names(0, 400) }));
      expectFramesRight(house);
    }
    const image = imageOfAxfr(slow.read(Number.POSITIVE_INFINITY));
    expect(compareImages(image, before)).toEqual(SAME_IMAGE);
    expectFramesRight(house);
  });

  it('that run side by side, at different paces, are all whole', async () => {
    const house = await openLargeHouse(60_000);
    const runs = Array.from({ length: 5 }, () => openTransfer(house, ZONE));
    const random = createRandom(5);
    for (let turn = 0; turn < 60; turn++) random.pick(runs).read(1);
    const expected = imageOfAxfr(house.openDesk({ frameCacheOctets: 0 }).transfer(ZONE).records);
    for (const run of runs) {
      const image = imageOfAxfr(run.read(Number.POSITIVE_INFINITY));
      expect(compareImages(image, expected)).toEqual(SAME_IMAGE);
    }
  });
});
