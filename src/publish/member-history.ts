import { hasId } from '../indicators/id-set.ts';
import { decodeIds } from '../indicators/id-set-codec.ts';
import { MEMBER_FORMS, type MemberForm } from '../indicators/indicator.ts';
import { EMPTY_MEMBERS, type MemberIds, type MemberSets } from '../policy/member-sets.ts';
import { decodeMembers } from './member-codec.ts';
import type { StoredHistory } from './store-port.ts';

/** When an indicator was seen in one target or list. Unix milliseconds. */
export interface SeenTimes {
  /** When it came first, even if it went in between. */
  readonly firstSeen: number;
  /** When it was last named, or the whole source was last told and held it. */
  readonly lastSeen: number;
}

/** The target or list whose history it is, as it is now: a Target and a UserList are both one. */
export interface HistoryHolder {
  readonly members: MemberSets;
  /** Unix milliseconds. */
  readonly createdAt: number;
}

/**
 * First and last seen of everything that a holder holds or held, for exports of many indicators.
 * `history` is all that the publisher's `memberHistory` tells of the holder, oldest first. It costs
 * time linear in the ids of the rows, whatever the number of members; a look-up costs nothing. Null
 * for what the holder never held.
 *
 * A member that is older than its history (rows that were dropped, a database from before there were
 * any) counts as seen since the oldest row, or since the holder was made if there is none.
 */
export function seenTimes(
  history: readonly StoredHistory[],
  holder: HistoryHolder,
): (id: number, form: MemberForm) => SeenTimes | null {
  const oldest = oldestTime(history, holder);
  const books = emptyBooks();
  const { wholeAt, absent } = fillBooks(books, history, oldest);
  return (id, form) => {
    const { first, last } = books[form];
    const isMember = hasId(holder.members[form], id);
    const firstSeen = first.get(id);
    if (firstSeen === 0 && !isMember) return null;
    const named = last.get(id) || oldest;
    // A member was there at every telling of the whole since it was last named, but for those at
    // which it was absent: then its book says when it was told last.
    const wasTold = isMember && !isIn(absent[form], id);
    return {
      firstSeen: firstSeen || oldest,
      lastSeen: wasTold ? Math.max(named, wholeAt) : named,
    };
  };
}

/** Members that the source did not tell when it last told all it holds; some may be gone since. */
export function absentAtLast(history: readonly StoredHistory[]): MemberSets {
  const last = history.findLast(({ whole }) => whole);
  return last?.absent ? decodeMembers({ base: last.absent, deltas: [] }) : EMPTY_MEMBERS;
}

/** As `seenTimes`, for one indicator. */
export function seenOf(
  history: readonly StoredHistory[],
  holder: HistoryHolder,
  id: number,
  form: MemberForm,
): SeenTimes | null {
  return seenOfTrace(traceMembers(history, holder, [{ id, form }])[0]!);
}

/**
 * Whether a holder held an indicator at a time (Unix milliseconds), changes of that very time
 * included. What was there before the oldest row is taken to have been there since the holder was made.
 */
export function wasMemberAt(
  history: readonly StoredHistory[],
  holder: HistoryHolder,
  id: number,
  form: MemberForm,
  timeMs: number,
): boolean {
  return isMemberAt(traceMembers(history, holder, [{ id, form }])[0]!, timeMs);
}

/** One indicator by its id and form. */
export interface TracedMember {
  readonly id: number;
  readonly form: MemberForm;
}

/** What happened to one indicator in one holder, oldest first, with every telling of the whole that had it. */
export interface MemberTrace {
  readonly isMember: boolean;
  /** Since when a member that is older than its history counts as seen. */
  readonly oldest: number;
  readonly createdAt: number;
  readonly events: readonly {
    readonly at: number;
    readonly kind: 'added' | 'removed' | 'named' | 'whole';
  }[];
}

/** Follows a few indicators through the history of a holder, in the order in which they are given. */
export function traceMembers(
  history: readonly StoredHistory[],
  holder: HistoryHolder,
  wanted: readonly TracedMember[],
): MemberTrace[] {
  const traces = wanted.map(({ id, form }) => ({
    isMember: hasId(holder.members[form], id),
    oldest: oldestTime(history, holder),
    createdAt: holder.createdAt,
    events: [] as MemberTrace['events'][number][],
  }));
  for (const row of history) {
    const { at } = row;
    const note = (kind: 'added' | 'removed' | 'named') => (form: MemberForm, ids: Uint32Array) => {
      for (const [index, { id, form: wantedForm }] of wanted.entries()) {
        if (wantedForm === form && isIn(ids, id)) traces[index]!.events.push({ at, kind });
      }
    };
    visitRow(row, { removed: note('removed'), added: note('added'), named: note('named') });
    if (!row.whole) continue;
    const absent = absentIds(row);
    for (const [index, { id, form }] of wanted.entries()) {
      // The source told everything and did not tell this: then nobody saw it.
      if (!isIn(absent[form], id)) traces[index]!.events.push({ at, kind: 'whole' });
    }
  }
  return traces;
}

/** First and last seen of a traced indicator; null when the holder never held it. */
export function seenOfTrace({ isMember, oldest, events }: MemberTrace): SeenTimes | null {
  let firstSeen = 0;
  let lastSeen = oldest;
  let holds = holdsAtFirst({ isMember, events });
  const isKnown = holds || events.some(({ kind }) => kind === 'added');
  if (!isKnown) return null;
  if (holds) firstSeen = oldest;
  for (const { at, kind } of events) {
    if (kind === 'added') firstSeen ||= at;
    if (kind === 'added' || kind === 'removed') holds = kind === 'added';
    if (holds) lastSeen = Math.max(lastSeen, at);
  }
  return { firstSeen, lastSeen };
}

