import { describe, expect, it } from 'vitest';
import { INDICATOR_KINDS, type Indicator } from '../../src/indicators/indicator.ts';
import {
  ADDED,
  addKey,
  createPacker,
  DUPLICATE,
  FULL,
  finishPacking,
  packIndicators,
} from '../../src/indicators/pack-indicators.ts';
import { describeIndicator, unpack } from './parsing.ts';
import { createRandom } from './random.ts';

function randomIndicators(count: number, distinct: number): Indicator[] {
  const random = createRandom(0xbac);
  return Array.from({ length: count }, () => {
    const kind = INDICATOR_KINDS[random(2)]!;
    const label = `n${random(distinct)}`;
    return { kind, key: Buffer.from(`${String.fromCharCode(label.length)}${label}`, 'latin1') };
  });
}

describe('packed indicators', () => {
  it('are a set in the order of first appearance, whatever is grown on the way', () => {
    const list = randomIndicators(30_000, 8_000);
    const packed = packIndicators(list);
    const naive = [...new Set(list.map(describeIndicator))];
    expect(naive.length).toBeGreaterThan(10_000);
    expect(unpack(packed).map(describeIndicator)).toEqual(naive);
  });

  it('have buffers of their exact size', () => {
    const { count, kinds, ends, keys } = packIndicators(randomIndicators(100, 50));
    expect([kinds.length, ends.length, keys.length]).toEqual([count, count, ends.at(-1)]);
    expect(keys.buffer.byteLength).toBe(keys.length);
  });

  it('of an empty list are empty', () => {
    expect(packIndicators([])).toEqual({
      count: 0,
      kinds: new Uint8Array(0),
      ends: new Uint32Array(0),
      keys: new Uint8Array(0),
    });
  });

  it('hold an empty key, and the same key under two kinds', () => {
    const packer = createPacker({ octetsExpected: 0 });
    expect(addKey(packer, 2, new Uint8Array(0))).toBe(ADDED);
    expect(addKey(packer, 0, Uint8Array.of(1, 97))).toBe(ADDED);
    expect(addKey(packer, 1, Uint8Array.of(1, 97))).toBe(ADDED);
    expect(addKey(packer, 2, new Uint8Array(0))).toBe(DUPLICATE);
    expect(finishPacking(packer)).toMatchObject({ count: 3, ends: Uint32Array.of(0, 2, 4) });
  });

  it('take no more than they are told to, but still know a duplicate then', () => {
    const packer = createPacker({ octetsExpected: 0, indicatorsMax: 2 });
    const outcomes = ['a', 'b', 'c', 'a'].map((letter) =>
      addKey(packer, 0, Buffer.from(`\x01${letter}`)),
    );
    expect(outcomes).toEqual([ADDED, ADDED, FULL, DUPLICATE]);
    expect(finishPacking(packer).count).toBe(2);
  });

  it('do not depend on the seed of their hash', () => {
    const list = randomIndicators(2_000, 500);
    const packer = createPacker({ octetsExpected: 0, hashSeed: 0x1234567 });
    for (const { kind, key } of list) addKey(packer, INDICATOR_KINDS.indexOf(kind), key);
    expect(finishPacking(packer)).toEqual(packIndicators(list));
  });
});
