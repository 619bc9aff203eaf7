import { CsvError, parse } from 'csv-parse/sync';
import type { ListEntry } from '../../policy/model.ts';
import type { ModelError } from '../../policy/model-error.ts';
import { refuse } from './edit.ts';
import { LINE_LENGTH_MAX, refuseTooMany, type TextEntries } from './list-text.ts';

const COLUMNS = ['value', 'comment', 'expires'] as const;
/** Cells of a line; those beyond the columns are told, and a line of nothing but commas is not read on. */
const CELLS_MAX = 64;

interface CsvRow {
  readonly record: readonly string[];
  readonly line: number;
}

/**
 * Entries of a CSV text (RFC 4180): value, comment and time of expiry, or columns in the order of a
 * header line. Cells beyond the columns make their entry one that is rejected.
 */
export function entriesOfCsv(text: string): TextEntries {
  const rows = readRows(text);
  const header = headerOf(rows[0]?.record ?? []);
  const columns = header ?? COLUMNS;
  const entries = header === null ? rows : rows.slice(1);
  return {
    items: entries.map(({ record }) => itemOf(record, columns)),
    lines: entries.map(({ line }) => line),
  };
}

/** The CSV text that `entriesOfCsv` reads back to the same entries, with lines ended as RFC 4180 wants them. */
export function csvOfEntries(entries: Iterable<ListEntry>): string {
  let text = `${COLUMNS.join(',')}\r\n`;
  for (const { value, comment, expiresAt } of entries) {
    const expires = expiresAt === null ? '' : new Date(expiresAt).toISOString();
    text += `${[value, comment, expires].map(cellOf).join(',')}\r\n`;
  }
  return text;
}

/** Stops at the first row too many, so that a body of short lines never becomes more rows than a list takes. */
function readRows(text: string): readonly CsvRow[] {
  const rows: CsvRow[] = [];
  let headers = 0;
  try {
    parse(text, {
      bom: true,
      cast: (cell, { index, lines }) => {
        if (index >= CELLS_MAX) throw tooManyCells(lines);
        return cell;
      },
      // Longer than any entry with its comment: a quote that is never closed ends here.
      max_record_size: LINE_LENGTH_MAX,
      on_record: (record: readonly string[], { lines }) => {
        if (rows.length === 0 && headerOf(record) !== null) headers = 1;
        rows.push({ record, line: lines });
        refuseTooMany(rows.length - headers);
        return null;
      },
      record_delimiter: ['\r\n', '\n', '\r'],
      relax_column_count: true,
      skip_empty_lines: true,
    });
  } catch (error) {
    throw error instanceof CsvError ? refusalOf(error) : error;
  }
  return rows;
}

function tooManyCells(line: number): ModelError {
  const rule = `A line has at most ${CELLS_MAX} cells.`;
  return refuse('text-form', `line ${line}`, CELLS_MAX + 1, rule);
}

function refusalOf(error: CsvError): ModelError {
  const lines = (error as CsvError & { readonly lines?: number }).lines;
  const where = lines === undefined ? 'body' : `line ${lines}`;
  const rule =
    error.code === 'CSV_MAX_RECORD_SIZE'
      ? `A record has at most ${LINE_LENGTH_MAX} characters; a quote may not be closed.`
      : 'The text is CSV as in RFC 4180: a cell with quotes in it stands in quotes, its own doubled.';
  return refuse('text-form', where, error.code, rule);
}

/** The columns that the first line names, or null when it is an entry already. */
function headerOf(record: readonly string[]): readonly string[] | null {
  const names = record.map((cell) => cell.trim().toLowerCase());
  if (!names.includes('value')) return null;
  for (const [index, name] of names.entries()) {
    if (!COLUMNS.some((column) => column === name)) {
      const rule = `The columns are ${COLUMNS.join(', ')}.`;
      throw refuse('text-form', 'line 1', record[index], rule);
    }
    if (names.indexOf(name) !== index) {
      throw refuse('text-form', 'line 1', record[index], 'No column is named twice.');
    }
  }
  return names;
}

function itemOf(
  record: readonly string[],
  columns: readonly string[],
): TextEntries['items'][number] {
  const item: Record<string, unknown> = {};
  for (const [index, cell] of record.entries()) {
    const column = columns[index];
    const text = withoutGuard(cell.trim());
    if (column === undefined) item[`column ${index + 1}`] = text;
    else if (column !== 'expires') item[column] = text;
    else if (text !== '') item.expiresAt = text;
  }
  return item;
}

/**
 * A spreadsheet takes a cell that begins with one of these for a formula, which a comment must not
 * become: the apostrophe makes it a text. Those that begin so already get one more, so that
 * reading can take exactly one away.
 */
const FORMULA = /^'*[=+\-@\uff0b\uff0d\uff1d\uff20]/;

function cellOf(text: string): string {
  const guarded = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded;
}

function withoutGuard(cell: string): string {
  return cell.startsWith("'") && FORMULA.test(cell) ? cell.slice(1) : cell;
}
