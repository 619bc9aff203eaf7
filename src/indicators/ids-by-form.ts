import {
  FORM_OF_KIND,
  INDICATOR_KINDS,
  type IndicatorKind,
  type MemberForm,
  type PackedIndicators,
} from './indicator.ts';
import { NONE } from './owner-index.ts';

/** Ids by member form; each list rises strictly. */
export type IdsByForm = Readonly<Record<MemberForm, Uint32Array>>;

/** The ids of packed indicators; those for which `idOf` says NONE are left out. */
export function collectByForm(
  packed: PackedIndicators,
  idOf: (kind: IndicatorKind, key: Uint8Array) => number,
): IdsByForm {
  const found: Record<MemberForm, number[]> = { subtree: [], exact: [], below: [], prefix: [] };
  let from = 0;
  for (let index = 0; index < packed.count; index++) {
    const kind = INDICATOR_KINDS[packed.kinds[index]];
    const to = packed.ends[index];
    const id = idOf(kind, packed.keys.subarray(from, to));
    if (id !== NONE) found[FORM_OF_KIND[kind]].push(id);
    from = to;
  }
  return {
    subtree: risingIds(found.subtree),
    exact: risingIds(found.exact),
    below: risingIds(found.below),
    prefix: risingIds(found.prefix),
  };
}

function risingIds(ids: number[]): Uint32Array {
  const sorted = Uint32Array.from(ids).sort();
  let length = 0;
  for (let index = 0; index < sorted.length; index++) {
    if (index === 0 || sorted[index] !== sorted[index - 1]) sorted[length++] = sorted[index];
  }
  return sorted.subarray(0, length);
}
