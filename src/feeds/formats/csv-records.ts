import { CsvError, type Info, parse } from 'csv-parse/sync';
import { asBuffer, FEED_LINE_OCTETS_MAX, textStart } from './feed-lines.ts';
import { withoutStackTraces } from './without-stack-traces.ts';

/** One record and the line that it ends in, from 1. */
export interface CsvRecord {
  readonly fields: readonly string[];
  readonly line: number;
}

export interface CsvShape {
  readonly separator: string;
  readonly commentPrefix: string;
}

/** After so many quotation marks that are never closed the rest is taken without any quotation. */
const FAULTS_MAX = 100;
const LINE_FEED = 0x0a;

/**
 * Calls `visit` for each record of a table (RFC 4180, with any separator, and quotation marks inside
 * of fields as they come), `fail` for each line that spoils one. A mark that is never closed would
 * swallow the rest of the table: reading begins again behind the line that has it.
 */
export function visitCsvRecords(
  octets: Uint8Array,
  shape: CsvShape,
  visit: (record: CsvRecord) => void,
  fail: (place: { readonly line: number; readonly start: number; readonly end: number }) => void,
): void {
  const buffer = asBuffer(octets);
  const lineAt = createLineCounter(buffer);
  let start = textStart(octets);
  for (let faults = 0; start < buffer.length; faults++) {
    const from = start;
    let reached = start;
    const isRead = readUntilFault(buffer.subarray(start), {
      ...shape,
      quotes: faults < FAULTS_MAX,
      visit(fields, octetsRead) {
        reached = from + octetsRead;
        visit({ fields, line: lineAt(reached - 1) });
      },
    });
    if (isRead) return;
    const fault = firstContentLine(buffer, reached, shape.commentPrefix);
    fail({ line: lineAt(fault.start), ...fault });
    start = fault.end + 1;
  }
}

/** Whether the end was reached without a record that cannot be read. */
function readUntilFault(
  buffer: Buffer,
  options: CsvShape & {
    readonly quotes: boolean;
    visit(fields: readonly string[], octetsRead: number): void;
  },
): boolean {
  const { separator, commentPrefix, quotes, visit } = options;
  try {
    withoutStackTraces(() =>
      parse(buffer, {
        delimiter: separator,
        record_delimiter: ['\r\n', '\n'],
        ...(commentPrefix === '' ? {} : { comment: commentPrefix, comment_no_infix: true }),
        quote: quotes ? '"' : null,
        relax_quotes: true,
        relax_column_count: true,
        skip_empty_lines: true,
        max_record_size: FEED_LINE_OCTETS_MAX,
        on_record: (fields: string[], { bytes }: Info) => {
          visit(fields, bytes);
          // Nothing is kept: a table of a million records would be as many arrays.
          return null;
        },
      }),
    );
    return true;
  } catch (error) {
    if (error instanceof CsvError) return false;
    throw error;
  }
}

/** The number of the line that an octet stands in, asked in rising order. */
function createLineCounter(buffer: Buffer): (at: number) => number {
  let line = 1;
  let next = buffer.indexOf(LINE_FEED);
  return (at) => {
    for (; next !== -1 && next < at; line++) next = buffer.indexOf(LINE_FEED, next + 1);
    return line;
  };
}

/** The first line from a place on that is neither empty nor a comment: the one that a fault is in. */
function firstContentLine(buffer: Buffer, from: number, commentPrefix: string) {
  for (let start = from; ; ) {
    const lineFeed = buffer.indexOf(LINE_FEED, start);
    const end = lineFeed === -1 ? buffer.length : lineFeed;
    const text = buffer.toString('latin1', start, Math.min(end, start + FEED_LINE_OCTETS_MAX));
    const isComment = commentPrefix !== '' && text.startsWith(commentPrefix);
    if (lineFeed === -1 || !(isComment || text === '' || text === '\r')) return { start, end };
    start = end + 1;
  }
}
