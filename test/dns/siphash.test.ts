import { describe, expect, it } from 'vitest';
import { SIPHASH_OCTETS, sipHash } from '../../src/dns/siphash.ts';

const KEY = Uint8Array.from({ length: 16 }, (_, i) => i);

/** The hash of the octets 0, 1, 2 … as a number, low octet first. */
function hashOfFirst(length: number): string {
  const data = Uint8Array.from({ length: 64 }, (_, i) => i);
  const into = new Uint8Array(SIPHASH_OCTETS);
  sipHash(KEY, data, length, into, 0);
  return Buffer.from(into).readBigUInt64LE().toString(16);
}

/** The same by the definition, with numbers of 64 bits. */
function naiveHash(key: Uint8Array, data: Uint8Array): bigint {
  const mask = (1n << 64n) - 1n;
  const read = (octets: Uint8Array, at: number) => Buffer.from(octets).readBigUInt64LE(at);
  const left = (value: bigint, by: bigint) => ((value << by) | (value >> (64n - by))) & mask;
  const [k0, k1] = [read(key, 0), read(key, 8)];
  let [v0, v1] = [k0 ^ 0x736f6d6570736575n, k1 ^ 0x646f72616e646f6dn];
  let [v2, v3] = [k0 ^ 0x6c7967656e657261n, k1 ^ 0x7465646279746573n];
  const rounds = (count: number) => {
    for (let i = 0; i < count; i += 1) {
      v0 = (v0 + v1) & mask;
      v1 = left(v1, 13n) ^ v0;
      v0 = left(v0, 32n);
      v2 = (v2 + v3) & mask;
      v3 = left(v3, 16n) ^ v2;
      v0 = (v0 + v3) & mask;
      v3 = left(v3, 21n) ^ v0;
      v2 = (v2 + v1) & mask;
      v1 = left(v1, 17n) ^ v2;
      v2 = left(v2, 32n);
    }
  };
  const padded = new Uint8Array(data.length - (data.length % 8) + 8);
  padded.set(data);
  padded[padded.length - 1] = data.length;
  for (let at = 0; at < padded.length; at += 8) {
    const block = read(padded, at);
    v3 ^= block;
    rounds(2);
    v0 ^= block;
  }
  v2 ^= 0xffn;
  rounds(4);
  return v0 ^ v1 ^ v2 ^ v3;
}

describe('SipHash-2-4', () => {
  it('gives what its authors give for 15 octets', () => {
    expect(hashOfFirst(15)).toBe('a129ca6149be45e5');
  });

  it('is the definition for every length and for keys and data of all kinds', () => {
    let state = 1;
    const next = () => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return state >>> 24;
    };
    for (let length = 0; length < 64; length += 1) {
      for (let round = 0; round < 8; round += 1) {
        const key = Uint8Array.from({ length: 16 }, next);
        const data = Uint8Array.from({ length }, next);
        const into = new Uint8Array(SIPHASH_OCTETS + 3);
        sipHash(key, data, length, into, 3);
        expect(Buffer.from(into).readBigUInt64LE(3)).toBe(naiveHash(key, data));
      }
    }
  });
});
