import { Catalogue, NONE } from '../indicators/catalogue.ts';
import { idsOf } from '../indicators/id-set.ts';
import { idSetFrom } from '../indicators/id-set-codec.ts';
import { MEMBER_FORMS } from '../indicators/indicator.ts';
import { packIndicators } from '../indicators/pack-indicators.ts';
import type { MemberSets } from '../policy/member-sets.ts';
import { allMembers, type LoadedState } from './load-state.ts';
import { encodeMembers } from './member-codec.ts';
import type { Compaction, Holder, Store } from './store-port.ts';

/** A catalogue smaller than this is never worth the work. */
const OWNERS_MIN = 100_000;
/** Owners of one stored segment. */
const SEGMENT_OWNERS = 50_000;

/**
 * Ids are not given anew while the process runs, so owners that nobody holds any more pile up.
 * When they are more than half at a start, the catalogue is written anew without them. Ids change
 * by that, so history is dropped: clients get one AXFR. Returns whether the store was rewritten.
 */
export async function compactCatalogue(
  { state, ledger }: LoadedState,
  store: Store,
): Promise<boolean> {
  const { catalogue } = ledger;
  if (catalogue.count < OWNERS_MIN) return false;
  if (countUsed(catalogue, idsOf(allMembers(state.model))) * 2 > catalogue.count) return false;
  const fresh = new Catalogue();
  const members: { holder: Holder; base: Uint8Array }[] = [];
  for (const { id, members: sets } of state.model.targets.values()) {
    members.push({
      holder: { kind: 'target', id },
      base: encodeMembers(moved(sets, catalogue, fresh)),
    });
  }
  for (const { id, members: sets } of state.model.lists.values()) {
    members.push({
      holder: { kind: 'list', id },
      base: encodeMembers(moved(sets, catalogue, fresh)),
    });
  }
  await store.compact({ owners: segments(fresh), members });
  return true;
}

/** Owners that are members or lie above one. */
function countUsed(catalogue: Catalogue, members: Uint32Array): number {
  const isUsed = new Uint8Array(catalogue.count);
  let used = 0;
  for (const member of members) {
    for (let id: number = member; id !== NONE && isUsed[id] === 0; id = catalogue.parent(id)) {
      isUsed[id] = 1;
      used++;
    }
  }
  return used;
}

function moved(sets: MemberSets, from: Catalogue, to: Catalogue): MemberSets {
  const indicators = MEMBER_FORMS.flatMap((form) =>
    Array.from(idsOf(sets[form]), (id) => from.indicator(id, form)),
  );
  const ids = to.intern(packIndicators(indicators));
  return {
    subtree: idSetFrom(ids.subtree),
    exact: idSetFrom(ids.exact),
    below: idSetFrom(ids.below),
    prefix: idSetFrom(ids.prefix),
  };
}

function segments(catalogue: Catalogue): Compaction['owners'] {
  const result: { firstId: number; count: number; bytes: Uint8Array }[] = [];
  for (let firstId = 0; firstId < catalogue.count; firstId += SEGMENT_OWNERS) {
    const to = Math.min(catalogue.count, firstId + SEGMENT_OWNERS);
    result.push({ firstId, count: to - firstId, bytes: catalogue.encodeOwners(firstId, to) });
  }
  return result;
}
