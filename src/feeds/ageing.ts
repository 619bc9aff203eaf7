import { visitIds } from '../indicators/id-set.ts';
import { idSetFrom } from '../indicators/id-set-codec.ts';
import { MEMBER_FORMS, type MemberForm } from '../indicators/indicator.ts';
import { EMPTY_MEMBERS, type MemberSets, memberCount } from '../policy/member-sets.ts';
import { absentAtLast, type HistoryHolder, seenTimes } from '../publish/member-history.ts';
import type { StoredHistory } from '../publish/store-port.ts';
import { intersectMembers, subtractMembers, unionMembers } from './member-algebra.ts';

/** Members of a target that its source last told at the same time. */
export interface Cohort {
  /** Unix milliseconds. */
  readonly lastSeen: number;
  readonly members: MemberSets;
}

/**
 * When the members of a target were last told by its source. Those in no cohort were told at
 * `toldAt`; those in a cohort were not told then, and age. Cohorts hold nothing in common and stand
 * oldest first.
 */
export interface SeenBook {
  readonly toldAt: number;
  readonly cohorts: readonly Cohort[];
}

/** Beyond these the two that are nearest in time become one, and what is older lives a little longer. */
export const COHORTS_MAX = 64;

/** The book after a source told these at a time, of a target that held `present` until then. */
export function afterTelling(
  book: SeenBook,
  present: MemberSets,
  told: MemberSets,
  now: number,
): SeenBook {
  const absent = subtractMembers(present, told);
  let untoldAtLast = absent;
  const cohorts: Cohort[] = [];
  for (const { lastSeen, members } of book.cohorts) {
    cohorts.push({ lastSeen, members: intersectMembers(members, absent) });
    untoldAtLast = subtractMembers(untoldAtLast, members);
  }
  cohorts.push({ lastSeen: book.toldAt, members: untoldAtLast });
  return { toldAt: now, cohorts: settled(cohorts) };
}

/** The book after a source was found as it was. */
export function toldAgain(book: SeenBook, now: number): SeenBook {
  return { ...book, toldAt: now };
}

/** Members that are not told any more and were last told `ttlMs` ago or longer. */
export function agedMembers(book: SeenBook, ttlMs: number, now: number): MemberSets {
  return membersOf(book.cohorts.filter(({ lastSeen }) => lastSeen + ttlMs <= now));
}

/** All members that were not told at the last telling. */
export function absentMembers(book: SeenBook): MemberSets {
  return membersOf(book.cohorts);
}

/** When the next members have aged (Unix milliseconds); null when none age. */
export function nextAgeing(book: SeenBook, ttlMs: number): number | null {
  const oldest = book.cohorts[0];
  return oldest === undefined ? null : oldest.lastSeen + ttlMs;
}

export function withoutMembers(book: SeenBook, gone: MemberSets): SeenBook {
  const cohorts = book.cohorts.map(({ lastSeen, members }) => ({
    lastSeen,
    members: subtractMembers(members, gone),
  }));
  return { ...book, cohorts: settled(cohorts) };
}

/**
 * The book as the history of a target tells it, for a start of the server. A source that tells all it
 * holds (`whole`) names those that it did not tell; of one that only adds, everything ages that was
 * not told at `toldAt`.
 */
export function seenBookOf(
  history: readonly StoredHistory[],
  holder: HistoryHolder,
  { whole, toldAt }: { readonly whole: boolean; readonly toldAt: number },
): SeenBook {
  const ageing = whole ? intersectMembers(absentAtLast(history), holder.members) : holder.members;
  if (memberCount(ageing) === 0) return { toldAt, cohorts: [] };
  const timesOf = seenTimes(history, holder);
  const byTime = new Map<number, Record<MemberForm, number[]>>();
  for (const form of MEMBER_FORMS) {
    visitIds(ageing[form], (id) => {
      const lastSeen = timesOf(id, form)?.lastSeen ?? toldAt;
      if (!whole && lastSeen >= toldAt) return true;
      let ids = byTime.get(lastSeen);
      if (ids === undefined) byTime.set(lastSeen, (ids = emptyLists()));
      ids[form].push(id);
      return true;
    });
  }
  const cohorts = [...byTime].map(([lastSeen, ids]) => ({ lastSeen, members: setsOf(ids) }));
  return { toldAt, cohorts: settled(cohorts) };
}

function membersOf(cohorts: readonly Cohort[]): MemberSets {
  return cohorts.reduce((all, { members }) => unionMembers(all, members), EMPTY_MEMBERS);
}

/** Without empty ones, oldest first, and not too many. */
function settled(cohorts: readonly Cohort[]): Cohort[] {
  const kept = cohorts
    .filter(({ members }) => memberCount(members) > 0)
    .sort((a, b) => a.lastSeen - b.lastSeen);
  for (let at = 1; at < kept.length; ) {
    if (kept[at]!.lastSeen === kept[at - 1]!.lastSeen) joinAt(kept, at);
    else at++;
  }
  while (kept.length > COHORTS_MAX) joinAt(kept, nearestPair(kept));
  return kept;
}

/** The place of the later one of the two neighbours with the least time between them. */
function nearestPair(cohorts: readonly Cohort[]): number {
  let nearest = 1;
  for (let at = 2; at < cohorts.length; at++) {
    if (gapBefore(cohorts, at) < gapBefore(cohorts, nearest)) nearest = at;
  }
  return nearest;
}

function gapBefore(cohorts: readonly Cohort[], at: number): number {
  return cohorts[at]!.lastSeen - cohorts[at - 1]!.lastSeen;
}

function joinAt(cohorts: Cohort[], at: number): void {
  const { lastSeen, members } = cohorts[at]!;
  const joined = unionMembers(cohorts[at - 1]!.members, members);
  cohorts.splice(at - 1, 2, { lastSeen, members: joined });
}

function emptyLists(): Record<MemberForm, number[]> {
  return { subtree: [], exact: [], below: [], prefix: [] };
}

/** Ids were visited in rising order. */
function setsOf(ids: Readonly<Record<MemberForm, readonly number[]>>): MemberSets {
  const set = (form: MemberForm) => idSetFrom(Uint32Array.from(ids[form]));
  return {
    subtree: set('subtree'),
    exact: set('exact'),
    below: set('below'),
    prefix: set('prefix'),
  };
}
