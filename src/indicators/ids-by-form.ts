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

/**
 * The ids of packed indicators; those for which `idOf` says NONE are left out. The key is `keys[from, to)`:
 * a view of it for each of a million would be a hundred megabytes of garbage.
 */
export function collectByForm(
  packed: PackedIndicators,
  idOf: (kind: IndicatorKind, keys: Uint8Array, from: number, to: number) => number,
): IdsByForm {
  const found: Record<MemberForm, number[]> = { subtree: [], exact: [], below: [], prefix: [] };
  let from = 0;
  for (let index = 0; index < packed.count; index++) {
    const kind = INDICATOR_KINDS[packed.kinds[index]];
    const to = packed.ends[index];
    const id = idOf(kind, packed.keys, from, to);
    if (id !== NONE) found[FORM_OF_KIND[kind]].push(id);
    from = to;
  }
  return byForm((form) => risingIds(Uint32Array.from(found[form])));
}

/** What several have together. */
export function joinByForm(parts: readonly IdsByForm[]): IdsByForm {
  return byForm((form) => {
    const ids = new Uint32Array(parts.reduce((sum, part) => sum + part[form].length, 0));
    let at = 0;
    for (const part of parts) {
      ids.set(part[form], at);
      at += part[form].length;
    }
    return risingIds(ids);
  });
}

function byForm(idsOf: (form: MemberForm) => Uint32Array): IdsByForm {
  return {
    subtree: idsOf('subtree'),
    exact: idsOf('exact'),
    below: idsOf('below'),
    prefix: idsOf('prefix'),
  };
}

/** In order and each once; sorts in place. */
function risingIds(ids: Uint32Array): Uint32Array {
  const sorted = ids.sort();
  let length = 0;
  for (let index = 0; index < sorted.length; index++) {
    if (index === 0 || sorted[index] !== sorted[index - 1]) sorted[length++] = sorted[index];
  }
  return sorted.subarray(0, length);
}