/** Whether a traced indicator was a member at a time (Unix milliseconds). */
export function isMemberAt(trace: MemberTrace, timeMs: number): boolean {
  if (timeMs < trace.createdAt) return false;
  let holds = holdsAtFirst(trace);
  for (const { at, kind } of trace.events) {
    if (at > timeMs) break;
    if (kind === 'added' || kind === 'removed') holds = kind === 'added';
  }
  return holds;
}

/** Whether it was a member before the oldest row: what comes or goes first says so, else what is now. */
function holdsAtFirst({ isMember, events }: Pick<MemberTrace, 'isMember' | 'events'>): boolean {
  const first = events.find(({ kind }) => kind === 'added' || kind === 'removed');
  return first === undefined ? isMember : first.kind === 'removed';
}

function oldestTime(history: readonly StoredHistory[], holder: HistoryHolder): number {
  return history[0]?.at ?? holder.createdAt;
}

type Books = Readonly<Record<MemberForm, { readonly first: TimesById; readonly last: TimesById }>>;

function emptyBooks(): Books {
  const book = () => ({ first: createTimesById(), last: createTimesById() });
  return { subtree: book(), exact: book(), below: book(), prefix: book() };
}

/**
 * Writes the times of all ids that the rows name; says when the whole was last told, 0 for never, and
 * which members were absent then.
 */
function fillBooks(
  books: Books,
  history: readonly StoredHistory[],
  oldest: number,
): { readonly wholeAt: number; readonly absent: MemberIds } {
  let wholeAt = 0;
  let absent = NO_IDS;
  /** It was a member until now, so the last telling of the whole told it, unless it was absent. */
  const seeUntilNow = (form: MemberForm, id: number): void => {
    const { last } = books[form];
    last.set(id, Math.max(last.get(id), isIn(absent[form], id) ? 0 : wholeAt, oldest));
  };
  for (const row of history) {
    const { at } = row;
    const absentHere = row.whole ? absentIds(row) : NO_IDS;
    for (const form of MEMBER_FORMS) for (const id of absentHere[form]) seeUntilNow(form, id);
    visitRow(row, {
      removed(form, ids) {
        const { first } = books[form];
        for (const id of ids) {
          if (first.get(id) === 0) first.set(id, oldest);
          seeUntilNow(form, id);
        }
      },
      added(form, ids) {
        const { first, last } = books[form];
        for (const id of ids) {
          if (first.get(id) === 0) first.set(id, at);
          last.set(id, at);
        }
      },
      named(form, ids) {
        const { first, last } = books[form];
        for (const id of ids) {
          if (first.get(id) === 0) first.set(id, oldest);
          last.set(id, at);
        }
      },
    });
    if (!row.whole) continue;
    wholeAt = at;
    absent = absentHere;
  }
  return { wholeAt, absent };
}

const NO_IDS: MemberIds = {
  subtree: new Uint32Array(0),
  exact: new Uint32Array(0),
  below: new Uint32Array(0),
  prefix: new Uint32Array(0),
};

/** Members that a telling of the whole did not tell and that stayed. */
function absentIds({ absent }: StoredHistory): MemberIds {
  if (absent === null || absent.length === 0) return NO_IDS;
  let at = 0;
  const read = MEMBER_FORMS.map((form) => {
    const { ids, next } = decodeIds(absent, at);
    at = next;
    return [form, ids] as const;
  });
  return Object.fromEntries(read) as MemberIds;
}

interface RowVisitor {
  removed(form: MemberForm, ids: Uint32Array): void;
  added(form: MemberForm, ids: Uint32Array): void;
  /** Members before the change that were named again. */
  named(form: MemberForm, ids: Uint32Array): void;
}

/** Reads a row in the forms of publish/member-codec.ts. */
function visitRow({ delta, seen }: StoredHistory, visitor: RowVisitor): void {
  for (let at = 0; at < delta.length; ) {
    for (const form of MEMBER_FORMS) {
      const added = decodeIds(delta, at);
      const removed = decodeIds(delta, added.next);
      at = removed.next;
      visitor.removed(form, removed.ids);
      visitor.added(form, added.ids);
    }
  }
  if (seen === null || seen.length === 0) return;
  let at = 0;
  for (const form of MEMBER_FORMS) {
    const named = decodeIds(seen, at);
    at = named.next;
    visitor.named(form, named.ids);
  }
}

/** Whether a rising list holds the id. */
function isIn(ids: Uint32Array, id: number): boolean {
  let from = 0;
  let to = ids.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (ids[middle]! < id) from = middle + 1;
    else to = middle;
  }
  return ids[from] === id;
}

/** Times by id, 0 for none, in blocks that are made when they are first written to: ids of one holder lie together. */
interface TimesById {
  get(id: number): number;
  set(id: number, time: number): void;
}

const BLOCK_BITS = 10;

function createTimesById(): TimesById {
  const blocks: (Float64Array | undefined)[] = [];
  return {
    get: (id) => blocks[id >>> BLOCK_BITS]?.[id & (2 ** BLOCK_BITS - 1)] ?? 0,
    set(id, time) {
      let block = blocks[id >>> BLOCK_BITS];
      if (block === undefined) {
        block = new Float64Array(2 ** BLOCK_BITS);
        blocks[id >>> BLOCK_BITS] = block;
      }
      block[id & (2 ** BLOCK_BITS - 1)] = time;
    },
  };
}
