import { type IdSet, intersectIds, subtractIds, unionIds } from '../indicators/id-set.ts';
import type { MemberForm } from '../indicators/indicator.ts';
import type { MemberSets } from '../policy/member-sets.ts';

/** The operations of sets, form by form. What they do not change they share with their arguments. */

export function unionMembers(one: MemberSets, other: MemberSets): MemberSets {
  return byForm((form) => unionIds(one[form], other[form]));
}

export function subtractMembers(from: MemberSets, what: MemberSets): MemberSets {
  return byForm((form) => subtractIds(from[form], what[form]));
}

export function intersectMembers(one: MemberSets, other: MemberSets): MemberSets {
  return byForm((form) => intersectIds(one[form], other[form]));
}

function byForm(idsOf: (form: MemberForm) => IdSet): MemberSets {
  return {
    subtree: idsOf('subtree'),
    exact: idsOf('exact'),
    below: idsOf('below'),
    prefix: idsOf('prefix'),
  };
}
