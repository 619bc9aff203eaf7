import { hashEnd, hashStart, hashStep } from './owner-index.ts';

/** Suffixes of the name last hashed: the name itself first, then each ancestor. One name has at most 127 labels. */
export const suffixStart = new Uint32Array(128);
export const suffixHash = new Uint32Array(128);
const labelStart = new Uint32Array(128);

/** Hashes `source[from, to)` and every ancestor in one pass from the end; returns how many there are. */
export function hashSuffixes(source: Uint8Array, from: number, to: number): number {
  let depth = 0;
  for (let at = from; at < to; at += source[at] + 1) labelStart[depth++] = at;
  let state = hashStart();
  let at = to - 1;
  for (let level = depth - 1; level >= 0; level--) {
    for (; at >= labelStart[level]; at--) state = hashStep(state, source[at]);
    suffixStart[level] = labelStart[level];
    suffixHash[level] = hashEnd(state);
  }
  return depth;
}
