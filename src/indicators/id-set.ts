/**
 * Immutable sets of catalogue ids.
 *
 * Ids are split into chunks of 65,536. A chunk is a sorted list of low halves while it holds few
 * ids, else a bitmap of 8 KiB, so that a dense set costs one bit per id. Operations share every
 * chunk that they do not change: a snapshot of a set is the set itself.
 */
type SparseChunk = Uint16Array<ArrayBuffer>;
type DenseChunk = Uint32Array<ArrayBuffer>;
export type Chunk = SparseChunk | DenseChunk;

export interface IdSet {
  /** Absent where nothing is held; a Uint16Array is a sorted list, a Uint32Array a bitmap. */
  readonly chunks: readonly (Chunk | undefined)[];
  readonly counts: readonly number[];
  readonly size: number;
}

const CHUNK_IDS = 65_536;
const CHUNK_WORDS = CHUNK_IDS / 32;
/** Above this a list would be larger than the bitmap. */
const SPARSE_IDS_MAX = 4_096;

export const EMPTY_IDS: IdSet = { chunks: [], counts: [], size: 0 };

export function hasId(set: IdSet, id: number): boolean {
  const chunk = set.chunks[id >>> 16];
  if (chunk === undefined) return false;
  return isInChunk(chunk, id & 0xffff);
}

function isInChunk(chunk: Chunk, low: number): boolean {
  if (chunk instanceof Uint32Array) return ((chunk[low >>> 5] >>> (low & 31)) & 1) === 1;
  return isAt(chunk, lowerBound(chunk, low), low);
}

/**
 * Writes `mark` beside each of the rising `ids` that the set holds and that has no mark yet (0).
 * Returns how many it marked. A chunk that the set does not have is passed over as a whole, so that
 * asking many sets about a few neighbouring ids costs next to nothing.
 */
export function markHeld(set: IdSet, ids: Uint32Array, marks: Uint32Array, mark: number): number {
  let marked = 0;
  for (let at = 0; at < ids.length; ) {
    const index = ids[at] >>> 16;
    const chunk = set.chunks[index];
    let end = at + 1;
    if (chunk === undefined) {
      while (end < ids.length && ids[end] >>> 16 === index) end++;
    } else {
      for (end = at; end < ids.length && ids[end] >>> 16 === index; end++) {
        if (marks[end] !== 0 || !isInChunk(chunk, ids[end] & 0xffff)) continue;
        marks[end] = mark;
        marked++;
      }
    }
    at = end;
  }
  return marked;
}

/** `ids` must rise strictly. */
export function idSetOf(ids: Uint32Array | readonly number[]): IdSet {
  return withIds(EMPTY_IDS, ids, []);
}

/** Visits ids from `from` (inclusive) to `to` (exclusive) in rising order; stops when `visit` says false. */
export function visitIds(
  set: IdSet,
  visit: (id: number) => boolean | undefined,
  from = 0,
  to = Number.POSITIVE_INFINITY,
): void {
  for (let index = from >>> 16; index < set.chunks.length; index++) {
    const base = index * CHUNK_IDS;
    if (base >= to) return;
    const chunk = set.chunks[index];
    if (chunk === undefined) continue;
    const lowFrom = Math.max(0, from - base);
    const lowTo = Math.min(CHUNK_IDS, to - base);
    const goOn =
      chunk instanceof Uint32Array
        ? visitDense(chunk, base, lowFrom, lowTo, visit)
        : visitSparse(chunk, base, lowFrom, lowTo, visit);
    if (!goOn) return;
  }
}

/**
 * Writes ids from `from` on into `into`, in rising order, as many as there are and as it has room for;
 * returns how many. For loops that cannot afford a call for each id.
 */
export function readIds(set: IdSet, from: number, into: Uint32Array): number {
  let length = 0;
  for (let index = from >>> 16; index < set.chunks.length && length < into.length; index++) {
    const chunk = set.chunks[index];
    if (chunk === undefined) continue;
    const base = index * CHUNK_IDS;
    const low = Math.max(0, from - base);
    length =
      chunk instanceof Uint32Array
        ? readDense(chunk, base, low, into, length)
        : readSparse(chunk, base, low, into, length);
  }
  return length;
}

function readDense(
  bits: DenseChunk,
  base: number,
  from: number,
  into: Uint32Array,
  at: number,
): number {
  let length = at;
  let word = bits[from >>> 5] & (-1 << (from & 31));
  for (let index = from >>> 5; ; word = bits[index]) {
    for (; word !== 0; word &= word - 1) {
      if (length === into.length) return length;
      into[length++] = base + index * 32 + lowestBit(word);
    }
    if (++index === CHUNK_WORDS) return length;
  }
}

function readSparse(
  list: SparseChunk,
  base: number,
  from: number,
  into: Uint32Array,
  at: number,
): number {
  let length = at;
  for (let index = from === 0 ? 0 : lowerBound(list, from); index < list.length; index++) {
    if (length === into.length) return length;
    into[length++] = base + list[index];
  }
  return length;
}

