import type { Serial } from '../dns/serial.ts';
import type { Catalogue } from '../indicators/catalogue.ts';
import { type ActionNumber, NO_ACTION } from '../policy/verdicts.ts';
import { invertCatalogDiff } from '../zone/catalog-content.ts';
import { netDiff } from '../zone/content-at.ts';
import { diffBodies } from '../zone/diff-bodies.ts';
import { composeIpDiffs, type IpDiff, invertIpDiff } from '../zone/ip-content.ts';
import { noPrefixes } from '../zone/prefix-rows.ts';
import { octetKey } from '../zone/records.ts';
import {
  belowAction,
  composeRpzDiffs,
  invertRpzDiff,
  type RpzDiff,
  selfAction,
} from '../zone/rpz-content.ts';
import { countRemoved } from '../zone/rpz-records.ts';
import type { RpzRendering } from '../zone/rpz-rendering.ts';
import type { Revision, ZoneBody, ZoneSnapshot } from '../zone/snapshot.ts';
import {
  collectPage,
  IP_LISTS,
  type ItemPage,
  membersFrom,
  type PlacedItem,
  prefixItem,
  ruleItem,
  type ZoneItem,
} from './zone-items.ts';
import { bodyOfSerial } from './zone-reading.ts';
import type { ItemQuery } from './zone-records.ts';

export const CHANGES = ['removed', 'added'] as const;

/** An item that one serial has and the other has not. */
export interface ChangedItem extends ZoneItem {
  readonly change: (typeof CHANGES)[number];
}

/** What is to be done to a zone at serial `from` to make it the zone at serial `to`: one page of it, exact counts of all. */
export async function compareSerials(options: {
  readonly zone: ZoneSnapshot;
  /** Both retained; either may be the older. */
  readonly from: Serial;
  readonly to: Serial;
  readonly catalogue: Catalogue;
  readonly query: ItemQuery;
}): Promise<ItemPage<ChangedItem> & { readonly removed: number; readonly added: number }> {
  const { zone, from, to, catalogue, query } = options;
  const { removed, added } = changesBetween(zone, from, to);
  const { body } = zone;
  const source = changedItems({ body, catalogue, removed, added }, query.from ?? []);
  const page = await collectPage(source, query.limit, query.q);
  return { ...page, removed: countRemovals(body, removed), added: countRemovals(body, added) };
}

type Diff = Revision['diff'];

/** The difference both ways: what goes is what the way back would bring. */
interface Changes {
  readonly removed: Diff;
  readonly added: Diff;
}

function changesBetween(zone: ZoneSnapshot, from: Serial, to: Serial): Changes {
  const known = lastChanges.get(zone);
  if (known?.from === from && known.to === to) return known.changes;
  const serials = [zone.revisions[0]?.fromSerial ?? zone.serial];
  for (const { toSerial } of zone.revisions) serials.push(toSerial);
  const [start, end] = [serials.indexOf(from), serials.indexOf(to)];
  const steps = zone.revisions.slice(Math.min(start, end), Math.max(start, end));
  const forward = composed(zone, steps);
  const backward = inverted(forward);
  const changes =
    start <= end ? { removed: forward, added: backward } : { removed: backward, added: forward };
  lastChanges.set(zone, { from, to, changes });
  return changes;
}

/** Whoever pages through a comparison asks for it again and again. */
const lastChanges = new WeakMap<ZoneSnapshot, { from: Serial; to: Serial; changes: Changes }>();

/** Above this many owners two contents are compared as sets, which costs the same whatever differs. */
const COMPOSED_OWNERS_MAX = 20_000;

/** The net effect of steps that follow one another. */
function composed(zone: ZoneSnapshot, steps: readonly Revision[]): Diff {
  if (zone.body.kind === 'catalog') return netDiff('catalog', steps);
  if (zone.body.kind === 'ip') {
    const lists = steps.flatMap(({ diff }): IpDiff[] => (diff.kind === 'ip' ? [diff.lists] : []));
    return { kind: 'ip', lists: lists.length === 0 ? NO_CHANGE : composeIpDiffs(lists) };
  }
  const moves = steps.flatMap(({ diff }): RpzDiff[] => (diff.kind === 'rpz' ? [diff.moves] : []));
  const owners = moves.flat().reduce((count, { ids }) => count + ids.length, 0);
  if (owners <= COMPOSED_OWNERS_MAX) return { kind: 'rpz', moves: composeRpzDiffs(moves) };
  const before = bodyOfSerial(zone, steps[0]!.fromSerial);
  const after = bodyOfSerial(zone, steps.at(-1)!.toSerial);
  return diffBodies(before, after) ?? { kind: 'rpz', moves: [] };
}

const noPrefixChange = (words: 1 | 4) => ({ removed: noPrefixes(words), added: noPrefixes(words) });

