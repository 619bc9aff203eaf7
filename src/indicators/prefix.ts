/**
 * Prefixes in two forms: addresses as big-endian 32-bit words (one for IPv4, four for IPv6), for
 * arithmetic, and keys (prefix length, then the address in network order), for keeping.
 */

/** A range of 128-bit addresses takes at most 2 × 128 − 2 prefixes. */
export const PREFIXES_PER_RANGE_MAX = 254;

export const IPV4_KEY_OCTETS = 5;
export const IPV6_KEY_OCTETS = 17;

/** Clears the host bits in place. `length` counts network bits, from 0 to 32 per word. */
export function maskWords(words: Uint32Array, length: number): void {
  for (let index = 0; index < words.length; index++) {
    const bits = length - index * 32;
    if (bits <= 0) words[index] = 0;
    else if (bits < 32) words[index] &= ~(0xffffffff >>> bits);
  }
}

/** Negative, zero or positive, as the first address is below, at or above the second. */
export function compareWords(a: Uint32Array, b: Uint32Array): number {
  for (let index = 0; index < a.length; index++) {
    if (a[index] !== b[index]) return a[index] < b[index] ? -1 : 1;
  }
  return 0;
}

/**
 * Calls `emit` for the fewest prefixes that cover exactly the addresses from `first` to `last`, in
 * rising order; for none when `first` is above `last`. `words` is the same array at each call: read
 * it, neither keep nor change it.
 */
export function prefixesOfRange(
  first: Uint32Array,
  last: Uint32Array,
  emit: (words: Uint32Array, length: number) => void,
): void {
  const cursor = first.slice();
  const span = new Uint32Array(first.length);
  for (let prefixes = 0; prefixes < PREFIXES_PER_RANGE_MAX; prefixes++) {
    if (compareWords(cursor, last) > 0) return;
    subtractWords(last, cursor, span);
    // The largest block that begins here and does not reach beyond the end of the range.
    const hostBits = Math.min(trailingZeroBits(cursor), wholeBlockBits(span));
    emit(cursor, cursor.length * 32 - hostBits);
    if (!advanceWords(cursor, hostBits)) return;
  }
}

/** Reads as many words as fit `words` from network order. */
export function readWords(octets: Uint8Array, at: number, words: Uint32Array): void {
  for (let index = 0; index < words.length; index++) {
    const from = at + index * 4;
    words[index] =
      (octets[from] << 24) | (octets[from + 1] << 16) | (octets[from + 2] << 8) | octets[from + 3];
  }
}

/** The key of a prefix: its length, then its address with the host bits cleared. */
export function prefixKey(words: Uint32Array, length: number): Uint8Array {
  const key = new Uint8Array(1 + words.length * 4);
  key[0] = length;
  for (let index = 0; index < words.length; index++) {
    const word = words[index];
    key.set([word >>> 24, (word >>> 16) & 0xff, (word >>> 8) & 0xff, word & 0xff], 1 + index * 4);
  }
  return key.subarray(0, settlePrefixKey(key, 0, key.length));
}

/**
 * Brings the key of `octets` octets at `keys[at]` into its one form and returns its length then:
 * the host bits are cleared, and a prefix inside ::ffff:0:0/96 (RFC 4291 section 2.5.5.2) becomes
 * the IPv4 prefix that it means. A shorter one that contains that block stays IPv6.
 */
export function settlePrefixKey(keys: Uint8Array, at: number, octets: number): number {
  const first = at + 1;
  if (octets === IPV6_KEY_OCTETS && keys[at] >= 96 && isMapped(keys, first)) {
    keys[at] -= 96;
    keys.copyWithin(first, first + 12, first + 16);
    octets = IPV4_KEY_OCTETS;
  }
  const length = keys[at];
  for (let index = length >> 3; index < octets - 1; index++) {
    const bits = length - index * 8;
    keys[first + index] &= bits > 0 ? (0xff << (8 - bits)) & 0xff : 0;
  }
  return octets;
}

function isMapped(octets: Uint8Array, at: number): boolean {
  for (let index = 0; index < 10; index++) if (octets[at + index] !== 0) return false;
  return octets[at + 10] === 0xff && octets[at + 11] === 0xff;
}

/** `into` = a − b, where b is not above a. */
function subtractWords(a: Uint32Array, b: Uint32Array, into: Uint32Array): void {
  let borrow = 0;
  for (let index = a.length - 1; index >= 0; index--) {
    const difference = a[index] - b[index] - borrow;
    into[index] = difference;
    borrow = difference < 0 ? 1 : 0;
  }
}

function trailingZeroBits(words: Uint32Array): number {
  let bits = 0;
  for (let index = words.length - 1; index >= 0; index--, bits += 32) {
    const word = words[index];
    if (word !== 0) return bits + 31 - Math.clz32(word & -word);
  }
  return bits;
}

/** The largest n for which 2^n addresses fit into `span` + 1 addresses. */
function wholeBlockBits(span: Uint32Array): number {
  let top = 0;
  while (top < span.length && span[top] === 0) top++;
  if (top === span.length) return 0;
  const topBits = 32 - Math.clz32(span[top]);
  const bits = topBits + (span.length - 1 - top) * 32;
  let allOnes = span[top] === 0xffffffff >>> (32 - topBits);
  for (let index = top + 1; index < span.length; index++) {
    allOnes &&= span[index] === 0xffffffff;
  }
  return allOnes ? bits : bits - 1;
}

/** Adds 2^bits; false when that leads beyond the last address. */
function advanceWords(words: Uint32Array, bits: number): boolean {
  if (bits === words.length * 32) return false;
  let index = words.length - 1 - (bits >> 5);
  let carry = 2 ** (bits & 31);
  for (; index >= 0 && carry !== 0; index--) {
    const sum = words[index] + carry;
    words[index] = sum;
    carry = sum > 0xffffffff ? 1 : 0;
  }
  return carry === 0;
}
