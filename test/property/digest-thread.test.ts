import { describe, expect, it } from 'vitest';
import type { DigestThread } from '../../src/publish/digest-thread/start-digest-thread.ts';
import { withDigests } from '../../src/publish/zone-digests.ts';
import type { IpContent } from '../../src/zone/ip-content.ts';
import {
  type Blocks,
  bodyWith,
  changedTo,
  contentOf,
  NO_HOSTS,
  openThread,
  pendingZone,
  ROW_OCTETS,
  rowsOf,
} from '../publish/digest-scene.ts';
import { createRandom, type Random } from '../support/random.ts';

const STEPS = 40;
const BLOCKS_MAX = 6_000;
const ORIGINS = ['a', 'b', 'c', 'd', 'e'].map((name) => `${name}.block.test.`);
/** Otherwise the property would say little. */
const BY_THREAD_MIN = 40;

/** A content, and the lists that it was made from. */
interface Listed {
  readonly v4: Blocks;
  readonly v6: Blocks;
  readonly content: IpContent;
}

const NOTHING: Listed = { v4: new Map(), v6: new Map(), content: contentOf(new Map()) };

/** The same list with some prefixes more and some fewer, close to one another or anywhere. */
function edited(random: Random, before: Blocks): Blocks {
  const after = new Map(before);
  const isWide = random.chance(0.3);
  const from = random.below(BLOCKS_MAX * 2);
  const count = random.pick([1, 3, 40, 2_000]);
  for (let done = 0; done < count; done++) {
    const block = isWide ? random.below(BLOCKS_MAX * 2) : from + random.below(count * 2);
    if (random.chance(0.4)) after.delete(block);
    else if (after.size < BLOCKS_MAX) after.set(block, 24 + random.below(9));
  }
  return after;
}

function nextContent(random: Random, before: Listed): Listed {
  const v4 = random.chance(0.05) ? new Map<number, number>() : edited(random, before.v4);
  const v6 = random.chance(0.3) ? edited(random, before.v6) : before.v6;
  const { content } = before;
  const hosts = random.chance(0.2)
    ? {
        v4: rowsOf(1, edited(random, new Map())),
        v6: NO_HOSTS.v6,
        leftOut: random.below(5),
      }
    : content.hosts;
  return {
    v4,
    v6,
    content: { v4: changedTo(content.v4, 1, v4), v6: changedTo(content.v6, 4, v6), hosts },
  };
}

describe('zone digests, by the thread or in slices', () => {
  it.each([
    { seed: 31, keptOctetsMax: 64 * 1024 * 1024, killed: 0 },
    { seed: 32, keptOctetsMax: 3 * BLOCKS_MAX * ROW_OCTETS, killed: 0 },
    { seed: 33, keptOctetsMax: 64 * 1024 * 1024, killed: 0.2 },
  ])(
    'are the same after any edits: seed $seed, $keptOctetsMax octets kept, killed at $killed of all steps',
    async ({ seed, keptOctetsMax, killed }) => {
      const random = createRandom(seed);
      const { thread, workers } = openThread({ octetsMin: 0, keptOctetsMax });
      let byThread = 0;
      const counted: DigestThread = {
        ...thread,
        async digests(body, zones) {
          const digests = await thread.digests(body, zones);
          byThread += digests.filter((digest) => digest !== null).length;
          return digests;
        },
      };
      const contents: Listed[] = [NOTHING];
      const carried = new Map(ORIGINS.map((origin) => [origin, NOTHING]));
      let hasAnswered: boolean = false;
      for (let step = 1; step <= STEPS; step++) {
        const before = carried.get(random.pick(ORIGINS))!;
        // Sometimes what was there once comes back, as by a rollback.
        const next = random.chance(0.2) ? random.pick(contents) : nextContent(random, before);
        contents.push(next);
        const changed = ORIGINS.filter(() => random.chance(0.4));
        for (const origin of changed) carried.set(origin, next);
        const bodies = new Map([...carried].map(([, { content }]) => [content, bodyWith(content)]));
        const zones = new Map(
          [...carried].map(([origin, { content }]) => [
            origin,
            pendingZone(origin, bodies.get(content)!, step),
          ]),
        );
        const asked = withDigests(zones, [...changed, ORIGINS[0]], counted);
        const isKilled: boolean = hasAnswered && random.chance(killed);
        if (isKilled) await workers.at(-1)!.terminate();
        hasAnswered = !isKilled;
        expect(await asked).toEqual(await withDigests(zones, [...changed, ORIGINS[0]]));
      }
      expect(byThread).toBeGreaterThan(BY_THREAD_MIN);
      if (killed > 0) expect(workers.length).toBeGreaterThan(2);
      else expect(workers).toHaveLength(1);
    },
  );
});
