import { INDICATOR_KINDS } from './indicator.ts';
import {
  type AddOutcome,
  addKey,
  addStagedKey,
  DUPLICATE,
  FULL,
  type Packer,
  reserveKey,
} from './pack-indicators.ts';
import {
  INDICATOR_TEXT_MAX,
  IPV4_LENGTH_UNCONFIRMED_MIN,
  IPV6_LENGTH_UNCONFIRMED_MIN,
  type ParseOptions,
  parseIndicator,
} from './parse-indicator.ts';
import {
  BLANK,
  COLON,
  COMMENT,
  DIGIT,
  DOT,
  isAddressShape,
  isNameShape,
  SHAPES,
  STAR,
  stripLine,
  TAB,
  UPPER_CASE,
} from './parse-line-shape.ts';
import {
  NOT_PLAIN,
  type OctetSpan,
  STAGED_OCTETS_MAX,
  writePlainIpv4,
  writePlainIpv6,
  writePlainName,
} from './parse-octets.ts';
import type { RejectionReason } from './rejection.ts';
import { PREFIX_OWNER_OCTETS_MAX, WILDCARD_LABEL_OCTETS } from './trigger-owner.ts';

/** Longer lines are rejected unread; without its comment a line may be as long as the longest indicator. */
export const LINE_OCTETS_MAX = INDICATOR_TEXT_MAX;
const COUNT_DIGITS_MAX = 10;
const WINDOW_OCTETS = 65_536;

/**
 * `plain`: one indicator a line. `address-count`: an address, a tab and a number, which is checked
 * and dropped. `auto`: each line with a tab inside is read as the second, every other as the first.
 */
export type LineFormat = 'auto' | 'plain' | 'address-count';

/** What reading a line needs and changes; one for all lines, so that a plain line allocates nothing. */
export interface LineReader {
  readonly options: ParseOptions;
  readonly format: LineFormat;
  /** The same octets as `span.text`. */
  readonly buffer: Buffer;
  readonly packer: Packer;
  /** The line; reading narrows it. */
  readonly span: OctetSpan;
  /** The octets around the line as Latin-1 text. */
  readonly window: { start: number; end: number; text: string };
  /** The kind, as a number, of the key that is staged. */
  stagedKind: number;
  duplicates: number;
}

/**
 * Reads the line in `reader.span` into the packer and returns why it was rejected, or null.
 * `lineShape` has the bits of all its octets.
 */
export function parseLine(reader: LineReader, lineShape: number): RejectionReason | null {
  const { span, format } = reader;
  const shape = (lineShape & (BLANK | TAB | COMMENT)) === 0 ? lineShape : stripLine(span);
  if (span.start === span.end) return null;
  if (span.end - span.start > LINE_OCTETS_MAX) return 'too-long';
  if (format === 'address-count' || (format === 'auto' && (shape & TAB) !== 0)) {
    return parseCountedAddress(reader);
  }
  const octets = stagePlain(reader, shape);
  if (octets === NOT_PLAIN) return parseSlowly(reader, '');
  return settle(reader, addStagedKey(reader.packer, reader.stagedKind, octets));
}

/** An address, a tab and a number. */
function parseCountedAddress(reader: LineReader): RejectionReason | null {
  const { span } = reader;
  let tab = span.start;
  while (tab < span.end && SHAPES[span.text[tab]] !== TAB) tab++;
  if (!isPlainCount(span, tab + 1)) return 'bad-count';
  span.end = tab;
  const shape = stripLine(span);
  const octets = isAddressShape(shape) ? stagePlain(reader, shape) : NOT_PLAIN;
  if (octets === NOT_PLAIN) return parseSlowly(reader, 'ip:');
  return settle(reader, addStagedKey(reader.packer, reader.stagedKind, octets));
}

function isPlainCount({ text, end }: OctetSpan, start: number): boolean {
  let from = start;
  while (from < end && SHAPES[text[from]] === BLANK) from++;
  const digits = end - from;
  if (digits < 1 || digits > COUNT_DIGITS_MAX) return false;
  for (; from < end; from++) if (SHAPES[text[from]] !== DIGIT) return false;
  return true;
}

