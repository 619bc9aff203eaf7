import { grownUint32 } from './growable.ts';
import type { ImageReader, ImageWriter } from './memory-image.ts';
import { NONE } from './owner-index.ts';

/** What the order needs to know of a prefix; `word` is the given big-endian 32-bit word of its address. */
export interface PrefixReader {
  word(id: number, index: number): number;
  prefixLength(id: number): number;
}

/**
 * The prefixes of one trigger and family in rising order: by network address, the shorter first.
 * That is the pre-order of the tree of containment, so the prefixes inside a prefix follow it
 * directly.
 */
export class PrefixOrder {
  count = 0;
  readonly words: 1 | 4;
  private ids = new Uint32Array(64);
  private readonly reader: PrefixReader;

  constructor(words: 1 | 4, reader: PrefixReader) {
    this.words = words;
    this.reader = reader;
  }

  writeImage(image: ImageWriter): void {
    image.number(this.count);
    image.array(this.ids.subarray(0, this.count), 'grows');
  }

  readImage(image: ImageReader): void {
    this.count = image.number();
    this.ids = image.words(this.count);
  }

  at(position: number): number {
    return this.ids[position];
  }

  /** Merges ids that are not in the order yet: one move of the tail per id at most, no re-sort. */
  insert(fresh: number[]): void {
    fresh.sort((a, b) => this.compare(a, b));
    this.ids = grownUint32(this.ids, this.count + fresh.length);
    let end = this.count;
    for (let index = fresh.length - 1; index >= 0; index--) {
      const position = this.lowerBoundOf(fresh[index], end);
      this.ids.copyWithin(position + index + 1, position, end);
      this.ids[position + index] = fresh[index];
      end = position;
    }
    this.count += fresh.length;
  }

  /** Writes the network address of one of its prefixes into `words`. */
  addressOf(id: number, words: Uint32Array): void {
    for (let word = 0; word < this.words; word++) words[word] = this.reader.word(id, word);
  }

  /** Where the prefix stands, or would stand. */
  positionOf(id: number): number {
    return this.lowerBoundOf(id, this.count);
  }

  /** The first position whose network address is at or above `words`. */
  positionOfAddress(words: Uint32Array): number {
    let from = 0;
    let to = this.count;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (this.compareAddress(this.ids[middle], words) < 0) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  /** Whether prefix `outer` contains prefix `inner` or is it. */
  contains(outer: number, inner: number): boolean {
    const length = this.reader.prefixLength(outer);
    if (length > this.reader.prefixLength(inner)) return false;
    for (let word = 0; word * 32 < length; word++) {
      const bits = Math.min(32, length - word * 32);
      const mask = bits === 32 ? 0xffffffff : ~(0xffffffff >>> bits);
      if (((this.reader.word(outer, word) ^ this.reader.word(inner, word)) & mask) !== 0)
        return false;
    }
    return true;
  }

  /** The nearest prefix that contains the address `words`/`length`, found from the order itself. */
  nearestContaining(words: Uint32Array, length: number, parents: Uint32Array): number {
    let candidate = this.positionOfAddress(words);
    while (candidate < this.count && this.compareAddress(this.ids[candidate], words) === 0)
      candidate++;
    let id = candidate === 0 ? NONE : this.ids[candidate - 1];
    while (id !== NONE && !this.containsAddress(id, words, length)) id = parents[id];
    return id;
  }

  private containsAddress(outer: number, words: Uint32Array, innerLength: number): boolean {
    const length = this.reader.prefixLength(outer);
    if (length > innerLength) return false;
    for (let word = 0; word * 32 < length; word++) {
      const bits = Math.min(32, length - word * 32);
      const mask = bits === 32 ? 0xffffffff : ~(0xffffffff >>> bits);
      if (((this.reader.word(outer, word) ^ words[word]) & mask) !== 0) return false;
    }
    return true;
  }

  private lowerBoundOf(id: number, end: number): number {
    let from = 0;
    let to = end;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (this.compare(this.ids[middle], id) < 0) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  private compare(a: number, b: number): number {
    for (let word = 0; word < this.words; word++) {
      const difference = this.reader.word(a, word) - this.reader.word(b, word);
      if (difference !== 0) return difference;
    }
    return this.reader.prefixLength(a) - this.reader.prefixLength(b);
  }

  private compareAddress(id: number, words: Uint32Array): number {
    for (let word = 0; word < this.words; word++) {
      const difference = this.reader.word(id, word) - words[word];
      if (difference !== 0) return difference;
    }
    return 0;
  }
}
