import type { PackedIndicators } from './indicator.ts';
import { createPacker, finishPacking } from './pack-indicators.ts';
import type { ParseOptions } from './parse-indicator.ts';
import { type LineFormat, type LineReader, parseLine } from './parse-line.ts';
import { SHAPES } from './parse-line-shape.ts';
import type { RejectionReason } from './rejection.ts';

/** Rejections kept with their text, whatever the caller asks for. */
export const REJECTIONS_KEPT_MAX = 1000;
/** How much of a rejected line is shown. */
export const REJECTION_TEXT_OCTETS_MAX = 200;

export interface ReadOptions extends ParseOptions {
  /** `auto` when absent. */
  readonly format?: LineFormat;
  /** How many rejections are kept with their text; all are counted. */
  readonly rejectionsShown: number;
  /** Lines that bring more are rejected as `too-many`. */
  readonly indicatorsMax?: number;
  /** Random bits for the search for duplicates, so that no list can be written to slow it down. */
  readonly hashSeed?: number;
}

export interface RejectedText {
  /** From 1. */
  readonly line: number;
  /** The line as it stands there, cut, control characters replaced. */
  readonly text: string;
  readonly reason: RejectionReason;
}

export interface ReadResult {
  /** A set, in the order of first appearance. */
  readonly packed: PackedIndicators;
  /** All lines, empty ones and comments too. */
  readonly lines: number;
  /** Indicators, after normalisation, that an earlier line had brought. */
  readonly duplicates: number;
  readonly rejected: number;
  readonly rejectedByReason: Readonly<Record<string, number>>;
  /** The first of them. */
  readonly rejections: RejectedText[];
}

/**
 * Reads a whole list: UTF-8, one indicator a line, `#` and `;` begin a comment at the start of a
 * line or behind a blank. Plain names and addresses take the fast path, everything else goes
 * through `parseIndicator`; both give the same. It never throws, whatever the octets are.
 */
export function readIndicatorLines(text: Uint8Array, options: ReadOptions): ReadResult {
  const reader = createLineReader(text, options);
  const log = createRejectionLog(reader.buffer, options.rejectionsShown);
  const { length } = text;
  let lines = 0;
  // A byte order mark is no part of the first line (RFC 3629 section 6).
  let start = text[0] === 0xef && text[1] === 0xbb && text[2] === 0xbf ? 3 : 0;
  while (start < length) {
    let shape = 0;
    let end = start;
    for (; end < length; end++) {
      const octet = text[end];
      if (octet === LINE_FEED) break;
      shape |= SHAPES[octet];
    }
    lines++;
    reader.span.start = start;
    reader.span.end = end;
    const reason = parseLine(reader, shape);
    if (reason !== null) log.add({ line: lines, start, end, reason });
    start = end + 1;
  }
  const packed = finishPacking(reader.packer);
  return { packed, lines, duplicates: reader.duplicates, ...log.result() };
}

function createLineReader(text: Uint8Array, options: ReadOptions): LineReader {
  const { format = 'auto', indicatorsMax, hashSeed } = options;
  return {
    options,
    format,
    buffer: Buffer.from(text.buffer, text.byteOffset, text.byteLength),
    packer: createPacker({
      octetsExpected: text.length,
      ...(indicatorsMax === undefined ? {} : { indicatorsMax }),
      ...(hashSeed === undefined ? {} : { hashSeed }),
    }),
    span: { text, start: 0, end: 0 },
    window: { start: 0, end: 0, text: '' },
    stagedKind: 0,
    duplicates: 0,
  };
}

interface RejectedSpan {
  readonly line: number;
  readonly start: number;
  readonly end: number;
  readonly reason: RejectionReason;
}

/** Counts every rejection and keeps the first with their text. */
function createRejectionLog(buffer: Buffer, rejectionsShown: number) {
  const keptMax = Math.min(rejectionsShown, REJECTIONS_KEPT_MAX);
  const counts = new Map<RejectionReason, number>();
  const rejections: RejectedText[] = [];
  let rejected = 0;
  return {
    add({ line, start, end, reason }: RejectedSpan): void {
      rejected++;
      counts.set(reason, (counts.get(reason) ?? 0) + 1);
      if (rejections.length >= keptMax) return;
      const shownEnd = Math.min(end, start + REJECTION_TEXT_OCTETS_MAX);
      const text = buffer.toString('utf8', start, shownEnd).trim().replace(CONTROLS, '\ufffd');
      rejections.push({ line, text, reason });
    },
    result: () => ({ rejected, rejectedByReason: Object.fromEntries(counts), rejections }),
  };
}

/** Control characters but the tab. */
const CONTROLS = /[^\P{Cc}\t]/gu;
const LINE_FEED = 0x0a;
