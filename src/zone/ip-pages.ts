import { compareRows, lastOfPrefix } from './address-words.ts';
import {
  type AddressWords,
  comparePrefixes,
  createPrefixCollector,
  noPrefixes,
  type PrefixDiff,
  type PrefixRows,
  subtractInSteps,
} from './prefix-rows.ts';
import { type Steps, withoutBreaks } from './steps.ts';

/** BIND refuses an RRset of more records (max-records-per-type), so no page has more buckets. */
const PAGE_BUCKETS_MAX = 100;
/** A page ends before the bucket that would begin beyond this; one answer then holds it with room to spare. */
const PAGE_OCTETS_MAX = 48 * 1024;
/** Prefixes in one APL record at most: what one changed address rewrites. */
const BUCKET_PREFIXES_MAX = 64;

/** A prefix begins a bucket when these bits of its hash are zero: every 32nd on average. */
const BUCKET_MASK = 0x1f;
/** And a page when these are: every 1,024th. Contains the bits of BUCKET_MASK. */
const PAGE_MASK = 0x3ff;

/** Each takes a tenth of a microsecond. */
const PREFIXES_A_STEP = 8_192;

/** One APL RRset's prefixes. Immutable: an unchanged page is the same object in the next revision. */
export interface PrefixPage {
  readonly prefixes: PrefixRows;
  /** Index of the first prefix of each bucket; a bucket is one APL record. */
  readonly bucketStarts: Uint16Array;
}

/**
 * A list of prefixes as pages, cut where the content says so: a boundary depends on the prefix that
 * stands there and, only when no such prefix comes for long, on what came since the last boundary.
 * The layout is thus a function of the set, and a change moves boundaries only next to itself.
 */
export type PrefixPages = readonly PrefixPage[];

/** A change of a list: what is between `first` and `last` gives way to `prefixes`. */
interface PrefixEdit {
  readonly first: Uint32Array;
  readonly last: Uint32Array;
  readonly prefixes: PrefixRows;
}

export function* pagesOfInSteps(prefixes: PrefixRows): Steps<PrefixPages> {
  const chunker = createChunker(prefixes.words);
  for (let index = 0; index < prefixes.count; index++) {
    chunker.add(prefixes, index);
    if (index % PREFIXES_A_STEP === PREFIXES_A_STEP - 1) yield;
  }
  return chunker.finish();
}

export const pagesOf = withoutBreaks(pagesOfInSteps);

/** The pages after a change. Pages that it does not reach are taken over as they are. */
export function applyPrefixDiff(pages: PrefixPages, diff: PrefixDiff): PrefixPages {
  if (diff.removed.count === 0 && diff.added.count === 0) return pages;
  return editPages(pages, editsOf(diff), diff.added.words);
}

/** The difference between two lists, by looking at all of both. */
export function* diffPagesInSteps(
  before: PrefixPages,
  after: PrefixPages,
  words: AddressWords,
): Steps<PrefixDiff> {
  const rows = rowsOf(before, words);
  const rowsAfter = rowsOf(after, words);
  yield;
  const removed = yield* subtractInSteps(rows, rowsAfter);
  return { removed, added: yield* subtractInSteps(rowsAfter, rows) };
}

export const diffPages = withoutBreaks(diffPagesInSteps);

function rowsOf(pages: PrefixPages, words: AddressWords): PrefixRows {
  const count = pages.reduce((sum, { prefixes }) => sum + prefixes.count, 0);
  const addresses = new Uint32Array(count * words);
  const lengths = new Uint8Array(count);
  let at = 0;
  for (const { prefixes } of pages) {
    addresses.set(prefixes.addresses, at * words);
    lengths.set(prefixes.lengths, at);
    at += prefixes.count;
  }
  return { words, count, addresses, lengths };
}

/** Edits rise, do not overlap, and do not cut a prefix of the list. */
function editPages(
  pages: PrefixPages,
  edits: readonly PrefixEdit[],
  words: AddressWords,
): PrefixPages {
  const result: PrefixPage[] = [];
  let page = 0;
  let edit = 0;
  while (edit < edits.length) {
    const start = lastPageBefore(pages, edits[edit].first, words);
    while (page < start) result.push(pages[page++]);
    const chunker = createChunker(words);
    for (; page < pages.length; page++) {
      const { prefixes } = pages[page];
      const isReached =
        edit < edits.length && lastPageBefore(pages, edits[edit].first, words) <= page;
      // An edit may swallow the pages that follow, beginnings of pages too.
      const isSwallowed = edit > 0 && isWithin(edits[edit - 1], prefixes, 0);
      // Where the old list began a page and the new one does too, both go on alike.
      if (page > start && !isReached && !isSwallowed && chunker.startsPage(prefixes, 0)) break;
      for (let index = 0; index < prefixes.count; index++) {
        edit = addEditsUpTo(edits, edit, prefixes, index, chunker);
        const previous = edits[edit - 1];
        if (!(previous && isWithin(previous, prefixes, index))) chunker.add(prefixes, index);
      }
    }
    if (page >= pages.length) {
      for (; edit < edits.length; edit++) addAll(chunker, edits[edit].prefixes);
    }
    for (const fresh of chunker.finish()) result.push(fresh);
  }
  while (page < pages.length) result.push(pages[page++]);
  return result;
}

/** The last prefix whose network address is at or below the given one; `index` is −1 when none is. */
export function findInPages(
  pages: PrefixPages,
  address: Uint32Array,
  words: AddressWords,
): { page: number; index: number } {
  let page = lastPageBefore(pages, address, words);
  const next = pages[page + 1];
  if (next && compareRows(next.prefixes.addresses, 0, address, 0, words) <= 0) page++;
  const rows = pages[page]?.prefixes ?? noPrefixes(words);
  let from = 0;
  let to = rows.count;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (compareRows(rows.addresses, middle * words, address, 0, words) <= 0) from = middle + 1;
    else to = middle;
  }
  return { page, index: from - 1 };
}

