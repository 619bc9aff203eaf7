import { concatName, type Name } from '../dns/name.ts';
import { RRTYPE } from '../dns/registry.ts';
import { compareRows } from './address-words.ts';
import type { IpContent } from './ip-content.ts';
import { HOSTS_LABEL, hostRrsets } from './ip-hosts.ts';
import {
  aplItemOctets,
  boundaryHash,
  findInPages,
  type PrefixPage,
  type PrefixPages,
} from './ip-pages.ts';
import { type AddressWords, noPrefixes, type PrefixRows } from './prefix-rows.ts';
import {
  joinLabels,
  label,
  octetKey,
  type PositionedRecord,
  type RelativeRrset,
  RRSET_RECORDS_MAX,
  recordsOf,
  recordTail,
  subtractRdatas,
} from './records.ts';

const FAMILY_LABEL = { 1: label('v4'), 4: label('v6') } as const;
const INDEX_LABEL = label('index');
const FIRST_PAGE = label('0');
const EMPTY_PAGE: PrefixPage = { prefixes: noPrefixes(1), bucketStarts: Uint16Array.of(0) };

/** Where a page's first prefix must have zero bits in its hash to begin a group: 5 more for each level. */
const GROUP_BITS_FIRST = 15;
const GROUP_BITS_PER_LEVEL = 5;

export interface IpRecordCounts {
  readonly pages4: number;
  readonly pages6: number;
  readonly prefixes4: number;
  readonly prefixes6: number;
  /** Resource records below the apex. */
  readonly records: number;
  readonly hosts: number;
}

export function countIpRecords(content: IpContent): IpRecordCounts {
  const known = countsOf.get(content) ?? countAllRecords(content);
  countsOf.set(content, known);
  return known;
}

/** A content never changes, and its counts are asked for by every query at the apex. */
const countsOf = new WeakMap<IpContent, IpRecordCounts>();

function countAllRecords(content: IpContent): IpRecordCounts {
  const buckets = (pages: PrefixPages) =>
    pages.reduce((count, page) => count + page.bucketStarts.length, 0) || 1;
  const prefixes = (pages: PrefixPages) =>
    pages.reduce((count, page) => count + page.prefixes.count, 0);
  const index = (pages: PrefixPages) =>
    indexLevels(pages).reduce((count, level) => count + level.length, 0);
  const hosts = content.hosts.v4.count + content.hosts.v6.count;
  return {
    pages4: Math.max(1, content.v4.length),
    pages6: Math.max(1, content.v6.length),
    prefixes4: prefixes(content.v4),
    prefixes6: prefixes(content.v6),
    records:
      buckets(content.v4) + buckets(content.v6) + index(content.v4) + index(content.v6) + hosts,
    hosts,
  };
}

/** All RRsets below the apex, in a fixed order. */
export function* ipRrsets(content: IpContent, origin: Name, ttl: number): Generator<RelativeRrset> {
  yield* indexRrsets(content.v4, 1, origin, ttl);
  yield* pageRrsets(content.v4, 1, ttl);
  yield* indexRrsets(content.v6, 4, origin, ttl);
  yield* pageRrsets(content.v6, 4, ttl);
  yield* hostRrsets(content.hosts, ttl);
}

/** Records of `before` that `after` has not. Pages that both share are not looked at. */
export function* removedIpRecords(
  before: IpContent,
  after: IpContent,
  origin: Name,
  ttl: number,
): Generator<PositionedRecord> {
  for (const words of [1, 4] as const) {
    const [old, now] = words === 1 ? [before.v4, after.v4] : [before.v6, after.v6];
    if (old === now) continue;
    yield* removedOf(indexRrsets(old, words, origin, ttl), indexRrsets(now, words, origin, ttl));
    yield* removedPageRecords(old, now, words, ttl);
  }
  if (before.hosts.v4 !== after.hosts.v4 || before.hosts.v6 !== after.hosts.v6) {
    yield* removedOf(hostRrsets(before.hosts, ttl), hostRrsets(after.hosts, ttl));
  }
}

/** The RRsets at a name below the apex, `empty` for a name that only others lie below, or null. */
export function findIpRrsets(
  content: IpContent,
  labels: Uint8Array,
  origin: Name,
  ttl: number,
): readonly RelativeRrset[] | 'empty' | null {
  const found: RelativeRrset[] = [];
  let isAbove = false;
  const key = octetKey(labels);
  for (const rrset of candidates(content, labels, origin, ttl)) {
    const owner = octetKey(rrset.labels);
    if (owner === key) found.push(rrset);
    else if (owner.endsWith(key) && isLabelBoundary(rrset.labels, owner.length - key.length)) {
      isAbove = true;
    }
  }
  if (found.length > 0) return found;
  return isAbove ? 'empty' : null;
}

