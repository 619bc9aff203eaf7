import { parsePrefixValue } from '../../indicators/parse-prefix.ts';
import { readWords } from '../../indicators/prefix.ts';
import { compareRows, lastOfPrefix } from '../../zone/address-words.ts';
import type { AddressWords } from '../../zone/prefix-rows.ts';
import { SPECIAL_RANGES } from './special-ranges.ts';
import type { SafetySettings, Warning } from './warnings.ts';

/** A range of addresses that should not be blocked. */
export interface GuardedRange {
  readonly code: Extract<Warning['code'], 'never-block' | 'private-address' | 'own-address'>;
  /** As it is told: `10.0.0.0/8 (private use, RFC 1918)`. */
  readonly text: string;
  readonly words: AddressWords;
  readonly first: Uint32Array;
  readonly last: Uint32Array;
}

/** The guarded ranges of one family, quick to ask: nearly every address is in none. */
export interface GuardedFamily {
  readonly ranges: readonly GuardedRange[];
  /** Those that share an address with the prefix that begins at `addresses[at]`. */
  touching(addresses: Uint32Array, at: number, length: number): readonly GuardedRange[];
}

/** By the words of an address: 1 for IPv4, 4 for IPv6. */
export type GuardedRanges = Readonly<Record<AddressWords, GuardedFamily>>;

export function guardRanges(
  safety: Pick<SafetySettings, 'ownPrefixes' | 'neverBlockPrefixes'>,
): GuardedRanges {
  const all = [
    ...safety.ownPrefixes.map((prefix) => guardedRange('own-address', prefix, 'own network')),
    ...safety.neverBlockPrefixes.map((prefix) => guardedRange('never-block', prefix)),
    ...SPECIAL_RANGES.map(({ prefix, use }) => guardedRange('private-address', prefix, use)),
  ];
  return {
    1: guardFamily(
      all.filter(({ words }) => words === 1),
      1,
    ),
    4: guardFamily(
      all.filter(({ words }) => words === 4),
      4,
    ),
  };
}

const NO_RANGES: readonly GuardedRange[] = [];
/** Prefixes from this length on lie in one entry of the table of beginnings. */
const TABLE_BITS = 16;

function guardFamily(ranges: readonly GuardedRange[], words: AddressWords): GuardedFamily {
  // For each beginning of 16 bits, whether any range touches it.
  const table = new Uint8Array(2 ** TABLE_BITS);
  for (const { first, last } of ranges) table.fill(1, first[0] >>> 16, (last[0] >>> 16) + 1);
  const end = new Uint32Array(words);
  return {
    ranges,
    touching(addresses, at, length) {
      if (length >= TABLE_BITS && table[addresses[at] >>> 16] === 0) return NO_RANGES;
      lastOfPrefix(addresses, at, length, end);
      return ranges.filter(
        ({ first, last }) =>
          compareRows(first, 0, end, 0, words) <= 0 &&
          compareRows(addresses, at, last, 0, words) <= 0,
      );
    },
  };
}

function guardedRange(code: GuardedRange['code'], prefix: string, use?: string): GuardedRange {
  const parsed = parsePrefixValue(prefix);
  if (!parsed.ok || parsed.keys.length !== 1) throw new Error(`${prefix} is no prefix`);
  const key = parsed.keys[0];
  const words = key.length === 5 ? 1 : 4;
  const first = new Uint32Array(words);
  const last = new Uint32Array(words);
  readWords(key, 1, first);
  lastOfPrefix(first, 0, key[0], last);
  return { code, text: use === undefined ? prefix : `${prefix} (${use})`, words, first, last };
}
