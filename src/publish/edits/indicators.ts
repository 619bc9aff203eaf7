import {
  INDICATOR_KINDS,
  type Indicator,
  type PackedIndicators,
  type ParseOptions,
  packIndicators,
  parseIndicator,
  readIndicatorLines,
} from '../../indicators/index.ts';
import { rejectionSentence } from '../../indicators/rejection.ts';
import { ModelError, type Refusal } from '../../policy/model-error.ts';
import type { MemberChange } from '../publisher.ts';
import type { Edit, EditSettings } from './edit.ts';
import { refuse } from './edit.ts';
import { refuseWhileFed } from './feeds.ts';
import { findWritableTarget } from './targets.ts';
import { refuseTcpOnlyForUnbound } from './tcp-only-guard.ts';

/** Rejected lines that an answer shows; all of them are counted. */
const REJECTIONS_SHOWN_MAX = 100;
/** Items of a list in one request; larger changes come as text. */
export const INDICATOR_TEXTS_MAX = 100_000;

/** One text per indicator, a whole text with one per line, or what somebody else has parsed already. */
export type IndicatorInput = readonly string[] | Uint8Array | PackedIndicators;

export interface IndicatorsChange {
  readonly add?: IndicatorInput;
  readonly remove?: IndicatorInput;
  /** Everything that is not in it goes. */
  readonly replace?: IndicatorInput;
  /** Accept public suffixes and very short prefixes. */
  readonly confirmBroad?: boolean;
  /** Accept the root, `*`: everything there is. */
  readonly confirmRoot?: boolean;
  /** What a rejected line does: `report` leaves it out and says so, `refuse` refuses the whole change. */
  readonly rejected?: 'report' | 'refuse';
}

export interface RejectedLine {
  readonly list: 'add' | 'remove' | 'replace';
  /** From 1: the line of a text, or the place in a list. */
  readonly line: number;
  readonly text: string;
  /** Code of the rejection. */
  readonly reason: string;
  /** The rule as a sentence. */
  readonly rule: string;
}

export interface IndicatorsChanged extends MemberChange {
  /** Lines that repeat an earlier one of the same list. */
  readonly duplicates: number;
  readonly rejectedTotal: number;
  readonly rejectedByReason: Readonly<Record<string, number>>;
  /** The first of them. */
  readonly rejected: readonly RejectedLine[];
}

/** Changes the indicators of a target: removes, then adds, or replaces all. */
export function changeIndicators(
  edit: Edit,
  targetId: number,
  change: IndicatorsChange,
): IndicatorsChanged {
  const target = findWritableTarget(edit, targetId);
  refuseWhileFed(edit, target);
  const parsed = (['add', 'remove', 'replace'] as const).flatMap((list) => {
    const input = change[list];
    return input === undefined ? [] : [readList(list, input, change, edit.settings)];
  });
  refuseRejections(parsed, change.rejected ?? 'report');

  const packed = Object.fromEntries(parsed.map(({ list, packed }) => [list, packed]));
  const changed = edit.draft.changeMembers({ kind: 'target', id: target.id }, packed);
  const now = edit.draft.model.targets.get(target.id) ?? target;
  if (changed.added > 0 || changed.removed > 0) {
    edit.draft.put('target', { ...now, updatedAt: edit.draft.now });
  }
  refuseTcpOnlyForUnbound(edit);
  return { ...changed, ...summarise(parsed) };
}

interface ParsedList {
  readonly list: RejectedLine['list'];
  readonly packed: PackedIndicators;
  readonly lines: number;
  readonly duplicates: number;
  readonly rejectedTotal: number;
  readonly rejectedByReason: Readonly<Record<string, number>>;
  readonly rejected: readonly RejectedLine[];
}

function readList(
  list: RejectedLine['list'],
  input: IndicatorInput,
  change: IndicatorsChange,
  settings: EditSettings,
): ParsedList {
  const options: ParseOptions = {
    ownerOctetsMax: settings.ownerOctetsMax,
    isPublicSuffix: settings.isPublicSuffix,
    // What is held may be removed without a second question, however much it covers.
    confirmBroad: list === 'remove' || (change.confirmBroad ?? false),
    confirmRoot: list === 'remove' || (change.confirmRoot ?? false),
  };
  if (input instanceof Uint8Array) return readText(list, input, options);
  if (isPacked(input)) return readPacked(list, input);
  return readTexts(list, input, options);
}

function readText(list: RejectedLine['list'], text: Uint8Array, options: ParseOptions): ParsedList {
  const read = readIndicatorLines(text, { ...options, rejectionsShown: REJECTIONS_SHOWN_MAX });
  return {
    list,
    packed: read.packed,
    lines: read.lines,
    duplicates: read.duplicates,
    rejectedTotal: read.rejected,
    rejectedByReason: read.rejectedByReason,
    rejected: read.rejections.map((rejection) => rejectedLine(list, rejection)),
  };
}

function isPacked(input: IndicatorInput): input is PackedIndicators {
  return typeof input === 'object' && input !== null && 'keys' in input && 'kinds' in input;
}

function readPacked(list: RejectedLine['list'], packed: PackedIndicators): ParsedList {
  const { count, kinds, ends, keys } = packed;
  const isWhole =
    kinds.length >= count && ends.length >= count && (ends[count - 1] ?? 0) <= keys.length;
  if (!isWhole || kinds.some((kind, index) => index < count && kind >= INDICATOR_KINDS.length)) {
    throw refuse('invalid-value', list, count, 'Packed indicators are whole and of known kinds.');
  }
  const none = { duplicates: 0, rejectedTotal: 0, rejectedByReason: {}, rejected: [] };
  return { list, packed, lines: count, ...none };
}

