import { LABEL_OCTETS_MAX, NAME_OCTETS_MAX } from '../dns/name.ts';
import { settlePrefixKey } from './prefix.ts';

/**
 * The fast path of bulk reading: plain names and addresses straight from octets to keys, with no
 * string and no object per line (measured by test/indicators/read-lines.bench.ts). Each function accepts only
 * what `parseIndicator` accepts without a second thought and says NOT_PLAIN to everything else,
 * also to what must be refused: the slow path then decides and finds the reason.
 */
export const NOT_PLAIN = -1;

/** Room that a caller leaves behind `at`; what is written may be longer than what is accepted. */
export const STAGED_OCTETS_MAX = NAME_OCTETS_MAX + 2;

/** One text without blanks around it: `text[start, end)`. */
export interface OctetSpan {
  readonly text: Uint8Array;
  start: number;
  end: number;
}

/**
 * Writes the labels of a name of letters, digits, `-`, `_` and dots in wire form and lower case to
 * `keys[at]` and returns their octets. NOT_PLAIN for single labels, for last labels that could be
 * part of an address or begin with `rpz-`, and for all that is no such name.
 */
export function writePlainName(span: OctetSpan, keys: Uint8Array, at: number): number {
  const { text, start } = span;
  const end = text[span.end - 1] === DOT ? span.end - 1 : span.end;
  if (end - start >= NAME_OCTETS_MAX - 1) return NOT_PLAIN;
  let labelAt = at;
  let to = at + 1;
  let isNumeric = true;
  for (let from = start; from < end; from++) {
    const octet = NAME_OCTETS[text[from]];
    if (octet === 0) return NOT_PLAIN;
    if (octet === DOT) {
      const octets = to - labelAt - 1;
      if (octets === 0 || octets > LABEL_OCTETS_MAX) return NOT_PLAIN;
      keys[labelAt] = octets;
      labelAt = to;
      isNumeric = true;
    } else if (octet > DIGIT_9) {
      isNumeric = false;
    }
    keys[to++] = octet;
  }
  const octets = to - labelAt - 1;
  if (labelAt === at || octets === 0 || octets > LABEL_OCTETS_MAX || isNumeric) return NOT_PLAIN;
  keys[labelAt] = octets;
  return isSuspectLabel(keys, labelAt + 1) ? NOT_PLAIN : to - at;
}

/** Begins like `0x7f` or `rpz-`: the slow path looks closer. The octets behind the label are stale, not missing. */
function isSuspectLabel(keys: Uint8Array, at: number): boolean {
  if (keys[at] === DIGIT_0) return keys[at + 1] === LETTER_X;
  return keys[at] === 0x72 && keys[at + 1] === 0x70 && keys[at + 2] === 0x7a;
}

/** Writes the key of an IPv4 address or prefix to `keys[at]` and returns its 5 octets, or NOT_PLAIN. */
export function writePlainIpv4(span: OctetSpan, keys: Uint8Array, at: number): number {
  const { text, end } = span;
  let octets = 0;
  let value = 0;
  let digits = 0;
  let from = span.start;
  for (; from < end; from++) {
    const digit = text[from] - DIGIT_0;
    if (digit >= 0 && digit <= 9) {
      if (digits > 0 && value === 0) return NOT_PLAIN;
      value = value * 10 + digit;
      if (++digits > 3 || value > 255) return NOT_PLAIN;
    } else if (text[from] === DOT && digits > 0 && octets < 3) {
      keys[at + 1 + octets++] = value;
      value = 0;
      digits = 0;
    } else break;
  }
  if (octets !== 3 || digits === 0) return NOT_PLAIN;
  keys[at + 4] = value;
  keys[at] = from === end ? 32 : readPrefixLength(span, from, 32);
  return keys[at] === LENGTH_NOT_PLAIN ? NOT_PLAIN : settlePrefixKey(keys, at, 5);
}

/**
 * Writes the key of an IPv6 address or prefix, or of the IPv4 prefix that it means, to `keys[at]`
 * and returns its octets. NOT_PLAIN also with an IPv4 address at the end (RFC 4291 section 2.2).
 */
export function writePlainIpv6(span: OctetSpan, keys: Uint8Array, at: number): number {
  const { text, start, end } = span;
  let words = 0;
  let gapAt = -1;
  let from = start;
  while (from < end && text[from] !== SLASH) {
    if (text[from] === COLON) {
      const isGap = text[from + 1] === COLON && from + 1 < end && gapAt === -1;
      if (isGap) gapAt = words;
      else if (words === 0 || text[from - 1] === COLON) return NOT_PLAIN;
      from += isGap ? 2 : 1;
      // A single colon stands between two groups.
      if (!isGap && (from === end || text[from] === SLASH)) return NOT_PLAIN;
      continue;
    }
    if (words === IPV6_WORDS) return NOT_PLAIN;
    const groupStart = from;
    let word = 0;
    while (from < end && HEX_VALUES[text[from]] !== NOT_HEX) {
      word = word * 16 + HEX_VALUES[text[from++]];
      if (from - groupStart > 4) return NOT_PLAIN;
    }
    if (from === groupStart) return NOT_PLAIN;
    keys[at + 1 + words * 2] = word >> 8;
    keys[at + 2 + words * 2] = word & 0xff;
    words++;
  }
  if (gapAt === -1 ? words !== IPV6_WORDS : words === IPV6_WORDS) return NOT_PLAIN;
  if (gapAt !== -1) openGap(keys, at + 1, words, gapAt);
  keys[at] = from === end ? 128 : readPrefixLength(span, from, 128);
  return keys[at] === LENGTH_NOT_PLAIN ? NOT_PLAIN : settlePrefixKey(keys, at, 17);
}

/** Moves the words behind `::` to the end and fills the gap with zeros. */
function openGap(keys: Uint8Array, first: number, words: number, gapAt: number): void {
  const gapEnd = first + (IPV6_WORDS - (words - gapAt)) * 2;
  keys.copyWithin(gapEnd, first + gapAt * 2, first + words * 2);
  keys.fill(0, first + gapAt * 2, gapEnd);
}

/** The number behind a slash at `from`, or LENGTH_NOT_PLAIN. */
function readPrefixLength(span: OctetSpan, from: number, bitsMax: number): number {
  const { text, end } = span;
  const first = from + 1;
  const digits = end - first;
  if (text[from] !== SLASH || digits < 1 || digits > 3 || text[first] === DIGIT_0) {
    return LENGTH_NOT_PLAIN;
  }
  let length = 0;
  for (let at = first; at < end; at++) {
    const digit = text[at] - DIGIT_0;
    if (digit < 0 || digit > 9) return LENGTH_NOT_PLAIN;
    length = length * 10 + digit;
  }
  return length > bitsMax ? LENGTH_NOT_PLAIN : length;
}

const DOT = 0x2e;
const SLASH = 0x2f;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const COLON = 0x3a;
const LETTER_X = 0x78;
const IPV6_WORDS = 8;
const LENGTH_NOT_PLAIN = 255;
const NOT_HEX = 255;

/** Letters in lower case, digits, `-`, `_` and the dot as themselves; 0 for everything else. */
const NAME_OCTETS = Uint8Array.from({ length: 256 }, (_, octet) => {
  const character = String.fromCharCode(octet).toLowerCase();
  return octet < 128 && /[a-z0-9._-]/.test(character) ? character.charCodeAt(0) : 0;
});

const HEX_VALUES = Uint8Array.from({ length: 256 }, (_, octet) => {
  const character = String.fromCharCode(octet);
  return /[0-9a-f]/i.test(character) ? Number.parseInt(character, 16) : NOT_HEX;
});
