import { Catalogue, NONE } from '../indicators/catalogue.ts';
import { EMPTY_IDS, type IdSet, idsOf, unionIds } from '../indicators/id-set.ts';
import { idSetFrom } from '../indicators/id-set-codec.ts';
import { MEMBER_FORMS, type MemberForm } from '../indicators/indicator.ts';
import { packIndicators } from '../indicators/pack-indicators.ts';
import {
  EMPTY_MEMBERS,
  type MemberIds,
  type MemberSets,
  withMembers,
} from '../policy/member-sets.ts';
import type { RpzContent } from '../zone/rpz-content.ts';
import { type LoadedState, memberSetsOf } from './load-state.ts';
import {
  decodeMemberDelta,
  decodeMembers,
  encodeMemberDelta,
  encodeMembers,
} from './member-codec.ts';
import { encodePin } from './pin-codec.ts';
import type { PolicyContent } from './state.ts';
import type { Compaction, Holder, Store, StoredHistory } from './store-port.ts';

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
  // Nearly always a look at sizes is enough.
  const isMost = (sets: readonly IdSet[]) => sets.some(({ size }) => size * 2 > catalogue.count);
  const members = memberSetsOf(state.model);
  if (isMost(members)) return false;
  // What a policy was rolled back to may be nobody's member any more and is used all the same.
  const pinned = [...state.pins.values()].flatMap((pin) => [...pin.values()].map(ownersOf));
  const used = [...members, ...pinned].reduce(unionIds, EMPTY_IDS);
  if (isMost([used]) || countUsed(catalogue, idsOf(used)) * 2 > catalogue.count) return false;
  const fresh = new Catalogue();
  const bases: { holder: Holder; base: Uint8Array }[] = [];
  for (const { id, members: sets } of state.model.targets.values()) {
    bases.push({
      holder: { kind: 'target', id },
      base: encodeMembers(moved(sets, catalogue, fresh)),
    });
  }
  for (const { id, members: sets } of state.model.lists.values()) {
    bases.push({
      holder: { kind: 'list', id },
      base: encodeMembers(moved(sets, catalogue, fresh)),
    });
  }
  const pins = [...state.pins].map(([policyId, pin]) => ({
    policyId,
    bytes: encodePin(
      new Map([...pin].map(([side, content]) => [side, movedContent(content, catalogue, fresh)])),
    ),
  }));
  const history = (await store.allHistory()).map((row) => movedHistory(row, catalogue, fresh));
  await store.compact({ owners: segments(fresh), members: bases, history, pins });
  return true;
}

type Content = PolicyContent;

/** The owners that the rules of a content stand at; the lists of an IP zone name none. */
function ownersOf(content: Content): IdSet {
  if (!(content instanceof Map)) return EMPTY_IDS;
  return [...(content as RpzContent).values()].reduce(unionIds, EMPTY_IDS);
}

function movedContent(content: Content, from: Catalogue, to: Catalogue): Content {
  if (!(content instanceof Map)) return content;
  to.intern(
    packIndicators(
      Array.from(idsOf(ownersOf(content)), (id) =>
        from.indicator(id, from.isPrefix(id) ? 'prefix' : 'exact'),
      ),
    ),
  );
  return new Map(
    [...(content as RpzContent)].map(([state, ids]) => [
      state,
      idSetFrom(movedIds(idsOf(ids), from, to)),
    ]),
  );
}

/** What happened to owners that nobody holds any more is told by numbers only. */
function movedHistory(row: StoredHistory, from: Catalogue, to: Catalogue): StoredHistory {
  const { added, removed } = decodeMemberDelta(row.delta);
  const move = (idsOfForm: (form: MemberForm) => Uint32Array): MemberIds => ({
    subtree: movedIds(idsOfForm('subtree'), from, to),
    exact: movedIds(idsOfForm('exact'), from, to),
    below: movedIds(idsOfForm('below'), from, to),
    prefix: movedIds(idsOfForm('prefix'), from, to),
  });
  return {
    ...row,
    delta: encodeMemberDelta(
      move((form) => added[form]),
      move((form) => removed[form]),
    ),
    seen: row.seen && movedBase(row.seen, move),
    absent: row.absent && movedBase(row.absent, move),
  };
}

function movedBase(
  base: Uint8Array,
  move: (idsOfForm: (form: MemberForm) => Uint32Array) => MemberIds,
): Uint8Array {
  const sets = decodeMembers({ base, deltas: [] });
  const ids = move((form) => idsOf(sets[form]));
  return encodeMembers(withMembers(EMPTY_MEMBERS, ids, NO_IDS));
}

/** The ids that owners have in another catalogue, without those that it does not know. */
function movedIds(ids: Uint32Array, from: Catalogue, to: Catalogue): Uint32Array {
  const there = Array.from(ids, (id) => {
    const owner = from.owner(id);
    return to.findOwner(owner, 0, owner.length);
  });
  return Uint32Array.from(there.filter((id) => id !== NONE)).sort();
}

const NO_IDS: MemberIds = {
  subtree: new Uint32Array(0),
  exact: new Uint32Array(0),
  below: new Uint32Array(0),
  prefix: new Uint32Array(0),
};

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
