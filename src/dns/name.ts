import type { Brand } from './brand.ts';

/**
 * A domain name in wire form: uncompressed, with the final root octet, its case as received
 * (RFC 1035 section 3.1). Labels are octets, not text (RFC 2181 section 11). Immutable by agreement.
 */
export type Name = Brand<Uint8Array, 'Name'>;

// RFC 1035 section 2.3.4.
export const NAME_OCTETS_MAX = 255;
export const LABEL_OCTETS_MAX = 63;
/** 127 labels of one octet and the root make 255 octets. */
export const NAME_LABELS_MAX = 127;

/**
 * A name has at most 127 labels, so a sender whose pointers each lead to a label never needs more.
 * Without a limit, a message of 64 KB that chains pointers to pointers costs millions of steps.
 */
const NAME_POINTERS_MAX = 127;

const ROOT_OCTETS = Uint8Array.of(0);
export const ROOT_NAME = ROOT_OCTETS as Name;

export type NameErrorCode =
  | 'empty'
  | 'empty-label'
  | 'label-too-long'
  | 'name-too-long'
  | 'bad-escape'
  | 'bad-character';

/** Why a text is no domain name. `code` is for programs, `message` for people. */
export class NameError extends Error {
  readonly code: NameErrorCode;

  constructor(code: NameErrorCode, text: string) {
    super(`${JSON.stringify(text.slice(0, 300))} is no domain name: ${code}`);
    this.name = 'NameError';
    this.code = code;
  }
}

/**
 * Reads the presentation form of RFC 1035 section 5.1 with `\.` and `\DDD` escapes. Without a
 * final dot the name is relative to `origin`. Octets outside printable ASCII must be escaped. A
 * lone `@` is a label here: its meaning as the origin belongs to zone files. Throws NameError.
 */
export function parseName(text: string, origin: Name = ROOT_NAME): Name {
  if (text === '') throw new NameError('empty', text);
  if (text === '.') return ROOT_NAME;
  const labels = new Uint8Array(NAME_OCTETS_MAX);
  let labelStart = 0;
  let end = 1;
  let position = 0;
  while (position < text.length) {
    if (text.charCodeAt(position) === DOT) {
      closeLabel(labels, labelStart, end, text);
      labelStart = end;
      end += 1;
      position += 1;
      continue;
    }
    if (end - labelStart > LABEL_OCTETS_MAX) throw new NameError('label-too-long', text);
    if (end >= NAME_OCTETS_MAX) throw new NameError('name-too-long', text);
    const escaped = text.charCodeAt(position) === BACKSLASH;
    labels[end++] = escaped ? escapedOctet(text, position) : plainOctet(text, position);
    position += escaped ? escapeLength(text, position) : 1;
  }
  const absolute = end === labelStart + 1;
  if (!absolute) closeLabel(labels, labelStart, end, text);
  const suffix = absolute ? ROOT_NAME : origin;
  const labelsEnd = absolute ? labelStart : end;
  if (labelsEnd + suffix.length > NAME_OCTETS_MAX) throw new NameError('name-too-long', text);
  return concatName(labels.subarray(0, labelsEnd), suffix);
}

/** The presentation form with its final dot; escapes by RFC 1035 section 5.1 and RFC 4343 section 2.1. */
export function formatName(name: Name): string {
  if (name.length === 1) return '.';
  let text = '';
  let position = 0;
  while (name[position] > 0) {
    const end = position + 1 + name[position];
    for (position += 1; position < end; position += 1) text += PRESENTATION[name[position]];
    text += '.';
  }
  return text;
}

/**
 * Reads the name at `offset` of a message and follows its compression pointers (RFC 1035 section
 * 4.1.4). `next` is the offset behind the name where it stands. Null when it is cut short, too long,
 * uses a reserved label type, or has a pointer that does not lead strictly backwards.
 */
