import { type IdsByForm, joinByForm } from '../indicators/ids-by-form.ts';
import type { PackedIndicators } from '../indicators/indicator.ts';
import { EMPTY_MEMBERS, type MemberSets, withMembers } from '../policy/member-sets.ts';
import { NO_MEMBER_IDS, newOwners } from './plan-commit.ts';
import { createSlices } from './slices.ts';
import type { Ledger } from './state.ts';
import type { Store } from './store-port.ts';

/**
 * Indicators between two looks at the clock. So few that even before it is compiled this is a few
 * milliseconds; more where a call costs more than what it does, as with prefixes in a long order.
 */
const BATCH_MIN = 128;
const BATCH_MAX = 512;
/** A batch that takes less is doubled. */
const BATCH_MS = 0.5;
/** Owners are written ahead when so many are new, so that the commit at the end has few to carry. */
const OWNERS_AHEAD = 8_192;

/**
 * Gives ids to packed indicators in slices of some milliseconds. Each slice takes its turn among the
 * edits, so that what is written of the catalogue stays in the order of its ids.
 */
export async function internInSlices(options: {
  readonly packed: PackedIndicators;
  readonly ledger: Ledger;
  readonly store: Pick<Store, 'putOwners'>;
  readonly inTurn: <Value>(run: () => Value | Promise<Value>) => Promise<Value>;
}): Promise<MemberSets> {
  const { packed, ledger, store, inTurn } = options;
  const slices = createSlices();
  let members = EMPTY_MEMBERS;
  let batch = BATCH_MIN;
  let from = 0;
  /** Sets are made once for each slice: a copy of a chunk is 8 KB. */
  const internSome = (): void => {
    const found: IdsByForm[] = [];
    do {
      const to = Math.min(packed.count, from + batch);
      const began = performance.now();
      found.push(ledger.catalogue.intern(sliceOf(packed, from, to)));
      if (performance.now() - began < BATCH_MS) batch = Math.min(BATCH_MAX, batch * 2);
      else batch = Math.max(BATCH_MIN, batch >>> 1);
      from = to;
    } while (from < packed.count && !slices.isOver());
    members = withMembers(members, joinByForm(found), NO_MEMBER_IDS);
  };
  while (from < packed.count) {
    await slices.next();
    await inTurn(async () => {
      internSome();
      if (ledger.catalogue.count - ledger.ownersStored >= OWNERS_AHEAD)
        await storeOwners(ledger, store);
    });
  }
  return members;
}

/** Writes owners that are not stored yet; an owner that nobody holds does no harm. */
export async function storeOwners(ledger: Ledger, store: Pick<Store, 'putOwners'>): Promise<void> {
  const owners = newOwners(ledger);
  if (owners === null) return;
  await store.putOwners(owners);
  ledger.ownersStored += owners.count;
}

/** A part of packed indicators over the same octets. */
export function sliceOf(
  { kinds, ends, keys }: PackedIndicators,
  from: number,
  to: number,
): PackedIndicators {
  const start = from === 0 ? 0 : ends[from - 1];
  return {
    count: to - from,
    kinds: kinds.subarray(from, to),
    ends: ends.slice(from, to).map((end) => end - start),
    keys: keys.subarray(start, ends[to - 1]),
  };
}
