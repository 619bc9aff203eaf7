import { type IdSet, visitIds } from '../../indicators/id-set.ts';

/** Ids of one slice: what a caller does with each costs about a microsecond. */
const SLICE_IDS_MAX = 1_000;

/** The ids of a set, rising, in slices: unlike a visitor this can pause in between. */
export function* idSlices(ids: IdSet): Generator<Uint32Array> {
  for (let from: number | null = 0; from !== null; ) {
    const slice = new Uint32Array(Math.min(SLICE_IDS_MAX, ids.size));
    let length = 0;
    let next: number | null = null;
    visitIds(
      ids,
      (id) => {
        if (length === slice.length) {
          next = id;
          return false;
        }
        slice[length++] = id;
        return true;
      },
      from,
    );
    if (length > 0) yield slice.subarray(0, length);
    from = next;
  }
}
