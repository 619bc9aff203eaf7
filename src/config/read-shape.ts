import { type DocumentNode, type Entry, plainDocument } from './document.ts';
import { nearestName } from './nearest-name.ts';
import { type Position, type Problem, shown } from './problem.ts';
import type { Fields, List, PlainValue, Scalar, Section, Shape, ValueOf } from './shape.ts';
import { fileKey } from './shape.ts';

/** What reading a document by its table gave. */
export interface Reading<Known extends Shape> {
  /** Values with problems have their defaults here; null when one of them has no default. */
  readonly value: ValueOf<Known> | null;
  readonly problems: Problem[];
  /** Where each path that the file names stands, for checks that look at several values. */
  readonly positions: ReadonlyMap<string, Position>;
}

interface Context {
  readonly file: string;
  readonly problems: Problem[];
  readonly positions: Map<string, Position>;
  /** The whole table, to find where a misplaced key belongs. */
  readonly table: Shape;
}

/** Stands for a value that could not be read and has no default; it is in `problems` then. */
const UNREADABLE = Symbol('unreadable');

/** Reads a document by the table `shape`: every problem at once, defaults for what is not named. */
export function readByTable<Known extends Shape>(
  shape: Known,
  node: DocumentNode,
  file: string,
): Reading<Known> {
  const context: Context = { file, problems: [], positions: new Map(), table: shape };
  const read = readShape(shape, node, '', context);
  // The one place where the table's types meet the file's: readShape follows the table exactly.
  const value = read === UNREADABLE ? null : (read as ValueOf<Known>);
  return { value, problems: context.problems, positions: context.positions };
}

function readShape(shape: Shape, node: DocumentNode, path: string, context: Context): unknown {
  if (path !== '') context.positions.set(path, node.position);
  switch (shape.shape) {
    case 'scalar':
      return readScalar(shape, node, path, context);
    case 'list':
      return readList(shape, node, path, context);
    case 'section':
      return readSection(shape, node, path, context);
  }
}

function readScalar(
  scalar: Scalar<unknown>,
  node: DocumentNode,
  path: string,
  context: Context,
): unknown {
  const { kind } = scalar;
  const parsed = node.kind === 'scalar' ? kind.parse(node.text) : null;
  if (parsed?.ok) return parsed.value;
  const must = `it must be ${kind.rule}`;
  if (node.kind === 'scalar') {
    const why = parsed?.why === undefined ? '' : `: ${parsed.why}`;
    refuse(context, node.position, path, `${shown(node.text)} is not ${kind.rule}${why}`);
  } else if (node.kind === 'empty') {
    refuse(context, node.position, path, `has no value: ${must}`);
  } else {
    const found = node.kind === 'list' ? 'a list' : 'a group of keys';
    refuse(context, node.position, path, `is ${found}: ${must}`);
  }
  return scalar.presence.kind === 'required' ? UNREADABLE : fallbackOf(scalar, path);
}

function readList(list: List, node: DocumentNode, path: string, context: Context): unknown {
  const { itemsMin, itemsMax } = list;
  const unreadable = (message: string) => {
    refuse(context, node.position, path, message);
    return list.fallback === null ? UNREADABLE : fallbackOf(list, path);
  };
  if (node.kind !== 'list') {
    return unreadable('must be a list, one item to a line after a dash');
  }
  if (node.items.length < itemsMin || node.items.length > itemsMax) {
    return unreadable(`has ${node.items.length} items: it must have ${itemsMin}-${itemsMax}`);
  }
  const items = node.items.map((item, index) =>
    readShape(list.item, item, `${path}[${index}]`, context),
  );
  refuseRepeatedItems(items, node.items, path, context);
  return items.filter((item) => item !== UNREADABLE);
}

/** No list here has a use for the same item twice, so a second one is a mistake. */
function refuseRepeatedItems(
  items: readonly unknown[],
  nodes: readonly DocumentNode[],
  path: string,
  context: Context,
): void {
  const firsts = new Map<string, number>();
  for (const [index, item] of items.entries()) {
    if (item === UNREADABLE) continue;
    const key = JSON.stringify(item);
    const first = firsts.get(key);
    if (first === undefined) {
      firsts.set(key, index);
    } else {
      const message = `is the same as ${path}[${first}]`;
      refuse(context, nodes[index].position, `${path}[${index}]`, message);
    }
  }
}

