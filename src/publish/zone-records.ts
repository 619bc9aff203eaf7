import type { Serial } from '../dns/serial.ts';
import type { Catalogue } from '../indicators/catalogue.ts';
import { type IdSet, visitIds } from '../indicators/id-set.ts';
import { NO_ACTION } from '../policy/verdicts.ts';
import type { PrefixPages } from '../zone/ip-pages.ts';
import { countIpRecords } from '../zone/ip-records.ts';
import { belowAction, selfAction } from '../zone/rpz-content.ts';
import { countRules } from '../zone/rpz-records.ts';
import type { ZoneBody, ZoneSnapshot } from '../zone/snapshot.ts';
import {
  collectPage,
  IP_LISTS,
  type ItemPage,
  membersFrom,
  type PlacedItem,
  prefixItem,
  ruleItem,
} from './zone-items.ts';
import { bodyOfSerial } from './zone-reading.ts';

/** Which part of a zone is wanted. */
export interface ItemQuery {
  /** Items at most. */
  readonly limit: number;
  /** Where a page before ended; null for the beginning. */
  readonly from: readonly number[] | null;
  /** Only items whose owner or data hold this text, lower case. */
  readonly q: string;
}

/**
 * One page of what a zone says at a retained serial, in an order that is the same each time: it never
 * renders more than it looks at, and stops every few milliseconds.
 */
export async function readZoneRecords(options: {
  readonly zone: ZoneSnapshot;
  readonly serial: Serial;
  readonly catalogue: Catalogue;
  readonly query: ItemQuery;
}): Promise<ItemPage & { readonly total: number }> {
  const { zone, serial, catalogue, query } = options;
  const body = bodyOfSerial(zone, serial);
  const page = await collectPage(
    itemsFrom(body, catalogue, query.from ?? []),
    query.limit,
    query.q,
  );
  return { ...page, total: countItems(body) };
}

function countItems(body: ZoneBody): number {
  if (body.kind === 'rpz') return countRules(body.content, body.rendering);
  if (body.kind === 'catalog') return body.content.members.length;
  const { prefixes4, prefixes6, hosts } = countIpRecords(body.content);
  return prefixes4 + prefixes6 + hosts;
}

function itemsFrom(
  body: ZoneBody,
  catalogue: Catalogue,
  from: readonly number[],
): Generator<PlacedItem> {
  switch (body.kind) {
    case 'rpz':
      return rulesFrom(body, catalogue, from);
    case 'ip':
      return prefixesFrom(body, from);
    case 'catalog':
      return membersFrom(body.content.members, body.ttl, from);
  }
}

/** By state, then by id, then the records of the owner. A place is these three numbers. */
function* rulesFrom(
  { content, rendering }: Extract<ZoneBody, { kind: 'rpz' }>,
  catalogue: Catalogue,
  [firstState = 0, firstId = 0, firstPart = 0]: readonly number[],
): Generator<PlacedItem> {
  const { ttl } = rendering;
  for (const [state, ids] of content) {
    if (state < firstState) continue;
    const records = [selfAction(state), belowAction(state)].flatMap((action, index) =>
      action === NO_ACTION
        ? []
        : rendering.rendered(action).records.map((record) => ({ record, isWildcard: index === 1 })),
    );
    for (const id of idsFrom(ids, state === firstState ? firstId : 0)) {
      const labels = catalogue.owner(id);
      const skipped = state === firstState && id === firstId ? firstPart : 0;
      for (let part = skipped; part < records.length; part++) {
        const { record, isWildcard } = records[part]!;
        yield { place: [state, id, part], item: ruleItem({ labels, isWildcard, record, ttl }) };
      }
    }
  }
}

const IDS_AT_ONCE = 256;

function* idsFrom(set: IdSet, from: number): Generator<number> {
  for (let next = from; ; ) {
    const ids: number[] = [];
    const take = (id: number) => ids.push(id) < IDS_AT_ONCE;
    visitIds(set, take, next);
    yield* ids;
    if (ids.length < IDS_AT_ONCE) return;
    next = ids.at(-1)! + 1;
  }
}

/** List by list in rising order. A place is the list and the index in it. */
function* prefixesFrom(
  { content, ttl }: Extract<ZoneBody, { kind: 'ip' }>,
  [firstList = 0, firstIndex = 0]: readonly number[],
): Generator<PlacedItem> {
  const { v4, v6, hosts } = content;
  const lists: readonly Pick<PrefixPages[number], 'prefixes'>[][] = [
    [...v4],
    [...v6],
    [{ prefixes: hosts.v4 }],
    [{ prefixes: hosts.v6 }],
  ];
  for (let list = firstList; list < lists.length; list++) {
    let before = 0;
    for (const { prefixes } of lists[list]!) {
      const skipped = Math.max(0, (list === firstList ? firstIndex : 0) - before);
      for (let index = skipped; index < prefixes.count; index++) {
        const item = prefixItem(IP_LISTS[list]!, prefixes, index, ttl);
        yield { place: [list, before + index], item };
      }
      before += prefixes.count;
    }
  }
}
