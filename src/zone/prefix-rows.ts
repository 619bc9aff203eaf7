import { grownUint8, grownUint32 } from '../indicators/growable.ts';
import { prefixesOfRange } from '../indicators/prefix.ts';
import { compareRows } from './address-words.ts';
import { atOnce, type Steps } from './steps.ts';

/** Each takes a tenth of a microsecond. */
const PREFIXES_A_STEP = 8_192;

export type AddressWords = 1 | 4;

/** Disjoint prefixes in rising order. */
export interface PrefixRows {
  readonly words: AddressWords;
  readonly count: number;
  /** `words` entries per prefix. */
  readonly addresses: Uint32Array;
  readonly lengths: Uint8Array;
}

export function noPrefixes(words: AddressWords): PrefixRows {
  return { words, count: 0, addresses: new Uint32Array(0), lengths: new Uint8Array(0) };
}

/** Gathers prefixes that come in rising order. */
export function createPrefixCollector(words: AddressWords) {
  let addresses = new Uint32Array(words * 4);
  let lengths = new Uint8Array(4);
  let count = 0;
  return {
    add(source: Uint32Array, at: number, length: number): void {
      addresses = grownUint32(addresses, (count + 1) * words);
      lengths = grownUint8(lengths, count + 1);
      for (let word = 0; word < words; word++) addresses[count * words + word] = source[at + word];
      lengths[count] = length;
      count++;
    },
    finish(): PrefixRows {
      return {
        words,
        count,
        addresses: addresses.slice(0, count * words),
        lengths: lengths.slice(0, count),
      };
    },
  };
}

/** Gathers address ranges that come in rising order, joining those that touch, as the fewest prefixes. */
export function createRangeCollector(words: AddressWords) {
  const prefixes = createPrefixCollector(words);
  const first = new Uint32Array(words);
  const last = new Uint32Array(words);
  let isOpen = false;
  const close = () => {
    if (isOpen) prefixesOfRange(first, last, (address, length) => prefixes.add(address, 0, length));
    isOpen = false;
  };
  return {
    add(from: Uint32Array, to: Uint32Array): void {
      if (isOpen && touches(last, from)) {
        last.set(to);
        return;
      }
      close();
      first.set(from);
      last.set(to);
      isOpen = true;
    },
    finish(): PrefixRows {
      close();
      return prefixes.finish();
    },
  };
}

/** Whether `next` is the address after `last`. */
function touches(last: Uint32Array, next: Uint32Array): boolean {
  for (let word = last.length - 1, carry = 1; word >= 0; word--) {
    const sum = last[word] + carry;
    if (sum % 0x100000000 !== next[word]) return false;
    carry = sum > 0xffffffff ? 1 : 0;
    if (word === 0 && carry === 1) return false;
  }
  return true;
}

/** What leaves a list of prefixes and what comes: no prefix is in both. */
export interface PrefixDiff {
  readonly removed: PrefixRows;
  readonly added: PrefixRows;
}

export function diffPrefixRows(before: PrefixRows, after: PrefixRows): PrefixDiff {
  return { removed: subtractPrefixes(before, after), added: subtractPrefixes(after, before) };
}

/** Prefixes of `a` that are not in `b`: neither side's order or content has to match the other's. */
export function* subtractInSteps(a: PrefixRows, b: PrefixRows): Steps<PrefixRows> {
  const rest = createPrefixCollector(a.words);
  let inB = 0;
  for (let inA = 0; inA < a.count; inA++) {
    if (inA % PREFIXES_A_STEP === PREFIXES_A_STEP - 1) yield;
    while (inB < b.count && comparePrefixes(b, inB, a, inA) < 0) inB++;
    if (inB < b.count && comparePrefixes(b, inB, a, inA) === 0) continue;
    rest.add(a.addresses, inA * a.words, a.lengths[inA]);
  }
  return rest.finish();
}

export function subtractPrefixes(a: PrefixRows, b: PrefixRows): PrefixRows {
  return atOnce(subtractInSteps(a, b));
}

export function comparePrefixes(a: PrefixRows, atA: number, b: PrefixRows, atB: number): number {
  return (
    compareRows(a.addresses, atA * a.words, b.addresses, atB * a.words, a.words) ||
    a.lengths[atA] - b.lengths[atB]
  );
}

/** The exact number of addresses. */
export function countAddresses(prefixes: Iterable<PrefixRows>, words: AddressWords): bigint {
  const perLength = new Array<number>(words * 32 + 1).fill(0);
  for (const rows of prefixes) {
    for (let index = 0; index < rows.count; index++) perLength[rows.lengths[index]]++;
  }
  return perLength.reduce(
    (sum, count, length) => sum + BigInt(count) * (1n << BigInt(words * 32 - length)),
    0n,
  );
}