export function idsOf(set: IdSet): Uint32Array {
  const ids = new Uint32Array(set.size);
  readIds(set, 0, ids);
  return ids;
}

export const unionIds = (a: IdSet, b: IdSet): IdSet => combine(a, b, UNION);
export const intersectIds = (a: IdSet, b: IdSet): IdSet => combine(a, b, INTERSECTION);
export const subtractIds = (a: IdSet, b: IdSet): IdSet => combine(a, b, DIFFERENCE);
export const symmetricDifferenceIds = (a: IdSet, b: IdSet): IdSet =>
  combine(a, b, SYMMETRIC_DIFFERENCE);

/** The set without `removed` and with `added`; both rise strictly. Only touched chunks are copied. */
export function withIds(
  set: IdSet,
  added: Uint32Array | readonly number[],
  removed: Uint32Array | readonly number[],
): IdSet {
  if (added.length === 0 && removed.length === 0) return set;
  const chunks = set.chunks.slice();
  const counts = set.counts.slice();
  let size = set.size;
  let a = 0;
  let r = 0;
  while (a < added.length || r < removed.length) {
    const index = Math.min(added[a] ?? 0xffffffff, removed[r] ?? 0xffffffff) >>> 16;
    const before = counts[index] ?? 0;
    let count = before;
    loadBits(scratch, chunks[index]);
    for (; r < removed.length && removed[r] >>> 16 === index; r++) {
      const low = removed[r] & 0xffff;
      const bit = 1 << (low & 31);
      if ((scratch[low >>> 5] & bit) === 0) continue;
      scratch[low >>> 5] &= ~bit;
      count--;
    }
    for (; a < added.length && added[a] >>> 16 === index; a++) {
      const low = added[a] & 0xffff;
      const bit = 1 << (low & 31);
      if ((scratch[low >>> 5] & bit) !== 0) continue;
      scratch[low >>> 5] |= bit;
      count++;
    }
    while (chunks.length <= index) {
      chunks.push(undefined);
      counts.push(0);
    }
    chunks[index] = storeBits(scratch, count);
    counts[index] = count;
    size += count - before;
  }
  return size === 0 ? EMPTY_IDS : { chunks, counts, size };
}

/** A set over chunks as another set of this module had them. */
export function idSetFromChunks(chunks: readonly (Chunk | undefined)[]): IdSet {
  const counts = chunks.map((chunk) => (chunk === undefined ? 0 : countIn(chunk)));
  const size = counts.reduce((sum, count) => sum + count, 0);
  return size === 0 ? EMPTY_IDS : { chunks, counts, size };
}

function countIn(chunk: Chunk): number {
  if (chunk instanceof Uint16Array) return chunk.length;
  let count = 0;
  for (let index = 0; index < CHUNK_WORDS; index++) count += popCount(chunk[index]);
  return count;
}

/** Whether `b` has all ids of `a`. */
export function isSubset(a: IdSet, b: IdSet): boolean {
  if (a === b || a.size === 0) return true;
  if (a.size > b.size) return false;
  return a.chunks.every((chunk, index) => {
    const other = b.chunks[index];
    if (chunk === undefined || chunk === other) return true;
    return other !== undefined && isChunkWithin(chunk, other);
  });
}

function isChunkWithin(a: Chunk, b: Chunk): boolean {
  if (a instanceof Uint16Array) return a.every((low) => isInChunk(b, low));
  const right = b instanceof Uint32Array ? b : loadBits(scratchRight, b);
  for (let index = 0; index < CHUNK_WORDS; index++) {
    if ((a[index] & ~right[index]) !== 0) return false;
  }
  return true;
}

/** Octets that the set holds on to, for memory accounts. */
export function idSetOctets(set: IdSet): number {
  return set.chunks.reduce((octets, chunk) => octets + (chunk?.byteLength ?? 0), 0);
}

/** What stands for the result where one side, or both sides alike, hold a chunk. */
interface Operation {
  readonly name: 'union' | 'intersection' | 'difference' | 'symmetric-difference';
  readonly keepsLonelyA: boolean;
  readonly keepsLonelyB: boolean;
  /** Result of combining a chunk with itself: the chunk, or nothing. */
  readonly keepsSame: boolean;
}
const UNION: Operation = {
  name: 'union',
  keepsLonelyA: true,
  keepsLonelyB: true,
  keepsSame: true,
};
const INTERSECTION: Operation = {
  name: 'intersection',
  keepsLonelyA: false,
  keepsLonelyB: false,
  keepsSame: true,
};
const DIFFERENCE: Operation = {
  name: 'difference',
  keepsLonelyA: true,
  keepsLonelyB: false,
  keepsSame: false,
};
const SYMMETRIC_DIFFERENCE: Operation = {
  name: 'symmetric-difference',
  keepsLonelyA: true,
  keepsLonelyB: true,
  keepsSame: false,
};

