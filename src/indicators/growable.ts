/** Arrays of the catalogue that have an item for each owner. */
const COLUMNS = 6;

/**
 * The size at which a column begins. All are as long as there are owners; were they to begin alike,
 * all of them would double at the same owner, which takes tens of milliseconds with a million. So
 * their sizes lie apart, evenly between one power of two and the next, and one grows at a time.
 */
export function columnStart(column: 0 | 1 | 2 | 3 | 4 | 5): number {
  return Math.ceil(1024 * 2 ** (column / COLUMNS));
}

/** Returns `array`, or a larger copy of it that has room for `length` items. Doubles, so that appending stays cheap. */
export function grownUint32(
  array: Uint32Array<ArrayBuffer>,
  length: number,
): Uint32Array<ArrayBuffer> {
  if (length <= array.length) return array;
  const larger = new Uint32Array(Math.max(length, array.length * 2));
  larger.set(array);
  return larger;
}

export function grownUint8(
  array: Uint8Array<ArrayBuffer>,
  length: number,
): Uint8Array<ArrayBuffer> {
  if (length <= array.length) return array;
  const larger = new Uint8Array(Math.max(length, array.length * 2));
  larger.set(array);
  return larger;
}
