import { EMPTY_MEMBERS, type MemberSets, memberCount } from '../policy/member-sets.ts';
import {
  absentMembers,
  afterTelling,
  agedMembers,
  type SeenBook,
  withoutMembers,
} from './ageing.ts';
import { intersectMembers, subtractMembers, unionMembers } from './member-algebra.ts';
import type { Telling } from './telling.ts';

/** What a source told, in ids. */
export interface Told {
  readonly members: MemberSets;
  /** What it takes back. */
  readonly withdrawn: MemberSets;
  readonly telling: Telling;
}

export interface NextMembers {
  /** Whether it is known of every member whether the source holds it. */
  readonly whole: boolean;
  readonly members: MemberSets;
  readonly book: SeenBook;
  /** Members that a source which tells everything did not tell, and that stay for a while. */
  readonly absent: MemberSets;
  /** Told, and members already. */
  readonly named: MemberSets;
  readonly added: number;
  readonly removed: number;
}

/**
 * Which members a target has after its source was read: what was told, and of the rest what has not
 * aged. Without a time to live, what a source that tells everything does not tell goes at once, and
 * what one that only adds told once stays until it is taken back.
 */
export function nextMembers(options: {
  readonly present: MemberSets;
  readonly told: Told;
  readonly book: SeenBook;
  readonly ttlMs: number | null;
  readonly now: number;
}): NextMembers {
  const { present, ttlMs, now } = options;
  const told = toldInAll(options);
  const whole = told.telling === 'whole';
  const book = afterTelling(options.book, present, told.members, now);
  const aged = ttlMs === null ? untold(book, told) : agedMembers(book, ttlMs, now);
  const gone = subtractMembers(unionMembers(aged, told.withdrawn), told.members);
  const left = withoutMembers(book, gone);
  const members = subtractMembers(unionMembers(present, told.members), gone);
  const named = intersectMembers(told.members, present);
  const added = memberCount(told.members) - memberCount(named);
  return {
    whole,
    members,
    book: left,
    absent: whole ? absentMembers(left) : EMPTY_MEMBERS,
    named,
    added,
    removed: memberCount(present) + added - memberCount(members),
  };
}

/** A difference says what the source holds now: what it held the last time, changed by that. */
function toldInAll({
  present,
  told,
  book,
}: {
  readonly present: MemberSets;
  readonly told: Told;
  readonly book: SeenBook;
}): Told {
  if (told.telling !== 'difference') return told;
  const before = subtractMembers(present, absentMembers(book));
  const left = subtractMembers(before, told.withdrawn);
  return {
    members: unionMembers(left, told.members),
    withdrawn: EMPTY_MEMBERS,
    telling: 'whole',
  };
}

function untold(book: SeenBook, { telling }: Told): MemberSets {
  return telling === 'news' ? EMPTY_MEMBERS : absentMembers(book);
}