function readTexts(
  list: RejectedLine['list'],
  texts: readonly unknown[],
  options: ParseOptions,
): ParsedList {
  if (!Array.isArray(texts) || texts.length > INDICATOR_TEXTS_MAX) {
    const rule = `The value is a list of at most ${INDICATOR_TEXTS_MAX} texts.`;
    throw refuse('field-type', list, null, rule);
  }
  /** Each text once, by its place. */
  const places = new Map<string, number>();
  let isPlain = true;
  for (let index = 0; index < texts.length; index++) {
    const text: unknown = texts[index];
    if (typeof text !== 'string') {
      throw refuse('field-type', `${list}[${index}]`, text, 'The value is a text.');
    }
    const trimmed = text.trim();
    if (places.has(trimmed)) continue;
    places.set(trimmed, index);
    isPlain &&= PLAIN_TEXT.test(trimmed);
  }
  const read = isPlain ? readPlainTexts : readAnyTexts;
  return {
    ...read([...places.keys()], options, (text, reason) => {
      const index = places.get(text)!;
      return rejectedLine(list, { line: index + 1, text: String(texts[index]), reason });
    }),
    list,
    lines: texts.length,
    duplicates: texts.length - places.size,
  };
}

type ReadTexts = Pick<ParsedList, 'packed' | 'rejectedTotal' | 'rejectedByReason' | 'rejected'>;

/**
 * Nothing that a line of a list means something else by: no blank, no comment, and no end of line.
 * Empty texts are refused as texts, and passed over as lines.
 */
const PLAIN_TEXT = /^[A-Za-z0-9._:/*-]{1,255}$/;

/** The same as the lines of a list, which are read four times as fast. */
function readPlainTexts(
  texts: readonly string[],
  options: ParseOptions,
  rejectedAs: (text: string, reason: string) => RejectedLine,
): ReadTexts {
  const lines = Buffer.from(texts.join('\n'), 'latin1');
  const read = readIndicatorLines(lines, { ...options, rejectionsShown: REJECTIONS_SHOWN_MAX });
  return {
    packed: read.packed,
    rejectedTotal: read.rejected,
    rejectedByReason: read.rejectedByReason,
    rejected: read.rejections.map(({ line, reason }) => rejectedAs(texts[line - 1], reason)),
  };
}

function readAnyTexts(
  texts: readonly string[],
  options: ParseOptions,
  rejectedAs: (text: string, reason: string) => RejectedLine,
): ReadTexts {
  const indicators: Indicator[] = [];
  const rejected: RejectedLine[] = [];
  const rejectedByReason: Record<string, number> = {};
  let rejectedTotal = 0;
  for (const text of texts) {
    const result = parseIndicator(text, options);
    if (result.ok) {
      indicators.push(...result.indicators);
      continue;
    }
    rejectedTotal++;
    rejectedByReason[result.reason] = (rejectedByReason[result.reason] ?? 0) + 1;
    if (rejected.length < REJECTIONS_SHOWN_MAX) rejected.push(rejectedAs(text, result.reason));
  }
  return { packed: packIndicators(indicators), rejectedTotal, rejectedByReason, rejected };
}

/** Long lines of hostile input are cut: an answer quotes, it does not repeat. */
const TEXT_SHOWN_MAX = 255;

function rejectedLine(
  list: RejectedLine['list'],
  rejection: { line: number; text: string; reason: string },
): RejectedLine {
  const text = rejection.text.slice(0, TEXT_SHOWN_MAX);
  return {
    list,
    line: rejection.line,
    text,
    reason: rejection.reason,
    rule: rejectionSentence(rejection.reason),
  };
}

function refuseRejections(parsed: readonly ParsedList[], mode: 'report' | 'refuse'): void {
  for (const { list, lines, packed, rejectedTotal } of parsed) {
    // An upload of something else altogether must not empty the target.
    if (list === 'replace' && rejectedTotal > 0 && packed.count === 0) {
      const rule = `None of ${lines} lines is an indicator, so the target keeps what it holds.`;
      throw refuse('nothing-accepted', list, lines, rule);
    }
  }
  if (mode !== 'refuse') return;
  const refusals = parsed.flatMap(({ rejected }) => rejected.map(refusalOf));
  const [first, ...others] = refusals;
  if (first !== undefined) throw new ModelError(first.code, first, others);
}

function refusalOf({ list, line, text, rule }: RejectedLine): Refusal {
  return { code: 'indicators-rejected', field: `${list} line ${line}`, value: text, rule };
}

function summarise(parsed: readonly ParsedList[]): Omit<IndicatorsChanged, keyof MemberChange> {
  const rejectedByReason: Record<string, number> = {};
  for (const list of parsed) {
    for (const [reason, count] of Object.entries(list.rejectedByReason)) {
      rejectedByReason[reason] = (rejectedByReason[reason] ?? 0) + count;
    }
  }
  return {
    duplicates: parsed.reduce((sum, { duplicates }) => sum + duplicates, 0),
    rejectedTotal: parsed.reduce((sum, { rejectedTotal }) => sum + rejectedTotal, 0),
    rejectedByReason,
    rejected: parsed.flatMap(({ rejected }) => rejected).slice(0, REJECTIONS_SHOWN_MAX),
  };
}