/** From a serial to itself. */
const NO_CHANGE: IpDiff = {
  v4: noPrefixChange(1),
  v6: noPrefixChange(4),
  hosts4: noPrefixChange(1),
  hosts6: noPrefixChange(4),
  leftOut: 0,
};

function inverted(diff: Diff): Diff {
  switch (diff.kind) {
    case 'rpz':
      return { kind: 'rpz', moves: invertRpzDiff(diff.moves) };
    case 'ip':
      return { kind: 'ip', lists: invertIpDiff(diff.lists) };
    case 'catalog':
      return { kind: 'catalog', members: invertCatalogDiff(diff.members) };
  }
}

function countRemovals(body: ZoneBody, diff: Diff): number {
  if (diff.kind === 'rpz' && body.kind === 'rpz') return countRemoved(diff.moves, body.rendering);
  if (diff.kind === 'catalog') return diff.members.removed.length;
  if (diff.kind !== 'ip') throw new Error(`a difference of kind ${diff.kind} in an IP zone`);
  return IP_LISTS.reduce((count, list) => count + diff.lists[list].removed.count, 0);
}

interface ItemSource extends Changes {
  readonly body: ZoneBody;
  readonly catalogue: Catalogue;
}

/** First all that goes, then all that comes. A place begins with the index in CHANGES. */
function* changedItems(
  { body, catalogue, removed, added }: ItemSource,
  [firstSide = 0, ...rest]: readonly number[],
): Generator<PlacedItem<ChangedItem>> {
  for (const [side, diff] of [removed, added].entries()) {
    if (side < firstSide) continue;
    const change = CHANGES[side]!;
    const begin = side === firstSide ? rest : [];
    for (const { place, item } of removedItems(body, catalogue, diff, begin)) {
      yield { place: [side, ...place], item: { change, ...item } };
    }
  }
}

function removedItems(
  body: ZoneBody,
  catalogue: Catalogue,
  diff: Diff,
  begin: readonly number[],
): Generator<PlacedItem> {
  if (diff.kind === 'rpz' && body.kind === 'rpz') {
    return removedRules(diff.moves, catalogue, body.rendering, begin);
  }
  if (diff.kind === 'ip' && body.kind === 'ip') return removedPrefixes(diff.lists, body.ttl, begin);
  if (diff.kind === 'catalog' && body.kind === 'catalog') {
    return membersFrom(diff.members.removed, body.ttl, begin);
  }
  throw new Error(`a difference of kind ${diff.kind} in a zone of kind ${body.kind}`);
}

/** Move by move. A place is the move, the index of the owner in it, and the record of the owner. */
function* removedRules(
  moves: RpzDiff,
  catalogue: Catalogue,
  rendering: RpzRendering,
  [firstMove = 0, firstIndex = 0, firstPart = 0]: readonly number[],
): Generator<PlacedItem> {
  const { ttl } = rendering;
  for (let move = firstMove; move < moves.length; move++) {
    const { from, to, ids } = moves[move]!;
    const records = [
      ...missingRecords(selfAction(from), selfAction(to), rendering).map((record) => ({
        record,
        isWildcard: false,
      })),
      ...missingRecords(belowAction(from), belowAction(to), rendering).map((record) => ({
        record,
        isWildcard: true,
      })),
    ];
    const skippedIds = move === firstMove ? firstIndex : 0;
    for (let index = skippedIds; records.length > 0 && index < ids.length; index++) {
      const labels = catalogue.owner(ids[index]!);
      const skipped = move === firstMove && index === firstIndex ? firstPart : 0;
      for (let part = skipped; part < records.length; part++) {
        const { record, isWildcard } = records[part]!;
        yield { place: [move, index, part], item: ruleItem({ labels, isWildcard, record, ttl }) };
      }
    }
  }
}

/** The records of one action that another has not, to the octet. */
function missingRecords(from: ActionNumber, to: ActionNumber, rendering: RpzRendering) {
  if (from === NO_ACTION || from === to) return [];
  const { records, tails } = rendering.rendered(from);
  if (to === NO_ACTION) return records;
  const kept = new Set(rendering.rendered(to).tails.map(octetKey));
  return records.filter((_, index) => !kept.has(octetKey(tails[index]!)));
}

/** List by list. A place is the list and the index of the prefix in it. */
function* removedPrefixes(
  lists: IpDiff,
  ttl: number,
  [firstList = 0, firstIndex = 0]: readonly number[],
): Generator<PlacedItem> {
  for (let list = firstList; list < IP_LISTS.length; list++) {
    const name = IP_LISTS[list]!;
    const rows = lists[name].removed;
    for (let index = list === firstList ? firstIndex : 0; index < rows.count; index++) {
      yield { place: [list, index], item: prefixItem(name, rows, index, ttl) };
    }
  }
}