/** Only what can match, so that a query renders no more than one page, index or set of hosts. */
function* candidates(
  content: IpContent,
  labels: Uint8Array,
  origin: Name,
  ttl: number,
): Generator<RelativeRrset> {
  if (endsInLabel(labels, HOSTS_LABEL)) yield* hostRrsets(content.hosts, ttl);
  for (const words of [1, 4] as const) {
    if (!endsInLabel(labels, FAMILY_LABEL[words])) continue;
    const pages = words === 1 ? content.v4 : content.v6;
    const above = labels.subarray(0, labels.length - FAMILY_LABEL[words].length);
    if (endsInLabel(above, INDEX_LABEL)) {
      yield* indexRrsets(pages, words, origin, ttl);
    } else {
      const index = above.length === 0 ? 0 : findPage(pages, above, words);
      const page = pages[index] ?? EMPTY_PAGE;
      if (index >= 0) yield pageRrset(page, pageLabel(pages, index), words, ttl);
    }
  }
}

function endsInLabel(labels: Uint8Array, last: Uint8Array): boolean {
  const start = labels.length - last.length;
  return (
    start >= 0 &&
    isLabelBoundary(labels, start) &&
    last.every((octet, index) => octet === labels[start + index])
  );
}

/**
 * The page that begins at the address in this label, or −1. The first page goes by another label,
 * which its caller compares.
 */
function findPage(pages: PrefixPages, name: Uint8Array, words: AddressWords): number {
  const text = Buffer.from(name.subarray(1)).toString('latin1');
  if (text === '0') return 0;
  if (name[0] !== words * 8 || text.length !== words * 8 || !/^[0-9a-f]+$/.test(text)) return -1;
  const address = Uint32Array.from({ length: words }, (_, word) =>
    Number.parseInt(text.slice(word * 8, word * 8 + 8), 16),
  );
  const { page, index } = findInPages(pages, address, words);
  const isFirst =
    index === 0 && compareRows(pages[page].prefixes.addresses, 0, address, 0, words) === 0;
  return isFirst ? page : -1;
}

function isLabelBoundary(labels: Uint8Array, position: number): boolean {
  let at = 0;
  while (at < position) at += labels[at] + 1;
  return at === position;
}

/** `0` for the first page, else the address at which the page begins in hexadecimal: it stays when others come and go. */
function pageLabel(pages: PrefixPages, index: number): Uint8Array {
  if (index === 0) return FIRST_PAGE;
  const { addresses, words } = pages[index].prefixes;
  let text = '';
  for (let word = 0; word < words; word++) text += addresses[word].toString(16).padStart(8, '0');
  return label(text);
}

function* pageRrsets(
  pages: PrefixPages,
  words: AddressWords,
  ttl: number,
): Generator<RelativeRrset> {
  for (let index = 0; index < Math.max(1, pages.length); index++) {
    yield pageRrset(pages[index] ?? EMPTY_PAGE, pageLabel(pages, index), words, ttl);
  }
}

/** The APL RRsets with the pages that they are written from, whose rdatas are not made here. */
export function* ipPages(content: IpContent): Generator<{ labels: Uint8Array; page: PrefixPage }> {
  for (const words of [1, 4] as const) {
    const pages = words === 1 ? content.v4 : content.v6;
    for (let index = 0; index < Math.max(1, pages.length); index++) {
      const labels = joinLabels(pageLabel(pages, index), FAMILY_LABEL[words]);
      yield { labels, page: pages[index] ?? EMPTY_PAGE };
    }
  }
}

/** The RRsets below the apex that are no pages: the index, and hosts. */
export function* ipRrsetsBesidePages(
  content: IpContent,
  origin: Name,
  ttl: number,
): Generator<RelativeRrset> {
  yield* indexRrsets(content.v4, 1, origin, ttl);
  yield* indexRrsets(content.v6, 4, origin, ttl);
  yield* hostRrsets(content.hosts, ttl);
}

function pageRrset(
  page: PrefixPage,
  name: Uint8Array,
  words: AddressWords,
  ttl: number,
): RelativeRrset {
  return {
    labels: joinLabels(name, FAMILY_LABEL[words]),
    type: RRTYPE.APL,
    ttl,
    rdatas: bucketRdatas(page),
  };
}

/** One APL rdata per bucket; an empty list is one record with empty rdata, which RFC 3123 section 4 allows. */
export function bucketRdatas({ prefixes, bucketStarts }: PrefixPage): Uint8Array[] {
  return Array.from(bucketStarts, (start, bucket) => {
    const end = bucketStarts[bucket + 1] ?? prefixes.count;
    let octets = 0;
    for (let index = start; index < end; index++) octets += aplItemOctets(prefixes, index);
    const rdata = new Uint8Array(octets);
    let at = 0;
    for (let index = start; index < end; index++) at = writePrefix(rdata, at, prefixes, index);
    return rdata;
  });
}

