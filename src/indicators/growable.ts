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
