import type { OctetSpan } from './parse-octets.ts';

/**
 * What a line consists of, as one bit per class of octets: one pass over a line then says which
 * reader may try it. An octet has one bit.
 */
export const DIGIT = 1;
const HEX_LETTER = 1 << 1;
/** Letters beyond f, `-` and `_`. */
const NAME_CHARACTER = 1 << 2;
export const UPPER_CASE = 1 << 3;
export const DOT = 1 << 4;
export const STAR = 1 << 5;
const SLASH = 1 << 6;
export const COLON = 1 << 7;
/** Space and carriage return, which ends lines written on Windows. */
export const BLANK = 1 << 8;
export const TAB = 1 << 9;
export const COMMENT = 1 << 10;
const OTHER = 1 << 11;

const CLASSES: readonly (readonly [RegExp, number])[] = [
  [/[0-9]/, DIGIT],
  [/[a-f]/, HEX_LETTER],
  [/[g-z_-]/, NAME_CHARACTER],
  [/[A-Z]/, UPPER_CASE],
  [/\./, DOT],
  [/\*/, STAR],
  [/\//, SLASH],
  [/:/, COLON],
  [/[ \r]/, BLANK],
  [/\t/, TAB],
  [/[#;]/, COMMENT],
];

/** The bit of each octet. */
export const SHAPES = Uint16Array.from({ length: 256 }, (_, octet) => {
  const character = String.fromCharCode(octet);
  return CLASSES.find(([pattern]) => pattern.test(character))?.[1] ?? OTHER;
});

/** Whether a line may be an IPv4 or IPv6 address or prefix in its usual form. */
export function isAddressShape(shape: number): boolean {
  return (shape & ~IPV4_SHAPE) === 0 || ((shape & COLON) !== 0 && (shape & ~IPV6_SHAPE) === 0);
}

export function isNameShape(shape: number): boolean {
  return (shape & ~NAME_SHAPE) === 0;
}

const IPV4_SHAPE = DIGIT | DOT | SLASH;
/** Without the dots of an IPv4 tail and without upper case: rare enough for the slow path. */
const IPV6_SHAPE = DIGIT | HEX_LETTER | COLON | SLASH;
const NAME_SHAPE = DIGIT | HEX_LETTER | NAME_CHARACTER | UPPER_CASE | DOT | STAR;

/**
 * Narrows a line to what stands between blanks and before a comment, which begins at the start of
 * the line or behind a blank. Returns the shape of what is left.
 */
export function stripLine(span: OctetSpan): number {
  const { text, end } = span;
  let start = span.start;
  while (start < end && isBlank(text[start])) start++;
  let shape = 0;
  let contentEnd = start;
  let contentShape = 0;
  for (let at = start; at < end; at++) {
    const bit = SHAPES[text[at]];
    if (bit === COMMENT && (at === start || isBlank(text[at - 1]))) break;
    shape |= bit;
    if (bit === BLANK || bit === TAB) continue;
    contentEnd = at + 1;
    contentShape = shape;
  }
  span.start = start;
  span.end = contentEnd;
  return contentShape;
}

function isBlank(octet: number): boolean {
  return (SHAPES[octet] & (BLANK | TAB)) !== 0;
}
