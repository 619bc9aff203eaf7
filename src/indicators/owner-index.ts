import type { ImageReader, ImageWriter } from './memory-image.ts';
import type { OwnerSlab } from './owner-slab.ts';

export const NONE = 0xffffffff;

const SHARDS = 256;
const SHARD_SLOTS_FIRST = 16;
/** Of an image: about a megabyte of a large catalogue. */
const SHARDS_A_STEP = 16;
/** Slots per owner so that a shard stays below the load at which it grows. */
const RESERVE_FACTOR = 1.5;

/** A tag has the low bits of a hash, which say where a table of so many slots has its owner. */
const TAG_MASK = 0xffff;
const TAGGED_SLOTS_MAX = TAG_MASK + 1;

/**
 * One of the tables. A slot holds id + 1, 0 is empty; beside it lies the tag of its owner, so that
 * neither growing nor passing by has to read octets from all over the catalogue.
 */
interface Shard {
  readonly slots: Uint32Array<ArrayBuffer>;
  readonly tags: Uint16Array<ArrayBuffer>;
}

/**
 * Finds an owner's id by its octets: open addressing over 256 small tables. Each grows by itself,
 * so that no insertion ever has to rehash the whole catalogue.
 */
export class OwnerIndex {
  private readonly slab: OwnerSlab;
  private readonly shards: Shard[] = [];
  private readonly used = new Uint32Array(SHARDS);

  constructor(slab: OwnerSlab) {
    this.slab = slab;
    for (let shard = 0; shard < SHARDS; shard++) {
      this.shards.push(emptyShard(SHARD_SLOTS_FIRST));
    }
  }

  /** The id of the owner `source[from, to)`, whose hash is `hash`, or NONE. */
  find(source: Uint8Array, from: number, to: number, hash: number): number {
    const { slots, tags } = this.shards[hash >>> 24];
    const mask = slots.length - 1;
    const tag = hash & TAG_MASK;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const entry = slots[slot];
      if (entry === 0) return NONE;
      if (tags[slot] === tag && this.matches(entry - 1, source, from, to)) return entry - 1;
    }
  }

  /** Adds an id that is known to be absent. */
  add(id: number, hash: number): void {
    const shard = hash >>> 24;
    const { length } = this.shards[shard].slots;
    if (this.used[shard] + 1 > length * loadMax(shard)) this.resize(shard, length * 2);
    place(this.shards[shard], id, hash);
    this.used[shard]++;
  }

  /** Makes room for so many more owners at once, so that a large list does not grow each shard step by step. */
  reserve(more: number): void {
    const perShard = Math.ceil(((this.slab.count + more) / SHARDS) * RESERVE_FACTOR);
    for (let shard = 0; shard < SHARDS; shard++) {
      const { length } = this.shards[shard].slots;
      let slots = length;
      while (slots < perShard) slots *= 2;
      if (slots > length) this.resize(shard, slots);
    }
  }

  /** Step by step, since all slots are copied into one array. */
  *writeImage(image: ImageWriter): Generator<void> {
    image.array(this.used, 'stays');
    image.array(
      Uint32Array.from(this.shards, ({ slots }) => slots.length),
      'stays',
    );
    const total = this.shards.reduce((sum, { slots }) => sum + slots.length, 0);
    const slots = new Uint32Array(total);
    const tags = new Uint16Array(total);
    let at = 0;
    for (const [shard, own] of this.shards.entries()) {
      slots.set(own.slots, at);
      tags.set(own.tags, at);
      at += own.slots.length;
      if (shard % SHARDS_A_STEP === 0) yield;
    }
    image.array(slots, 'stays');
    image.array(new Uint8Array(tags.buffer), 'stays');
  }

  /** The shards of an image lie in one array each for slots and tags, which go when all of them have grown. */
  readImage(image: ImageReader): void {
    this.used.set(image.words(SHARDS).subarray(0, SHARDS));
    const lengths = image.words(SHARDS).subarray(0, SHARDS);
    const total = lengths.reduce((sum, length) => sum + length, 0);
    const slots = image.words(total);
    const tags = new Uint16Array(image.octets(total * 2).buffer);
    let at = 0;
    for (const [shard, length] of lengths.entries()) {
      if (length < SHARD_SLOTS_FIRST || (length & (length - 1)) !== 0)
        throw new Error(`a shard of the image has ${length} slots, which is no power of two`);
      this.shards[shard] = {
        slots: slots.subarray(at, at + length),
        tags: tags.subarray(at, at + length),
      };
      at += length;
    }
  }

  octets(): number {
    return this.shards.reduce(
      (octets, { slots, tags }) => octets + slots.byteLength + tags.byteLength,
      0,
    );
  }

  private matches(id: number, source: Uint8Array, from: number, to: number): boolean {
    const length = to - from;
    if (this.slab.length(id) !== length) return false;
    const block = this.slab.block(id);
    const offset = this.slab.offset(id);
    for (let index = 0; index < length; index++) {
      if (block[offset + index] !== source[from + index]) return false;
    }
    return true;
  }

  private resize(shard: number, length: number): void {
    const { slots, tags } = this.shards[shard];
    const larger = emptyShard(length);
    for (let slot = 0; slot < slots.length; slot++) {
      const entry = slots[slot];
      if (entry === 0) continue;
      const id = entry - 1;
      place(larger, id, length <= TAGGED_SLOTS_MAX ? tags[slot] : this.hashOf(id));
    }
    this.shards[shard] = larger;
  }

  private hashOf(id: number): number {
    const offset = this.slab.offset(id);
    return hashOwner(this.slab.block(id), offset, offset + this.slab.length(id));
  }
}

function emptyShard(length: number): Shard {
  return { slots: new Uint32Array(length), tags: new Uint16Array(length) };
}

/** Of the hash no more is needed than its tag, if the shard is not larger than tags say. */
function place({ slots, tags }: Shard, id: number, hash: number): void {
  const mask = slots.length - 1;
  let slot = hash & mask;
  while (slots[slot] !== 0) slot = (slot + 1) & mask;
  slots[slot] = id + 1;
  tags[slot] = hash & TAG_MASK;
}

/**
 * The load at which a shard grows, from 0.55 to 0.7. Shards fill alike: were it the same for all,
 * nearly all of them would grow within a few thousand owners, and for that time nothing else would
 * happen.
 */
function loadMax(shard: number): number {
  return 0.55 + (0.15 * shard) / SHARDS;
}

const HASH_SEED = 0x811c9dc5;

/**
 * Hashes from the last octet to the first, so that the hash of a name passes through the hashes of
 * all its ancestors (see `hashStep`).
 */
export function hashOwner(source: Uint8Array, from: number, to: number): number {
  let state = HASH_SEED;
  for (let index = to - 1; index >= from; index--) state = hashStep(state, source[index]);
  return hashEnd(state);
}

export const hashStart = (): number => HASH_SEED;

export function hashStep(state: number, octet: number): number {
  return Math.imul(state ^ octet, 0x01000193);
}

/** Mixes the state so that both the shard (top bits) and the slot (low bits) depend on every octet. */
export function hashEnd(state: number): number {
  let hash = state ^ (state >>> 16);
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
