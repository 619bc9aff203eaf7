import type { Brand } from '../dns/brand.ts';
import {
  EMPTY_IDS,
  hasId,
  type IdSet,
  idsOf,
  intersectIds,
  subtractIds,
  unionIds,
  withIds,
} from '../indicators/id-set.ts';
import type { ActionNumber } from '../policy/verdicts.ts';
import { type Steps, withoutBreaks } from './steps.ts';

/**
 * What a zone holds at one owner: the action of `owner` × 65,536 + the action of `*.owner`, each
 * 0 for no record. 0 means that the owner holds nothing.
 */
export type RpzState = Brand<number, 'RpzState'>;
export const NO_STATE = 0 as RpzState;

const SELF_STEP = 0x10000;

export function rpzState(self: ActionNumber, below: ActionNumber): RpzState {
  return (self * SELF_STEP + below) as RpzState;
}

export function selfAction(state: RpzState): ActionNumber {
  return Math.floor(state / SELF_STEP) as ActionNumber;
}

export function belowAction(state: RpzState): ActionNumber {
  return (state % SELF_STEP) as ActionNumber;
}

/** The rules of an RPZ zone: disjoint sets of owners, one per state. Immutable; states rise. */
export type RpzContent = ReadonlyMap<RpzState, IdSet>;

export function stateAt(content: RpzContent, id: number): RpzState {
  for (const [state, ids] of content) if (hasId(ids, id)) return state;
  return NO_STATE;
}

/** Owners that go from one state to another; ids rise strictly. */
export interface RpzMove {
  readonly from: RpzState;
  readonly to: RpzState;
  readonly ids: Uint32Array;
}

/** The difference between two contents: no owner is in two moves, and no move stays where it is. */
export type RpzDiff = readonly RpzMove[];

export function applyRpzDiff(content: RpzContent, diff: RpzDiff): RpzContent {
  const sets = new Map(content);
  for (const { from, to, ids } of diff) {
    if (from !== NO_STATE) sets.set(from, withIds(sets.get(from) ?? EMPTY_IDS, [], ids));
    if (to !== NO_STATE) sets.set(to, withIds(sets.get(to) ?? EMPTY_IDS, ids, []));
  }
  return sortedContent(sets);
}

/** The difference between two contents by set algebra: its cost does not depend on how much differs. */
export function* diffRpzContentsInSteps(before: RpzContent, after: RpzContent): Steps<RpzDiff> {
  const moves: RpzMove[] = [];
  const add = (from: RpzState, to: RpzState, ids: IdSet): void => {
    if (from !== to && ids.size > 0) moves.push({ from, to, ids: idsOf(ids) });
  };
  const all = (content: RpzContent): IdSet => [...content.values()].reduce(unionIds, EMPTY_IDS);
  const owners = all(before);
  yield;
  const ownersAfter = all(after);
  for (const [to, ids] of after) {
    yield;
    add(NO_STATE, to, subtractIds(ids, owners));
  }
  for (const [from, ids] of before) {
    yield;
    add(from, NO_STATE, subtractIds(ids, ownersAfter));
    for (const [to, idsAfter] of after) {
      yield;
      add(from, to, intersectIds(ids, idsAfter));
    }
  }
  return moves.sort((a, b) => a.from - b.from || a.to - b.to);
}

export const diffRpzContents = withoutBreaks(diffRpzContentsInSteps);

export function invertRpzDiff(diff: RpzDiff): RpzDiff {
  return diff.map(({ from, to, ids }) => ({ from: to, to: from, ids }));
}

/** The net effect of differences that follow one another. */
export function composeRpzDiffs(diffs: readonly RpzDiff[]): RpzDiff {
  if (diffs.length === 1) return diffs[0];
  const net = new Map<number, { from: RpzState; to: RpzState }>();
  for (const diff of diffs) {
    for (const { from, to, ids } of diff) {
      for (const id of ids) {
        const known = net.get(id);
        if (known) known.to = to;
        else net.set(id, { from, to });
      }
    }
  }
  const moves = createMoveCollector();
  for (const [id, { from, to }] of net) moves.add(id, from, to);
  return moves.finish();
}

/** Gathers single moves into a difference. */
export function createMoveCollector() {
  const groups = new Map<string, { from: RpzState; to: RpzState; ids: number[] }>();
  const groupOf = (from: RpzState, to: RpzState) => {
    const key = `${from} ${to}`;
    const known = groups.get(key);
    if (known !== undefined) return known;
    const fresh = { from, to, ids: [] };
    groups.set(key, fresh);
    return fresh;
  };
  /** Most moves of a change are alike. */
  let last: ReturnType<typeof groupOf> | null = null;
  return {
    add(id: number, from: RpzState, to: RpzState): void {
      if (from === to) return;
      if (last === null || last.from !== from || last.to !== to) last = groupOf(from, to);
      last.ids.push(id);
    },
    finish(): RpzDiff {
      return [...groups.values()]
        .sort((a, b) => a.from - b.from || a.to - b.to)
        .map(({ from, to, ids }) => ({ from, to, ids: Uint32Array.from(ids).sort() }));
    },
  };
}

/** A content with its states in rising order and no empty set, as every content must be. */
export function sortedContent(sets: ReadonlyMap<RpzState, IdSet>): RpzContent {
  return new Map(
    [...sets].filter(([, ids]) => ids.size > 0).sort(([stateA], [stateB]) => stateA - stateB),
  );
}
