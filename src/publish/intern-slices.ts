import { setImmediate as nextTurn } from 'node:timers/promises';
import type { PackedIndicators } from '../indicators/indicator.ts';
import { EMPTY_MEMBERS, type MemberSets, withMembers } from '../policy/member-sets.ts';
import { NO_MEMBER_IDS, newOwners } from './plan-commit.ts';
import type { Ledger } from './state.ts';
import type { Store } from './store-port.ts';

/** Indicators at a time: about a millisecond (0.75 µs each, and tables that grow). */
const SLICE = 1_024;
/** Owners are written ahead when so many are new, so that the commit at the end has few to carry. */
const OWNERS_AHEAD = 8_192;

/**
 * Gives ids to packed indicators slice by slice. Each slice takes its turn among the edits, so that
 * what is written of the catalogue stays in the order of its ids.
 */
export async function internInSlices(options: {
  readonly packed: PackedIndicators;
  readonly ledger: Ledger;
  readonly store: Pick<Store, 'putOwners'>;
  readonly inTurn: <Value>(run: () => Value | Promise<Value>) => Promise<Value>;
}): Promise<MemberSets> {
  const { packed, ledger, store, inTurn } = options;
  let members = EMPTY_MEMBERS;
  for (let from = 0; from < packed.count; from += SLICE) {
    const slice = sliceOf(packed, from, Math.min(packed.count, from + SLICE));
    await inTurn(async () => {
      members = withMembers(members, ledger.catalogue.intern(slice), NO_MEMBER_IDS);
      if (ledger.catalogue.count - ledger.ownersStored >= OWNERS_AHEAD)
        await storeOwners(ledger, store);
    });
    await nextTurn();
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