export function readName(
  message: Uint8Array,
  offset: number,
): { readonly name: Name; readonly next: number } | null {
  const next = expandName(message, offset);
  return next === -1 ? null : { name: expandedName(), next };
}

/**
 * The reading itself: leaves the name in a scratch buffer, where `expandedName` finds it until the
 * next call, and returns the offset behind it or -1. It allocates nothing.
 */
export function expandName(message: Uint8Array, offset: number): number {
  let position = offset;
  let segmentStart = offset;
  let written = 0;
  let next = -1;
  let pointers = 0;
  while (position < message.length) {
    const octet = message[position];
    if (octet === 0) {
      expanded[written] = 0;
      expandedLength = written + 1;
      return next === -1 ? position + 1 : next;
    }
    if (octet <= LABEL_OCTETS_MAX) {
      const end = position + 1 + octet;
      // The root octet has to fit behind this label.
      if (end > message.length || written + octet + 2 > NAME_OCTETS_MAX) return -1;
      while (position < end) expanded[written++] = message[position++];
      continue;
    }
    // RFC 1035 section 4.1.4 and RFC 6891 section 5: 01 and 10 are not in use.
    if (octet < POINTER_TAG || position + 1 >= message.length) return -1;
    pointers += 1;
    const target = ((octet & 0x3f) << 8) | message[position + 1];
    // RFC 1035 section 4.1.4: a pointer is to a prior occurrence, so each one must go further back.
    if (target >= segmentStart || pointers > NAME_POINTERS_MAX) return -1;
    if (next === -1) next = position + 2;
    position = target;
    segmentStart = target;
  }
  return -1;
}

/** A copy of the name that `expandName` read last. */
export function expandedName(): Name {
  const name = new Uint8Array(expandedLength);
  for (let i = 0; i < expandedLength; i += 1) name[i] = expanded[i];
  return name as Name;
}

const expanded = new Uint8Array(NAME_OCTETS_MAX);
let expandedLength = 0;

/** RFC 4343 section 3: without regard to the case of ASCII letters. */
export function namesEqual(a: Name, b: Name): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  return sameOctets(a, 0, b);
}

/** A copy in lower case, the canonical form of RFC 4034 section 6.2. */
export function lowerCaseName(name: Name): Name {
  const lower = new Uint8Array(name.length);
  for (let i = 0; i < name.length; i += 1) lower[i] = LOWER[name[i]];
  return lower as Name;
}

/** A Map key: equal exactly for names that are equal without regard to case. */
export function nameKey(name: Name): string {
  for (let i = 0; i < name.length; i += 1) keyOctets[i] = LOWER[name[i]];
  return keyOctets.toString('latin1', 0, name.length);
}

const keyOctets = Buffer.alloc(NAME_OCTETS_MAX);

/** Labels without the root, as RFC 4034 section 3.1.3 counts them: the root has none. */
export function countLabels(name: Name): number {
  let labels = 0;
  for (let position = 0; name[position] > 0; position += 1 + name[position]) labels += 1;
  return labels;
}

/** The name without its first label, as a view; the root is its own parent. */
export function parentName(name: Name): Name {
  return name.length === 1 ? name : (name.subarray(1 + name[0]) as Name);
}

/** Whether `name` is `ancestor` or below it. */
export function isWithin(name: Name, ancestor: Name): boolean {
  const start = name.length - ancestor.length;
  if (start < 0) return false;
  let position = 0;
  while (position < start) position += 1 + name[position];
  return position === start && sameOctets(name, start, ancestor);
}

/** Canonical order: the rightmost labels first, octet by octet in lower case (RFC 4034 section 6.1). */
export function compareNames(a: Name, b: Name): number {
  let labelA = findLabels(a, labelStartsA);
  let labelB = findLabels(b, labelStartsB);
  while (labelA > 0 && labelB > 0) {
    labelA -= 1;
    labelB -= 1;
    const order = compareLabels(a, labelStartsA[labelA], b, labelStartsB[labelB]);
    if (order !== 0) return order;
  }
  return labelA - labelB;
}

