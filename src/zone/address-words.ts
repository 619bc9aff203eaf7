/** Addresses as big-endian 32-bit words, one for IPv4 and four for IPv6; rows of them in one array. */

export function compareRows(
  a: Uint32Array,
  atA: number,
  b: Uint32Array,
  atB: number,
  words: number,
): number {
  for (let word = 0; word < words; word++) {
    const difference = a[atA + word] - b[atB + word];
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Adds one; false when the address was the last one, which then is the first. */
export function increment(address: Uint32Array): boolean {
  for (let word = address.length - 1; word >= 0; word--) {
    if (address[word] !== 0xffffffff) {
      address[word]++;
      return true;
    }
    address[word] = 0;
  }
  return false;
}

/** Takes one away; false when the address was the first one, which then is the last. */
export function decrement(address: Uint32Array): boolean {
  for (let word = address.length - 1; word >= 0; word--) {
    if (address[word] !== 0) {
      address[word]--;
      return true;
    }
    address[word] = 0xffffffff;
  }
  return false;
}

/** Writes the last address of the prefix that begins at `address[at]` into `last`. */
export function lastOfPrefix(
  address: Uint32Array,
  at: number,
  length: number,
  last: Uint32Array,
): void {
  for (let word = 0; word < last.length; word++) {
    const bits = Math.min(32, Math.max(0, length - word * 32));
    last[word] = address[at + word] | (bits === 32 ? 0 : 0xffffffff >>> bits);
  }
}
