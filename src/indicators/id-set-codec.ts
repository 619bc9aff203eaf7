import { readUint16, readUint32, writeUint16, writeUint32 } from '../dns/octets.ts';
import { EMPTY_IDS, type IdSet, idSetFromChunks, idSetOf, idsOf } from './id-set.ts';

/** Sets of more ids are written as their chunks lie in memory: a copy instead of a loop over ids. */
const LISTED_MAX = 4_096;
/** In the octets that say how many ids there are: chunks follow, no distances. */
const CHUNKED = 0x80000000;
const CHUNK_HEADER_OCTETS = 8;

/**
 * Ids for the database: how many (4 octets), then the distance of each to the one before in base
 * 128, low digits first. Large sets have the first bit set and are followed by the number of chunks
 * (2 octets) and each chunk: its place (2), the octets of an item (2), how many octets (4), and the
 * octets themselves, little-endian as on every machine that Node runs on.
 */
export function encodeIds(ids: Uint32Array | IdSet): Uint8Array {
  const isArray = ids instanceof Uint32Array;
  const count = isArray ? ids.length : ids.size;
  if (count > LISTED_MAX) return encodeChunks(isArray ? idSetOf(ids) : ids);
  return encodeDistances(isArray ? ids : idsOf(ids));
}

/** Reads what `encodeIds` wrote at `from`; `next` is the offset behind it. */
export function decodeIds(bytes: Uint8Array, from = 0): { ids: Uint32Array; next: number } {
  if (readUint32(bytes, from) >= CHUNKED) {
    const { set, next } = decodeChunks(bytes, from);
    return { ids: idsOf(set), next };
  }
  return decodeDistances(bytes, from);
}

/** As `decodeIds`, as a set. */
export function decodeIdSet(bytes: Uint8Array, from = 0): { set: IdSet; next: number } {
  if (readUint32(bytes, from) >= CHUNKED) return decodeChunks(bytes, from);
  const { ids, next } = decodeDistances(bytes, from);
  return { set: idSetFrom(ids), next };
}

export function idSetFrom(ids: Uint32Array): IdSet {
  return ids.length === 0 ? EMPTY_IDS : idSetOf(ids);
}

function encodeChunks({ chunks, size }: IdSet): Uint8Array {
  const held = chunks.flatMap((chunk, place) => (chunk === undefined ? [] : [{ chunk, place }]));
  const octets = held.reduce((sum, { chunk }) => sum + CHUNK_HEADER_OCTETS + chunk.byteLength, 6);
  const bytes = new Uint8Array(octets);
  let at = writeUint32(bytes, 0, (CHUNKED | size) >>> 0);
  at = writeUint16(bytes, at, held.length);
  for (const { chunk, place } of held) {
    at = writeUint16(bytes, at, place);
    at = writeUint16(bytes, at, chunk.BYTES_PER_ELEMENT);
    at = writeUint32(bytes, at, chunk.byteLength);
    bytes.set(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength), at);
    at += chunk.byteLength;
  }
  return bytes;
}

function decodeChunks(bytes: Uint8Array, from: number): { set: IdSet; next: number } {
  const chunks: (Uint16Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | undefined)[] = [];
  let at = from + 6;
  for (let left = readUint16(bytes, from + 4); left > 0; left--) {
    const place = readUint16(bytes, at);
    const itemOctets = readUint16(bytes, at + 2);
    const length = readUint32(bytes, at + 4);
    at += CHUNK_HEADER_OCTETS;
    // A copy, so that it is aligned and the row that it came from can go.
    const { buffer } = Uint8Array.from(bytes.subarray(at, at + length));
    while (chunks.length <= place) chunks.push(undefined);
    chunks[place] = itemOctets === 2 ? new Uint16Array(buffer) : new Uint32Array(buffer);
    at += length;
  }
  return { set: idSetFromChunks(chunks), next: at };
}

function encodeDistances(list: Uint32Array): Uint8Array {
  const bytes = new Uint8Array(4 + list.length * 5);
  let at = writeUint32(bytes, 0, list.length);
  let previous = 0;
  for (const id of list) {
    let distance = id - previous;
    for (; distance >= 0x80; distance = Math.floor(distance / 0x80))
      bytes[at++] = (distance & 0x7f) | 0x80;
    bytes[at++] = distance;
    previous = id;
  }
  return bytes.slice(0, at);
}

function decodeDistances(bytes: Uint8Array, from: number): { ids: Uint32Array; next: number } {
  const ids = new Uint32Array(readUint32(bytes, from));
  let at = from + 4;
  let previous = 0;
  for (let index = 0; index < ids.length; index++) {
    let distance = 0;
    let factor = 1;
    for (; bytes[at] >= 0x80; factor *= 0x80) distance += (bytes[at++] & 0x7f) * factor;
    distance += bytes[at++] * factor;
    previous += distance;
    ids[index] = previous;
  }
  return { ids, next: at };
}
