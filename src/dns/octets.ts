/** Numbers in network order and copies of octets. Offsets are the caller's to check. */

export function readUint16(from: Uint8Array, offset: number): number {
  return (from[offset] << 8) | from[offset + 1];
}

export function readUint32(from: Uint8Array, offset: number): number {
  return readUint16(from, offset) * 2 ** 16 + readUint16(from, offset + 2);
}

/** The 48-bit seconds of RFC 8945 section 4.2. */
export function readUint48(from: Uint8Array, offset: number): number {
  return readUint16(from, offset) * 2 ** 32 + readUint32(from, offset + 2);
}

/** Like the others below it returns the offset behind what it wrote. */
export function writeUint16(into: Uint8Array, offset: number, value: number): number {
  into[offset] = value >>> 8;
  into[offset + 1] = value;
  return offset + 2;
}

export function writeUint32(into: Uint8Array, offset: number, value: number): number {
  writeUint16(into, offset, value >>> 16);
  return writeUint16(into, offset + 2, value);
}

export function writeUint48(into: Uint8Array, offset: number, value: number): number {
  writeUint16(into, offset, Math.floor(value / 2 ** 32));
  return writeUint32(into, offset + 2, value);
}

/** Short runs, which names and rdata are, copy faster in a loop than through a view and `set`. */
export function writeOctets(
  into: Uint8Array,
  offset: number,
  from: Uint8Array,
  start = 0,
  end = from.length,
): number {
  let position = offset;
  if (end - start > LOOP_OCTETS_MAX) {
    into.set(from.subarray(start, end), position);
    return position + end - start;
  }
  for (let i = start; i < end; i += 1) into[position++] = from[i];
  return position;
}

const LOOP_OCTETS_MAX = 64;

/** A copy that is a plain Uint8Array even of a Buffer, whose own `slice` would be a view. */
export function copyOctets(from: Uint8Array, start = 0, end = from.length): Uint8Array {
  const copy = new Uint8Array(end - start);
  writeOctets(copy, 0, from, start, end);
  return copy;
}
