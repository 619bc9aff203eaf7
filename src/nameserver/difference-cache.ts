import { formatName } from '../dns/name.ts';
import type { Serial } from '../dns/serial.ts';
import type { PlainBody } from '../zone/plain-records.ts';
import type { RpzDiff } from '../zone/rpz-content.ts';
import type { ZoneSnapshot } from '../zone/snapshot.ts';

/** The net difference between two serials of a zone, ready to be rendered. */
export type Difference =
  | { readonly kind: 'rpz'; readonly moves: RpzDiff }
  /** The old body, which shares with the new one what did not change, and how many records came and went. */
  | { readonly kind: 'plain'; readonly before: PlainBody; readonly records: number };

/** Differences kept at one time, and how much they may hold together (ids or records). */
const DIFFERENCES_MAX = 256;
const ITEMS_MAX = 1_000_000;

/**
 * The differences that were asked for lately. All devices of a policy follow a change together and
 * ask for the same one; and whoever repeats a question does not repeat the work.
 */
export interface DifferenceCache {
  get(snapshot: ZoneSnapshot, from: Serial, make: () => Difference): Difference;
}

export function createDifferenceCache(): DifferenceCache {
  /** The longest unused first. */
  const kept = new Map<string, { snapshot: ZoneSnapshot; difference: Difference; items: number }>();
  let items = 0;
  return {
    get(snapshot, from, make) {
      const key = `${formatName(snapshot.settings.origin)} ${from}`;
      const known = kept.get(key);
      if (known !== undefined) {
        kept.delete(key);
        items -= known.items;
      }
      const difference = known?.snapshot === snapshot ? known.difference : make();
      const entry = { snapshot, difference, items: countItems(difference) };
      kept.set(key, entry);
      items += entry.items;
      for (const [oldest, { items: held }] of kept) {
        if (kept.size <= DIFFERENCES_MAX && items <= ITEMS_MAX) break;
        kept.delete(oldest);
        items -= held;
      }
      return difference;
    },
  };
}

function countItems(difference: Difference): number {
  if (difference.kind === 'plain') return difference.records;
  return difference.moves.reduce((items, { ids }) => items + ids.length, 0);
}