function combine(a: IdSet, b: IdSet, operation: Operation): IdSet {
  if (a === b) return operation.keepsSame ? a : EMPTY_IDS;
  if (a.size === 0) return operation.keepsLonelyB ? b : EMPTY_IDS;
  if (b.size === 0) return operation.keepsLonelyA ? a : EMPTY_IDS;
  const length = Math.max(a.chunks.length, b.chunks.length);
  const chunks = new Array<Chunk | undefined>(length);
  const counts = new Array<number>(length);
  let size = 0;
  for (let index = 0; index < length; index++) {
    const chunkA = a.chunks[index];
    const chunkB = b.chunks[index];
    const kept = lonelyChunk(chunkA, chunkB, operation);
    if (kept !== 'both') {
      chunks[index] = kept;
      counts[index] = kept === undefined ? 0 : ((kept === chunkA ? a : b).counts[index] ?? 0);
    } else {
      const count = combineBits(chunkA!, chunkB!, operation);
      // An equal count means an equal chunk for all but the symmetric difference; sharing it
      // keeps snapshots of large sets almost free.
      const unchanged = operation !== SYMMETRIC_DIFFERENCE && count === a.counts[index];
      chunks[index] = unchanged ? chunkA : storeBits(scratch, count);
      counts[index] = count;
    }
    size += counts[index];
  }
  return size === 0 ? EMPTY_IDS : { chunks, counts, size };
}

function lonelyChunk(
  a: Chunk | undefined,
  b: Chunk | undefined,
  operation: Operation,
): Chunk | undefined | 'both' {
  if (a === undefined) return operation.keepsLonelyB ? b : undefined;
  if (b === undefined) return operation.keepsLonelyA ? a : undefined;
  if (a === b) return operation.keepsSame ? a : undefined;
  return 'both';
}

const scratch = new Uint32Array(CHUNK_WORDS);
const scratchRight = new Uint32Array(CHUNK_WORDS);

/** Leaves the result in `scratch` and returns how many ids it holds. */
function combineBits(a: Chunk, b: Chunk, operation: Operation): number {
  const right = b instanceof Uint32Array ? b : loadBits(scratchRight, b);
  const left = loadBits(scratch, a);
  // A loop for each operation: a function called per word costs several times the work itself.
  switch (operation.name) {
    case 'union':
      for (let index = 0; index < CHUNK_WORDS; index++) left[index] |= right[index];
      break;
    case 'intersection':
      for (let index = 0; index < CHUNK_WORDS; index++) left[index] &= right[index];
      break;
    case 'difference':
      for (let index = 0; index < CHUNK_WORDS; index++) left[index] &= ~right[index];
      break;
    case 'symmetric-difference':
      for (let index = 0; index < CHUNK_WORDS; index++) left[index] ^= right[index];
      break;
  }
  let count = 0;
  for (let index = 0; index < CHUNK_WORDS; index++) count += popCount(left[index]);
  return count;
}

function loadBits(bits: DenseChunk, chunk: Chunk | undefined): DenseChunk {
  if (chunk instanceof Uint32Array) {
    bits.set(chunk);
    return bits;
  }
  bits.fill(0);
  if (chunk !== undefined) {
    for (let index = 0; index < chunk.length; index++) {
      const low = chunk[index];
      bits[low >>> 5] |= 1 << (low & 31);
    }
  }
  return bits;
}

function storeBits(bits: DenseChunk, count: number): Chunk | undefined {
  if (count === 0) return undefined;
  if (count > SPARSE_IDS_MAX) return bits.slice();
  const list = new Uint16Array(count);
  let length = 0;
  for (let index = 0; length < count; index++) {
    for (let word = bits[index]; word !== 0; word &= word - 1) {
      list[length++] = index * 32 + lowestBit(word);
    }
  }
  return list;
}

function visitDense(
  bits: DenseChunk,
  base: number,
  from: number,
  to: number,
  visit: (id: number) => boolean | undefined,
): boolean {
  const lastWord = (to - 1) >>> 5;
  for (let index = from >>> 5; index <= lastWord; index++) {
    for (let word = bits[index]; word !== 0; word &= word - 1) {
      const low = index * 32 + lowestBit(word);
      if (low < from) continue;
      if (low >= to) return false;
      if (visit(base + low) === false) return false;
    }
  }
  return true;
}

function visitSparse(
  list: SparseChunk,
  base: number,
  from: number,
  to: number,
  visit: (id: number) => boolean | undefined,
): boolean {
  for (let index = from === 0 ? 0 : lowerBound(list, from); index < list.length; index++) {
    if (list[index] >= to) return false;
    if (visit(base + list[index]) === false) return false;
  }
  return true;
}

function lowerBound(list: SparseChunk, low: number): number {
  let from = 0;
  let to = list.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (list[middle] < low) from = middle + 1;
    else to = middle;
  }
  return from;
}

function isAt(list: SparseChunk, index: number, low: number): boolean {
  return index < list.length && list[index] === low;
}

function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word);
}

function popCount(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
