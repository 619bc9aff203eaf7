import { parseIpv4, parseIpv6 } from '../dns/address.ts';
import { formatIndicator } from '../indicators/format-indicator.ts';
import type { Indicator } from '../indicators/indicator.ts';
import { compareWords, prefixesOfRange, readWords } from '../indicators/prefix.ts';
import type { ListEntry, UserList } from '../policy/model.ts';

/** The entry of a list that stands for one of its indicators: itself, or a range that it is part of. */
export function entryOfIndicator(list: UserList, indicator: Indicator): ListEntry | null {
  const { kind, key } = indicator;
  const own = list.entries.get(formatIndicator(kind, key));
  if (own !== undefined) return own;
  if (kind !== 'ip') return null;
  const words = new Uint32Array((key.length - 1) / 4);
  readWords(key, 1, words);
  for (const entry of list.entries.values()) {
    const range = readRange(entry.value, words.length);
    if (range !== null && isPartOf(range, words, key[0]!)) return entry;
  }
  return null;
}

interface Range {
  readonly first: Uint32Array;
  readonly last: Uint32Array;
}

/** Reads `first-last`; null for any other form, and for the other family. */
function readRange(value: string, words: number): Range | null {
  const dash = value.indexOf('-');
  if (dash < 0) return null;
  const first = readAddress(value.slice(0, dash), words);
  const last = readAddress(value.slice(dash + 1), words);
  return first === null || last === null ? null : { first, last };
}

function readAddress(text: string, words: number): Uint32Array | null {
  const octets = words === 1 ? parseIpv4(text) : parseIpv6(text);
  if (octets === null) return null;
  const address = new Uint32Array(words);
  readWords(octets, 0, address);
  return address;
}

/** Whether the prefix is one of the fewest that make up the range. */
function isPartOf({ first, last }: Range, words: Uint32Array, length: number): boolean {
  if (compareWords(words, first) < 0 || compareWords(words, last) > 0) return false;
  let isPart = false;
  prefixesOfRange(first, last, (part, partLength) => {
    if (partLength === length && compareWords(part, words) === 0) isPart = true;
  });
  return isPart;
}
