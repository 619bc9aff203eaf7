import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type { Position } from './problem.ts';
import type { PlainValue } from './shape.ts';

/**
 * A file's content as a tree of positions and texts, before anything is known about its meaning.
 * Every scalar is text, as it was written: what `5300` means is for the reader's table to say.
 */
export type DocumentNode =
  | { readonly kind: 'empty'; readonly position: Position }
  | { readonly kind: 'scalar'; readonly position: Position; readonly text: string }
  | { readonly kind: 'list'; readonly position: Position; readonly items: readonly DocumentNode[] }
  | { readonly kind: 'map'; readonly position: Position; readonly entries: readonly Entry[] };

export interface Entry {
  readonly key: string;
  readonly position: Position;
  readonly value: DocumentNode;
}

export interface SyntaxProblem {
  readonly position: Position;
  readonly message: string;
}

/** Deeper than any table goes; bounds the recursion. */
const DEPTH_MAX = 16;

interface Conversion {
  readonly lines: LineCounter;
  readonly problems: SyntaxProblem[];
}

/**
 * Reads YAML 1.2. `root` is null when the text is not YAML: what a broken text means is a guess, and
 * problems found in a guess mislead. Other problems leave a tree, so that all can be told at once.
 */
export function readYaml(source: string): { root: DocumentNode | null; problems: SyntaxProblem[] } {
  const lines = new LineCounter();
  const document = parseDocument(source, {
    lineCounter: lines,
    prettyErrors: false,
    // Found by the reader instead, which knows the path and the line of the first one.
    uniqueKeys: false,
  });
  const problems = [...document.errors, ...document.warnings].map((found) => ({
    position: positionAt(lines, found.pos[0]),
    message: found.message,
  }));
  if (document.errors.length > 0) return { root: null, problems };
  const conversion = { lines, problems };
  return { root: convert(document.contents, 0, { conversion, depth: 0 }), problems };
}

/** A default value as a tree; its positions are of no use. */
export function plainDocument(value: PlainValue): DocumentNode {
  const position = { line: 1, column: 1 };
  if (typeof value === 'string') return { kind: 'scalar', position, text: value };
  if (isPlainList(value)) return { kind: 'list', position, items: value.map(plainDocument) };
  const entries = Object.entries(value).map(([key, inner]) => ({
    key,
    position,
    value: plainDocument(inner),
  }));
  return { kind: 'map', position, entries };
}

function isPlainList(value: PlainValue): value is readonly PlainValue[] {
  return Array.isArray(value);
}

function positionAt(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}

/** `offset` is where an absent value would stand. */
function convert(
  node: unknown,
  offset: number,
  { conversion, depth }: { conversion: Conversion; depth: number },
): DocumentNode {
  const position = positionAt(conversion.lines, startOf(node) ?? offset);
  const refuse = (message: string): DocumentNode => {
    conversion.problems.push({ position, message });
    return { kind: 'empty', position };
  };
  const deeper = { conversion, depth: depth + 1 };
  if (depth > DEPTH_MAX) return refuse(`nested more than ${DEPTH_MAX} levels deep`);
  // An alias makes one value appear in many places, and a message about it points at only one.
  if (isAlias(node)) return refuse('aliases (*name) are not read here: write the value out');
  if (isSeq(node)) {
    const items = node.items.map((item) => convert(item, startOf(node) ?? offset, deeper));
    return { kind: 'list', position, items };
  }
  if (isMap(node)) {
    const entries = node.items.map(({ key, value }): Entry => {
      const keyNode = convert(key, startOf(node) ?? offset, deeper);
      if (keyNode.kind !== 'scalar') {
        conversion.problems.push({
          position: keyNode.position,
          message: 'a key must be plain text',
        });
      }
      return {
        key: keyNode.kind === 'scalar' ? keyNode.text : '',
        position: keyNode.position,
        value: convert(value, startOf(key) ?? offset, deeper),
      };
    });
    return { kind: 'map', position, entries: entries.filter(({ key }) => key !== '') };
  }
  if (!isScalar(node)) return { kind: 'empty', position };
  if (node.value === null) return { kind: 'empty', position };
  // `source` is the text as written (`0x10`, `1e3`); quoted texts have it without their quotes.
  return { kind: 'scalar', position, text: node.source ?? String(node.value) };
}

function startOf(node: unknown): number | undefined {
  const holder = node as { range?: [number, number, number] | null } | null | undefined;
  return holder?.range?.[0];
}
