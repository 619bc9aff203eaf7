import { describe, expect, it } from 'vitest';
import { idSetFrom } from '../../src/indicators/id-set-codec.ts';
import { MEMBER_FORMS, type MemberForm } from '../../src/indicators/indicator.ts';
import {
  EMPTY_MEMBERS,
  type MemberIds,
  type MemberSets,
  memberCount,
} from '../../src/policy/member-sets.ts';
import { encodeMemberDelta, encodeMembers } from '../../src/publish/member-codec.ts';
import { absentAtLast, seenOf, seenTimes, wasMemberAt } from '../../src/publish/member-history.ts';
import type { StoredHistory } from '../../src/publish/store-port.ts';
import { createRandom, type Random } from '../support/random.ts';

const CREATED_AT = 1_000;

/** `form id`. */
type Key = string;
const FORMS: readonly MemberForm[] = ['subtree', 'prefix'];
const keysOf = (ids: readonly number[]): Key[] =>
  FORMS.flatMap((form) => ids.map((id) => `${form} ${id}`));
const ALL = keysOf([0, 1, 7, 1_023, 1_024, 70_000, 3_000_000]);

function idsOf(keys: Iterable<Key>): MemberIds {
  const ids = (form: MemberForm) =>
    Uint32Array.from(
      [...keys].flatMap((key) => (key.startsWith(`${form} `) ? [Number(key.split(' ')[1])] : [])),
    ).sort();
  return Object.fromEntries(MEMBER_FORMS.map((form) => [form, ids(form)])) as MemberIds;
}

function setsOf(keys: Iterable<Key>): MemberSets {
  const ids = idsOf(keys);
  return Object.fromEntries(
    MEMBER_FORMS.map((form) => [form, idSetFrom(ids[form])]),
  ) as unknown as MemberSets;
}

/** A holder as the publisher keeps it, and what a patient reader would have noted beside it. */
function createNotebook() {
  const rows: StoredHistory[] = [];
  const first = new Map<Key, number>();
  const last = new Map<Key, number>();
  const states: { at: number; members: ReadonlySet<Key> }[] = [];
  let members = new Set<Key>();
  return {
    rows,
    first,
    last,
    states,
    holder: () => ({ members: setsOf(members), createdAt: CREATED_AT }),
    /** A source tells all it holds, and of what it does not tell these stay. */
    tell(at: number, told: readonly Key[], staying: readonly Key[]): void {
      const absent = staying.filter((key) => members.has(key) && !told.includes(key));
      const gone = [...members].filter((key) => !told.includes(key) && !absent.includes(key));
      const added = told.filter((key) => !members.has(key));
      members = new Set([...told, ...absent]);
      for (const key of told) {
        if (!first.has(key)) first.set(key, at);
        last.set(key, at);
      }
      states.push({ at, members });
      rows.push({
        holder: { kind: 'target', id: 1 },
        at,
        whole: true,
        added: added.length,
        removed: gone.length,
        size: members.size,
        delta: encodeMemberDelta(idsOf(added), idsOf(gone)),
        seen: null,
        absent: absent.length === 0 ? null : encodeMembers(setsOf(absent)),
      });
    },
    change(at: number, wanted: readonly Key[], unwanted: readonly Key[], whole: boolean): void {
      const before = members;
      const gone = whole
        ? [...before].filter((key) => !wanted.includes(key))
        : unwanted.filter((key) => before.has(key) && !wanted.includes(key));
      const added = wanted.filter((key) => !before.has(key));
      const again = wanted.filter((key) => before.has(key));
      members = new Set([...before].filter((key) => !gone.includes(key)));
      for (const key of wanted) {
        members.add(key);
        if (!first.has(key)) first.set(key, at);
        last.set(key, at);
      }
      states.push({ at, members });
      rows.push({
        holder: { kind: 'target', id: 1 },
        at,
        whole,
        added: added.length,
        removed: gone.length,
        size: memberCount(setsOf(members)),
        delta: encodeMemberDelta(idsOf(added), idsOf(gone)),
        seen: whole || again.length === 0 ? null : encodeMembers(setsOf(again)),
        absent: null,
      });
    },
  };
}

