import { decodeIdSet, decodeIds, encodeIds } from '../indicators/id-set-codec.ts';
import { MEMBER_FORMS, type MemberForm } from '../indicators/indicator.ts';
import {
  EMPTY_MEMBERS,
  type MemberIds,
  type MemberSets,
  withMembers,
} from '../policy/member-sets.ts';
import type { StoredMembers } from './store-port.ts';

/** All members of a holder: the ids of each form, in the order of MEMBER_FORMS. */
export function encodeMembers(members: MemberSets): Uint8Array {
  return concat(MEMBER_FORMS.map((form) => encodeIds(members[form])));
}

/** A change of members: for each form the ids added, then the ids removed. */
export function encodeMemberDelta(
  added: MemberIds | MemberSets,
  removed: MemberIds | MemberSets,
): Uint8Array {
  return concat(MEMBER_FORMS.flatMap((form) => [encodeIds(added[form]), encodeIds(removed[form])]));
}

export function decodeMembers({
  base,
  deltas,
}: Pick<StoredMembers, 'base' | 'deltas'>): MemberSets {
  let members = base === null ? EMPTY_MEMBERS : decodeBase(base);
  for (const delta of deltas) {
    const { added, removed } = decodeMemberDelta(delta);
    members = withMembers(members, added, removed);
  }
  return members;
}

export function decodeMemberDelta(delta: Uint8Array): {
  readonly added: MemberIds;
  readonly removed: MemberIds;
} {
  let at = 0;
  const read = (): Uint32Array => {
    const { ids, next } = decodeIds(delta, at);
    at = next;
    return ids;
  };
  const added: Partial<Record<MemberForm, Uint32Array>> = {};
  const removed: Partial<Record<MemberForm, Uint32Array>> = {};
  for (const form of MEMBER_FORMS) {
    added[form] = read();
    removed[form] = read();
  }
  return { added: added as MemberIds, removed: removed as MemberIds };
}

function decodeBase(base: Uint8Array): MemberSets {
  let at = 0;
  const sets = MEMBER_FORMS.map((form) => {
    const { set, next } = decodeIdSet(base, at);
    at = next;
    return [form, set] as const;
  });
  return Object.fromEntries(sets) as unknown as MemberSets;
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}
