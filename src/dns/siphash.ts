/**
 * SipHash-2-4 with 64 bits of output: two rounds for each eight octets of input, four at the end.
 * Numbers of 64 bits are pairs of 32-bit integers, low half first, since arithmetic on BigInt
 * allocates; nothing is allocated here.
 */
export function sipHash(
  key: Uint8Array,
  data: Uint8Array,
  length: number,
  into: Uint8Array,
  offset: number,
): void {
  const k0lo = readLittle(key, 0);
  const k0hi = readLittle(key, 4);
  const k1lo = readLittle(key, 8);
  const k1hi = readLittle(key, 12);
  v[0] = k0lo ^ 0x70736575;
  v[1] = k0hi ^ 0x736f6d65;
  v[2] = k1lo ^ 0x6e646f6d;
  v[3] = k1hi ^ 0x646f7261;
  v[4] = k0lo ^ 0x6e657261;
  v[5] = k0hi ^ 0x6c796765;
  v[6] = k1lo ^ 0x79746573;
  v[7] = k1hi ^ 0x74656462;
  const whole = length - (length % BLOCK_OCTETS);
  for (let at = 0; at < whole; at += BLOCK_OCTETS) {
    compress(readLittle(data, at), readLittle(data, at + 4));
  }
  // The last block ends with the length of the input, modulo 256.
  let lo = 0;
  let hi = length << 24;
  for (let at = whole; at < length; at += 1) {
    const place = at - whole;
    if (place < 4) lo |= data[at] << (8 * place);
    else hi |= data[at] << (8 * (place - 4));
  }
  compress(lo, hi);
  v[4] ^= 0xff;
  for (let round = 0; round < FINAL_ROUNDS; round += 1) sipRound();
  writeLittle(into, offset, v[0] ^ v[2] ^ v[4] ^ v[6]);
  writeLittle(into, offset + 4, v[1] ^ v[3] ^ v[5] ^ v[7]);
}

export const SIPHASH_KEY_OCTETS = 16;
export const SIPHASH_OCTETS = 8;

const BLOCK_OCTETS = 8;
const BLOCK_ROUNDS = 2;
const FINAL_ROUNDS = 4;

/** v0 to v3, each as its low and its high half. */
const v = new Int32Array(8);

function compress(lo: number, hi: number): void {
  v[6] ^= lo;
  v[7] ^= hi;
  for (let round = 0; round < BLOCK_ROUNDS; round += 1) sipRound();
  v[0] ^= lo;
  v[1] ^= hi;
}

function sipRound(): void {
  add(0, 2);
  rotate(2, 13);
  mix(2, 0);
  swapHalves(0);
  add(4, 6);
  rotate(6, 16);
  mix(6, 4);
  add(0, 6);
  rotate(6, 21);
  mix(6, 0);
  add(4, 2);
  rotate(2, 17);
  mix(2, 4);
  swapHalves(4);
}

function add(to: number, from: number): void {
  const lo = (v[to] >>> 0) + (v[from] >>> 0);
  v[to] = lo;
  v[to + 1] = v[to + 1] + v[from + 1] + (lo > 0xffffffff ? 1 : 0);
}

/** To the left, by less than 32 bits. */
function rotate(at: number, bits: number): void {
  const lo = v[at];
  const hi = v[at + 1];
  v[at] = (lo << bits) | (hi >>> (32 - bits));
  v[at + 1] = (hi << bits) | (lo >>> (32 - bits));
}

function mix(to: number, from: number): void {
  v[to] ^= v[from];
  v[to + 1] ^= v[from + 1];
}

/** A rotation by 32 bits. */
function swapHalves(at: number): void {
  const lo = v[at];
  v[at] = v[at + 1];
  v[at + 1] = lo;
}

function readLittle(from: Uint8Array, at: number): number {
  return from[at] | (from[at + 1] << 8) | (from[at + 2] << 16) | (from[at + 3] << 24);
}

function writeLittle(into: Uint8Array, at: number, value: number): void {
  into[at] = value;
  into[at + 1] = value >>> 8;
  into[at + 2] = value >>> 16;
  into[at + 3] = value >>> 24;
}