function readSection(shape: Section, node: DocumentNode, path: string, context: Context): unknown {
  // A group whose keys are all commented out is an empty value in YAML.
  if (node.kind !== 'map' && node.kind !== 'empty') {
    refuse(context, node.position, path, 'must be a group of keys, each with its value');
    return absentValue(shape, { position: node.position, path, context: silenced(context) });
  }
  const given = entriesByKey(shape.fields, node.kind === 'map' ? node.entries : [], path, context);
  const values: Record<string, unknown> = {};
  for (const [property, field] of Object.entries(shape.fields)) {
    const key = fileKey(property, field);
    const entry = given.get(key);
    const inner = joinPath(path, key);
    values[property] =
      entry === undefined
        ? absentValue(field, { position: node.position, path: inner, context })
        : readShape(field, entry.value, inner, context);
  }
  return Object.values(values).includes(UNREADABLE) ? UNREADABLE : values;
}

function entriesByKey(
  fields: Fields,
  entries: readonly Entry[],
  path: string,
  context: Context,
): ReadonlyMap<string, Entry> {
  const known = Object.entries(fields).map(([property, field]) => fileKey(property, field));
  const byKey = new Map<string, Entry>();
  for (const entry of entries) {
    const { key, position } = entry;
    const first = byKey.get(key);
    if (!known.includes(key)) {
      const message = `is not known here${whereItBelongs(key, known, context)}`;
      refuse(context, position, joinPath(path, shown(key)), message);
    } else if (first !== undefined) {
      const message = `is given twice, first in line ${first.position.line}`;
      refuse(context, position, joinPath(path, key), message);
    } else {
      byKey.set(key, entry);
    }
  }
  return byKey;
}

/** A near name in the same group; or the group that does have this key. */
function whereItBelongs(key: string, known: readonly string[], { table }: Context): string {
  const near = nearestName(key, known);
  if (near !== null) return `, did you mean ${near}?`;
  const elsewhere = [...scalarPaths(table)].filter((path) => path.split('.').at(-1) === key);
  if (elsewhere.length > 0) return `, did you mean ${elsewhere.join(' or ')}?`;
  return known.length > 0 ? `: known here are ${known.join(', ')}` : '';
}

/** The paths of all single values of a table that stand outside of lists. */
export function* scalarPaths(shape: Shape, path = ''): Generator<string> {
  if (shape.shape !== 'section') {
    yield path;
    return;
  }
  for (const [property, field] of Object.entries(shape.fields)) {
    yield* scalarPaths(field, joinPath(path, fileKey(property, field)));
  }
}

/** The value of something that the file does not name. */
function absentValue(
  shape: Shape,
  place: { readonly position: Position; readonly path: string; readonly context: Context },
): unknown {
  const { position, path, context } = place;
  if (shape.shape === 'section') {
    // Its own values have defaults, or say themselves that they are missing.
    return readSection(shape, { kind: 'empty', position }, path, context);
  }
  const isRequired =
    shape.shape === 'list' ? shape.fallback === null : shape.presence.kind === 'required';
  if (!isRequired) return fallbackOf(shape, path);
  const must = shape.shape === 'list' ? 'it must be a list' : `it must be ${shape.kind.rule}`;
  refuse(context, position, path, `is missing: ${must}`);
  return UNREADABLE;
}

/** Defaults go through the same checks as the file, so that a wrong one cannot be shipped. */
function fallbackOf(shape: Scalar<unknown> | List, path: string): unknown {
  const text = fallbackText(shape);
  if (text === null) return null;
  const context: Context = { file: '', problems: [], positions: new Map(), table: shape };
  const loaded = readShape(shape, plainDocument(text), path, context);
  if (context.problems.length > 0) {
    throw new Error(`The default of ${path} is wrong: ${context.problems[0].message}`);
  }
  return loaded;
}

function fallbackText(shape: Scalar<unknown> | List): PlainValue | null {
  if (shape.shape === 'list') return shape.fallback;
  return shape.presence.kind === 'default' ? shape.presence.text : null;
}

/** For values that stand in for unreadable ones: what is wrong was told already. */
function silenced(context: Context): Context {
  return { ...context, problems: [] };
}

function refuse(context: Context, position: Position, path: string, message: string): void {
  context.problems.push({ file: context.file, position, path, message });
}

function joinPath(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}
