import { EDNS_VERSION, OPT_OCTETS } from './edns.ts';
import { HEADER_OCTETS } from './header.ts';
import { LABEL_OCTETS_MAX, NAME_OCTETS_MAX } from './name.ts';
import { readUint16 } from './octets.ts';
import { CLASS, RRTYPE } from './registry.ts';

/** What a plain query says besides its question, which is left where it stands. */
export interface PlainQuery {
  /** The offset behind the question: the name, without pointers, begins behind the header. */
  questionEnd: number;
  type: number;
  hasEdns: boolean;
  dnssecOk: boolean;
}

export function createPlainQuery(): PlainQuery {
  return { questionEnd: 0, type: 0, hasEdns: false, dnssecOk: false };
}

/**
 * Reads a query of the form that nearly all have: one question of class IN, and nothing else but an
 * OPT record without options. False for all others, whole or malformed: `readMessage` tells what they
 * are. Nothing is allocated, and what `readMessage` makes of these octets says nothing more.
 */
export function readPlainQuery(query: Uint8Array, into: PlainQuery): boolean {
  const { length } = query;
  // QR, opcode, AA and TC clear; of what else the header says, only RD and the id come back.
  if (length < HEADER_OCTETS || (query[2] & ~RECURSION_DESIRED) !== 0) return false;
  const isOneQuestion = query[4] === 0 && query[5] === 1;
  if (!isOneQuestion || (query[6] | query[7] | query[8] | query[9] | query[10]) !== 0) return false;
  const nameEnd = plainNameEnd(query);
  if (nameEnd === -1 || nameEnd + QUESTION_FIXED_OCTETS > length) return false;
  if (readUint16(query, nameEnd + 2) !== CLASS.IN) return false;
  const questionEnd = nameEnd + QUESTION_FIXED_OCTETS;
  into.questionEnd = questionEnd;
  into.type = readUint16(query, nameEnd);
  into.hasEdns = query[11] === 1;
  into.dnssecOk = false;
  if (query[11] === 0) return length === questionEnd;
  return query[11] === 1 && length === questionEnd + OPT_OCTETS && readBareOpt(query, into);
}

const RECURSION_DESIRED = 0x01;
/** Type and class. */
const QUESTION_FIXED_OCTETS = 4;

/** The offset behind the name of the question; -1 where it is cut short, too long or has a pointer. */
function plainNameEnd(query: Uint8Array): number {
  const last = Math.min(query.length, HEADER_OCTETS + NAME_OCTETS_MAX) - 1;
  let at = HEADER_OCTETS;
  while (at <= last) {
    const octets = query[at];
    if (octets === 0) return at + 1;
    if (octets > LABEL_OCTETS_MAX) return -1;
    at += octets + 1;
  }
  return -1;
}

/** RFC 6891 section 6.1.2: the root, type, payload size, upper RCODE, version, flags, no options. */
function readBareOpt(query: Uint8Array, into: PlainQuery): boolean {
  const at = into.questionEnd;
  const isBare =
    query[at] === 0 &&
    readUint16(query, at + 1) === RRTYPE.OPT &&
    query[at + 6] === EDNS_VERSION &&
    readUint16(query, at + 9) === 0;
  into.dnssecOk = (query[at + 7] & DNSSEC_OK) !== 0;
  return isBare;
}

/** RFC 3225 section 3: the first bit of the flags. */
const DNSSEC_OK = 0x80;
