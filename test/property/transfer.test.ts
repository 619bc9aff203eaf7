import { describe, expect, it } from 'vitest';
import { changeIndicators } from '../../src/publish/edits/index.ts';
import { type House, openHouse } from '../support/house.ts';
import { readIpZone } from '../support/ip-zone.ts';
import { createRandom, type Random } from '../support/random.ts';
import { ALLOW, addPolicy, addTarget, BLOCK, NXDOMAIN, zoneName } from '../support/scene.ts';
import { firstModel, READERS, randomEdit } from './random-edits.ts';
import { checkedImage, checkIxfrs, checkRestart, type History, remember } from './zone-history.ts';

const SEEDS = [1, 2, 3];
const STEPS = 50;
const STEPS_PER_RESTART = 7;
/** Otherwise the property would say little. */
const INCREMENTAL_MIN = { rpz: 80, ip: 20 };
const REVISIONS_KEPT = 12;

/** Some edits come within one second, some clocks are set back. */
function moveClock(house: House, random: Random): void {
  house.time.now += random.pick([0, 0, 300, 1_000, 5_000, -2_000]);
}

describe.each(SEEDS)('zones that are edited at random (seed %i)', (seed) => {
  it('are the same by AXFR, by IXFR from every serial, and compiled from nothing', async () => {
    const random = createRandom(seed);
    let house = await openHouse({ limits: { revisionsMax: REVISIONS_KEPT } });
    await house.edit((edit) => firstModel(edit, random));
    const history: History = new Map();
    const incremental = { rpz: 0, ip: 0, catalog: 0 };
    let changed = ofPolicies(house);

    for (let step = 0; step < STEPS; step++) {
      // This one may keep no frames: it encodes all of a zone each time.
      const uncached = house.openDesk({ frameCacheOctets: 0 });
      for (const origin of changed) {
        const known = remember(history, origin, checkedImage(house, uncached, origin));
        incremental[house.zone(origin).body.kind] += checkIxfrs(house, origin, known);
      }
      if (step % STEPS_PER_RESTART === 0) await checkRestart(house, history);
      if (random.chance(0.1)) house = await house.restart();
      moveClock(house, random);
      changed = await publishEdit(house, random);
    }
    expect(incremental.rpz).toBeGreaterThan(INCREMENTAL_MIN.rpz);
    expect(incremental.ip).toBeGreaterThan(INCREMENTAL_MIN.ip);
  }, 120_000);
});

/** Of the owners of this zone so many change at once that it is compiled anew and the two compared. */
const RULES = 24_000;
const TURNED = 6_000;

describe('an RPZ zone in which much changes at once', () => {
  it('is the same by AXFR, by IXFR from every serial, and compiled from nothing', async () => {
    const house = await openHouse();
    const names = (prefix: string, count: number) =>
      Array.from({ length: count }, (_, index) => `${prefix}${index}.example`);
    const turned = names('turned', TURNED).flatMap((name) => [name, `host:a.b.${name}`]);
    const { value: target } = await house.edit((edit) => {
      const base = addTarget(edit, 'base', names('base', RULES));
      const id = addTarget(edit, 'turning', ['last.example']);
      // What is turned is partly allowed below, so that there are nodes in between.
      const allowed = addTarget(edit, 'allowed', names('b.turned', TURNED / 10));
      const targets = [
        [base, NXDOMAIN],
        [id, NXDOMAIN],
        [allowed, ALLOW],
      ] as const;
      addPolicy(edit, 'one', 'dns', { targets, source: READERS[0] });
      return id;
    });
    const origin = zoneName('rpz', 'one');
    const history: History = new Map();
    let incremental = 0;
    for (const change of [{ add: ['fresh.example'] }, { add: turned }, { remove: turned }]) {
      house.time.now += 1_000;
      await house.edit((edit) => changeIndicators(edit, target, change));
      const image = checkedImage(house, house.openDesk({ frameCacheOctets: 0 }), origin);
      incremental += checkIxfrs(house, origin, remember(history, origin, image));
    }
    expect(incremental).toBe(3);
    await checkRestart(house, history);
  }, 120_000);
});

/** More than a hundred pages, so that the index has a second level. */
const MANY = 130_000;
const LARGE_ROUNDS = 8;

describe('an IP zone of very many prefixes', () => {
  it('is the same by AXFR, by IXFR from every serial, and compiled from nothing', async () => {
    const random = createRandom(2_026);
    const house = await openHouse();
    const { value: target } = await house.edit((edit) => {
      const id = addTarget(edit, 'scanners', ['10.0.0.1']);
      addPolicy(edit, 'one', 'ip', { targets: [[id, BLOCK]], hostsMax: 300, source: READERS[0] });
      const lines = Array.from({ length: MANY }, () => randomAddress(random)).join('\n');
      changeIndicators(edit, id, { add: Buffer.from(lines) });
      return id;
    });
    const origin = zoneName('block', 'one');
    const history: History = new Map();
    let incremental = 0;
    for (let round = 0; round < LARGE_ROUNDS; round++) {
      house.time.now += 1_000;
      await house.edit((edit) => changeIndicators(edit, target, randomStretch(random)));
      const image = checkedImage(house, house, origin);
      incremental += checkIxfrs(house, origin, remember(history, origin, image));
    }
    const { levels, pages } = readIpZone(
      origin,
      house.transfer(origin, { from: READERS[0] }).records,
    );
    expect(pages.size).toBeGreaterThan(100);
    expect(levels).toBe(2);
    expect(incremental).toBeGreaterThan(LARGE_ROUNDS);
    await checkRestart(house, history);
  }, 120_000);
});

function randomAddress(random: Random): string {
  return `10.${random.below(256)}.${random.below(256)}.${random.below(256)}`;
}

/** Single addresses, and prefixes that swallow whole pages or give them back. */
function randomStretch(random: Random) {
  const prefixes = Array.from({ length: 1 + random.below(3) }, () =>
    random.pick([`10.${random.below(256)}.0.0/16`, `10.${random.below(64) * 4}.0.0/14`]),
  );
  const singles = Array.from({ length: 20 }, () => randomAddress(random));
  return random.chance(0.6)
    ? { add: [...prefixes, ...singles] }
    : { add: singles, remove: [...prefixes, '10.4.0.0/14', '10.8.0.0/14'] };
}

/** The origins of the zones that have another serial for it. */
async function publishEdit(house: House, random: Random): Promise<string[]> {
  const before = house.publisher.state.zones;
  const { value: what, zones } = await house.edit((edit) => randomEdit(edit, random));
  const changed = [...house.publisher.state.zones]
    .filter(([origin, zone]) => before.get(origin)?.serial !== zone.serial)
    .map(([origin]) => origin);
  const told = zones.map(({ origin }) => origin);
  expect(told, what).toEqual(changed.toSorted());
  return changed.filter((origin) => ofPolicies(house).includes(origin));
}

/** The zones of devices carry the same; test/property/device-zones.test.ts looks at them. */
function ofPolicies(house: House): string[] {
  const zones = [...house.publisher.state.zones];
  return zones.flatMap(([origin, { deviceId }]) => (deviceId === null ? [origin] : []));
}
