import type { ListEntry } from '../../policy/model.ts';
import { refuse } from './edit.ts';
import { LIST_ENTRIES_MAX } from './list-entries.ts';

/** Characters; longer than any entry with its comment. */
export const LINE_LENGTH_MAX = 16_384;

/** Entries as a text holds them, before they are checked, each with the line it stands in (from 1). */
export interface TextEntries {
  readonly items: readonly Readonly<Record<string, unknown>>[];
  readonly lines: readonly number[];
}

/**
 * Entries of a text, one per line: `value`, then optionally `expires=<ISO 8601>`, then optionally a comment
 * behind `#`. Empty lines and comment lines mean nothing.
 */
export function entriesOfText(text: string): TextEntries {
  const items: TextEntries['items'][number][] = [];
  const lines: number[] = [];
  for (const { line, number } of linesOf(text)) {
    const hash = line.indexOf('#');
    const before = (hash < 0 ? line : line.slice(0, hash)).trim();
    if (before === '') continue;
    const comment = hash < 0 ? '' : line.slice(hash + 1).trim();
    const [, value = before, expiresAt] = EXPIRES.exec(before) ?? [];
    items.push({ value, comment, ...(expiresAt === undefined ? {} : { expiresAt }) });
    lines.push(number);
    refuseTooMany(items.length);
  }
  return { items, lines };
}

/** Refuses a text at its first entry that no list has room for, before the rest of it is read. */
export function refuseTooMany(count: number): void {
  if (count <= LIST_ENTRIES_MAX) return;
  const rule = `A list has at most ${LIST_ENTRIES_MAX} entries.`;
  throw refuse('list-full', 'body', count, rule);
}

/** One line after the other, numbered from 1, so that a text of short lines never becomes a list of them all. */
function* linesOf(text: string): Generator<{ readonly line: string; readonly number: number }> {
  for (let start = 0, number = 1; start <= text.length; number++) {
    const found = text.indexOf('\n', start);
    const end = found < 0 ? text.length : found;
    if (end - start > LINE_LENGTH_MAX) {
      const rule = `A line has at most ${LINE_LENGTH_MAX} characters.`;
      throw refuse('text-form', `line ${number}`, end - start, rule);
    }
    yield { line: text.slice(start, end), number };
    start = end + 1;
  }
}

/** Values hold no white space of their own but around the hyphen of a range. */
const EXPIRES = /^(.*\S)\s+expires=(\S+)$/;

/** The text that `entriesOfText` reads back to the same entries. */
export function textOfEntries(entries: Iterable<ListEntry>): string {
  let text = '';
  for (const { value, comment, expiresAt } of entries) {
    const expires = expiresAt === null ? '' : ` expires=${new Date(expiresAt).toISOString()}`;
    text += `${value}${expires}${comment === '' ? '' : ` # ${comment}`}\n`;
  }
  return text;
}

/** The text in octets that are UTF-8; refused when they are not, so that no letter is lost unseen. */
export function decodeText(octets: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(octets);
  } catch {
    throw refuse('text-form', 'body', octets.length, 'The text is written in UTF-8.');
  }
}