/**
 * Stages the key of a plain line, its kind in `stagedKind`, and returns its octets; NOT_PLAIN
 * leaves the line to the slow path.
 */
function stagePlain(reader: LineReader, shape: number): number {
  reserveKey(reader.packer, STAGED_OCTETS_MAX);
  if (isAddressShape(shape)) {
    // Only an absurdly long origin leaves no room for the owner of an address.
    const fits = reader.options.ownerOctetsMax >= PREFIX_OWNER_OCTETS_MAX;
    return fits ? stagePlainPrefix(reader, shape) : NOT_PLAIN;
  }
  return isNameShape(shape) ? stagePlainName(reader, shape) : NOT_PLAIN;
}

function stagePlainPrefix(reader: LineReader, shape: number): number {
  const { packer, span, options } = reader;
  const { keys, used } = packer;
  const octets =
    (shape & COLON) === 0 ? writePlainIpv4(span, keys, used) : writePlainIpv6(span, keys, used);
  if (octets === NOT_PLAIN) return NOT_PLAIN;
  reader.stagedKind = IP;
  const unconfirmedMin = octets === 5 ? IPV4_LENGTH_UNCONFIRMED_MIN : IPV6_LENGTH_UNCONFIRMED_MIN;
  const lengthMin = options.confirmBroad === true ? 1 : unconfirmedMin;
  return keys[used] >= lengthMin ? octets : NOT_PLAIN;
}

function stagePlainName(reader: LineReader, shape: number): number {
  const { packer, span, options } = reader;
  const { text, start } = span;
  const isWildcard = SHAPES[text[start]] === STAR && SHAPES[text[start + 1]] === DOT;
  reader.stagedKind = isWildcard ? WILDCARD : NAME;
  if (isWildcard) span.start += 2;
  const octets = writePlainName(span, packer.keys, packer.used);
  const fits = octets !== NOT_PLAIN && octets + WILDCARD_LABEL_OCTETS <= options.ownerOctetsMax;
  const isPlain = fits && (options.confirmBroad === true || !isPublicSuffix(reader, shape));
  span.start = start;
  return isPlain ? octets : NOT_PLAIN;
}

/** The one string of this path: a list of public suffixes can only be asked with one. */
function isPublicSuffix(reader: LineReader, shape: number): boolean {
  const { span, options } = reader;
  const end = SHAPES[span.text[span.end - 1]] === DOT ? span.end - 1 : span.end;
  const name = readNameText(reader, span.start, end);
  return options.isPublicSuffix((shape & UPPER_CASE) === 0 ? name : name.toLowerCase());
}

/** A slice of a longer string costs a third of a string of its own. */
function readNameText(reader: LineReader, start: number, end: number): string {
  const { buffer, window } = reader;
  if (start < window.start || end > window.end) {
    window.start = start;
    window.end = Math.min(start + WINDOW_OCTETS, buffer.length);
    window.text = buffer.toString('latin1', window.start, window.end);
  }
  return window.text.slice(start - window.start, end - window.start);
}

function parseSlowly(reader: LineReader, kindPrefix: '' | 'ip:'): RejectionReason | null {
  const { buffer, span, packer, options } = reader;
  const text = buffer.toString('utf8', span.start, span.end);
  const result = parseIndicator(kindPrefix + text, options);
  if (!result.ok) return result.reason;
  const { indicators } = result;
  // The several prefixes of a range come all or not at all.
  const isOne = indicators.length === 1;
  if (!isOne && packer.count + indicators.length > packer.indicatorsMax) return 'too-many';
  let rejected: RejectionReason | null = null;
  for (const { kind, key } of indicators) {
    rejected = settle(reader, addKey(packer, INDICATOR_KINDS.indexOf(kind), key));
  }
  return rejected;
}

function settle(reader: LineReader, outcome: AddOutcome): RejectionReason | null {
  if (outcome === DUPLICATE) reader.duplicates++;
  return outcome === FULL ? 'too-many' : null;
}

const NAME = INDICATOR_KINDS.indexOf('name');
const WILDCARD = INDICATOR_KINDS.indexOf('wildcard');
const IP = INDICATOR_KINDS.indexOf('ip');
