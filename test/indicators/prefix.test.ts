import cidrTools from 'cidr-tools';
import { describe, expect, it } from 'vitest';
import { formatIndicator } from '../../src/indicators/format-indicator.ts';
import {
  compareWords,
  maskWords,
  PREFIXES_PER_RANGE_MAX,
  prefixesOfRange,
  prefixKey,
} from '../../src/indicators/prefix.ts';
import { createRandom } from './random.ts';

type Random = (below: number) => number;

function wordsOf(value: bigint, count: 1 | 4): Uint32Array {
  return Uint32Array.from({ length: count }, (_, index) =>
    Number((value >> BigInt(32 * (count - 1 - index))) & 0xffffffffn),
  );
}

function numberOf(words: Uint32Array): bigint {
  return words.reduce((value, word) => (value << 32n) | BigInt(word), 0n);
}

/** Any number of that many bits, small ones as likely as large ones. */
function randomValue(random: Random, bits: number): bigint {
  let value = 0n;
  for (let index = 0; index < bits; index += 16) value = (value << 16n) | BigInt(random(0x10000));
  return value >> BigInt(random(bits));
}

interface Block {
  readonly first: bigint;
  readonly last: bigint;
  readonly length: number;
}

function blocksOfRange(first: bigint, last: bigint, count: 1 | 4): Block[] {
  const blocks: Block[] = [];
  prefixesOfRange(wordsOf(first, count), wordsOf(last, count), (words, length) => {
    const start = numberOf(words);
    blocks.push({ first: start, last: start + (1n << BigInt(count * 32 - length)) - 1n, length });
  });
  return blocks;
}

describe('prefixesOfRange', () => {
  it.each([
    [1, 32],
    [4, 128],
  ] as const)(
    'with %d words covers the range without gap, overlap or too many prefixes',
    (count, bits) => {
      const random = createRandom(0x5ca1e + bits);
      for (let round = 0; round < 600; round++) {
        const ends = [randomValue(random, bits), randomValue(random, bits)];
        const [first, last] = ends[0]! < ends[1]! ? ends : ends.toReversed();
        const blocks = blocksOfRange(first!, last!, count);
        let next = first!;
        for (const block of blocks) {
          expect(block.first).toBe(next);
          expect(block.first & (block.last - block.first)).toBe(0n);
          next = block.last + 1n;
        }
        expect(next - 1n).toBe(last);
        expect(blocks.length).toBeLessThanOrEqual(PREFIXES_PER_RANGE_MAX);
      }
    },
  );

  it.each([
    ['192.0.2.', 1],
    ['2001:db8::', 4],
  ] as const)(
    'gives what the cidr-tools package merges single addresses of %s to',
    (start, count) => {
      const random = createRandom(0xc1d12);
      const show = (value: number) => start + (count === 1 ? `${value}` : value.toString(16));
      const base = count === 1 ? 0xc0000200n : 0x20010db8n << 96n;
      for (let round = 0; round < 60; round++) {
        const ends = [random(256), random(256)].toSorted((a, b) => a - b);
        const addresses = Array.from({ length: ends[1]! - ends[0]! + 1 }, (_, i) =>
          show(ends[0]! + i),
        );
        const prefixes: string[] = [];
        prefixesOfRange(
          wordsOf(base + BigInt(ends[0]!), count),
          wordsOf(base + BigInt(ends[1]!), count),
          (words, length) => prefixes.push(formatIndicator('ip', prefixKey(words, length))),
        );
        const oracle = cidrTools
          .mergeCidr(addresses)
          .map((cidr) => cidr.replace(/\/(32|128)$/, ''));
        expect([ends, prefixes]).toEqual([ends, oracle]);
      }
    },
  );

  it('gives the fewest: cidr-tools finds nothing left to merge', () => {
    const random = createRandom(0xfe3e57);
    for (let round = 0; round < 60; round++) {
      const ends = [randomValue(random, 128), randomValue(random, 128)].toSorted((a, b) =>
        a < b ? -1 : 1,
      );
      const prefixes: string[] = [];
      prefixesOfRange(wordsOf(ends[0]!, 4), wordsOf(ends[1]!, 4), (words, length) => {
        // Not through prefixKey, which makes IPv4 of some.
        prefixes.push(
          `${numberOf(words).toString(16).padStart(32, '0').match(/.{4}/g)!.join(':')}/${length}`,
        );
      });
      expect(cidrTools.mergeCidr(prefixes)).toHaveLength(prefixes.length);
    }
  });

  it('reaches the last address and all addresses at once', () => {
    expect(blocksOfRange(0n, 2n ** 32n - 1n, 1)).toMatchObject([{ length: 0 }]);
    expect(blocksOfRange(0n, 2n ** 128n - 1n, 4)).toMatchObject([{ length: 0 }]);
    expect(blocksOfRange(1n, 2n ** 32n - 1n, 1)).toHaveLength(32);
    expect(blocksOfRange(1n, 2n ** 128n - 2n, 4)).toHaveLength(PREFIXES_PER_RANGE_MAX);
    expect(blocksOfRange(2n ** 32n - 1n, 2n ** 32n - 1n, 1)).toMatchObject([{ length: 32 }]);
  });

  it('gives nothing when the first address is above the last', () => {
    expect(blocksOfRange(2n, 1n, 1)).toEqual([]);
  });

  it('leaves its arguments as they are', () => {
    const first = wordsOf(5n, 4);
    const last = wordsOf(1000n, 4);
    prefixesOfRange(first, last, () => {});
    expect([numberOf(first), numberOf(last)]).toEqual([5n, 1000n]);
  });
});

describe('words', () => {
  it('are masked to every length as a number is', () => {
    for (const count of [1, 4] as const) {
      const bits = count * 32;
      const all = 2n ** BigInt(bits) - 1n;
      for (let length = 0; length <= bits; length++) {
        const words = wordsOf(all, count);
        maskWords(words, length);
        expect(numberOf(words)).toBe(all - (2n ** BigInt(bits - length) - 1n));
      }
    }
  });

  it('are compared as the numbers that they are', () => {
    const random = createRandom(0xc0de);
    for (let round = 0; round < 500; round++) {
      const a = randomValue(random, 128);
      const b = random(4) === 0 ? a : randomValue(random, 128);
      const expected = a < b ? -1 : a > b ? 1 : 0;
      expect(Math.sign(compareWords(wordsOf(a, 4), wordsOf(b, 4)))).toBe(expected);
    }
  });
});
