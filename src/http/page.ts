import { type TSchema, Type } from 'typebox';
import { ModelError } from '../policy/model-error.ts';

const PAGE_LIMIT_MAX = 1_000;
const PAGE_LIMIT_DEFAULT = 100;
const SEARCH_LENGTH_MAX = 200;
/** Characters of a text by which it is sorted; a cursor holds them. */
const SORT_TEXT_MAX = 200;
const CURSOR_LENGTH_MAX = 4_096;

/** What items are ordered by; texts whatever their case, and exact numbers of any size as bigint. */
export type SortKey = string | number | bigint;

/** How to order a list by each of its columns. */
export type Columns<Item> = Readonly<Record<string, (item: Item) => SortKey>>;

/** `limit` and `offset`: which part of a list is wanted. */
export const PartQuery = {
  limit: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: PAGE_LIMIT_MAX,
      default: PAGE_LIMIT_DEFAULT,
      description: 'How many items at most.',
    }),
  ),
  offset: Type.Optional(
    Type.Integer({ minimum: 0, default: 0, description: 'How many items to leave out first.' }),
  ),
};
export type PartQuery = { readonly limit?: number; readonly offset?: number };

export function partOf(query: PartQuery): { limit: number; offset: number } {
  return { limit: query.limit ?? PAGE_LIMIT_DEFAULT, offset: query.offset ?? 0 };
}

/** `cursor`: behind which item the part that is wanted begins. */
export const CursorQuery = {
  cursor: Type.Optional(
    Type.String({
      maxLength: CURSOR_LENGTH_MAX,
      description:
        'What the page before gave as `next`, with the same `sort`: goes on behind its last item, whatever was added or deleted meanwhile. Not together with `offset`.',
    }),
  ),
};

/** Query fields of a list that can be searched and sorted by these columns. */
export function listQuery(columns: Columns<never> | readonly string[]) {
  const names = isNames(columns) ? columns : Object.keys(columns);
  return {
    ...PartQuery,
    ...CursorQuery,
    sort: Type.Optional(
      Type.Enum([...names, ...names.map((name) => `-${name}`)], {
        description: 'Column to sort by; with "-" in front from the highest down.',
      }),
    ),
    q: Type.Optional(
      Type.String({
        maxLength: SEARCH_LENGTH_MAX,
        description: 'Only items whose name or description holds this text, whatever the case.',
      }),
    ),
  };
}

function isNames(columns: Columns<never> | readonly string[]): columns is readonly string[] {
  return Array.isArray(columns);
}

/** A query field that names one thing by its id. */
export function idQuery(description: string) {
  return Type.Optional(Type.Integer({ minimum: 1, description }));
}

export interface ListQuery extends PartQuery {
  readonly cursor?: string;
  readonly sort?: string | number;
  readonly q?: string;
}

export function pageSchema<Schema extends TSchema>(item: Schema) {
  return Type.Object({
    total: Type.Integer({ description: 'Items that match, on all pages together.' }),
    offset: Type.Integer({ description: 'Items that match and stand before this page.' }),
    limit: Type.Integer(),
    next: Type.Optional(
      Type.Union([Type.String(), Type.Null()], {
        description: 'The `cursor` of the page that follows; null behind the last item.',
      }),
    ),
    items: Type.Array(item),
  });
}

export interface Page<Item> {
  total: number;
  offset: number;
  limit: number;
  next: string | null;
  items: Item[];
}

interface Listed<Item> {
  readonly columns: Columns<Item>;
  readonly searched?: (item: Item) => readonly string[];
}

/** Searches, sorts and cuts a list of things that have an id and a name. */
export function pageOf<Item extends { readonly id: number; readonly name: string }, View>(
  items: Iterable<Item>,
  query: ListQuery,
  options: Listed<Item> & { readonly view: (item: Item) => View },
): Page<View> {
  const searched = options.searched ?? ((item: Item) => [item.name]);
  return cutPage(items, query, { ...options, searched, idOf: ({ id }) => id, sort: 'id' });
}

interface Sorted<Item> {
  readonly item: Item;
  readonly key: SortKey;
  readonly id: number | string;
}

/**
 * Searches, sorts and cuts. Items that are equal by their column stand in the order of what identifies
 * them, so that pages fit together: a cursor names the last item by both.
 */
