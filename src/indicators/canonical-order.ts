import { INDICATOR_KINDS, type PackedIndicators } from './indicator.ts';
import { ADDRESS_KINDS } from './owner-of.ts';

/** Names are put in order by so many of their characters, counted from the end and with dots. */
const CHARACTERS = 15;
const CHARACTERS_PER_WORD = 5;
const CHARACTER_BITS = 6;
const WORD_BITS = CHARACTERS_PER_WORD * CHARACTER_BITS;
const WORDS = CHARACTERS / CHARACTERS_PER_WORD;
const DIGIT_BITS = WORD_BITS / 2;
const DIGIT_MASK = (1 << DIGIT_BITS) - 1;
/** Address triggers come behind all names, each kind by itself. */
const ADDRESS_WORD = (1 << WORD_BITS) - 1 - INDICATOR_KINDS.length;

/**
 * Packed indicators about in the order that a zone has (RFC 4034 section 6.1: by labels from the right),
 * and addresses by their numbers. Ids are given in this order, and transfers go by ids: so what is near
 * in the receiver's tree comes together. A million rules in the order of a list took BIND 1.8 times as
 * long to take in. Equal beginnings keep their order: it is only near enough, and cheap (radix sort).
 */
export function inCanonicalOrder(packed: PackedIndicators): PackedIndicators {
  const words = Array.from({ length: WORDS }, () => new Uint32Array(packed.count));
  let start = 0;
  for (let index = 0; index < packed.count; index++) {
    const end = packed.ends[index];
    const addressKind = ADDRESS_KIND_OF[packed.kinds[index]];
    if (addressKind === -1) nameWords(packed.keys, start, end, words, index);
    else addressWords(packed.keys, start, end, addressKind, words, index);
    start = end;
  }
  return inOrder(packed, sortedBy(words, packed.count));
}

/** By the number of an indicator's kind: that of its address kind, or -1. */
const ADDRESS_KIND_OF = INDICATOR_KINDS.map((kind) =>
  (ADDRESS_KINDS as readonly string[]).indexOf(kind),
);

/** Offsets of the labels of one name; 127 is the most that 255 octets hold (RFC 1035 section 2.3.4). */
const labels = new Uint8Array(128);
/** Codes of the characters that one name is put in order by. */
const characters = new Uint8Array(CHARACTERS);

function nameWords(
  keys: Uint8Array,
  start: number,
  end: number,
  words: readonly Uint32Array[],
  index: number,
): void {
  let count = 0;
  for (let at = start; at < end; at += keys[at] + 1) labels[count++] = at - start;
  let taken = 0;
  for (let label = count - 1; label >= 0 && taken < CHARACTERS; label--) {
    const from = start + labels[label] + 1;
    const to = Math.min(from + keys[from - 1], from + CHARACTERS - taken);
    for (let at = from; at < to; at++) characters[taken++] = CHARACTER_CODES[keys[at]];
    if (taken < CHARACTERS) characters[taken++] = 0;
  }
  while (taken < CHARACTERS) characters[taken++] = 0;
  for (let word = 0, at = 0; word < WORDS; word++) {
    let value = 0;
    for (const end = at + CHARACTERS_PER_WORD; at < end; at++) {
      value = (value << CHARACTER_BITS) | characters[at];
    }
    words[word][index] = value;
  }
}

/** As in packed keys: the length of the prefix, then the address. */
function addressWords(
  keys: Uint8Array,
  start: number,
  end: number,
  kind: number,
  words: readonly Uint32Array[],
  index: number,
): void {
  const isIpv6 = end - start > 5;
  words[0][index] = ADDRESS_WORD + 2 * kind + (isIpv6 ? 1 : 0);
  const high = word32(keys, start + 1);
  const low = isIpv6 ? word32(keys, start + 5) : keys[start] << 24;
  words[1][index] = high >>> 2;
  words[2][index] = ((high & 3) << 28) | (low >>> 4);
}

function word32(keys: Uint8Array, at: number): number {
  return ((keys[at] << 24) | (keys[at + 1] << 16) | (keys[at + 2] << 8) | keys[at + 3]) >>> 0;
}

/** The places of the rising words, those of equal ones as they were: a radix sort from the last digit on. */
function sortedBy(words: readonly Uint32Array[], count: number): Uint32Array {
  let places = Uint32Array.from({ length: count }, (_, index) => index);
  let next = new Uint32Array(count);
  const starts = new Uint32Array(DIGIT_MASK + 2);
  for (const word of words.toReversed()) {
    for (const shift of [0, DIGIT_BITS]) {
      starts.fill(0);
      for (let index = 0; index < count; index++)
        starts[((word[index] >>> shift) & DIGIT_MASK) + 1]++;
      for (let digit = 1; digit < starts.length; digit++) starts[digit] += starts[digit - 1];
      for (let index = 0; index < count; index++) {
        const place = places[index];
        next[starts[(word[place] >>> shift) & DIGIT_MASK]++] = place;
      }
      [places, next] = [next, places];
    }
  }
  return places;
}

function inOrder(
  { kinds, ends, keys, count }: PackedIndicators,
  places: Uint32Array,
): PackedIndicators {
  const ordered = {
    count,
    kinds: new Uint8Array(count),
    ends: new Uint32Array(count),
    keys: new Uint8Array(keys.length),
  };
  let used = 0;
  for (let index = 0; index < count; index++) {
    const place = places[index];
    const end = ends[place];
    for (let at = place === 0 ? 0 : ends[place - 1]; at < end; at++)
      ordered.keys[used++] = keys[at];
    ordered.kinds[index] = kinds[place];
    ordered.ends[index] = used;
  }
  return ordered;
}

/** Hyphen, digits, underscore, letters, as they follow one another; 0 stands for the end of a label. */
const CHARACTER_CODES = Uint8Array.from({ length: 256 }, (_, octet) => {
  const known = '-0123456789_abcdefghijklmnopqrstuvwxyz'.indexOf(String.fromCharCode(octet));
  return known === -1 ? (1 << CHARACTER_BITS) - 1 : known + 1;
});
