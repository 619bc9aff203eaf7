import type { Catalogue } from '../../indicators/catalogue.ts';
import { formatIndicator } from '../../indicators/format-indicator.ts';
import { type IdSet, visitIds } from '../../indicators/id-set.ts';
import { MEMBER_FORMS } from '../../indicators/indicator.ts';
import type { MemberSets } from '../../policy/member-sets.ts';

/** Where a member stands among the others: by form, then by the number of its owner. */
export interface MemberPlace {
  readonly form: number;
  readonly id: number;
}

/**
 * Members as text, `limit` of them, from behind a place on (from the first when it is null); and the
 * place of the last where more follow. Nothing in front of the place is looked at.
 */
export function membersBehind(
  members: MemberSets,
  catalogue: Catalogue,
  { place, limit }: { readonly place: MemberPlace | null; readonly limit: number },
): { readonly lines: string[]; readonly last: MemberPlace | null } {
  const lines: string[] = [];
  let last: MemberPlace | null = null;
  let hasMore = false;
  for (const [index, form] of MEMBER_FORMS.entries()) {
    if (hasMore || index < (place?.form ?? 0)) continue;
    const visit = (id: number): boolean => {
      hasMore = lines.length === limit;
      if (hasMore) return false;
      const { kind, key } = catalogue.indicator(id, form);
      lines.push(formatIndicator(kind, key));
      last = { form: index, id };
      return true;
    };
    visitIds(members[form], visit, index === place?.form ? place.id + 1 : 0);
  }
  return { lines, last: hasMore ? last : null };
}

/** How many members stand at a place or before it. */
export function membersUpTo(members: MemberSets, { form, id }: MemberPlace): number {
  let count = 0;
  for (const [index, name] of MEMBER_FORMS.entries()) {
    if (index < form) count += members[name].size;
    else if (index === form) count += idsUpTo(members[name], id);
  }
  return count;
}

const CHUNK_IDS = 65_536;

function idsUpTo(ids: IdSet, id: number): number {
  const chunk = Math.floor(id / CHUNK_IDS);
  let count = ids.counts.slice(0, chunk).reduce((sum, held) => sum + (held ?? 0), 0);
  const countOne = (): boolean => {
    count++;
    return true;
  };
  visitIds(ids, countOne, chunk * CHUNK_IDS, id + 1);
  return count;
}