export function cutPage<Item, View>(
  items: Iterable<Item>,
  query: ListQuery,
  options: Required<Listed<Item>> & {
    readonly idOf: (item: Item) => number | string;
    /** The column of a list that is asked for without one. */
    readonly sort: string;
    readonly view: (item: Item) => View;
  },
): Page<View> {
  const { columns, searched, idOf, view } = options;
  const sort = String(query.sort ?? options.sort);
  const direction = sort.startsWith('-') ? -1 : 1;
  const keyOf = columns[sort.replace(/^-/, '')] ?? idOf;
  const wanted = query.q?.toLowerCase() ?? '';
  const found: Sorted<Item>[] = [];
  for (const item of items) {
    if (wanted !== '' && !searched(item).some((text) => text.toLowerCase().includes(wanted))) {
      continue;
    }
    found.push({ item, key: sortKeyOf(keyOf(item)), id: idOf(item) });
  }
  const compare = (a: Position, b: Position): number =>
    direction * compareKeys(a.key, b.key) || compareKeys(a.id, b.id);
  found.sort(compare);
  const { limit, offset: given } = partOf(query);
  const offset =
    query.cursor === undefined ? given : placeBehind(found, readCursor(query, sort), compare);
  const shown = found.slice(offset, offset + limit);
  const last = offset + limit < found.length ? shown.at(-1) : undefined;
  return {
    total: found.length,
    offset,
    limit,
    next: last === undefined ? null : writeCursor(sort, last),
    items: shown.map(({ item }) => view(item)),
  };
}

function sortKeyOf(key: SortKey): SortKey {
  return typeof key === 'string' ? key.slice(0, SORT_TEXT_MAX).toLowerCase() : key;
}

/** Where an item stands in its order, also when it is gone. */
export type Position = Pick<Sorted<unknown>, 'key' | 'id'>;

/** How many of the sorted items stand at a position or before it. */
function placeBehind(
  sorted: readonly Position[],
  position: Position,
  compare: (a: Position, b: Position) => number,
): number {
  const found = sorted.findIndex((item) => compare(item, position) > 0);
  return found < 0 ? sorted.length : found;
}

/** The cursor that says where an item stands in the order of this sort. */
export function writeCursor(sort: string, { key, id }: Position): string {
  const written = typeof key === 'bigint' ? { digits: key.toString() } : key;
  return Buffer.from(JSON.stringify([sort, written, id])).toString('base64url');
}

/** Where the page is to begin. Throws ModelError for a cursor that is none, or of another order. */
export function readCursor({ cursor = '', offset }: ListQuery, sort: string): Position {
  const refuse = (rule: string): ModelError =>
    new ModelError('invalid-value', { field: 'cursor', value: cursor, rule });
  if (offset !== undefined) throw refuse('A page begins at a cursor or at an offset, not at both.');
  const read = parseCursor(cursor);
  if (read === null) throw refuse('A cursor is what the page before gave as "next".');
  if (read.sort !== sort) {
    throw refuse(`The cursor is of a list sorted by "${read.sort}", and this one is by "${sort}".`);
  }
  return read;
}

function parseCursor(cursor: string): (Position & { readonly sort: string }) | null {
  let read: unknown;
  try {
    read = JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    return null;
  }
  if (!Array.isArray(read) || read.length !== 3) return null;
  const [sort, written, id] = read as readonly unknown[];
  const key = isDigits(written) ? BigInt(written.digits) : written;
  if (typeof sort !== 'string' || !isKey(key) || !isKey(id) || typeof id === 'bigint') return null;
  return { sort, key, id };
}

function isKey(value: unknown): value is SortKey {
  return ['string', 'number', 'bigint'].includes(typeof value);
}

function isDigits(value: unknown): value is { readonly digits: string } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'digits' in value &&
    typeof value.digits === 'string' &&
    /^-?\d{1,60}$/.test(value.digits)
  );
}

/** Numbers of both kinds by value, texts by code unit; the keys of one column are of one kind. */
function compareKeys(a: SortKey, b: SortKey): number {
  if (typeof a !== typeof b) return compareKeys(String(a), String(b));
  return a < b ? -1 : a > b ? 1 : 0;
}
