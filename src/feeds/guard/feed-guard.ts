import { formatIndicator, formatNameKey } from '../../indicators/format-indicator.ts';
import {
  FORM_OF_KIND,
  INDICATOR_KINDS,
  type IndicatorKind,
  type PackedIndicators,
} from '../../indicators/indicator.ts';
import {
  IPV4_LENGTH_UNCONFIRMED_MIN,
  IPV6_LENGTH_UNCONFIRMED_MIN,
} from '../../indicators/parse-indicator.ts';
import { parseNameValue } from '../../indicators/parse-name.ts';
import type { GuardOptions } from '../feed-content.ts';
import { guardIntervals } from './guarded-intervals.ts';

/** Says of indicators whether they would block something that must never be blocked. */
export interface FeedGuard {
  /** What the indicator with the key `keys[start, end)` covers, as a text for people, or null. */
  covers(kind: IndicatorKind, keys: Uint8Array, start: number, end: number): string | null;
}

/**
 * The guard of a feed: given names and prefixes, the root, top-level domains, public suffixes,
 * private and reserved addresses. What equals or covers one of them is guarded against: the name
 * itself, any name above it whose subtree it lies in, any prefix that shares an address with it. A
 * name below a guarded one is not: a list of trackers may name `ads.google.com`.
 *
 * `*.google.com` counts as `google.com`: it spares the name itself and nothing of what people use
 * under it. A name server's name counts as the name, since whatever is served by it goes with it.
 *
 * Throws for a name or prefix that is none: both are settings, and checked where they are set.
 */
export function createFeedGuard(options: GuardOptions): FeedGuard {
  const names = nameTable(options.names);
  const intervals = guardIntervals(options.prefixes);
  const coveredByName = (isSubtree: boolean, keys: Uint8Array, start: number, end: number) => {
    if (start === end) return 'every name there is';
    const text = nameText(keys, start, end);
    if (start + 1 + keys[start] === end) return `${text} (top-level domain)`;
    const guarded = names.get(text);
    if (guarded !== undefined && (isSubtree || guarded === text)) return guarded;
    return options.isPublicSuffix(text) ? `${text} (public suffix)` : null;
  };
  return {
    covers(kind, keys, start, end) {
      const form = FORM_OF_KIND[kind];
      if (form !== 'prefix') return coveredByName(form !== 'exact', keys, start, end);
      return intervals.touching(keys, start, end) ?? tooManyAddresses(keys, start, end);
    },
  };
}

/**
 * Each guarded name under itself and under each name above it. A name wins its own place from those
 * below it, since that is the one which a rule for that name alone would block.
 */
function nameTable(names: readonly string[]): ReadonlyMap<string, string> {
  const table = new Map<string, string>();
  for (const name of names) {
    const parsed = parseNameValue(name, false);
    if (!parsed.ok || parsed.wildcard || parsed.key.length === 0) {
      throw new Error(`${name} is no name`);
    }
    const text = formatNameKey(parsed.key);
    table.set(text, text);
    for (let dot = text.indexOf('.'); dot !== -1; dot = text.indexOf('.', dot + 1)) {
      const above = text.slice(dot + 1);
      if (!table.has(above)) table.set(above, text);
    }
  }
  return table;
}

/** The labels with dots between them: names of feeds have letters, digits, `-` and `_` only. */
function nameText(keys: Uint8Array, start: number, end: number): string {
  const octets = end - start - 1;
  for (let index = 0; index < octets; index++) dotted[index] = keys[start + 1 + index];
  for (let at = start + 1 + keys[start]; at < end; at += 1 + keys[at]) dotted[at - start - 1] = DOT;
  return dotted.toString('latin1', 0, octets);
}

const DOT = 0x2e;
const dotted = Buffer.alloc(256);

/** No list of threats is about a share of the whole address space. */
function tooManyAddresses(keys: Uint8Array, start: number, end: number): string | null {
  const lengthMin = end - start === 5 ? IPV4_LENGTH_UNCONFIRMED_MIN : IPV6_LENGTH_UNCONFIRMED_MIN;
  return keys[start] < lengthMin ? `more addresses than a /${lengthMin} has` : null;
}

export interface GuardedResult {
  /** One octet per indicator: 1 for those to be left out; null when there is none. */
  readonly dropped: Uint8Array | null;
  readonly guarded: number;
  /** The first of them. */
  readonly shown: { readonly text: string; readonly covers: string }[];
}

/** Looks at every indicator of a set. */
export function findGuarded(
  guard: FeedGuard,
  packed: PackedIndicators,
  shownMax: number,
): GuardedResult {
  const { keys, kinds, ends } = packed;
  const shown: { text: string; covers: string }[] = [];
  let dropped: Uint8Array | null = null;
  let guarded = 0;
  let start = 0;
  for (let index = 0; index < packed.count; index++) {
    const end = ends[index];
    const kind = INDICATOR_KINDS[kinds[index]];
    const covers = guard.covers(kind, keys, start, end);
    if (covers !== null) {
      dropped ??= new Uint8Array(packed.count);
      dropped[index] = 1;
      guarded++;
      if (shown.length < shownMax) {
        shown.push({ text: formatIndicator(kind, keys.subarray(start, end)), covers });
      }
    }
    start = end;
  }
  return { dropped, guarded, shown };
}
