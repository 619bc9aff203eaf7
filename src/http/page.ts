import { type TSchema, Type } from 'typebox';

const PAGE_LIMIT_MAX = 1_000;
const PAGE_LIMIT_DEFAULT = 100;
const SEARCH_LENGTH_MAX = 200;

/** How to order a list by each of its columns. */
export type Columns<Item> = Readonly<Record<string, (item: Item) => string | number>>;

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

/** Query fields of a list that can be searched and sorted by these columns. */
export function listQuery<Item>(columns: Columns<Item>) {
  const names = Object.keys(columns);
  return {
    ...PartQuery,
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

export interface ListQuery extends PartQuery {
  readonly sort?: string | number;
  readonly q?: string;
}

export function pageSchema<Schema extends TSchema>(item: Schema) {
  return Type.Object({
    total: Type.Integer({ description: 'Items that match, on all pages together.' }),
    offset: Type.Integer(),
    limit: Type.Integer(),
    items: Type.Array(item),
  });
}

export interface Page<Item> {
  total: number;
  offset: number;
  limit: number;
  items: Item[];
}

/** Searches, sorts and cuts; equal items stay in the order of their ids, so that pages fit together. */
export function pageOf<Item extends { readonly id: number; readonly name: string }, View>(
  items: Iterable<Item>,
  query: ListQuery,
  options: {
    readonly columns: Columns<Item>;
    readonly searched?: (item: Item) => readonly string[];
    readonly view: (item: Item) => View;
  },
): Page<View> {
  const searched = options.searched ?? ((item: Item) => [item.name]);
  const wanted = query.q?.toLowerCase() ?? '';
  const found = [...items].filter(
    (item) => wanted === '' || searched(item).some((text) => text.toLowerCase().includes(wanted)),
  );
  const { column, direction } = readSort(query.sort);
  const key = options.columns[column] ?? (({ id }: Item) => id);
  found.sort((a, b) => direction * compareKeys(key(a), key(b)) || a.id - b.id);
  const { limit, offset } = partOf(query);
  const shown = found.slice(offset, offset + limit).map((item) => options.view(item));
  return { total: found.length, offset, limit, items: shown };
}

function readSort(sort: string | number | undefined): { column: string; direction: 1 | -1 } {
  const text = String(sort ?? 'id');
  return text.startsWith('-')
    ? { column: text.slice(1), direction: -1 }
    : { column: text, direction: 1 };
}

function compareKeys(a: string | number, b: string | number): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  const textA = String(a).toLowerCase();
  const textB = String(b).toLowerCase();
  return textA < textB ? -1 : textA > textB ? 1 : 0;
}
