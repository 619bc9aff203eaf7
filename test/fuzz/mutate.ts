import { HEADER_OCTETS, RRTYPE } from '../../src/dns/index.ts';
import type { Random } from '../support/random.ts';

/** A packet is cut off here, so that insertions cannot make it grow without end. */
const PACKET_OCTETS_MAX = 1_400;
const MUTATIONS_MAX = 5;
/** Those that are treated in ways of their own, and some that are not. */
const TYPES: readonly number[] = [
  RRTYPE.AXFR,
  RRTYPE.IXFR,
  RRTYPE.ANY,
  RRTYPE.SOA,
  RRTYPE.CNAME,
  RRTYPE.TSIG,
  RRTYPE.OPT,
  RRTYPE.APL,
  RRTYPE.TXT,
];
/** Lengths, counts, label types and pointers go wrong at these. */
const ODD_OCTETS = [0, 1, 0x0c, 0x3f, 0x40, 0x7f, 0x80, 0xbf, 0xc0, 0xff];

/** A packet with a few things wrong, most often in the way in which a careless or bad program does it. */
export function mutate(
  packet: Uint8Array,
  others: readonly Uint8Array[],
  random: Random,
): Uint8Array {
  let octets = Uint8Array.from(packet);
  // Half of them have one thing wrong, so that they get as far as it matters.
  const times = random.chance(0.5) ? 1 : 1 + random.below(MUTATIONS_MAX);
  for (let time = 0; time < times; time++) {
    octets = random.pick(MUTATIONS)(octets, random, others);
  }
  return octets.subarray(0, PACKET_OCTETS_MAX);
}

type Mutation = (
  octets: Uint8Array<ArrayBuffer>,
  random: Random,
  others: readonly Uint8Array[],
) => Uint8Array<ArrayBuffer>;

const MUTATIONS: readonly Mutation[] = [
  flipBit,
  flipBit,
  setOctet,
  setOctet,
  setCount,
  setType,
  setType,
  setLetter,
  setLetter,
  setPointer,
  cutOff,
  leaveOut,
  repeat,
  splice,
];

function flipBit(octets: Uint8Array<ArrayBuffer>, random: Random) {
  octets[random.below(octets.length)] ^= 1 << random.below(8);
  return octets;
}

function setOctet(octets: Uint8Array<ArrayBuffer>, random: Random) {
  octets[random.below(octets.length)] = random.chance(0.5)
    ? random.pick(ODD_OCTETS)
    : random.below(256);
  return octets;
}

/** One of the four counts of the header. */
function setCount(octets: Uint8Array<ArrayBuffer>, random: Random) {
  const at = 4 + 2 * random.below(4);
  octets[at] = random.chance(0.8) ? 0 : 0xff;
  octets[at + 1] = random.chance(0.8) ? random.below(4) : 0xff;
  return octets;
}

/** Another question about the same name; the class too, now and then. */
function setType(octets: Uint8Array<ArrayBuffer>, random: Random) {
  const end = endOfName(octets);
  octets[end + 1] = random.pick(TYPES);
  if (random.chance(0.1)) octets[end + 3] = random.below(256);
  return octets;
}

/** The same question about another name: a letter or digit for another. */
function setLetter(octets: Uint8Array<ArrayBuffer>, random: Random) {
  const at = HEADER_OCTETS + random.below(Math.max(1, endOfName(octets) - HEADER_OCTETS));
  if (octets[at] >= 0x30) octets[at] = random.pick(LETTERS);
  return octets;
}

const LETTERS = [...Buffer.from('*-_0123456789abcdeZ.')];

/** Where the name of the first question ends, if it is one without pointers. */
function endOfName(octets: Uint8Array): number {
  let at = HEADER_OCTETS;
  while (at < octets.length && octets[at] > 0) at += octets[at] + 1;
  return at + 1;
}

function setPointer(octets: Uint8Array<ArrayBuffer>, random: Random) {
  const at = random.below(octets.length);
  octets[at] = 0xc0 | random.below(2);
  octets[at + 1] = random.below(256);
  return octets;
}

function cutOff(octets: Uint8Array<ArrayBuffer>, random: Random) {
  return octets.slice(0, 1 + random.below(octets.length));
}

function leaveOut(octets: Uint8Array<ArrayBuffer>, random: Random) {
  const from = random.below(octets.length);
  const rest = octets.subarray(from + 1 + random.below(8));
  return joined(octets.subarray(0, Math.max(1, from)), rest);
}

function repeat(octets: Uint8Array<ArrayBuffer>, random: Random) {
  const from = random.below(octets.length);
  const part = octets.subarray(from, from + 1 + random.below(40));
  return joined(octets.subarray(0, from), part, octets.subarray(from));
}

/** The beginning of one and the end of another. */
function splice(octets: Uint8Array<ArrayBuffer>, random: Random, others: readonly Uint8Array[]) {
  const other = random.pick(others);
  const from = 1 + random.below(octets.length);
  return joined(octets.subarray(0, from), other.subarray(Math.min(from, other.length - 1)));
}

function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.concat(parts));
}
