import { formatIpv4, formatIpv6 } from '../dns/address.ts';
import { formatRdata } from '../dns/format-rdata.ts';
import { concatName, formatName, parseName, ROOT_NAME } from '../dns/name.ts';
import { hashLabel } from '../dns/name-hash.ts';
import { rrtypeName } from '../dns/registry.ts';
import type { CatalogMember } from '../zone/catalog-content.ts';
import type { PrefixRows } from '../zone/prefix-rows.ts';
import type { RenderedAction } from '../zone/rpz-rendering.ts';

/**
 * One thing that a zone says below its apex, in words: a record of an RPZ zone, one prefix of an IP
 * zone, whichever APL record it shares with others, or one member of a catalog zone.
 */
export interface ZoneItem {
  /** Relative to the zone; `v4`, `v6` or `hosts` in an IP zone. */
  readonly owner: string;
  readonly type: string;
  readonly ttl: number;
  /** Rdata in presentation form, or the prefix, or the member with its properties. */
  readonly data: string;
}

/** An item with the place where it stands, from which reading can go on. */
export interface PlacedItem<Item extends ZoneItem = ZoneItem> {
  readonly place: readonly number[];
  readonly item: Item;
}

type ActionRecord = RenderedAction['records'][number];

export function ruleItem(options: {
  readonly labels: Uint8Array;
  readonly isWildcard: boolean;
  readonly record: ActionRecord;
  readonly ttl: number;
}): ZoneItem {
  const { labels, isWildcard, record, ttl } = options;
  const name = formatName(concatName(labels, ROOT_NAME)).slice(0, -1);
  const owner = isWildcard ? (name === '' ? '*' : `*.${name}`) : name;
  return {
    owner,
    type: rrtypeName(record.type),
    ttl,
    data: formatRdata(record.type, record.rdata),
  };
}

/** The lists of an IP zone, in the order in which they are read. */
export const IP_LISTS = ['v4', 'v6', 'hosts4', 'hosts6'] as const;
export type IpList = (typeof IP_LISTS)[number];

export function prefixItem(list: IpList, rows: PrefixRows, index: number, ttl: number): ZoneItem {
  const octets = new Uint8Array(rows.words * 4);
  const view = new DataView(octets.buffer);
  for (let word = 0; word < rows.words; word++) {
    view.setUint32(word * 4, rows.addresses[index * rows.words + word]!);
  }
  const address = rows.words === 1 ? formatIpv4(octets) : formatIpv6(octets);
  if (list === 'hosts4') return { owner: 'hosts', type: 'A', ttl, data: address };
  if (list === 'hosts6') return { owner: 'hosts', type: 'AAAA', ttl, data: address };
  return { owner: list, type: 'APL', ttl, data: `${address}/${rows.lengths[index]}` };
}

/** Members of a catalog zone in their order. A place is the index of a member. */
export function* membersFrom(
  members: readonly CatalogMember[],
  ttl: number,
  [first = 0]: readonly number[],
): Generator<PlacedItem> {
  for (let index = first; index < members.length; index++) {
    const { origin, group, newOwner } = members[index]!;
    const owner = `${hashLabel(parseName(origin))}.zones`;
    const properties = newOwner === null ? `group=${group}` : `group=${group} coo=${newOwner}`;
    yield { place: [index], item: { owner, type: 'PTR', ttl, data: `${origin} ${properties}` } };
  }
}

/** Items looked at in one go, a few milliseconds: then queries and transfers have their turn. */
const SLICE_ITEMS = 2_000;
/** Items looked at for one page: a search that finds little ends here, and goes on with the next page. */
const PAGE_ITEMS_MAX = 200_000;

export interface ItemPage<Item extends ZoneItem = ZoneItem> {
  readonly items: readonly Item[];
  /** Where the next page begins; null at the end. */
  readonly next: readonly number[] | null;
}

/** Takes the first `limit` items that hold the text `q` (lower case; all when it is empty). */
export async function collectPage<Item extends ZoneItem>(
  source: Iterable<PlacedItem<Item>>,
  limit: number,
  q: string,
): Promise<ItemPage<Item>> {
  const items: Item[] = [];
  let looked = 0;
  for (const { place, item } of source) {
    if (items.length >= limit || looked >= PAGE_ITEMS_MAX) return { items, next: place };
    if (q === '' || item.owner.includes(q) || item.data.toLowerCase().includes(q)) items.push(item);
    if (++looked % SLICE_ITEMS === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return { items, next: null };
}
