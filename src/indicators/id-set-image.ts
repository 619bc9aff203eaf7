import { type Chunk, EMPTY_IDS, type IdSet } from './id-set.ts';
import type { ImageReader, ImageWriter } from './memory-image.ts';

const WORD_OCTETS = 4;
/** Per chunk of the pool: octets of an item, number of items, where it begins in the data (octets). */
const CHUNK_FIELDS = 3;

/** Sets of ids as they lie in memory. A chunk that several of them share is written once, and shared again when read. */
export function writeIdSets(image: ImageWriter, sets: readonly IdSet[]): void {
  const pool = new Map<Chunk, number>();
  const table: number[] = [];
  const layout: number[] = [];
  let octets = 0;
  for (const { chunks, counts, size } of sets) {
    layout.push(size, chunks.length);
    for (const [place, chunk] of chunks.entries()) {
      if (chunk === undefined) {
        layout.push(0, 0);
        continue;
      }
      const known = pool.get(chunk);
      if (known === undefined) {
        table.push(chunk.BYTES_PER_ELEMENT, chunk.length, octets);
        octets += Math.ceil(chunk.byteLength / WORD_OCTETS) * WORD_OCTETS;
        pool.set(chunk, pool.size);
      }
      // 0 stands for no chunk.
      layout.push((known ?? pool.size - 1) + 1, counts[place]);
    }
  }
  const data = new Uint8Array(octets);
  for (const [chunk, index] of pool) {
    const { buffer, byteOffset, byteLength } = chunk;
    data.set(new Uint8Array(buffer, byteOffset, byteLength), table[index * CHUNK_FIELDS + 2]);
  }
  image.number(sets.length);
  image.number(layout.length);
  image.number(pool.size);
  image.number(octets);
  image.array(Uint32Array.from(layout), 'stays');
  image.array(Uint32Array.from(table), 'stays');
  image.array(data, 'stays');
}

/** What `writeIdSets` wrote. Throws when it does not fit together. */
export function readIdSets(image: ImageReader): IdSet[] {
  const [count, layoutLength, poolSize, octets] = Array.from({ length: 4 }, () => image.number());
  const layout = image.words(layoutLength);
  const table = image.words(poolSize * CHUNK_FIELDS);
  const { buffer } = image.octets(octets);
  const pool = Array.from({ length: poolSize }, (_, index): Chunk => {
    const [itemOctets, length, at] = table.subarray(index * CHUNK_FIELDS);
    // A copy, so that the sets that change one by one give back their memory one by one.
    return itemOctets === 2
      ? new Uint16Array(buffer, at, length).slice()
      : new Uint32Array(buffer, at, length).slice();
  });
  let at = 0;
  return Array.from({ length: count }, (): IdSet => {
    const [size, length] = layout.subarray(at, at + 2);
    at += 2;
    const chunks: (Chunk | undefined)[] = [];
    const counts: number[] = [];
    for (let place = 0; place < length; place++, at += 2) {
      const index = layout[at];
      if (index > poolSize) throw new Error(`the image of sets has no chunk ${index}`);
      chunks.push(index === 0 ? undefined : pool[index - 1]);
      counts.push(layout[at + 1]);
    }
    return size === 0 ? EMPTY_IDS : { chunks, counts, size };
  });
}
