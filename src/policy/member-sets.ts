import {
  EMPTY_IDS,
  type IdSet,
  symmetricDifferenceIds,
  unionIds,
  withIds,
} from '../indicators/id-set.ts';
import { MEMBER_FORMS, type MemberForm } from '../indicators/indicator.ts';

/** The members of a target or list: for each form, the catalogue owners it holds. Immutable. */
export type MemberSets = Readonly<Record<MemberForm, IdSet>>;

export const EMPTY_MEMBERS: MemberSets = {
  subtree: EMPTY_IDS,
  exact: EMPTY_IDS,
  below: EMPTY_IDS,
  prefix: EMPTY_IDS,
};

export function memberCount(members: MemberSets): number {
  return MEMBER_FORMS.reduce((count, form) => count + members[form].size, 0);
}

/** Every owner that is a member in some form. */
export function memberOwners(members: MemberSets): IdSet {
  return MEMBER_FORMS.reduce((ids, form) => unionIds(ids, members[form]), EMPTY_IDS);
}

/** Every owner that is a member of one side in a form in which it is none of the other. */
export function differingOwners(a: MemberSets, b: MemberSets): IdSet {
  if (a === b) return EMPTY_IDS;
  return MEMBER_FORMS.reduce(
    (ids, form) => unionIds(ids, symmetricDifferenceIds(a[form], b[form])),
    EMPTY_IDS,
  );
}

/** Ids by form; each list rises strictly. */
export type MemberIds = Readonly<Record<MemberForm, Uint32Array>>;

export function withMembers(members: MemberSets, added: MemberIds, removed: MemberIds): MemberSets {
  const changed = (form: MemberForm) => withIds(members[form], added[form], removed[form]);
  return {
    subtree: changed('subtree'),
    exact: changed('exact'),
    below: changed('below'),
    prefix: changed('prefix'),
  };
}
