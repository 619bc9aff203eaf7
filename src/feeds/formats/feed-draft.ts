import { formatIndicator } from '../../indicators/format-indicator.ts';
import { INDICATOR_KINDS, type Indicator, type IndicatorKind } from '../../indicators/indicator.ts';
import {
  addKey,
  createPacker,
  DUPLICATE,
  FULL,
  finishPacking,
} from '../../indicators/pack-indicators.ts';
import { type ParseOptions, parseIndicator } from '../../indicators/parse-indicator.ts';
import { type LineReader, parseLine } from '../../indicators/parse-line.ts';
import {
  BLANK,
  COLON,
  COMMENT,
  isAddressShape,
  SHAPES,
  TAB,
} from '../../indicators/parse-line-shape.ts';
import type { ReadResult } from '../../indicators/read-lines.ts';
import type { RejectionReason } from '../../indicators/rejection.ts';
import type { FeedContent, FeedFormat, ParseFeedOptions } from '../feed-content.ts';
import { createExceptions } from './exceptions.ts';
import { type FeedFacts, NO_FACTS } from './feed-facts.ts';
import { asBuffer } from './feed-lines.ts';
import type { FeedReason } from './feed-reasons.ts';
import { createNoteBook } from './note-book.ts';
import { createRejectionLog, SHOWN_CHARACTERS_MAX } from './rejection-log.ts';
import { settleContent } from './settle-content.ts';

/** What a bare name means: what the options of the feed say, or what its format says. */
export type NameForm = 'bare' | 'name' | 'host';

/**
 * What is read so far. Every format writes into one of these and into nothing else, so that limits,
 * counts, notes and the guard are the same for all of them.
 */
export interface FeedDraft {
  readonly options: ParseFeedOptions;
  readonly octets: Buffer;
  /** What stands in a place of the octets; the quick way, with no string for what is plain. */
  addSpan(line: number, span: Span, facts?: FeedFacts): void;
  addText(line: number, text: string, form: NameForm, facts?: FeedFacts): void;
  /** Takes a value out of the result, a name with all that is below it if `subtree`. */
  except(line: number, text: string, reach: 'subtree' | 'exact'): void;
  /** Leaves out a value that the source has taken back. */
  withdraw(line: number, text: string): void;
  /** Writes down what is said about a value that is read elsewhere. */
  note(text: string, facts: FeedFacts): void;
  reject(line: number, shown: string | Span, reason: FeedReason | RejectionReason): void;
  leaveOut(reason: FeedReason): void;
  /** Takes what was read past the draft: a whole list of plain lines. */
  takeBulk(read: ReadResult): void;
  finish(result: FinishOptions): FeedContent;
}

/** A place in the octets. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface FinishOptions {
  readonly detected: FeedFormat['kind'];
  readonly lines: number;
  /** With what there is to say beyond the sentence of the reason. */
  readonly unreadable?: { readonly reason: FeedReason; readonly text: string } | undefined;
  /** Whether `*.name` stands for the name as well. */
  readonly wildcardsAreNames?: boolean;
  /** Whether a name listed for itself and for what is below it is one rule. */
  readonly mergesForms?: boolean;
}

/** A line of a feed has 64 kB at most, and is gone through in a fraction of a millisecond. */
const STEPS_BETWEEN_CHECKPOINTS = 1024;

/** `spanForm` says what the names mean that are added by their place. */
export function createFeedDraft(
  octets: Uint8Array,
  options: ParseFeedOptions,
  spanForm: NameForm,
): FeedDraft {
  const buffer = asBuffer(octets);
  const reader = createLineReader(buffer, options);
  const admission = createAdmission(options);
  const rejections = createRejectionLog();
  const notes = createNoteBook();
  const exceptions = createExceptions();
  const withdrawn: Indicator[] = [];
  const { checkpoint = () => {} } = options;
  let bulk: ReadResult | null = null;
  let steps = 0;

  /** Everything that makes a draft grow comes through here. */
  const step = (): void => {
    if (++steps % STEPS_BETWEEN_CHECKPOINTS === 0) checkpoint();
  };

  const meant = (form: NameForm): 'name' | 'host' => (form === 'bare' ? options.namesAs : form);
  const kindAs = (kind: IndicatorKind, form: NameForm): IndicatorKind =>
    kind === 'name' ? meant(form) : kind;
  const reject: FeedDraft['reject'] = (line, shown, reason) => {
    step();
    rejections.add(line, typeof shown === 'string' ? shown : spanText(buffer, shown), reason);
  };
  /** The indicators of a text, or none when it is rejected. */
  const read = (line: number, text: string, form: NameForm): Indicator[] => {
    const parsed = parseIndicator(text, reader.options);
    if (!parsed.ok) {
      reject(line, text, parsed.reason);
      return [];
    }
    return parsed.indicators.map(({ kind, key }) => ({ kind: kindAs(kind, form), key }));
  };
  const noteAs = (text: string, form: NameForm, facts: FeedFacts): void => {
    const parsed = parseIndicator(text, reader.options);
    if (!parsed.ok) return;
    for (const { kind, key } of parsed.indicators) {
      notes.add(formatIndicator(kindAs(kind, form), key), facts);
    }
  };

  return {
    options,
    octets: buffer,
    reject,
    leaveOut(reason) {
      step();
      admission.leaveOut(reason);
    },
    note(text, facts) {
      step();
      noteAs(text, spanForm, facts);
    },
    addSpan(line, span, facts = NO_FACTS) {
      step();
      if (!admission.admits(facts)) return;
      const reason = parseSpan(reader, span);
      if (reason !== null) reject(line, span, reason);
      else if (facts !== NO_FACTS) noteAs(spanText(buffer, span), spanForm, facts);
    },
    addText(line, text, form, facts = NO_FACTS) {
      step();
      if (!admission.admits(facts)) return;
      const indicators = read(line, text, form);
      if (!pack(reader, indicators)) reject(line, text, 'too-many');
      else if (facts !== NO_FACTS) {
        for (const { kind, key } of indicators) notes.add(formatIndicator(kind, key), facts);
      }
    },
    except(line, text, reach) {
      step();
      const indicators = read(line, text, 'name');
      if (indicators.length > 0) admission.exceptions++;
      for (const indicator of indicators) exceptions.add(indicator, reach);
    },
    withdraw(line, text) {
      step();
      admission.leaveOut('revoked');
      withdrawn.push(...read(line, text, 'bare'));
    },
    takeBulk(read) {
      rejections.addAll(read);
      bulk = read;
    },
    finish(result) {
      checkpoint();
      const { packed, duplicates } = bulk ?? {
        packed: finishPacking(reader.packer),
        duplicates: reader.duplicates,
      };
      const namesAre = meant(spanForm);
      return {
        ...settleContent({
          ...result,
          packed,
          duplicates,
          options,
          namesAre,
          exceptions,
          withdrawn,
          notes,
          rejections,
        }),
        ...admission.counts(),
      };
    },
  };
}

