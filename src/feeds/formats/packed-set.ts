import { INDICATOR_KINDS, type PackedIndicators } from '../../indicators/indicator.ts';
import {
  addKey,
  createPacker,
  DUPLICATE,
  finishPacking,
} from '../../indicators/pack-indicators.ts';

/** Changes of a whole packed set; each gives the set itself back when there is nothing to change. */

export const NAME = INDICATOR_KINDS.indexOf('name');
export const HOST = INDICATOR_KINDS.indexOf('host');
export const WILDCARD = INDICATOR_KINDS.indexOf('wildcard');

/** A new one each time, since its buffers may be handed to another thread. */
export function emptyPacked(): PackedIndicators {
  return finishPacking(createPacker({ octetsExpected: 0 }));
}

/** Without the indicators that have a 1 in `dropped`. */
export function withoutDropped(
  packed: PackedIndicators,
  dropped: Uint8Array | null,
): PackedIndicators {
  if (dropped === null) return packed;
  const kinds = new Uint8Array(packed.count);
  const ends = new Uint32Array(packed.count);
  const keys = new Uint8Array(packed.keys.length);
  let count = 0;
  let used = 0;
  let start = 0;
  for (let index = 0; index < packed.count; index++) {
    const end = packed.ends[index];
    if (dropped[index] === 0) {
      // Octet by octet: a view per key would cost more than the few octets of it.
      for (let at = start; at < end; at++) keys[used++] = packed.keys[at];
      kinds[count] = packed.kinds[index];
      ends[count++] = used;
    }
    start = end;
  }
  return {
    count,
    kinds: kinds.slice(0, count),
    ends: ends.slice(0, count),
    keys: keys.slice(0, used),
  };
}

/** With one kind turned into another, and what is then there twice counted. */
export function withKind(
  packed: PackedIndicators,
  change: { readonly from: number; readonly to: number; readonly hashSeed: number },
): { readonly packed: PackedIndicators; readonly duplicates: number } {
  const { from, to, hashSeed } = change;
  if (!packed.kinds.includes(from)) return { packed, duplicates: 0 };
  const kinds = packed.kinds.map((kind) => (kind === from ? to : kind));
  if (!packed.kinds.includes(to)) return { packed: { ...packed, kinds }, duplicates: 0 };
  return distinct({ ...packed, kinds }, hashSeed);
}

/**
 * A name that is listed alone and with what is below it becomes one `name`: a zone file has to say
 * both, and one rule is half of two.
 */
export function withMergedForms(packed: PackedIndicators, hashSeed: number): PackedIndicators {
  const halves = [NAME, HOST, WILDCARD].filter((kind) => packed.kinds.includes(kind));
  if (halves.length < 2) return packed;
  const forms = new Map<string, number>();
  const textOf = (index: number): string => {
    const start = index === 0 ? 0 : packed.ends[index - 1];
    return octets.toString('latin1', start, packed.ends[index]);
  };
  const { buffer, byteOffset, byteLength } = packed.keys;
  const octets = Buffer.from(buffer, byteOffset, byteLength);
  for (let index = 0; index < packed.count; index++) {
    if (packed.kinds[index] > WILDCARD) continue;
    const text = textOf(index);
    forms.set(text, (forms.get(text) ?? 0) | (1 << packed.kinds[index]));
  }
  const isWhole = (form: number): boolean => (form & (1 << NAME)) !== 0 || form === BOTH_HALVES;
  let isChanged = false;
  const kinds = packed.kinds.map((kind, index) => {
    if (kind === NAME || kind > WILDCARD || !isWhole(forms.get(textOf(index)) ?? 0)) return kind;
    isChanged = true;
    return NAME;
  });
  return isChanged ? distinct({ ...packed, kinds }, hashSeed).packed : packed;
}

const BOTH_HALVES = (1 << HOST) | (1 << WILDCARD);

function distinct(
  packed: PackedIndicators,
  hashSeed: number,
): { readonly packed: PackedIndicators; readonly duplicates: number } {
  const packer = createPacker({ octetsExpected: packed.keys.length, hashSeed });
  let duplicates = 0;
  let start = 0;
  for (let index = 0; index < packed.count; index++) {
    const key = packed.keys.subarray(start, packed.ends[index]);
    if (addKey(packer, packed.kinds[index], key) === DUPLICATE) duplicates++;
    start = packed.ends[index];
  }
  return { packed: finishPacking(packer), duplicates };
}
