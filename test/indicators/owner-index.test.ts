import { describe, expect, it } from 'vitest';
import { hashOwner, NONE, OwnerIndex } from '../../src/indicators/owner-index.ts';
import { OwnerSlab } from '../../src/indicators/owner-slab.ts';

/** A label of eight octets with this number in it. */
function labelOf(number: number): Uint8Array {
  return Uint8Array.from([8, ...Buffer.from(number.toString(16).padStart(8, '0'))]);
}

/** Numbers whose labels all lie in the first shard, which the top octet of the hash decides. */
function numbersOfFirstShard(count: number): number[] {
  const numbers: number[] = [];
  const label = labelOf(0);
  for (let number = 0; numbers.length < count; number++) {
    for (let digit = 0; digit < 8; digit++) {
      const value = (number >>> (28 - digit * 4)) & 15;
      label[1 + digit] = value < 10 ? 48 + value : 87 + value;
    }
    if (hashOwner(label, 0, 9) >>> 24 === 0) numbers.push(number);
  }
  return numbers;
}

describe('the index of owners', () => {
  // 36,045 owners are more than 0.55 of 65,536 slots, beyond which tags do not say where an owner lies.
  it.each([500, 9_000, 37_000])('finds each of %i owners of one shard, and no other', (count) => {
    const slab = new OwnerSlab();
    const index = new OwnerIndex(slab);
    const numbers = numbersOfFirstShard(count + 100);
    const find = (number: number): number => {
      const label = labelOf(number);
      return index.find(label, 0, 9, hashOwner(label, 0, 9));
    };
    for (const number of numbers.slice(0, count)) {
      const label = labelOf(number);
      index.add(slab.append(label, 0, 9), hashOwner(label, 0, 9));
    }
    const found = numbers.slice(0, count).map(find);
    expect(found).toEqual(Array.from({ length: count }, (_, id) => id));
    expect(new Set(numbers.slice(count).map(find))).toEqual(new Set([NONE]));
  });
});