/** How strongly a prefix marks a boundary: the hash whose low zero bits decide. */
export function boundaryHash(prefixes: PrefixRows, index: number): number {
  let hash = Math.imul(prefixes.lengths[index] + 1, 0x9e3779b1);
  for (let word = 0; word < prefixes.words; word++) {
    hash = Math.imul(hash ^ prefixes.addresses[index * prefixes.words + word], 0x85ebca6b);
    hash ^= hash >>> 15;
  }
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Octets of one APL item: 4 and the address without its trailing zero octets (RFC 3123 section 4). */
export function aplItemOctets(prefixes: PrefixRows, index: number): number {
  const at = index * prefixes.words;
  for (let word = prefixes.words - 1; word >= 0; word--) {
    const value = prefixes.addresses[at + word];
    if (value === 0) continue;
    const trailing =
      (value & 0xff) !== 0 ? 0 : (value & 0xffff) !== 0 ? 1 : (value & 0xffffff) !== 0 ? 2 : 3;
    return 4 + word * 4 + 4 - trailing;
  }
  return 4;
}

function createChunker(words: AddressWords) {
  const pages: PrefixPage[] = [];
  let rows = createPrefixCollector(words);
  let count = 0;
  let octets = 0;
  let bucketStarts: number[] = [];

  const startsBucket = (hash: number): boolean =>
    (hash & BUCKET_MASK) === 0 ||
    count - bucketStarts[bucketStarts.length - 1] >= BUCKET_PREFIXES_MAX;
  const startsPage = (prefixes: PrefixRows, index: number): boolean => {
    if (count === 0) return true;
    const hash = boundaryHash(prefixes, index);
    if ((hash & PAGE_MASK) === 0) return true;
    const isFull = bucketStarts.length >= PAGE_BUCKETS_MAX || octets >= PAGE_OCTETS_MAX;
    return isFull && startsBucket(hash);
  };
  const closePage = (): void => {
    if (count === 0) return;
    pages.push({ prefixes: rows.finish(), bucketStarts: Uint16Array.from(bucketStarts) });
    rows = createPrefixCollector(words);
    count = 0;
    octets = 0;
    bucketStarts = [];
  };
  return {
    startsPage,
    add(prefixes: PrefixRows, index: number): void {
      if (startsPage(prefixes, index)) closePage();
      if (count === 0 || startsBucket(boundaryHash(prefixes, index))) bucketStarts.push(count);
      rows.add(prefixes.addresses, index * words, prefixes.lengths[index]);
      octets += aplItemOctets(prefixes, index);
      count++;
    },
    finish(): PrefixPage[] {
      closePage();
      return pages;
    },
  };
}

/**
 * One edit for each outermost prefix of the change. A prefix that comes lies apart from every one
 * that stays, so what the list holds inside an edit is all among the removed.
 */
function editsOf({ removed, added }: PrefixDiff): PrefixEdit[] {
  const { words } = added;
  const edits: {
    first: Uint32Array;
    last: Uint32Array;
    added: ReturnType<typeof createPrefixCollector>;
  }[] = [];
  const last = new Uint32Array(words);
  let inAdded = 0;
  let inRemoved = 0;
  while (inAdded < added.count || inRemoved < removed.count) {
    const isAdded =
      inRemoved >= removed.count ||
      (inAdded < added.count && comparePrefixes(added, inAdded, removed, inRemoved) < 0);
    const [rows, index] = isAdded ? [added, inAdded++] : [removed, inRemoved++];
    let edit = edits[edits.length - 1];
    if (!edit || compareRows(rows.addresses, index * words, edit.last, 0, words) > 0) {
      lastOfPrefix(rows.addresses, index * words, rows.lengths[index], last);
      edit = {
        first: rows.addresses.slice(index * words, (index + 1) * words),
        last: last.slice(),
        added: createPrefixCollector(words),
      };
      edits.push(edit);
    }
    if (isAdded) edit.added.add(added.addresses, index * words, added.lengths[index]);
  }
  return edits.map(({ first, last, added }) => ({ first, last, prefixes: added.finish() }));
}

type Chunker = ReturnType<typeof createChunker>;

/** Adds the new prefixes of every edit that begins at or before the given old prefix. */
function addEditsUpTo(
  edits: readonly PrefixEdit[],
  next: number,
  prefixes: PrefixRows,
  index: number,
  chunker: Chunker,
): number {
  const { words, addresses } = prefixes;
  let edit = next;
  while (
    edit < edits.length &&
    compareRows(edits[edit].first, 0, addresses, index * words, words) <= 0
  ) {
    addAll(chunker, edits[edit].prefixes);
    edit++;
  }
  return edit;
}

function addAll(chunker: Chunker, prefixes: PrefixRows): void {
  for (let index = 0; index < prefixes.count; index++) chunker.add(prefixes, index);
}

function isWithin(edit: PrefixEdit, prefixes: PrefixRows, index: number): boolean {
  const { words, addresses } = prefixes;
  return compareRows(addresses, index * words, edit.last, 0, words) <= 0;
}

/** The last page whose first prefix lies before the address; 0 when there is none. */
function lastPageBefore(pages: PrefixPages, address: Uint32Array, words: AddressWords): number {
  let from = 0;
  let to = pages.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (compareRows(pages[middle].prefixes.addresses, 0, address, 0, words) < 0) from = middle + 1;
    else to = middle;
  }
  return Math.max(0, from - 1);
}
