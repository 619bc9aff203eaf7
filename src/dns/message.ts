import { type Edns, readOpt } from './edns.ts';
import { HEADER_OCTETS, readHeaderFlags } from './header.ts';
import { expandedName, expandName, type Name } from './name.ts';
import { readUint16, readUint32 } from './octets.ts';
import { expandRdata } from './rdata-layout.ts';
import { CLASS, OPCODE, RRTYPE } from './registry.ts';
import { decodeTsigFields, type TsigRecord } from './tsig-record.ts';

export interface Question {
  readonly name: Name;
  readonly type: number;
  readonly class: number;
}

export interface ResourceRecord {
  readonly name: Name;
  readonly type: number;
  readonly class: number;
  /** Seconds. */
  readonly ttl: number;
  /** In wire form, without its length; names of the types of RFC 1035 uncompressed. */
  readonly rdata: Uint8Array;
}

/** A message as read; it holds copies, so the octets it came from may be reused. */
export interface Message {
  readonly id: number;
  readonly isResponse: boolean;
  readonly opcode: number;
  readonly authoritative: boolean;
  readonly truncated: boolean;
  readonly recursionDesired: boolean;
  readonly recursionAvailable: boolean;
  readonly authenticData: boolean;
  readonly checkingDisabled: boolean;
  /** With the upper bits of the OPT record where there is one. */
  readonly rcode: number;
  /** Any number of them: what 0 or 2 mean depends on the opcode. */
  readonly questions: readonly Question[];
  readonly answers: readonly ResourceRecord[];
  readonly authorities: readonly ResourceRecord[];
  /** Without OPT and TSIG. */
  readonly additionals: readonly ResourceRecord[];
  readonly edns: Edns | null;
  readonly tsig: TsigRecord | null;
}

/** Octets that are no message: to be answered with FORMERR, or not at all. */
export interface MalformedMessage {
  readonly malformed: true;
  /** Null when there is not even a whole header, so that nothing can be answered. */
  readonly id: number | null;
  readonly reason: string;
  readonly opcode: number;
  readonly isResponse: boolean;
  readonly recursionDesired: boolean;
  /** The first question, where it could be read. */
  readonly question: Question | null;
  /** The OPT record, when it was read before the fault. */
  readonly edns: Edns | null;
}

export function isMalformed(message: Message | MalformedMessage): message is MalformedMessage {
  return 'malformed' in message;
}

/**
 * Reads a message from any octets; never throws. Malformed: cut short or with octets left over, a
 * name or a pointer that breaks the rules, an OPT or TSIG record that is in the wrong place, comes
 * twice or does not parse. The content of other records is read no further than their names need;
 * `decodeRdata` does that.
 */
export function readMessage(bytes: Uint8Array): Message | MalformedMessage {
  if (bytes.length < HEADER_OCTETS) return malformed(bytes, 'shorter than a header', null, null);
  const reading: Reading = { bytes, position: HEADER_OCTETS, reason: '', edns: null, tsig: null };
  const questions = readQuestions(reading, readUint16(bytes, 4));
  const answers = readRecords(reading, 'answer', readUint16(bytes, 6));
  const authorities = readRecords(reading, 'authority', readUint16(bytes, 8));
  const additionals = readRecords(reading, 'additional', readUint16(bytes, 10));
  if (reading.reason === '' && reading.position !== bytes.length) {
    reading.reason = `${bytes.length - reading.position} octets after the last record`;
  }
  const { edns, tsig } = reading;
  if (reading.reason !== '') return malformed(bytes, reading.reason, questions[0] ?? null, edns);
  const header = readHeaderFlags(readUint16(bytes, 2));
  return {
    id: readUint16(bytes, 0),
    ...header,
    // RFC 6891 section 6.1.3.
    rcode: edns === null ? header.rcode : (edns.extendedRcode << 4) | header.rcode,
    questions,
    answers,
    authorities,
    additionals,
    edns,
    tsig,
  };
}

/** Where the reading stands. Once `reason` is set, everything that follows reads nothing. */
interface Reading {
  readonly bytes: Uint8Array;
  position: number;
  reason: string;
  edns: Edns | null;
  tsig: TsigRecord | null;
}

type SectionName = 'answer' | 'authority' | 'additional';

/** Type, class, TTL and rdata length. */
const FIXED_OCTETS = 10;

// Counts from the header may claim 65,535 records; every turn of the loops below takes at least
// five octets of the message or ends it, so the message's length bounds them.

