import { compareRows, increment, lastOfPrefix } from '../../zone/address-words.ts';
import { prefixAt } from '../../zone/ip-compile.ts';
import type { IpContent, IpDiff } from '../../zone/ip-content.ts';
import { findInPages, type PrefixPages } from '../../zone/ip-pages.ts';
import type { AddressWords, PrefixRows } from '../../zone/prefix-rows.ts';
import type { GuardedRange, GuardedRanges } from './guarded-ranges.ts';

/**
 * The guarded ranges of which a block list newly covers an address. With a difference only the
 * ranges that an added prefix touches are looked at; prefixes that merely joined cover nothing new.
 */
export function findIpHarm(options: {
  readonly ranges: GuardedRanges;
  /** Null for a new list. */
  readonly before: IpContent | null;
  readonly after: IpContent;
  /** Null when the whole list has to be looked at. */
  readonly lists: IpDiff | null;
}): GuardedRange[] {
  const { ranges, before, after, lists } = options;
  const ofFamily = (words: AddressWords): GuardedRange[] => {
    const list = words === 1 ? 'v4' : 'v6';
    const candidates =
      lists === null ? ranges[words].ranges : touchedBy(lists[list].added, ranges, words);
    return [...candidates].filter((range) =>
      coversMore(after[list], before?.[list] ?? [], range, words),
    );
  };
  return [...ofFamily(1), ...ofFamily(4)];
}

function touchedBy(
  added: PrefixRows,
  ranges: GuardedRanges,
  words: AddressWords,
): Iterable<GuardedRange> {
  const touched = new Set<GuardedRange>();
  for (let index = 0; index < added.count; index++) {
    const found = ranges[words].touching(added.addresses, index * words, added.lengths[index]);
    for (const range of found) touched.add(range);
  }
  return touched;
}

/** Whether `after` covers an address of the range that `before` does not. */
function coversMore(
  after: PrefixPages,
  before: PrefixPages,
  { first, last }: GuardedRange,
  words: AddressWords,
): boolean {
  const from = new Uint32Array(words);
  const to = new Uint32Array(words);
  let { page, index } = findInPages(after, first, words);
  for (; page < after.length; page++, index = 0) {
    const { addresses, lengths, count } = after[page].prefixes;
    for (index = Math.max(0, index); index < count; index++) {
      const at = index * words;
      if (compareRows(addresses, at, last, 0, words) > 0) return false;
      lastOfPrefix(addresses, at, lengths[index], to);
      if (compareRows(to, 0, first, 0, words) < 0) continue;
      from.set(addresses.subarray(at, at + words));
      if (compareRows(from, 0, first, 0, words) < 0) from.set(first);
      if (compareRows(to, 0, last, 0, words) > 0) to.set(last);
      if (!isCovered(before, from, to, words)) return true;
    }
  }
  return false;
}

function isCovered(
  pages: PrefixPages,
  first: Uint32Array,
  last: Uint32Array,
  words: AddressWords,
): boolean {
  const at = first.slice();
  for (;;) {
    const found = prefixAt(pages, at, words);
    if (found === null) return false;
    if (compareRows(found.last, 0, last, 0, words) >= 0) return true;
    at.set(found.last);
    // The last address of all has none after it.
    if (!increment(at)) return true;
  }
}
