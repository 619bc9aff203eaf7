import { parseIndicator } from '../../indicators/parse-indicator.ts';
import type { Column, CsvFormat, FeedContent, ParseFeedOptions } from '../feed-content.ts';
import { type CsvRecord, type CsvShape, visitCsvRecords } from './csv-records.ts';
import { createFeedDraft, type FeedDraft, parseOptionsOf } from './feed-draft.ts';
import { readComment, readConfidence, readMoment } from './feed-facts.ts';
import { countLines } from './feed-lines.ts';
import { headLines } from './head-lines.ts';
import { addTypedValue } from './typed-value.ts';

const SEPARATORS = [',', ';', '\t', '|'] as const;
const SHARED_COMMENT_PREFIX = '#';

/** A table, with what the format says of its columns. Columns that it names must be there. */
export function readCsv(
  octets: Uint8Array,
  format: CsvFormat,
  options: ParseFeedOptions,
): FeedContent {
  const draft = createFeedDraft(octets, options, 'bare');
  const { commentPrefix = SHARED_COMMENT_PREFIX } = format;
  const shape = { separator: separatorOf(octets, format), commentPrefix };
  const reading: TableReading = { draft, format, shape, columns: null, missing: null };
  visitCsvRecords(
    octets,
    shape,
    (record) => readRecord(reading, record),
    (place) => draft.reject(place.line, place, 'bad-quotes'),
  );
  const { missing } = reading;
  return draft.finish({
    detected: 'csv',
    lines: countLines(octets),
    ...(missing === null ? {} : { unreadable: { reason: 'no-column', text: missing } }),
  });
}

interface TableReading {
  readonly draft: FeedDraft;
  readonly format: CsvFormat;
  readonly shape: CsvShape;
  /** Known from the first record on. */
  columns: TableColumns | null;
  /** The name of a column that is not there. */
  missing: string | null;
}

/** Indexes from 0. */
interface TableColumns {
  readonly value: number;
  readonly kind: number | null;
  readonly expires: number | null;
  readonly confidence: number | null;
  readonly comment: number | null;
}

function readRecord(reading: TableReading, record: CsvRecord): void {
  if (reading.missing !== null) return;
  const isFirst = reading.columns === null;
  reading.columns ??= findColumns(reading, record.fields);
  const { columns, draft } = reading;
  if (columns === null || (isFirst && isHeader(reading, columns, record.fields))) return;
  addRecord(draft, columns, record);
}

function addRecord(draft: FeedDraft, columns: TableColumns, { fields, line }: CsvRecord): void {
  const field = (index: number | null): string => (index === null ? '' : (fields[index] ?? ''));
  const value = field(columns.value).trim();
  if (value === '') {
    draft.reject(line, fields.join(' '), 'no-value');
    return;
  }
  const facts = {
    expiresAt: readMoment(field(columns.expires)),
    confidence: readConfidence(field(columns.confidence)),
    comment: readComment(field(columns.comment)),
  };
  if (columns.kind === null) draft.addText(line, value, 'bare', facts);
  else addTypedValue(draft, { line, type: field(columns.kind), value, facts });
}

/** Columns by the names of the first record, or of a comment before it, as many tables have them. */
function findColumns(reading: TableReading, first: readonly string[]): TableColumns | null {
  const { format, draft, shape } = reading;
  const headers = format.header ? [first, ...commentedHeaders(draft.octets, shape)] : [];
  const named = headers.map((header) => header.map(plainName));
  const header = named.find((names) => indexOf(format.value, names) !== -1) ?? [];
  const find = (column: Column | undefined): number | null => {
    if (column === undefined) return null;
    const index = indexOf(column, header);
    if (index === -1) reading.missing ??= String(column);
    return index;
  };
  const columns = {
    value: find(format.value) ?? -1,
    kind: find(format.kindColumn),
    expires: find(format.expires),
    confidence: find(format.confidence),
    comment: find(format.comment),
  };
  return reading.missing === null ? columns : null;
}

function indexOf(column: Column, names: readonly string[]): number {
  return typeof column === 'number' ? column - 1 : names.indexOf(plainName(column));
}

/** Tables differ in case, blanks and marks of the names of one and the same column. */
function plainName(name: string): string {
  return name.replaceAll(/["']/g, '').trim().toLowerCase();
}

/** The comments before the first record, the last one first. */
function commentedHeaders(octets: Uint8Array, { separator, commentPrefix }: CsvShape): string[][] {
  const comments: string[] = [];
  for (const line of headLines(octets)) {
    if (commentPrefix === '' || !line.startsWith(commentPrefix)) break;
    comments.unshift(line.slice(commentPrefix.length));
  }
  return comments.map((comment) => comment.split(separator));
}

/** A first record whose value is one is no header, whatever the format says: the header is a comment. */
function isHeader(
  { format, draft }: TableReading,
  columns: TableColumns,
  fields: readonly string[],
): boolean {
  if (!format.header) return false;
  const value = (fields[columns.value] ?? '').trim();
  if (typeof format.value === 'string' && plainName(value) === plainName(format.value)) return true;
  const isTyped = columns.kind !== null;
  return !isTyped && !parseIndicator(value, parseOptionsOf(draft.options)).ok;
}

function separatorOf(octets: Uint8Array, format: CsvFormat): string {
  if (format.separator === 'tab') return '\t';
  if (format.separator !== 'auto') return format.separator;
  const { commentPrefix = SHARED_COMMENT_PREFIX } = format;
  const lines = headLines(octets).filter(
    (line) => commentPrefix === '' || !line.startsWith(commentPrefix),
  );
  return likelySeparator(lines) ?? ',';
}

/** The separator that stands in every line, and oftenest in the first; null when none does. */
export function likelySeparator(lines: readonly string[]): string | null {
  const counts = SEPARATORS.map((separator) => ({
    separator,
    fewest: Math.min(...lines.map((line) => line.split(separator).length - 1)),
  }));
  const best = counts.toSorted((a, b) => b.fewest - a.fewest)[0];
  return lines.length > 0 && best.fewest > 0 ? best.separator : null;
}