function readQuestions(reading: Reading, count: number): Question[] {
  const questions: Question[] = [];
  for (let i = 0; i < count && reading.reason === ''; i += 1) {
    const { bytes, position } = reading;
    const fixed = expandName(bytes, position);
    if (fixed === -1 || fixed + 4 > bytes.length) {
      reading.reason = `question at offset ${position} is malformed`;
      break;
    }
    questions.push({
      name: expandedName(),
      type: readUint16(bytes, fixed),
      class: readUint16(bytes, fixed + 2),
    });
    reading.position = fixed + 4;
  }
  return questions;
}

function readRecords(reading: Reading, section: SectionName, count: number): ResourceRecord[] {
  const records: ResourceRecord[] = [];
  for (let i = 0; i < count && reading.reason === ''; i += 1) {
    const record = readRecord(reading, section);
    if (record !== null) records.push(record);
  }
  return records;
}

/** One record; null when it was an OPT or TSIG record, which go into `reading`, or malformed. */
function readRecord(reading: Reading, section: SectionName): ResourceRecord | null {
  const { bytes, position: start } = reading;
  const fixed = expandName(bytes, start);
  const rdataStart = fixed + FIXED_OCTETS;
  if (fixed === -1 || rdataStart > bytes.length) return fail(reading, start, 'record');
  const name = expandedName();
  const type = readUint16(bytes, fixed);
  const rrClass = readUint16(bytes, fixed + 2);
  const ttl = readUint32(bytes, fixed + 4);
  const length = readUint16(bytes, fixed + 8);
  reading.position = rdataStart + length;
  if (reading.position > bytes.length) return fail(reading, start, 'record');
  // RFC 8945 section 5.2: exactly one TSIG record, and nothing after it.
  if (reading.tsig !== null) return fail(reading, start, 'record after TSIG');
  if (type === RRTYPE.OPT) return takeOpt(reading, section, { start, name, rrClass, ttl, length });
  if (type === RRTYPE.TSIG)
    return takeTsig(reading, section, { start, name, rrClass, ttl, length });
  const rdata = isEmptyUpdate(bytes, length)
    ? new Uint8Array(0)
    : expandRdata(type, bytes, rdataStart, length);
  if (rdata === null) return fail(reading, start, 'rdata');
  // RFC 2181 section 8: a TTL with its top bit set counts as 0.
  return { name, type, class: rrClass, ttl: ttl > TTL_MAX ? 0 : ttl, rdata };
}

const TTL_MAX = 0x7fffffff;

interface PseudoRecord {
  readonly start: number;
  readonly name: Name;
  readonly rrClass: number;
  readonly ttl: number;
  readonly length: number;
}

/** RFC 6891 section 6.1.1: one OPT record, in the additional section, owned by the root. */
function takeOpt(reading: Reading, section: SectionName, record: PseudoRecord): null {
  const { bytes, position: end } = reading;
  const misplaced = section !== 'additional' || reading.edns !== null || record.name.length !== 1;
  if (misplaced) return fail(reading, record.start, 'OPT');
  reading.edns = readOpt(record.rrClass, record.ttl, bytes, end - record.length, end);
  return reading.edns === null ? fail(reading, record.start, 'OPT') : null;
}

/** RFC 8945 sections 4.2 and 5.2: one TSIG record, the last of the additional section, class ANY, TTL 0. */
function takeTsig(reading: Reading, section: SectionName, record: PseudoRecord): null {
  const { bytes, position: end } = reading;
  const misplaced = section !== 'additional' || record.rrClass !== CLASS.ANY || record.ttl !== 0;
  const fields = misplaced ? null : decodeTsigFields(bytes, end - record.length, end);
  if (fields === null) return fail(reading, record.start, 'TSIG');
  reading.tsig = { name: record.name, offset: record.start, ...fields };
  return null;
}

/** RFC 2136 section 2.4: an update names RRsets by records without rdata. */
function isEmptyUpdate(bytes: Uint8Array, length: number): boolean {
  return length === 0 && ((bytes[2] >>> 3) & 0xf) === OPCODE.UPDATE;
}

function fail(reading: Reading, start: number, what: string): null {
  reading.reason = `${what} at offset ${start} is malformed or misplaced`;
  return null;
}

function malformed(
  bytes: Uint8Array,
  reason: string,
  question: Question | null,
  edns: Edns | null,
): MalformedMessage {
  const whole = bytes.length >= HEADER_OCTETS;
  const { opcode, isResponse, recursionDesired } = readHeaderFlags(
    whole ? readUint16(bytes, 2) : 0,
  );
  const id = whole ? readUint16(bytes, 0) : null;
  return { malformed: true, id, reason, opcode, isResponse, recursionDesired, question, edns };
}
