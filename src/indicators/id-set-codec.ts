import { readUint32, writeUint32 } from '../dns/octets.ts';
import { EMPTY_IDS, type IdSet, idSetOf, idsOf } from './id-set.ts';

/**
 * Ids for the database: how many (4 octets), then the distance of each to the one before in base
 * 128, low digits first. A dense set takes an octet per id.
 */
export function encodeIds(ids: Uint32Array | IdSet): Uint8Array {
  const list = ids instanceof Uint32Array ? ids : idsOf(ids);
  let bytes = new Uint8Array(4 + list.length + 64);
  let at = writeUint32(bytes, 0, list.length);
  let previous = 0;
  for (const id of list) {
    if (at + 5 > bytes.length) {
      const larger = new Uint8Array(bytes.length * 2);
      larger.set(bytes);
      bytes = larger;
    }
    let distance = id - previous;
    for (; distance >= 0x80; distance = Math.floor(distance / 0x80))
      bytes[at++] = (distance & 0x7f) | 0x80;
    bytes[at++] = distance;
    previous = id;
  }
  return bytes.slice(0, at);
}

/** Reads what `encodeIds` wrote at `from`; `next` is the offset behind it. */
export function decodeIds(bytes: Uint8Array, from = 0): { ids: Uint32Array; next: number } {
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

export function idSetFrom(ids: Uint32Array): IdSet {
  return ids.length === 0 ? EMPTY_IDS : idSetOf(ids);
}
