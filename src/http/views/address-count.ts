import { type Catalogue, NONE } from '../../indicators/catalogue.ts';
import { hasId, type IdSet, visitIds } from '../../indicators/id-set.ts';
import type { MemberSets } from '../../policy/member-sets.ts';

/** How many addresses members hold, exactly; what prefixes have in common counts once. */
export function countMemberAddresses(
  catalogue: Catalogue,
  { prefix }: MemberSets,
  family: 4 | 6,
): bigint {
  const known = counts.get(prefix) ?? countFamilies(catalogue, prefix);
  counts.set(prefix, known);
  return known[family];
}

interface Families {
  readonly 4: bigint;
  readonly 6: bigint;
}

/** Sets are replaced, never changed, so a count holds as long as its set. */
const counts = new WeakMap<IdSet, Families>();

function countFamilies(catalogue: Catalogue, prefixes: IdSet): Families {
  const byLength = { 4: new Array<number>(33).fill(0), 6: new Array<number>(129).fill(0) };
  visitIds(prefixes, (id) => {
    if (catalogue.prefixKind(id) === 'ip' && !isInsideAnother(catalogue, prefixes, id)) {
      byLength[catalogue.prefixFamily(id)][catalogue.prefixLength(id)]++;
    }
    return true;
  });
  return { 4: sumOf(byLength[4]), 6: sumOf(byLength[6]) };
}

function isInsideAnother(catalogue: Catalogue, prefixes: IdSet, id: number): boolean {
  for (let above = catalogue.parent(id); above !== NONE; above = catalogue.parent(above)) {
    if (hasId(prefixes, above)) return true;
  }
  return false;
}

/** `byLength[n]` prefixes of n network bits; the last length is that of a single address. */
function sumOf(byLength: readonly number[]): bigint {
  const bits = byLength.length - 1;
  return byLength.reduce(
    (sum, count, length) => sum + (BigInt(count) << BigInt(bits - length)),
    0n,
  );
}
