import { domainToASCII } from 'node:url';
import { LABEL_OCTETS_MAX, NAME_OCTETS_MAX } from '../dns/name.ts';
import { type Rejection, type RejectionReason, reject } from './rejection.ts';

export interface NameValue {
  readonly ok: true;
  /** Labels in wire form, lower case, without root octet and without a leading `*`. */
  readonly key: Uint8Array;
  readonly wildcard: boolean;
}

/**
 * Reads one name by the rules of RPZ zones. What is refused here cannot be confirmed; whether the
 * name is too broad or its owner too long is the caller's question. The root has an empty key.
 *
 * A name that is all ASCII is taken octet by octet, so `xn--` labels are not decoded and checked:
 * whatever can be asked for in DNS can be listed.
 */
export function parseNameValue(text: string, escapes: boolean): NameValue | Rejection {
  if (text === '') return reject('empty');
  const refused = refusedCharacter(text, escapes);
  if (refused !== null) return reject(refused);
  const mapped = toAscii(text);
  if (typeof mapped === 'string') return reject(mapped);
  const { ascii } = mapped;
  if (ascii === '.') return { ok: true, key: new Uint8Array(0), wildcard: false };
  const labels = encodeLabels(ascii);
  if (typeof labels === 'string') return reject(labels);
  const wildcard = isAsteriskLabel(labels, 0);
  const key = wildcard ? labels.subarray(2) : labels;
  const refusedLabel = refuseLabels(key);
  return refusedLabel === null ? { ok: true, key, wildcard } : reject(refusedLabel);
}

const REFUSED_CHARACTERS: Readonly<Record<string, RejectionReason>> = {
  '@': 'at-sign',
  '/': 'url',
  ':': 'url',
  '?': 'url',
  ' ': 'several-words',
  '\t': 'several-words',
};

/** The ASCII characters are checked before anything is mapped: `domainToASCII` would decode `%41`. */
function refusedCharacter(text: string, escapes: boolean): RejectionReason | null {
  for (const [character] of text.matchAll(/[^a-z0-9._*\u0080-\uffff-]/gi)) {
    if (character !== '\\') return REFUSED_CHARACTERS[character] ?? 'bad-character';
    if (!escapes) return 'escape-not-allowed';
  }
  return null;
}

/**
 * UTS 46 to A-labels, for names that need it only. The WHATWG host parser behind `domainToASCII`
 * turns names that end in a number into IPv4 addresses; what it returns then still ends in a
 * number, so `refuseLabels` refuses it.
 */
function toAscii(text: string): { readonly ascii: string } | RejectionReason {
  if (!/[^\0-\x7f]/.test(text)) return { ascii: text };
  if (text.includes('\\')) return 'idn';
  if (text.length > UNICODE_NAME_MAX) return 'name-too-long';
  const labels = text.split(LABEL_SEPARATORS);
  if (labels.some((label) => label.length > UNICODE_LABEL_MAX)) return 'label-too-long';
  const ascii = domainToASCII(text);
  return /^[a-z0-9._*-]+$/.test(ascii) ? { ascii } : 'idn';
}

/**
 * Longer ones cannot become labels of 63 and names of 255 octets, even with three code units to a
 * letter (base and two marks). Punycode costs the square of a label's length, so the limit is ours.
 */
const UNICODE_LABEL_MAX = 192;
const UNICODE_NAME_MAX = 512;
/** The four dots of RFC 3490 section 3.1, which UTS 46 maps to one. */
const LABEL_SEPARATORS = /[.\u3002\uff0e\uff61]/;