const some = (random: Random, count: number): Key[] => [
  ...new Set(Array.from({ length: count }, () => random.pick(ALL))),
];

function randomNotebook(random: Random) {
  const notebook = createNotebook();
  let at = CREATED_AT;
  for (let step = 0; step < 25; step++) {
    at += 1 + random.below(100);
    if (random.chance(0.3)) {
      notebook.tell(at, some(random, random.below(6)), some(random, random.below(10)));
      continue;
    }
    const whole = random.chance(0.2);
    notebook.change(at, some(random, random.below(6)), some(random, random.below(6)), whole);
  }
  return notebook;
}

const split = (key: Key): [number, MemberForm] => {
  const [form, id] = key.split(' ');
  return [Number(id), form as MemberForm];
};

describe('the history of a target', () => {
  it('tells of everything that it ever held when it was first and last seen', () => {
    for (let seed = 1; seed <= 40; seed++) {
      const { rows, first, last, holder } = randomNotebook(createRandom(seed));
      const timesOf = seenTimes(rows, holder());
      for (const key of ALL) {
        const expected = first.has(key)
          ? { firstSeen: first.get(key), lastSeen: last.get(key) }
          : null;
        expect(timesOf(...split(key)), `${key}, seed ${seed}`).toEqual(expected);
        expect(seenOf(rows, holder(), ...split(key)), `${key}, seed ${seed}`).toEqual(expected);
      }
    }
  });

  it('tells who was a member at any time', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const { rows, states, holder } = randomNotebook(createRandom(seed));
      for (const { at, members } of states) {
        for (const key of ALL) {
          const wasMember = wasMemberAt(rows, holder(), ...split(key), at);
          expect(wasMember, `${key} at ${at}, seed ${seed}`).toBe(members.has(key));
        }
      }
      expect(wasMemberAt(rows, holder(), ...split(ALL[0]!), CREATED_AT - 1)).toBe(false);
    }
  });

  it('counts a member as seen whenever the whole source was told and held it', () => {
    const notebook = createNotebook();
    notebook.change(2_000, ['subtree 1', 'subtree 7'], [], false);
    notebook.change(3_000, ['subtree 1'], [], true);
    notebook.change(4_000, ['subtree 7'], ['subtree 1'], false);
    const timesOf = seenTimes(notebook.rows, notebook.holder());
    expect(timesOf(1, 'subtree')).toEqual({ firstSeen: 2_000, lastSeen: 3_000 });
    // It went with the whole of 3,000 and came back: what was first seen stays.
    expect(timesOf(7, 'subtree')).toEqual({ firstSeen: 2_000, lastSeen: 4_000 });
  });

  it('does not count a member as seen when the source told everything but that', () => {
    const notebook = createNotebook();
    notebook.tell(2_000, ['subtree 1', 'subtree 7', 'prefix 7'], []);
    notebook.tell(3_000, ['subtree 1', 'prefix 7'], ['subtree 7']);
    notebook.tell(4_000, ['subtree 1'], ['subtree 7', 'prefix 7']);
    const { rows, holder } = notebook;
    const lastSeen = (id: number, form: MemberForm) =>
      seenTimes(rows, holder())(id, form)?.lastSeen;
    expect([lastSeen(1, 'subtree'), lastSeen(7, 'prefix'), lastSeen(7, 'subtree')]).toEqual([
      4_000, 3_000, 2_000,
    ]);
    expect(absentAtLast(rows)).toEqual(setsOf(['subtree 7', 'prefix 7']));
    notebook.tell(5_000, ['subtree 7'], []);
    expect(lastSeen(7, 'subtree')).toBe(5_000);
    // What went had been absent before: when it was told last does not change by that.
    expect(lastSeen(7, 'prefix')).toBe(3_000);
    expect(lastSeen(1, 'subtree')).toBe(4_000);
    expect(absentAtLast(rows)).toEqual(EMPTY_MEMBERS);
    expect(absentAtLast([])).toEqual(EMPTY_MEMBERS);
  });

  it('counts absent members that are older than its rows as seen at the oldest', () => {
    const notebook = createNotebook();
    notebook.tell(2_000, ['subtree 1', 'subtree 7'], []);
    notebook.tell(3_000, ['subtree 1'], ['subtree 7']);
    notebook.tell(4_000, ['subtree 1'], ['subtree 7']);
    const rows = notebook.rows.slice(1);
    const times = { firstSeen: 3_000, lastSeen: 3_000 };
    expect(seenTimes(rows, notebook.holder())(7, 'subtree')).toEqual(times);
    expect(seenOf(rows, notebook.holder(), 7, 'subtree')).toEqual(times);
  });

  it('says the oldest time it knows of members that are older than its rows', () => {
    const notebook = createNotebook();
    notebook.change(2_000, ['subtree 1', 'subtree 7', 'prefix 7'], [], false);
    notebook.change(3_000, ['prefix 1'], [], false);
    notebook.change(4_000, [], ['subtree 7'], false);
    const rows = notebook.rows.slice(1);
    const timesOf = seenTimes(rows, notebook.holder());
    expect(timesOf(1, 'subtree')).toEqual({ firstSeen: 3_000, lastSeen: 3_000 });
    expect(timesOf(7, 'subtree')).toEqual({ firstSeen: 3_000, lastSeen: 3_000 });
    expect(timesOf(1, 'exact')).toBeNull();
    expect(seenOf(rows, notebook.holder(), 7, 'subtree')).toEqual(timesOf(7, 'subtree'));
    expect(wasMemberAt(rows, notebook.holder(), 1, 'subtree', 2_500)).toBe(true);
    expect(wasMemberAt(rows, notebook.holder(), 1, 'prefix', 2_500)).toBe(false);
  });

  it('says when the target was made if there is no history at all', () => {
    const holder = { members: setsOf(['subtree 1']), createdAt: CREATED_AT };
    const times = { firstSeen: CREATED_AT, lastSeen: CREATED_AT };
    expect(seenTimes([], holder)(1, 'subtree')).toEqual(times);
    expect(seenOf([], holder, 1, 'subtree')).toEqual(times);
    expect(seenTimes([], { ...holder, members: EMPTY_MEMBERS })(1, 'subtree')).toBeNull();
  });

  it('is read in time linear in its rows, for a million members', () => {
    const ids = Uint32Array.from({ length: 1_000_000 }, (_, id) => id);
    const none = new Uint32Array(0);
    const all: MemberIds = { subtree: ids, exact: none, below: none, prefix: none };
    const nobody: MemberIds = { subtree: none, exact: none, below: none, prefix: none };
    const row = (at: number, added: MemberIds, whole: boolean): StoredHistory => ({
      holder: { kind: 'target', id: 1 },
      at,
      whole,
      added: 0,
      removed: 0,
      size: ids.length,
      delta: encodeMemberDelta(added, nobody),
      seen: null,
      absent: null,
    });
    // A feed that is told whole every hour for a year costs no more than what changes in it.
    const hours = Array.from({ length: 8_760 }, (_, hour) => row(3_000 + hour, nobody, true));
    const holder = {
      members: { ...EMPTY_MEMBERS, subtree: idSetFrom(ids) },
      createdAt: CREATED_AT,
    };
    const startedMs = performance.now();
    const timesOf = seenTimes([row(2_000, all, true), ...hours], holder);
    let sum = 0;
    for (const id of ids) sum += timesOf(id, 'subtree')!.lastSeen;
    expect(sum).toBe(ids.length * (3_000 + 8_759));
    expect(performance.now() - startedMs).toBeLessThan(5_000);
  });
});