/** RFC 3123 section 4: family, prefix, N and length, then the address without trailing zero octets. */
function writePrefix(rdata: Uint8Array, at: number, prefixes: PrefixRows, index: number): number {
  const octets = aplItemOctets(prefixes, index) - 4;
  rdata[at] = 0;
  rdata[at + 1] = prefixes.words === 1 ? 1 : 2;
  rdata[at + 2] = prefixes.lengths[index];
  rdata[at + 3] = octets;
  for (let octet = 0; octet < octets; octet++) {
    const word = prefixes.addresses[index * prefixes.words + (octet >> 2)];
    rdata[at + 4 + octet] = word >>> (24 - (octet & 3) * 8);
  }
  return at + 4 + octets;
}

/** One PTR RRset of the index: at `node` (labels in front of `index.v4`), listing pages or groups. */
interface IndexRrset {
  readonly node: Uint8Array;
  readonly targets: readonly Uint8Array[];
}

/** All RRsets of the index, flattened; the first is the top. */
function* indexRrsets(
  pages: PrefixPages,
  words: AddressWords,
  origin: Name,
  ttl: number,
): Generator<RelativeRrset> {
  for (const { node, targets } of indexNodes(pages, words)) {
    yield {
      labels: joinLabels(node, INDEX_LABEL, FAMILY_LABEL[words]),
      type: RRTYPE.PTR,
      ttl,
      rdatas: targets.map((target) => concatName(target, origin)),
    };
  }
}

function* indexNodes(pages: PrefixPages, words: AddressWords): Generator<IndexRrset> {
  const levels = indexLevels(pages);
  const top = levels.length - 1;
  for (let level = top; level >= 0; level--) {
    const members = levels[level];
    const groups = level === top ? [0] : levels[level + 1];
    for (let group = 0; group < groups.length; group++) {
      const from = groups[group];
      const to = groups[group + 1] ?? pages.length;
      const inGroup = level === top ? members : members.filter((page) => page >= from && page < to);
      yield {
        node: level === top ? new Uint8Array(0) : groupLabels(pages, from, level + 1),
        targets: inGroup.map((page) =>
          level === 0
            ? joinLabels(pageLabel(pages, page), FAMILY_LABEL[words])
            : joinLabels(groupLabels(pages, page, level), INDEX_LABEL, FAMILY_LABEL[words]),
        ),
      };
    }
  }
}

function groupLabels(pages: PrefixPages, page: number, level: number): Uint8Array {
  return joinLabels(pageLabel(pages, page), label(String(level)));
}

/**
 * The pages that begin each entry, per level: level 0 lists every page, each further level the first
 * page of every group, until one RRset holds them all. Groups are cut by content, like pages.
 */
function indexLevels(pages: PrefixPages): number[][] {
  const levels = [Array.from({ length: Math.max(1, pages.length) }, (_, page) => page)];
  for (let members = levels[0]; members.length > RRSET_RECORDS_MAX; members = levels.at(-1)!) {
    const bits = GROUP_BITS_FIRST + GROUP_BITS_PER_LEVEL * (levels.length - 1);
    const mask = bits >= 32 ? 0xffffffff : 2 ** bits - 1;
    let inGroup = RRSET_RECORDS_MAX;
    levels.push(
      members.filter((page) => {
        const starts =
          inGroup >= RRSET_RECORDS_MAX || (boundaryHash(pages[page].prefixes, 0) & mask) === 0;
        inGroup = starts ? 1 : inGroup + 1;
        return starts;
      }),
    );
  }
  return levels;
}

function* removedPageRecords(
  old: PrefixPages,
  now: PrefixPages,
  words: AddressWords,
  ttl: number,
): Generator<PositionedRecord> {
  const byLabel = new Map<string, PrefixPage>();
  for (let index = 0; index < Math.max(1, now.length); index++) {
    byLabel.set(octetKey(pageLabel(now, index)), now[index] ?? EMPTY_PAGE);
  }
  for (let index = 0; index < Math.max(1, old.length); index++) {
    const page = old[index] ?? EMPTY_PAGE;
    const name = pageLabel(old, index);
    const same = byLabel.get(octetKey(name));
    if (same === page) continue;
    const rdatas = bucketRdatas(page);
    const removed = same === undefined ? rdatas : subtractRdatas(rdatas, bucketRdatas(same));
    const labels = joinLabels(name, FAMILY_LABEL[words]);
    for (const rdata of removed) yield { labels, tail: recordTail(RRTYPE.APL, ttl, rdata) };
  }
}

function* removedOf(
  old: Iterable<RelativeRrset>,
  now: Iterable<RelativeRrset>,
): Generator<PositionedRecord> {
  const key = ({ labels, type }: RelativeRrset) => `${type} ${octetKey(labels)}`;
  const byKey = new Map<string, RelativeRrset>();
  for (const rrset of now) byKey.set(key(rrset), rrset);
  for (const rrset of old) {
    const rdatas = subtractRdatas(rrset.rdatas, byKey.get(key(rrset))?.rdatas ?? []);
    yield* recordsOf({ ...rrset, rdatas });
  }
}