const labelStartsA = new Uint8Array(NAME_LABELS_MAX);
const labelStartsB = new Uint8Array(NAME_LABELS_MAX);

/**
 * `relativeLabels` (whole labels in wire form, no root octet) in front of `origin`. Throws
 * NameError when the result is longer than 255 octets.
 */
export function concatName(relativeLabels: Uint8Array, origin: Name): Name {
  const length = relativeLabels.length + origin.length;
  if (length > NAME_OCTETS_MAX) throw new NameError('name-too-long', formatName(origin));
  const name = new Uint8Array(length);
  name.set(relativeLabels);
  name.set(origin, relativeLabels.length);
  return name as Name;
}

/** The labels of `name` in front of `origin`, as a view without root octet; null when it is not within. */
export function relativeLabels(name: Name, origin: Name): Uint8Array | null {
  return isWithin(name, origin) ? name.subarray(0, name.length - origin.length) : null;
}

function closeLabel(labels: Uint8Array, start: number, end: number, text: string): void {
  const length = end - start - 1;
  if (length === 0) throw new NameError('empty-label', text);
  if (start >= NAME_OCTETS_MAX) throw new NameError('name-too-long', text);
  labels[start] = length;
}

function plainOctet(text: string, position: number): number {
  const code = text.charCodeAt(position);
  if (code < 0x21 || code > 0x7e) throw new NameError('bad-character', text);
  return code;
}

function escapedOctet(text: string, backslash: number): number {
  if (escapeLength(text, backslash) === 2) {
    const code = text.charCodeAt(backslash + 1);
    // NaN, a backslash at the very end, fails both comparisons.
    if (code >= 0x20 && code <= 0x7e) return code;
    throw new NameError('bad-escape', text);
  }
  const digits = text.slice(backslash + 1, backslash + 4);
  const octet = Number(digits);
  if (!/^\d{3}$/.test(digits) || octet > 255) throw new NameError('bad-escape', text);
  return octet;
}

/** `\DDD` takes four characters, any other escape two. */
function escapeLength(text: string, backslash: number): number {
  const code = text.charCodeAt(backslash + 1);
  return code >= 0x30 && code <= 0x39 ? 4 : 2;
}

function sameOctets(a: Uint8Array, start: number, b: Uint8Array): boolean {
  for (let i = 0; i < b.length; i += 1) {
    const octet = a[start + i];
    if (octet !== b[i] && LOWER[octet] !== LOWER[b[i]]) return false;
  }
  return true;
}

function findLabels(name: Name, starts: Uint8Array): number {
  let labels = 0;
  for (let position = 0; name[position] > 0; position += 1 + name[position]) {
    starts[labels++] = position;
  }
  return labels;
}

function compareLabels(a: Uint8Array, startA: number, b: Uint8Array, startB: number): number {
  const lengthA = a[startA];
  const lengthB = b[startB];
  const common = Math.min(lengthA, lengthB);
  for (let i = 1; i <= common; i += 1) {
    const order = LOWER[a[startA + i]] - LOWER[b[startB + i]];
    if (order !== 0) return order;
  }
  return lengthA - lengthB;
}

const DOT = 0x2e;
const BACKSLASH = 0x5c;
const POINTER_TAG = 0xc0;

/** ASCII letters in lower case. Length octets are at most 63 and map to themselves, so whole names go through it. */
const LOWER = Uint8Array.from({ length: 256 }, (_, octet) =>
  octet >= 0x41 && octet <= 0x5a ? octet + 0x20 : octet,
);

/** Every octet of a label in presentation form; the characters that mean something in zone files are escaped. */
const PRESENTATION = Array.from({ length: 256 }, (_, octet) => {
  if (octet < 0x21 || octet > 0x7e) return `\\${String(octet).padStart(3, '0')}`;
  const character = String.fromCharCode(octet);
  return '."();@$\\'.includes(character) ? `\\${character}` : character;
});
