import { type Catalogue, NONE } from '../indicators/catalogue.ts';
import { type IdSet, idsOf } from '../indicators/id-set.ts';
import { type ActionNumber, actionOf, NO_RULING, type Verdicts } from '../policy/verdicts.ts';
import { compareRows, decrement, increment, lastOfPrefix } from './address-words.ts';
import type { PublishedHosts } from './ip-content.ts';
import { findInPages, type PrefixPages, pagesOfInSteps } from './ip-pages.ts';
import { sweepAddresses } from './ip-sweep.ts';
import {
  type AddressWords,
  createPrefixCollector,
  createRangeCollector,
  type PrefixDiff,
  type PrefixRows,
  subtractPrefixes,
} from './prefix-rows.ts';
import { type Steps, withoutBreaks } from './steps.ts';

/** Changed ones, which take eight microseconds each. */
const PREFIXES_A_STEP = 128;

/** The two zones of an IP policy. */
export const IP_SIDES = ['block', 'allow'] as const;
export type IpSide = (typeof IP_SIDES)[number];

/** The numbers that actions have in every IP policy. */
export const IP_ACTION: Readonly<Record<IpSide, ActionNumber>> = {
  block: 1 as ActionNumber,
  allow: 2 as ActionNumber,
};

/** One family of an IP policy: what is blocked and what is allowed, which never overlap. */
export type IpPair<Value> = Readonly<Record<IpSide, Value>>;

/** The fewest prefixes that hold exactly the blocked, and exactly the allowed, addresses. */
export function* compileIpInSteps(
  catalogue: Catalogue,
  verdicts: Verdicts,
  words: AddressWords,
): Steps<IpPair<PrefixPages>> {
  const ranges = collectorsBySide(words);
  yield* sweepAddresses({
    catalogue,
    verdicts,
    words,
    first: new Uint32Array(words),
    last: new Uint32Array(words).fill(0xffffffff),
    position: 0,
    base: NO_RULING,
    visit: (from, to, ruling) => ranges.add(from, to, actionOf(ruling)),
  });
  const block = yield* pagesOfInSteps(ranges.block.finish());
  const allow = yield* pagesOfInSteps(ranges.allow.finish());
  return { block, allow };
}

export const compileIp = withoutBreaks(compileIpInSteps);

/**
 * What a change of members does to the two lists of one family. Only the addresses inside changed
 * prefixes are looked at, and on each side of them what they touch, since neighbours may join.
 */
export function* diffIpInSteps(options: {
  readonly catalogue: Catalogue;
  readonly verdicts: Verdicts;
  readonly words: AddressWords;
  readonly pages: IpPair<PrefixPages>;
  readonly changed: IdSet;
}): Steps<IpPair<PrefixDiff>> {
  const { catalogue, verdicts, words, pages } = options;
  const editors = {
    block: createListEditor(pages.block, words),
    allow: createListEditor(pages.allow, words),
  };
  const first = new Uint32Array(words);
  const last = new Uint32Array(words);
  let edited = 0;
  for (const id of outermost(catalogue, words, options.changed)) {
    catalogue.prefixWords(id, first);
    lastOfPrefix(first, 0, catalogue.prefixLength(id), last);
    for (const side of IP_SIDES) editors[side].beginInterval(first);
    yield* sweepAddresses({
      catalogue,
      verdicts,
      words,
      first,
      last,
      position: catalogue.order('ip', words === 1 ? 4 : 6).positionOf(id),
      base: verdicts.inherited(id),
      visit: (from, to, ruling) => {
        const action = actionOf(ruling);
        for (const side of IP_SIDES)
          if (action === IP_ACTION[side]) editors[side].addRange(from, to);
      },
    });
    for (const side of IP_SIDES) editors[side].endInterval(last);
    if (++edited % PREFIXES_A_STEP === 0) yield;
  }
  return { block: editors.block.finish(), allow: editors.allow.finish() };
}

export const diffIp = withoutBreaks(diffIpInSteps);

/**
 * The single addresses of a side, the highest severity first and then the lowest address, up to
 * `hostsMax` of both families together.
 */
export function selectHosts(options: {
  readonly catalogue: Catalogue;
  readonly verdicts: Verdicts;
  readonly side: IpSide;
  readonly hostsMax: number;
  /** 0–5, or −1 when no member holds the address itself. */
  readonly severityOf: (id: number) => number;
}): PublishedHosts {
  const { catalogue, verdicts, side, hostsMax, severityOf } = options;
  const bySeverity: number[][] = [[], [], [], [], [], []];
  let total = 0;
  for (const family of [4, 6] as const) {
    const order = catalogue.order('ip', family);
    for (let position = 0; position < order.count; position++) {
      const id = order.at(position);
      if (catalogue.prefixLength(id) !== (family === 4 ? 32 : 128)) continue;
      const severity = severityOf(id);
      if (severity < 0 || actionOf(verdicts.self(id)) !== IP_ACTION[side]) continue;
      total++;
      if (bySeverity[severity].length < hostsMax) bySeverity[severity].push(id);
    }
  }
  const chosen = bySeverity.reverse().flat().slice(0, hostsMax);
  return {
    v4: hostRows(catalogue, chosen, 4),
    v6: hostRows(catalogue, chosen, 6),
    leftOut: total - chosen.length,
  };
}

function hostRows(catalogue: Catalogue, chosen: readonly number[], family: 4 | 6): PrefixRows {
  const words = family === 4 ? 1 : 4;
  const order = catalogue.order('ip', family);
  const rows = createPrefixCollector(words);
  const address = new Uint32Array(words);
  const positions = chosen
    .filter((id) => catalogue.prefixFamily(id) === family)
    .map((id) => order.positionOf(id))
    .sort((a, b) => a - b);
  for (const position of positions) {
    catalogue.prefixWords(order.at(position), address);
    rows.add(address, 0, words * 32);
  }
  return rows.finish();
}

