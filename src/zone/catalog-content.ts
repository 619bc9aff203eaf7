/** What a catalog zone lists of one zone (RFC 9432 section 4). Names are in presentation form, lower case. */
export interface CatalogMember {
  readonly origin: string;
  /** The group property (section 4.3.2): by it a consumer chooses how it serves the zone. */
  readonly group: string;
  /** The change-of-ownership property (section 4.3.1): the catalog that may take the zone over; null for none. */
  readonly newOwner: string | null;
}

/** The members of one catalog zone, in the order of their names. Immutable. */
export interface CatalogContent {
  readonly members: readonly CatalogMember[];
}

/** A member whose properties change is removed and added. Both lists are in the order of the names. */
export interface CatalogDiff {
  readonly removed: readonly CatalogMember[];
  readonly added: readonly CatalogMember[];
}

export const EMPTY_CATALOG: CatalogContent = { members: [] };

export function catalogOf(members: Iterable<CatalogMember>): CatalogContent {
  return { members: sorted(members) };
}

export function diffCatalogs(before: CatalogContent, after: CatalogContent): CatalogDiff {
  return {
    removed: without(before.members, after.members),
    added: without(after.members, before.members),
  };
}

export function isEmptyCatalogDiff({ removed, added }: CatalogDiff): boolean {
  return removed.length === 0 && added.length === 0;
}

export function applyCatalogDiff(
  { members }: CatalogContent,
  { removed, added }: CatalogDiff,
): CatalogContent {
  return catalogOf([...without(members, removed), ...added]);
}

export function invertCatalogDiff({ removed, added }: CatalogDiff): CatalogDiff {
  return { removed: added, added: removed };
}

/** The net effect of differences that follow one another. */
export function composeCatalogDiffs(diffs: readonly CatalogDiff[]): CatalogDiff {
  return diffs.reduce<CatalogDiff>(
    (first, second) => ({
      removed: sorted([
        ...without(first.removed, second.added),
        ...without(second.removed, first.added),
      ]),
      added: sorted([
        ...without(first.added, second.removed),
        ...without(second.added, first.removed),
      ]),
    }),
    { removed: [], added: [] },
  );
}

/**
 * Members of `a` that `b` has not with the same properties. Both are in the order of the names, each of
 * which they have once, so one walk along them is enough: catalogs of thousands of zones change by one.
 */
function without(
  a: readonly CatalogMember[],
  b: readonly CatalogMember[],
): readonly CatalogMember[] {
  let at = 0;
  return a.filter((member) => {
    while (at < b.length && b[at].origin < member.origin) at++;
    return at === b.length || !isSame(member, b[at]);
  });
}

function isSame(a: CatalogMember, b: CatalogMember): boolean {
  return a === b || (a.origin === b.origin && a.group === b.group && a.newOwner === b.newOwner);
}

function sorted(members: Iterable<CatalogMember>): readonly CatalogMember[] {
  return [...members].sort((a, b) => {
    if (a.origin === b.origin) return 0;
    return a.origin < b.origin ? -1 : 1;
  });
}
