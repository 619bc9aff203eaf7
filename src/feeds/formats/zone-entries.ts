import { visitLines } from './feed-lines.ts';

/** One entry of a zone file (RFC 1035 section 5.1): a record or a control entry. */
export interface ZoneEntry {
  /** The line that it begins in, from 1, and its octets up to the end of its last line. */
  readonly line: number;
  readonly start: number;
  readonly end: number;
  /** Whether it begins with a blank, which stands for the owner of the record before. */
  readonly hasOwner: boolean;
  /** Its words, Latin-1; quotation marks are left in place. */
  readonly words: readonly string[];
  /** Behind `;`. */
  readonly comment: string;
}

/** What is wrong with a line that is no entry. */
export type ZoneFault = 'bad-syntax' | 'line-too-long';

/** An SOA written one number to a line takes seven. */
const LINES_PER_ENTRY_MAX = 20;
const WORDS_PER_ENTRY_MAX = 1000;

/**
 * Calls `visit` for each entry, `fail` for each line that cannot be one, and returns the number of
 * lines. An entry whose parenthesis is not closed within a few lines costs itself only: its first
 * line is at fault, and the others count as lines of their own.
 */
export function visitZoneEntries(
  octets: Uint8Array,
  visit: (entry: ZoneEntry) => void,
  fail: (
    place: { readonly line: number; readonly start: number; readonly end: number },
    fault: ZoneFault,
  ) => void,
): number {
  let open: ScannedLine[] = [];
  const settle = (scanned: ScannedLine): void => {
    if (scanned.fault !== null) fail(scanned, scanned.fault);
    else if (scanned.depth !== 0) fail(scanned, 'bad-syntax');
    else if (scanned.words.length > 0) visit(entryOf([scanned]));
  };
  /** The first open line is at fault; those behind it may hold entries. */
  const giveUp = (): void => {
    const [first, ...rest] = open;
    open = [];
    fail(first, 'bad-syntax');
    // Each is looked at by itself: one fault must not hide what follows, nor cost its square.
    for (const line of rest) settle(line);
  };
  const lines = visitLines(octets, (line) => {
    const scanned = scanLine(line);
    if (open.length === 0) {
      if (scanned.depth > 0 && scanned.fault === null) open.push(scanned);
      else settle(scanned);
      return;
    }
    open.push(scanned);
    const depth = open.reduce((sum, each) => sum + each.depth, 0);
    const isEmpty = depth === 0 && open.every(({ words }) => words.length === 0);
    const isBroken = scanned.fault !== null || depth < 0 || isEmpty;
    if (isBroken || open.length > LINES_PER_ENTRY_MAX) giveUp();
    else if (depth === 0) {
      visit(entryOf(open));
      open = [];
    }
  });
  if (open.length > 0) giveUp();
  return lines;
}

interface ScannedLine {
  readonly line: number;
  readonly start: number;
  readonly end: number;
  readonly hasOwner: boolean;
  readonly words: string[];
  readonly comment: string;
  /** Parentheses that it opens, less those that it closes. */
  readonly depth: number;
  readonly fault: ZoneFault | null;
}

function scanLine(line: {
  readonly number: number;
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly isTooLong: boolean;
}): ScannedLine {
  const { number, start, end, text, isTooLong } = line;
  const words: string[] = [];
  let depth = 0;
  let comment = '';
  let fault: ZoneFault | null = isTooLong ? 'line-too-long' : null;
  for (const { 0: token, index } of text.matchAll(TOKENS)) {
    const [sign] = token;
    if (sign === ';') {
      comment = text.slice(index + 1);
      break;
    }
    if (token === '(') depth++;
    else if (token === ')') depth--;
    else if (sign === '"' && (token.length === 1 || !token.endsWith('"'))) fault = 'bad-syntax';
    else words.push(token);
  }
  if (words.length > WORDS_PER_ENTRY_MAX) fault = 'bad-syntax';
  const hasOwner = text !== '' && text[0] !== ' ' && text[0] !== '\t';
  return { line: number, start, end, hasOwner, words, comment, depth, fault };
}

/** A comment to the end, a parenthesis, a quoted string (closed or not), or a word with its escapes. */
const TOKENS = /;|[()]|"(?:[^"\\]|\\[\s\S])*"?|(?:[^ \t;()"\\]|\\[\s\S]?)+/g;

function entryOf(lines: readonly ScannedLine[]): ZoneEntry {
  const [first] = lines;
  return {
    line: first.line,
    start: first.start,
    end: lines[lines.length - 1].end,
    hasOwner: first.hasOwner,
    words: lines.length === 1 ? first.words : lines.flatMap(({ words }) => words),
    comment: first.comment,
  };
}
