import { describe, expect, it } from 'vitest';
import {
  absentMembers,
  afterTelling,
  agedMembers,
  COHORTS_MAX,
  nextAgeing,
  type SeenBook,
  seenBookOf,
  withoutMembers,
} from '../../src/feeds/ageing.ts';
import { nextMembers } from '../../src/feeds/next-members.ts';
import { idsOf } from '../../src/indicators/id-set.ts';
import { idSetFrom } from '../../src/indicators/id-set-codec.ts';
import { EMPTY_MEMBERS, type MemberSets, memberCount } from '../../src/policy/member-sets.ts';
import { createRandom } from '../support/random.ts';
import { feedScene, HOUR, MINUTE, NO_VALIDATORS, names, pack, told } from './feed-scene.ts';

const members = (...ids: number[]): MemberSets => ({
  ...EMPTY_MEMBERS,
  subtree: idSetFrom(Uint32Array.from(ids.toSorted((a, b) => a - b))),
});
const list = (sets: MemberSets): number[] => [...idsOf(sets.subtree)];
const cohorts = (book: SeenBook) =>
  book.cohorts.map(({ lastSeen, members: held }) => [lastSeen, list(held)]);

describe('a book of what was seen', () => {
  it('keeps apart what was last told at different times', () => {
    let book: SeenBook = { toldAt: 10, cohorts: [] };
    book = afterTelling(book, members(1, 2, 3), members(1, 2), 20);
    expect(cohorts(book)).toEqual([[10, [3]]]);
    book = afterTelling(book, members(1, 2, 3), members(1), 30);
    expect(cohorts(book)).toEqual([
      [10, [3]],
      [20, [2]],
    ]);
    expect(list(absentMembers(book))).toEqual([2, 3]);
    expect(list(agedMembers(book, 15, 34))).toEqual([3]);
    expect(list(agedMembers(book, 15, 35))).toEqual([2, 3]);
    expect(nextAgeing(book, 15)).toBe(25);
    expect(cohorts(withoutMembers(book, members(3)))).toEqual([[20, [2]]]);
    // What is told again is young again.
    expect(cohorts(afterTelling(book, members(1, 2, 3), members(3), 40))).toEqual([
      [20, [2]],
      [30, [1]],
    ]);
  });

  it('holds what a patient reader would have noted, while there is room for all times', () => {
    const random = createRandom(4);
    let present = EMPTY_MEMBERS;
    let book: SeenBook = { toldAt: 0, cohorts: [] };
    const lastTold = new Map<number, number>();
    for (let now = 10; now < 400; now += 10) {
      const wanted = [...new Set(Array.from({ length: random.below(12) }, () => random.below(30)))];
      const ttlMs = 100;
      const whole = {
        members: members(...wanted),
        withdrawn: EMPTY_MEMBERS,
        telling: 'whole',
      } as const;
      const next = nextMembers({ present, told: whole, book, ttlMs, now });
      for (const id of wanted) lastTold.set(id, now);
      for (const [id, at] of lastTold) if (at + ttlMs <= now) lastTold.delete(id);
      expect(list(next.members)).toEqual([...lastTold.keys()].toSorted((a, b) => a - b));
      expect(list(next.absent)).toEqual(
        [...lastTold].flatMap(([id, at]) => (at < now ? [id] : [])).toSorted((a, b) => a - b),
      );
      ({ members: present, book } = next);
    }
  });

  it('joins the times that are nearest when there are too many, and lets nobody end too early', () => {
    let book: SeenBook = { toldAt: 0, cohorts: [] };
    const all = Array.from({ length: 200 }, (_, id) => id);
    for (const id of all)
      book = afterTelling(book, members(...all), members(...all.slice(id + 1)), (id + 1) * 10);
    expect(book.cohorts.length).toBe(COHORTS_MAX);
    expect(memberCount(absentMembers(book))).toBe(200);
    for (const { lastSeen, members: held } of book.cohorts) {
      for (const id of list(held)) expect(lastSeen).toBeGreaterThanOrEqual(id * 10);
    }
  });
});

