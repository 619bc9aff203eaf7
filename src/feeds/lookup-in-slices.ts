import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Catalogue } from '../indicators/catalogue.ts';
import type { PackedIndicators } from '../indicators/indicator.ts';
import { EMPTY_MEMBERS, type MemberSets, withMembers } from '../policy/member-sets.ts';
import { sliceOf } from '../publish/intern-slices.ts';

/** Indicators at a time: about three milliseconds. */
const SLICE = 4_096;

/**
 * The ids of those packed indicators that have one, with everything else in between. `look` sees
 * each slice with the ids that were found in it.
 */
export async function lookupInSlices(
  catalogue: Pick<Catalogue, 'lookup'>,
  packed: PackedIndicators,
  look?: (slice: PackedIndicators, found: MemberSets) => void,
): Promise<MemberSets> {
  let members = EMPTY_MEMBERS;
  for (let from = 0; from < packed.count; from += SLICE) {
    const slice = sliceOf(packed, from, Math.min(packed.count, from + SLICE));
    const ids = catalogue.lookup(slice);
    look?.(slice, withMembers(EMPTY_MEMBERS, ids, NO_IDS));
    members = withMembers(members, ids, NO_IDS);
    await nextTurn();
  }
  return members;
}

const NO_IDS = {
  subtree: new Uint32Array(0),
  exact: new Uint32Array(0),
  below: new Uint32Array(0),
  prefix: new Uint32Array(0),
};
