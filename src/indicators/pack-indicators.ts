import { grownUint8, grownUint32 } from './growable.ts';
import { INDICATOR_KINDS, type Indicator, type PackedIndicators } from './indicator.ts';

/** Index + 1 then fits 24 bits of a slot, and with keys of up to 254 octets `ends` stays below 2^32. */
const PACKED_INDICATORS_MAX = (1 << 24) - 1;
const INDEX_MASK = 0x00ffffff;
const TAG_MASK = 0xff000000;

/** Guesses for the first buffers; all of them grow. */
const OCTETS_PER_KEY_GUESS = 16;
const INDICATORS_GUESS_MIN = 16;
const HASH_SEED = 0x811c9dc5;

export const ADDED = 0;
export const DUPLICATE = 1;
export const FULL = 2;
export type AddOutcome = typeof ADDED | typeof DUPLICATE | typeof FULL;

/**
 * A set of indicators being packed. A key is staged at `keys[used]` and then added; what is a
 * duplicate or does not fit any more is simply written over by the next one.
 */
export interface Packer {
  count: number;
  used: number;
  kinds: Uint8Array<ArrayBuffer>;
  ends: Uint32Array<ArrayBuffer>;
  keys: Uint8Array<ArrayBuffer>;
  /**
   * Open addressing: index + 1 (0 is empty) below the top octet of the hash, which makes most
   * comparisons unnecessary. Small on purpose: what a million insertions cost is cache misses.
   */
  slots: Uint32Array<ArrayBuffer>;
  readonly indicatorsMax: number;
  readonly hashSeed: number;
}

export interface PackerOptions {
  /** Octets of keys to expect; a wrong guess costs time only. */
  readonly octetsExpected: number;
  readonly indicatorsMax?: number;
  /** Random bits: without them, whoever writes a list can make all its keys collide. */
  readonly hashSeed?: number;
}

export function createPacker(options: PackerOptions): Packer {
  const { octetsExpected, indicatorsMax = PACKED_INDICATORS_MAX, hashSeed = HASH_SEED } = options;
  const guess = Math.floor(octetsExpected / OCTETS_PER_KEY_GUESS);
  const indicators = Math.max(INDICATORS_GUESS_MIN, Math.min(guess, PACKED_INDICATORS_MAX));
  return {
    count: 0,
    used: 0,
    kinds: new Uint8Array(indicators),
    ends: new Uint32Array(indicators),
    keys: new Uint8Array(octetsExpected),
    slots: new Uint32Array(2 ** Math.ceil(Math.log2(indicators))),
    indicatorsMax: Math.min(indicatorsMax, PACKED_INDICATORS_MAX),
    hashSeed,
  };
}

/** Packs a list as a set: the first of equal indicators stays, in the order of the list. */
export function packIndicators(list: Iterable<Indicator>): PackedIndicators {
  const packer = createPacker({ octetsExpected: 0 });
  for (const { kind, key } of list) addKey(packer, INDICATOR_KINDS.indexOf(kind), key);
  return finishPacking(packer);
}

/** Makes room for a staged key of `octets` octets. */
export function reserveKey(packer: Packer, octets: number): void {
  packer.keys = grownUint8(packer.keys, packer.used + octets);
}

export function addKey(packer: Packer, kind: number, key: Uint8Array): AddOutcome {
  reserveKey(packer, key.length);
  packer.keys.set(key, packer.used);
  return addStagedKey(packer, kind, key.length);
}

/** Adds the key of `octets` octets that stands at `keys[used]`, unless the set has it already. */
export function addStagedKey(packer: Packer, kind: number, octets: number): AddOutcome {
  const end = packer.used + octets;
  const hash = hashKey(packer, kind, packer.used, end);
  const { slots } = packer;
  const mask = slots.length - 1;
  let slot = hash & mask;
  // A quarter of the slots is empty, so the search ends.
  for (; slots[slot] !== 0; slot = (slot + 1) & mask) {
    if (((slots[slot] ^ hash) & TAG_MASK) !== 0) continue;
    if (isSameKey(packer, (slots[slot] & INDEX_MASK) - 1, kind, octets)) return DUPLICATE;
  }
  if (packer.count >= packer.indicatorsMax) return FULL;
  const index = packer.count++;
  packer.kinds = grownUint8(packer.kinds, packer.count);
  packer.ends = grownUint32(packer.ends, packer.count);
  packer.kinds[index] = kind;
  packer.ends[index] = end;
  packer.used = end;
  slots[slot] = packer.count | (hash & TAG_MASK);
  if (packer.count * 4 > slots.length * 3) growSlots(packer);
  return ADDED;
}

/** The set in buffers of its exact size, which can be transferred between threads. */
export function finishPacking(packer: Packer): PackedIndicators {
  return {
    count: packer.count,
    kinds: packer.kinds.slice(0, packer.count),
    ends: packer.ends.slice(0, packer.count),
    keys: packer.keys.slice(0, packer.used),
  };
}

function growSlots(packer: Packer): void {
  const { kinds, ends, count } = packer;
  const slots = new Uint32Array(packer.slots.length * 2);
  const mask = slots.length - 1;
  let start = 0;
  for (let index = 0; index < count; index++) {
    const hash = hashKey(packer, kinds[index], start, ends[index]);
    let slot = hash & mask;
    while (slots[slot] !== 0) slot = (slot + 1) & mask;
    slots[slot] = (index + 1) | (hash & TAG_MASK);
    start = ends[index];
  }
  packer.slots = slots;
}

/**
 * FNV-1a from a seed, then the finish of MurmurHash3, so that all bits depend on every octet. Four
 * parameters, as below, since an object per key is what this path avoids.
 */
function hashKey(packer: Packer, kind: number, start: number, end: number): number {
  const { keys } = packer;
  let hash = packer.hashSeed ^ kind;
  for (let index = start; index < end; index++) hash = Math.imul(hash ^ keys[index], 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

function isSameKey(packer: Packer, index: number, kind: number, octets: number): boolean {
  const { keys, ends, used } = packer;
  const start = index === 0 ? 0 : ends[index - 1];
  if (packer.kinds[index] !== kind || ends[index] - start !== octets) return false;
  for (let at = 0; at < octets; at++) if (keys[start + at] !== keys[used + at]) return false;
  return true;
}
