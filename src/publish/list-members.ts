import type { Catalogue } from '../indicators/catalogue.ts';
import { formatIndicator } from '../indicators/format-indicator.ts';
import { visitIds } from '../indicators/id-set.ts';
import { MEMBER_FORMS } from '../indicators/indicator.ts';
import type { MemberSets } from '../policy/member-sets.ts';
import type { Model } from '../policy/model.ts';
import {
  type HistoryHolder,
  type SeenTimes,
  seenTimes,
  type TracedMember,
} from './member-history.ts';
import { membersOf } from './model-draft.ts';
import type { Holder, StoredHistory } from './store-port.ts';

/** A page of a holder's members as text, by form and then in the order in which they were first seen. */
export function listMemberLines(options: {
  readonly model: Model;
  readonly catalogue: Catalogue;
  readonly holder: Holder;
  readonly offset: number;
  readonly limit: number;
}): string[] {
  const { model, catalogue, holder, offset, limit } = options;
  return listMembers(catalogue, membersOf(model, holder), offset, limit);
}

/** The same of any members. */
export function listMembers(
  catalogue: Catalogue,
  members: MemberSets,
  offset: number,
  limit: number,
): string[] {
  return pageOfMembers(members, offset, limit).map((member) => memberLine(catalogue, member));
}

/** The same page with the times at which the members were seen; `history` is all of the holder's. */
export function listSeenMembers(options: {
  readonly holder: HistoryHolder;
  readonly history: readonly StoredHistory[];
  readonly catalogue: Catalogue;
  readonly offset: number;
  readonly limit: number;
}): (SeenTimes & { readonly indicator: string })[] {
  const { holder, history, catalogue, offset, limit } = options;
  const timesOf = seenTimes(history, holder);
  return pageOfMembers(holder.members, offset, limit).map((member) => {
    const times = timesOf(member.id, member.form);
    if (times === null) throw new Error(`member ${member.id} was never seen`);
    return { indicator: memberLine(catalogue, member), ...times };
  });
}

function memberLine(catalogue: Catalogue, { id, form }: TracedMember): string {
  const { kind, key } = catalogue.indicator(id, form);
  return formatIndicator(kind, key);
}

function pageOfMembers(members: MemberSets, offset: number, limit: number): TracedMember[] {
  const page: TracedMember[] = [];
  let skip = offset;
  for (const form of MEMBER_FORMS) {
    if (skip >= members[form].size) {
      skip -= members[form].size;
      continue;
    }
    visitIds(members[form], (id) => {
      if (skip > 0) {
        skip--;
        return true;
      }
      if (page.length >= limit) return false;
      page.push({ id, form });
      return true;
    });
  }
  return page;
}