describe('what a source does not tell any more', () => {
  it('goes at once without a time to live', () => {
    const whole = { members: members(1), withdrawn: EMPTY_MEMBERS, telling: 'whole' } as const;
    const book = { toldAt: 1, cohorts: [] };
    const next = nextMembers({ present: members(1, 2), told: whole, book, ttlMs: null, now: 2 });
    expect(list(next.members)).toEqual([1]);
    expect(next.book.cohorts).toEqual([]);
  });

  it('goes at once when it is taken back, whatever its time to live', () => {
    const whole = { members: members(1), withdrawn: members(2, 1), telling: 'whole' } as const;
    const book = { toldAt: 1, cohorts: [] };
    const next = nextMembers({ present: members(1, 2, 3), told: whole, book, ttlMs: 99, now: 2 });
    expect(list(next.members)).toEqual([1, 3]);
  });

  it('stays until its time is over, and then goes as an ordinary revision', async () => {
    const scene = await feedScene({ ttlSeconds: 2 * 3_600 });
    const { house } = scene;
    scene.runner.start();
    await scene.answer(told(['a.example', 'b.example']));
    house.time.now += HOUR;
    scene.runner.reschedule();
    expect(await scene.answer(told(['a.example']))).toMatchObject({ end: 'unchanged', removed: 0 });
    expect(scene.members()).toEqual(['a.example', 'b.example']);
    const { serial } = house.zone(scene.zone);

    house.time.now += HOUR - 1;
    scene.runner.reschedule();
    expect(house.zone(scene.zone).serial).toBe(serial);
    house.time.now += 1;
    scene.runner.reschedule();
    await expect.poll(scene.members).toEqual(['a.example']);
    expect(house.zone(scene.zone).serial).not.toBe(serial);
    const [change] = await house.publisher.changes({ limit: 1 });
    expect(change).toMatchObject({ action: `feed.expire ${scene.feedId}`, actor: 'feed fed' });
    await scene.runner.stop();
  });

  it('is young again when it is told again', async () => {
    const scene = await feedScene({ ttlSeconds: 3_600 });
    await scene.feed(told(['a.example', 'b.example']));
    scene.house.time.now += 50 * MINUTE;
    await scene.feed(told(['a.example']));
    scene.house.time.now += 5 * MINUTE;
    await scene.feed(told(['a.example', 'b.example']));
    scene.house.time.now += 50 * MINUTE;
    await scene.feed(told(['a.example']));
    expect(scene.members()).toEqual(['a.example', 'b.example']);
  });

  it('counts from when the source was last found as it was', async () => {
    const scene = await feedScene({ ttlSeconds: 3_600 });
    await scene.feed(told(['a.example', 'b.example']));
    scene.house.time.now += 50 * MINUTE;
    await scene.feed({ kind: 'unchanged', validators: NO_VALIDATORS });
    scene.house.time.now += 50 * MINUTE;
    await scene.feed(told(['a.example']));
    expect(scene.members()).toEqual(['a.example', 'b.example']);
  });

  it('goes on ageing over a restart', async () => {
    const scene = await feedScene({ ttlSeconds: 2 * 3_600 });
    await scene.feed(told(names(5)));
    scene.house.time.now += HOUR;
    await scene.feed(told(names(3)));
    scene.house.time.now += 30 * MINUTE;
    await scene.feed(told(names(2)));
    const again = await scene.restart();
    again.house.time.now += 30 * MINUTE;
    again.runner.start();
    await expect.poll(again.members).toEqual(['n0.example', 'n1.example', 'n2.example']);
    again.house.time.now += HOUR;
    again.runner.reschedule();
    await expect.poll(again.members).toEqual(['n0.example', 'n1.example']);
    await again.runner.stop();
  });

  it('does not age while the source cannot be reached', async () => {
    const scene = await feedScene({ ttlSeconds: 3_600 });
    scene.runner.start();
    await scene.answer(told(['a.example']));
    scene.house.time.now += 48 * HOUR;
    scene.runner.reschedule();
    await scene.answer({ kind: 'failed', reason: 'connect', text: 'It is gone' });
    expect(scene.members()).toEqual(['a.example']);
    await scene.runner.stop();
  });

  it('ages from its last telling where a source tells only what came', async () => {
    const url = 'https://taxii.example/c/objects/';
    const source = {
      kind: 'taxii',
      url,
      credentials: { kind: 'none' },
      allowPrivate: false,
    } as const;
    const scene = await feedScene({ source, ttlSeconds: 2 * 3_600 });
    const at = { validators: { ...NO_VALIDATORS, addedAfter: 'x' } };
    await scene.feed(told(['a.example', 'b.example'], {}, at));
    scene.house.time.now += HOUR;
    await scene.feed(told(['b.example', 'c.example'], {}, { ...at, incremental: true }));
    const again = await scene.restart();
    again.house.time.now += HOUR;
    const run = await again.feed(told(['d.example'], {}, { ...at, incremental: true }));
    expect(run).toMatchObject({ added: 1, removed: 1 });
    expect(again.members()).toEqual(['b.example', 'c.example', 'd.example']);
  });

  it('ages where a source tells what changed, and the rest of it does not', async () => {
    const source = { kind: 'transfer', zone: 'up.example.', form: 'rpz', key: null } as const;
    const upstream = { ...source, address: '192.0.2.1', port: 53 };
    const scene = await feedScene({ source: upstream, ttlSeconds: 2 * 3_600 });
    const at = (serial: string) => ({ validators: { ...NO_VALIDATORS, addedAfter: serial } });
    await scene.feed(told(['a.example', 'b.example'], {}, at('1')));
    scene.house.time.now += HOUR;
    const gone = { withdrawn: pack(['b.example']) };
    await scene.feed(told(['c.example'], gone, { ...at('2'), incremental: true }));
    expect(scene.members()).toEqual(['a.example', 'b.example', 'c.example']);
    scene.house.time.now += HOUR;
    await scene.feed({ kind: 'unchanged', validators: NO_VALIDATORS });
    const again = await scene.restart();
    again.house.time.now += HOUR;
    await again.feed(told(['d.example'], {}, { ...at('3'), incremental: true }));
    expect(again.worker.jobs[0]!.validators.addedAfter).toBe('2');
    expect(again.members()).toEqual(['a.example', 'c.example', 'd.example']);
  });

  it('is not seen at the tellings that did not have it, for explain as well', async () => {
    const scene = await feedScene({ ttlSeconds: 10 * 3_600 });
    const startedAt = scene.house.time.now;
    await scene.feed(told(['a.example', 'b.example']));
    scene.house.time.now += HOUR;
    await scene.feed(told(['a.example', 'c.example']));
    const seen = async (value: string) => {
      const policyId = [...scene.house.publisher.model.policies.keys()][0]!;
      const question = { subject: { policyId }, trigger: 'qname', value } as const;
      return (await scene.house.publisher.explain(question)).covers[0]!.lastSeen;
    };
    expect(await seen('a.example')).toBe(startedAt + HOUR);
    expect(await seen('b.example')).toBe(startedAt);
  });

  it('is written into the history now and then when the source stays as it is', async () => {
    const scene = await feedScene();
    const startedAt = scene.house.time.now;
    await scene.feed(told(['a.example']));
    const rows = async () =>
      (await scene.house.store.memberSizes({ kind: 'target', id: scene.targetId }, 10)).length;
    expect(await rows()).toBe(1);
    for (let hour = 1; hour <= 12; hour++) {
      scene.house.time.now = startedAt + hour * HOUR;
      await scene.feed({ kind: 'unchanged', validators: NO_VALIDATORS });
    }
    expect(await rows()).toBe(3);
    // That is no edit of somebody else.
    const again = await scene.restart();
    await again.feed(told(['a.example']));
    expect(again.worker.jobs[0]!.validators.contentHash).toBe('hash of a.example');
  });
});

describe('a book that is made from the history', () => {
  it('is empty for a target without any', () => {
    const holder = { members: members(1, 2), createdAt: 5 };
    expect(seenBookOf([], holder, { whole: true, toldAt: 7 })).toEqual({ toldAt: 7, cohorts: [] });
    const adding = seenBookOf([], holder, { whole: false, toldAt: 7 });
    expect(cohorts(adding)).toEqual([[5, [1, 2]]]);
  });
});