function collectorsBySide(words: AddressWords) {
  const block = createRangeCollector(words);
  const allow = createRangeCollector(words);
  return {
    block,
    allow,
    add(from: Uint32Array, to: Uint32Array, action: ActionNumber): void {
      if (action === IP_ACTION.block) block.add(from, to);
      else if (action === IP_ACTION.allow) allow.add(from, to);
    },
  };
}

/** The changed `ip` prefixes of a family that lie in no other changed one, in rising order. */
function outermost(catalogue: Catalogue, words: AddressWords, changed: IdSet): number[] {
  const family = words === 1 ? 4 : 6;
  const order = catalogue.order('ip', family);
  const ids = idsOf(changed);
  const isChanged = new Set(ids);
  const result: number[] = [];
  for (const id of ids) {
    if (!catalogue.isPrefix(id) || catalogue.prefixKind(id) !== 'ip') continue;
    if (catalogue.prefixFamily(id) !== family) continue;
    let above = catalogue.parent(id);
    while (above !== NONE && !isChanged.has(above)) above = catalogue.parent(above);
    if (above === NONE) result.push(id);
  }
  return result.sort((a, b) => order.positionOf(a) - order.positionOf(b));
}

/**
 * Replaces intervals of one list by new ranges. An interval grows to both sides over what the list
 * covers without a gap, since prefixes there may join with the new ones or part from them.
 */
function createListEditor(pages: PrefixPages, words: AddressWords) {
  const added = createPrefixCollector(words);
  const removed = createPrefixCollector(words);
  let ranges = createRangeCollector(words);
  let isOpen = false;
  const runFirst = new Uint32Array(words);
  /** End of the interval last edited, and of the run that it belongs to in the old list. */
  const intervalLast = new Uint32Array(words);
  const runLast = new Uint32Array(words);
  const from = new Uint32Array(words);
  const to = new Uint32Array(words);

  /** Adds what the old list covers after the edited interval up to `end`. */
  const keepUpTo = (end: Uint32Array): void => {
    from.set(intervalLast);
    if (increment(from) && compareRows(from, 0, end, 0, words) <= 0) ranges.add(from, end);
  };
  const closeRun = (): void => {
    if (!isOpen) return;
    keepUpTo(runLast);
    const after = ranges.finish();
    const before = prefixesBetween(pages, runFirst, runLast, words);
    appendRows(removed, subtractPrefixes(before, after));
    appendRows(added, subtractPrefixes(after, before));
    ranges = createRangeCollector(words);
    isOpen = false;
  };
  return {
    beginInterval(first: Uint32Array): void {
      to.set(first);
      const hasBefore = decrement(to);
      if (isOpen && hasBefore && compareRows(runLast, 0, to, 0, words) >= 0) {
        keepUpTo(to);
        return;
      }
      closeRun();
      isOpen = true;
      runFirst.set(first);
      extendToLeft(pages, runFirst, words);
      if (hasBefore && compareRows(runFirst, 0, to, 0, words) <= 0) ranges.add(runFirst, to);
    },
    addRange(first: Uint32Array, last: Uint32Array): void {
      ranges.add(first, last);
    },
    endInterval(last: Uint32Array): void {
      intervalLast.set(last);
      runLast.set(last);
      extendToRight(pages, runLast, words);
    },
    finish(): PrefixDiff {
      closeRun();
      return { removed: removed.finish(), added: added.finish() };
    },
  };
}

function extendToLeft(pages: PrefixPages, address: Uint32Array, words: AddressWords): void {
  const before = new Uint32Array(words);
  for (;;) {
    before.set(address);
    if (!decrement(before)) return;
    const found = prefixAt(pages, before, words);
    if (!found) return;
    address.set(found.first);
  }
}

function extendToRight(pages: PrefixPages, address: Uint32Array, words: AddressWords): void {
  const after = new Uint32Array(words);
  for (;;) {
    after.set(address);
    if (!increment(after)) return;
    const found = prefixAt(pages, after, words);
    if (!found) return;
    address.set(found.last);
  }
}

/** The prefix of the list that holds the address. */
export function prefixAt(
  pages: PrefixPages,
  address: Uint32Array,
  words: AddressWords,
): { first: Uint32Array; last: Uint32Array; length: number } | null {
  const { page, index } = findInPages(pages, address, words);
  if (index < 0) return null;
  const rows = pages[page].prefixes;
  const last = new Uint32Array(words);
  const length = rows.lengths[index];
  lastOfPrefix(rows.addresses, index * words, length, last);
  if (compareRows(address, 0, last, 0, words) > 0) return null;
  return { first: rows.addresses.slice(index * words, (index + 1) * words), last, length };
}

function prefixesBetween(
  pages: PrefixPages,
  first: Uint32Array,
  last: Uint32Array,
  words: AddressWords,
): PrefixRows {
  const between = createPrefixCollector(words);
  let { page, index } = findInPages(pages, first, words);
  for (; page < pages.length; page++, index = 0) {
    const { addresses, lengths, count } = pages[page].prefixes;
    for (index = Math.max(0, index); index < count; index++) {
      if (compareRows(addresses, index * words, first, 0, words) < 0) continue;
      if (compareRows(addresses, index * words, last, 0, words) > 0) return between.finish();
      between.add(addresses, index * words, lengths[index]);
    }
  }
  return between.finish();
}

function appendRows(collector: ReturnType<typeof createPrefixCollector>, rows: PrefixRows): void {
  for (let index = 0; index < rows.count; index++) {
    collector.add(rows.addresses, index * rows.words, rows.lengths[index]);
  }
}