/** Broad names and prefixes pass: the guard knows more about them, and says what they cover. */
export function parseOptionsOf({ ownerOctetsMax, guard }: ParseFeedOptions): ParseOptions {
  const { isPublicSuffix } = guard;
  return { ownerOctetsMax, isPublicSuffix, confirmBroad: true, confirmRoot: true };
}

function createLineReader(buffer: Buffer, options: ParseFeedOptions): LineReader {
  const { indicatorsMax, hashSeed } = options;
  return {
    options: parseOptionsOf(options),
    format: 'plain',
    buffer,
    // Nobody knows how much of the octets is names, so the buffers grow with what comes.
    packer: createPacker({ octetsExpected: 0, indicatorsMax, hashSeed }),
    span: { text: buffer, start: 0, end: 0 },
    window: { start: 0, end: 0, text: '' },
    stagedKind: 0,
    duplicates: 0,
  };
}

/** Returns why the value was rejected, or null. */
function parseSpan(reader: LineReader, { start, end }: Span): RejectionReason | null {
  let shape = 0;
  for (let at = start; at < end; at++) shape |= SHAPES[reader.buffer[at]];
  // What a line of plain values takes for a comment or a kind is none inside another format.
  const isColonOdd = (shape & COLON) !== 0 && !isAddressShape(shape);
  if (start === end) return 'empty';
  if ((shape & (BLANK | TAB)) !== 0) return 'several-words';
  if ((shape & COMMENT) !== 0) return 'bad-character';
  if (isColonOdd && !isUpperCaseAddress(reader.buffer, start, end)) return 'url';
  reader.span.start = start;
  reader.span.end = end;
  return parseLine(reader, shape);
}

/** The quick test of shapes takes lower case only. */
function isUpperCaseAddress(buffer: Buffer, start: number, end: number): boolean {
  return /^[0-9a-fA-F:.]*:[0-9a-fA-F:.]*:[0-9a-fA-F:./]*$/.test(
    buffer.toString('latin1', start, end),
  );
}

/** Adds all or, when there is no room, none. */
function pack(reader: LineReader, indicators: readonly Indicator[]): boolean {
  const { packer } = reader;
  if (indicators.length > 1 && packer.count + indicators.length > packer.indicatorsMax)
    return false;
  for (const { kind, key } of indicators) {
    const outcome = addKey(packer, INDICATOR_KINDS.indexOf(kind), key);
    if (outcome === FULL) return false;
    if (outcome === DUPLICATE) reader.duplicates++;
  }
  return true;
}

/** Who gets in by what is said about it, and how many did not. */
function createAdmission({ nowMs, confidenceMin }: ParseFeedOptions) {
  const reasons = new Map<FeedReason, number>();
  let leftOut = 0;
  let belowConfidence = 0;
  const admission = {
    exceptions: 0,
    leaveOut(reason: FeedReason): void {
      leftOut++;
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    },
    admits({ expiresAt, confidence }: FeedFacts): boolean {
      if (expiresAt !== null && expiresAt <= nowMs) {
        admission.leaveOut('expired');
        return false;
      }
      const isBelow = confidence !== null && confidenceMin !== null && confidence < confidenceMin;
      if (isBelow) belowConfidence++;
      return !isBelow;
    },
    counts: () => ({
      leftOut,
      leftOutByReason: Object.fromEntries(reasons),
      belowConfidence,
      exceptions: admission.exceptions,
    }),
  };
  return admission;
}

function spanText(buffer: Buffer, { start, end }: Span): string {
  return buffer.toString('utf8', start, Math.min(end, start + 4 * SHOWN_CHARACTERS_MAX));
}