/** The wire form of the labels (RFC 1035 section 3.1), or why there is none. One final dot is stripped. */
function encodeLabels(text: string): Uint8Array | RejectionReason {
  let labelAt = 0;
  let end = 1;
  for (let position = 0; position < text.length; ) {
    const code = text.charCodeAt(position);
    if (code === DOT) {
      if (end === labelAt + 1) return 'empty-label';
      encoded[labelAt] = end - labelAt - 1;
      labelAt = end++;
      position++;
      continue;
    }
    if (code === ASTERISK && !standsAloneAtStart(text, position)) return 'wildcard-position';
    const octet = code === BACKSLASH ? escapedOctet(text, position) : code;
    if (octet === null) return 'bad-escape';
    if (end - labelAt > LABEL_OCTETS_MAX) return 'label-too-long';
    if (end >= NAME_OCTETS_MAX) return 'name-too-long';
    encoded[end++] = lowerCase(octet);
    position += code === BACKSLASH ? escapeLength(text, position) : 1;
  }
  const endsInDot = end === labelAt + 1;
  if (!endsInDot) encoded[labelAt] = end - labelAt - 1;
  const used = endsInDot ? labelAt : end;
  // One octet stays for the root.
  return used < NAME_OCTETS_MAX ? encoded.slice(0, used) : 'name-too-long';
}

/** Reused, since a typed array of this size costs more than all the rest of a name. */
const encoded = new Uint8Array(NAME_OCTETS_MAX);

function standsAloneAtStart(text: string, position: number): boolean {
  return position === 0 && (text.length === 1 || text.charCodeAt(1) === DOT);
}

/** `\.` is a dot inside a label, `\DDD` any octet; null for every other escape. */
function escapedOctet(text: string, backslash: number): number | null {
  if (escapeLength(text, backslash) === 2) return DOT;
  const digits = text.slice(backslash + 1, backslash + 4);
  return /^\d{3}$/.test(digits) && Number(digits) <= 255 ? Number(digits) : null;
}

function escapeLength(text: string, backslash: number): number {
  return text.charCodeAt(backslash + 1) === DOT ? 2 : 4;
}

/** Of the labels as octets, so that escapes cannot hide a `*`, a trigger or an address. */
function refuseLabels(key: Uint8Array): RejectionReason | null {
  let last = 0;
  for (let at = 0; at < key.length; at += 1 + key[at]) {
    // RFC 4592 section 2.1.1: the octets decide what an asterisk label is, not how it was written.
    if (isAsteriskLabel(key, at)) return 'wildcard-position';
    last = at;
  }
  if (key.length === 0) return null;
  if (beginsWith(key, last + 1, TRIGGER_START)) return 'trigger-label';
  return isNumberLabel(key, last + 1) ? 'address-as-name' : null;
}

/** Digits and hyphens only, or a hexadecimal number as in `0x7f.1`. */
function isNumberLabel(key: Uint8Array, start: number): boolean {
  const isHexadecimal = beginsWith(key, start, HEXADECIMAL_START);
  for (let at = isHexadecimal ? start + 2 : start; at < key.length; at++) {
    const octet = key[at];
    const isDigit = octet >= 0x30 && octet <= 0x39;
    if (isDigit || (isHexadecimal ? octet >= 0x61 && octet <= 0x66 : octet === HYPHEN)) continue;
    return false;
  }
  return true;
}

function beginsWith(key: Uint8Array, start: number, octets: readonly number[]): boolean {
  return octets.every((octet, index) => key[start + index] === octet);
}

function isAsteriskLabel(key: Uint8Array, at: number): boolean {
  return key[at] === 1 && key[at + 1] === ASTERISK;
}

/** RFC 4343 section 3: names differ not by the case of ASCII letters, escaped or not. */
function lowerCase(octet: number): number {
  return octet >= 0x41 && octet <= 0x5a ? octet + 0x20 : octet;
}

const DOT = 0x2e;
const ASTERISK = 0x2a;
const BACKSLASH = 0x5c;
const HYPHEN = 0x2d;
/** `rpz-` */
const TRIGGER_START = [0x72, 0x70, 0x7a, 0x2d];
/** `0x` */
const HEXADECIMAL_START = [0x30, 0x78];
