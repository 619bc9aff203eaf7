import { NAME_LABELS_MAX } from './name.ts';
import { writeOctets } from './octets.ts';

/**
 * Remembers which names stand where in the message being written, and points to them (RFC 1035
 * section 4.1.4). Names share a suffix only when its octets are equal, so that each keeps its case.
 *
 * A tree of labels in an open-addressing table: an entry is a label and the offset of the name that
 * follows it. Every suffix that was written and can be pointed to is in it once, so a lookup
 * compares one label, never a chain of pointers. Nothing is allocated per name
 * (test/dns/codec-cost.test.ts).
 */
export interface NameCompressor {
  /** Forgets everything, for the next message. */
  clear(): void;
  /**
   * Writes the name that starts at `start` of `octets` to `offset` of the message; returns the
   * offset behind it, or -1 and writes nothing when it would pass `limit`.
   */
  write(octets: Uint8Array, start: number, offset: number, limit: number): number;
  /**
   * Comes before what may have to be taken back: how much is remembered, which `forgetAfter`
   * returns to. It also takes over the tables below.
   */
  mark(): number;
  forgetAfter(mark: number): void;
}

/** Offsets that fit the 14 bits of a pointer. */
const POINTER_OFFSET_MAX = 0x3fff;
/** Slots of the table; at most half are used, beyond that names are only written, not remembered. */
const SLOTS = 4096;
const ENTRIES_MAX = SLOTS / 2;
/** The offset of "no name": nothing can be at 0, where the header is. */
const NONE = 0;

// One set of tables for all compressors, since making them costs more than writing a short
// message. It belongs to the compressor that used it last; another one that comes in between takes
// it over empty, and the first only finds fewer names to point to.
const offsets = new Uint16Array(SLOTS);
const parents = new Uint16Array(SLOTS);
const used = new Uint16Array(ENTRIES_MAX);
let entries = 0;
let owner: NameCompressor | null = null;
/** Where the labels of the name in hand start, counted from its own start; the root is the last. */
const labelStarts = new Uint8Array(NAME_LABELS_MAX + 1);

export function createNameCompressor(message: Uint8Array): NameCompressor {
  const compressor: NameCompressor = {
    clear() {
      forgetAfter(0);
      owner = compressor;
    },
    write(octets, start, offset, limit) {
      let newLabels = findLabels(octets, start);
      let suffix = NONE;
      for (; newLabels > 0; newLabels -= 1) {
        const slot = findSlot(message, suffix, octets, start + labelStarts[newLabels - 1]);
        if (offsets[slot] === NONE) break;
        suffix = offsets[slot];
      }
      const end = offset + labelStarts[newLabels] + (suffix === NONE ? 1 : 2);
      if (end > limit) return -1;
      writeOctets(message, offset, octets, start, start + labelStarts[newLabels]);
      remember(message, offset, newLabels, suffix);
      if (suffix !== NONE) message[end - 2] = 0xc0 | (suffix >>> 8);
      message[end - 1] = suffix;
      return end;
    },
    mark() {
      if (owner !== compressor) compressor.clear();
      return entries;
    },
    forgetAfter,
  };
  return compressor;
}

function forgetAfter(mark: number): void {
  // Last in, first out: that keeps every probe sequence of the table whole.
  while (entries > mark) offsets[used[--entries]] = NONE;
}

function findLabels(octets: Uint8Array, start: number): number {
  let labels = 0;
  let position = start;
  for (; octets[position] > 0; position += 1 + octets[position]) {
    labelStarts[labels++] = position - start;
  }
  labelStarts[labels] = position - start;
  return labels;
}

/** Remembers the new labels at `offset` of the message, rightmost first, each before the one to its right. */
function remember(message: Uint8Array, offset: number, newLabels: number, suffix: number): void {
  let parent = suffix;
  for (let i = newLabels - 1; i >= 0; i -= 1) {
    const at = offset + labelStarts[i];
    if (at > POINTER_OFFSET_MAX || entries === ENTRIES_MAX) return;
    const slot = findSlot(message, parent, message, at);
    offsets[slot] = at;
    parents[slot] = parent;
    used[entries++] = slot;
    parent = at;
  }
}

/** The slot of a label of `octets` with its parent, or the free slot where the two would go. */
function findSlot(message: Uint8Array, parent: number, octets: Uint8Array, label: number): number {
  let slot = hashLabel(octets, label, parent) & (SLOTS - 1);
  while (
    offsets[slot] !== NONE &&
    !(parents[slot] === parent && sameLabel(message, offsets[slot], octets, label))
  ) {
    slot = (slot + 1) & (SLOTS - 1);
  }
  return slot;
}

/** FNV-1a over the label, its length included, from a start that depends on the parent. */
function hashLabel(octets: Uint8Array, label: number, parent: number): number {
  const end = label + octets[label];
  let hash = Math.imul(parent + 1, 0x9e3779b1);
  for (let i = label; i <= end; i += 1) hash = Math.imul(hash ^ octets[i], 0x01000193);
  return hash ^ (hash >>> 15);
}

function sameLabel(a: Uint8Array, startA: number, b: Uint8Array, startB: number): boolean {
  const length = a[startA];
  for (let i = 0; i <= length; i += 1) if (a[startA + i] !== b[startB + i]) return false;
  return true;
}
