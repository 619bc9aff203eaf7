import { parsePrefixValue } from '../../indicators/parse-prefix.ts';
import { compareWords, readWords } from '../../indicators/prefix.ts';
import { SPECIAL_RANGES } from '../../publish/safety/special-ranges.ts';

/** Ranges of addresses that must never be blocked, of both families. */
export interface GuardedIntervals {
  /** What shares an address with the prefix key `keys[start, end)`, or null. */
  touching(keys: Uint8Array, start: number, end: number): string | null;
}

interface Interval {
  readonly text: string;
  readonly first: Uint32Array;
  readonly last: Uint32Array;
}

/**
 * Multicast is no special-purpose block in IANA's registries (RFC 6890), but nothing that a feed
 * could rightly list is there, and routing protocols live on it.
 */
const MULTICAST = [
  { prefix: '224.0.0.0/4', use: 'multicast, RFC 5771' },
  { prefix: 'ff00::/8', use: 'multicast, RFC 4291' },
];

/** The given prefixes and all private and reserved space. Throws for a text that is no prefix. */
export function guardIntervals(prefixes: readonly string[]): GuardedIntervals {
  const all = [
    ...prefixes.map((prefix) => intervalOf(prefix, prefix)),
    ...[...SPECIAL_RANGES, ...MULTICAST].map(({ prefix, use }) =>
      intervalOf(prefix, `${prefix} (${use})`),
    ),
  ];
  const families = [guardFamily(all, 1), guardFamily(all, 4)];
  return {
    touching: (keys, start, end) =>
      families[end - start === IPV4_KEY_OCTETS ? 0 : 1](keys, start)?.text ?? null,
  };
}

const IPV4_KEY_OCTETS = 5;
/** Prefixes from this length on lie in one entry of the table of beginnings. */
const TABLE_BITS = 16;

type Search = (keys: Uint8Array, start: number) => Interval | null;

/** A search by halves in disjoint intervals, behind a table that settles nearly every address at once. */
function guardFamily(all: readonly Interval[], words: number): Search {
  const intervals = outermost(all.filter(({ first }) => first.length === words));
  const table = new Uint8Array(2 ** TABLE_BITS);
  for (const { first, last } of intervals) table.fill(1, first[0] >>> 16, (last[0] >>> 16) + 1);
  const first = new Uint32Array(words);
  const last = new Uint32Array(words);
  return (keys, start) => {
    const length = keys[start];
    if (length >= TABLE_BITS && table[(keys[start + 1] << 8) | keys[start + 2]] === 0) return null;
    readWords(keys, start + 1, first);
    lastOfPrefix(first, length, last);
    // The last interval that begins at or before the end of the prefix.
    let low = 0;
    let high = intervals.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareWords(intervals[middle].first, last) <= 0) low = middle + 1;
      else high = middle;
    }
    const found = low === 0 ? null : intervals[low - 1];
    return found !== null && compareWords(found.last, first) >= 0 ? found : null;
  };
}

/** In rising order without those inside another: of two prefixes that share an address, one holds the other. */
function outermost(intervals: readonly Interval[]): Interval[] {
  const kept: Interval[] = [];
  const inOrder = intervals.toSorted(
    (a, b) => compareWords(a.first, b.first) || compareWords(b.last, a.last),
  );
  for (const interval of inOrder) {
    const before = kept.at(-1);
    if (before === undefined || compareWords(interval.first, before.last) > 0) kept.push(interval);
  }
  return kept;
}

function intervalOf(prefix: string, text: string): Interval {
  const parsed = parsePrefixValue(prefix);
  if (!parsed.ok || parsed.keys.length !== 1) throw new Error(`${prefix} is no prefix`);
  const [key] = parsed.keys;
  const first = new Uint32Array(key.length === IPV4_KEY_OCTETS ? 1 : 4);
  const last = new Uint32Array(first.length);
  readWords(key, 1, first);
  lastOfPrefix(first, key[0], last);
  return { text, first, last };
}

function lastOfPrefix(first: Uint32Array, length: number, last: Uint32Array): void {
  for (let word = 0; word < first.length; word++) {
    const bits = Math.min(32, Math.max(0, length - word * 32));
    last[word] = first[word] | (bits === 32 ? 0 : 0xffffffff >>> bits);
  }
}
