import { setTimeout as pause } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { openSqliteStore } from '../../src/store/sqlite-store.ts';
import { type Child, startChild } from '../store/children/child.ts';
import {
  historyAfter,
  numberOf,
  outboxAfter,
  stateAfter,
} from '../store/children/numbered-commits.ts';
import { codeOf, temporaryStore } from '../store/fixtures.ts';

const COMMIT_LOOP = new URL('../store/children/commit-loop.ts', import.meta.url);
const HOLD_OPEN = new URL('../store/children/hold-open.ts', import.meta.url);
const ROUNDS = 10;
const SEED = 20_250_107;

/** Numbers from 0 to below 1, the same in every run (a linear congruential generator). */
function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** SQLite hands out Buffers, the expectation has plain arrays of octets. */
const comparable = (value: unknown) =>
  JSON.stringify(value, (_, item) => {
    if (item instanceof Uint8Array) return Buffer.from(item).toString('latin1');
    return item?.type === 'Buffer' ? Buffer.from(item.data).toString('latin1') : item;
  });

/** The last number that the loop printed; 0 when it got no further than `start` or `open`. */
function lastAcknowledged(child: Child): number {
  const last = Number(child.lines().at(-1));
  return Number.isNaN(last) ? 0 : last;
}

describe('kill -9 while the store commits', () => {
  it('loses no acknowledged commit and leaves no half one, whenever it comes', async () => {
    const options = temporaryStore();
    const random = randomNumbers(SEED);
    let before = 0;
    for (let round = 1; round <= ROUNDS; round++) {
      const child = startChild(COMMIT_LOOP, [options.path, options.keyFile]);
      // Every third round dies while it opens the database, the others up to 60 commits later.
      const opensOnly = round % 3 === 0;
      await child.waitForLines(opensOnly ? 1 : 2 + Math.floor(random() * 60));
      await pause(random() * (opensOnly ? 200 : 20));
      await child.kill();
      const acknowledged = Math.max(before, lastAcknowledged(child));

      const store = openSqliteStore(options);
      const state = store.load();
      const number = numberOf(state);
      // The loop waits for each answer: at most one commit was done and not yet acknowledged.
      expect(number).toBeGreaterThanOrEqual(acknowledged);
      expect(number).toBeLessThanOrEqual(acknowledged + 1);
      expect(comparable(state) === comparable(stateAfter(number))).toBe(true);
      expect(store.owedNotifies()).toEqual(outboxAfter(number));
      expect(comparable(store.allHistory()) === comparable(historyAfter(number))).toBe(true);
      expect(store.changes({ limit: 1 }).map(({ at }) => at)).toEqual(number === 0 ? [] : [number]);
      store.close();
      expectSound(options.path);
      before = number;
    }
    expect(before).toBeGreaterThan(ROUNDS * 10);
  }, 120_000);
});

function expectSound(path: string): void {
  const database = new Database(path, { readonly: true });
  expect(database.pragma('integrity_check', { simple: true })).toBe('ok');
  expect(database.pragma('foreign_key_check')).toEqual([]);
  database.close();
}

describe('a second process', () => {
  it('is refused while the first lives, and gets in as soon as the first was killed', async () => {
    const options = temporaryStore();
    const args = [options.path, options.keyFile];
    const first = startChild(HOLD_OPEN, args);
    await first.waitForLines(1);
    const second = startChild(HOLD_OPEN, args);
    await second.waitForLines(1);
    expect([...first.lines(), ...second.lines()]).toEqual(['open', 'store-locked']);
    expect(await codeOf(() => openSqliteStore(options))).toBe('store-locked');

    await first.kill();
    await second.kill();
    const third = startChild(HOLD_OPEN, args);
    await third.waitForLines(1);
    expect(third.lines()).toEqual(['open']);
    await third.kill();
  });

  it('that starts at the same moment gets in or is refused, and never both do', async () => {
    for (let round = 0; round < 3; round++) {
      const options = temporaryStore();
      const args = [options.path, options.keyFile];
      const children = [startChild(HOLD_OPEN, args), startChild(HOLD_OPEN, args)];
      await Promise.all(children.map((child) => child.waitForLines(1)));
      const outcomes = children.flatMap((child) => child.lines()).sort();
      await Promise.all(children.map((child) => child.kill()));
      expect(outcomes).toEqual(['open', 'store-locked']);
    }
  }, 60_000);
});
