import { createNameCompressor, type NameCompressor } from './compression.ts';
import { HEADER_OCTETS, type HeaderFields, headerFlags } from './header.ts';
import type { Question, ResourceRecord } from './message.ts';
import { readUint16, writeOctets, writeUint16, writeUint32 } from './octets.ts';
import { type EdnsFields, optOctets, paddingOctets, writeOpt } from './opt-record.ts';
import { NAME_FIELD, type RdataLayout, rdataLayout } from './rdata-layout.ts';

/** What the records of an RRset have in common. */
export type RrsetFields = Omit<ResourceRecord, 'rdata'>;

export type Section = 'answer' | 'authority' | 'additional';

/**
 * Writes one message after the other into one buffer. Sections are written in their order. What
 * does not fit is not written, and the caller decides what that means: TC, or the next message.
 * Nothing is allocated per record.
 */
export interface MessageWriter {
  /**
   * Begins a message; what was before is forgotten, reservations too. `limit` is the most octets
   * that this message may have, reservations included; without it the writer's own holds.
   */
  start(header: HeaderFields, limit?: number): void;
  question(question: Question): boolean;
  /** False: it did not fit and nothing was written. */
  record(section: Section, record: ResourceRecord): boolean;
  /** All of the RRset or nothing of it; `rdatas` take the place of the record's rdata. */
  rrset(section: Section, rrset: RrsetFields, rdatas: readonly Uint8Array[]): boolean;
  /** Sets room aside for an OPT record, which `finish` writes. False when there is no room. */
  edns(fields: EdnsFields): boolean;
  /** Keeps `octets` free at the end, for a TSIG record. False when there is no room. */
  reserve(octets: number): boolean;
  setTruncated(): void;
  /** RCODEs above 15 need EDNS. */
  setRcode(rcode: number): void;
  /** Octets of the message so far, without OPT record. */
  length(): number;
  /** Completes the message at the start of the buffer and returns its length. */
  finish(): number;
}

/** `limit`: the most octets a message may have, reservations included; at most the buffer. */
export function createMessageWriter(
  buffer: Uint8Array,
  limit: number = buffer.length,
): MessageWriter {
  const octetsMax = Math.min(limit, buffer.length, MESSAGE_OCTETS_MAX);
  if (octetsMax < HEADER_OCTETS) throw new RangeError(`no message fits into ${octetsMax} octets`);
  const writing: Writing = {
    buffer,
    names: createNameCompressor(buffer),
    end: HEADER_OCTETS,
    room: octetsMax,
    limit: octetsMax,
    kept: 0,
    countOffset: QUESTION_COUNT,
    rcode: 0,
    opt: null,
  };
  return {
    start: (header, messageLimit = octetsMax) =>
      startMessage(writing, header, Math.min(messageLimit, octetsMax)),
    question: (question) => addQuestion(writing, question),
    record: (section, record) => addRecord(writing, section, record),
    rrset: (section, rrset, rdatas) => {
      enter(writing, COUNT_OFFSETS[section]);
      return addRrset(writing, rrset, rdatas);
    },
    edns: (fields) => reserveOpt(writing, fields),
    reserve: (octets) => {
      if (!keepFree(writing, octets)) return false;
      writing.kept += octets;
      return true;
    },
    setTruncated: () => {
      buffer[2] |= 0x02;
    },
    setRcode: (rcode) => setRcode(writing, rcode),
    length: () => writing.end,
    finish: () => finishMessage(writing),
  };
}

/** Where the writing stands. */
interface Writing {
  readonly buffer: Uint8Array;
  readonly names: NameCompressor;
  end: number;
  /** What `end` may not pass: the limit less what is reserved. */
  room: number;
  /** The most octets that the message may have. */
  limit: number;
  /** Of these kept free for what comes behind the message. */
  kept: number;
  /** Where the header counts the section in hand. */
  countOffset: number;
  rcode: number;
  opt: EdnsFields | null;
}

const QUESTION_COUNT = 4;
const COUNT_OFFSETS: Readonly<Record<Section, number>> = {
  answer: 6,
  authority: 8,
  additional: 10,
};
// RFC 1035 section 4.2.2: two octets for the length. So no section can hold more than its count can say.
const MESSAGE_OCTETS_MAX = 0xffff;

function startMessage(writing: Writing, header: HeaderFields, limit: number): void {
  const { buffer } = writing;
  writeUint16(buffer, 0, header.id);
  writeUint16(buffer, 2, headerFlags(header));
  buffer.fill(0, QUESTION_COUNT, HEADER_OCTETS);
  writing.names.clear();
  writing.end = HEADER_OCTETS;
  writing.room = limit;
  writing.limit = limit;
  writing.kept = 0;
  writing.countOffset = QUESTION_COUNT;
  writing.rcode = header.rcode ?? 0;
  writing.opt = null;
}

function setRcode(writing: Writing, rcode: number): void {
  writing.rcode = rcode;
  writing.buffer[3] = (writing.buffer[3] & 0xf0) | (rcode & 0x0f);
}

/** Moves on to a section; going back would put records into the wrong one. */
function enter(writing: Writing, countOffset: number): void {
  if (countOffset < writing.countOffset) throw new Error('sections are written in their order');
  writing.countOffset = countOffset;
}

function addQuestion(writing: Writing, question: Question): boolean {
  enter(writing, QUESTION_COUNT);
  const { buffer, names, room } = writing;
  const mark = names.mark();
  const nameEnd = names.write(question.name, 0, writing.end, room);
  const fits = nameEnd !== -1 && nameEnd + QUESTION_FIXED_OCTETS <= room;
  if (!fits) return settle(writing, mark, -1, 0);
  writeUint16(buffer, nameEnd, question.type);
  return settle(writing, mark, writeUint16(buffer, nameEnd + 2, question.class), 1);
}

function addRecord(writing: Writing, section: Section, record: ResourceRecord): boolean {
  enter(writing, COUNT_OFFSETS[section]);
  const mark = writing.names.mark();
  return settle(writing, mark, writeRecord(writing, writing.end, record, record.rdata), 1);
}

function addRrset(writing: Writing, rrset: RrsetFields, rdatas: readonly Uint8Array[]): boolean {
  const mark = writing.names.mark();
  let end = writing.end;
  for (let i = 0; i < rdatas.length && end !== -1; i += 1) {
    end = writeRecord(writing, end, rrset, rdatas[i]);
  }
  return settle(writing, mark, end, rdatas.length);
}

/** Keeps what was written up to `end` and counts it; or, when that is -1, takes it back. */
function settle(writing: Writing, mark: number, end: number, added: number): boolean {
  if (end === -1) {
    writing.names.forgetAfter(mark);
    return false;
  }
  const { buffer, countOffset } = writing;
  writeUint16(buffer, countOffset, readUint16(buffer, countOffset) + added);
  writing.end = end;
  return true;
}

// The next three return the offset behind what they wrote, or -1 when it does not fit. They take
// their values one by one, since an options object for each record would be garbage.

function writeRecord(
  writing: Writing,
  offset: number,
  record: RrsetFields,
  rdata: Uint8Array,
): number {
  const { buffer, names, room } = writing;
  const nameEnd = names.write(record.name, 0, offset, room);
  const start = nameEnd + RECORD_FIXED_OCTETS;
  if (nameEnd === -1 || start > room) return -1;
  writeUint16(buffer, nameEnd, record.type);
  writeUint16(buffer, nameEnd + 2, record.class);
  writeUint32(buffer, nameEnd + 4, record.ttl);
  const layout = rdata.length > 0 ? rdataLayout(record.type) : undefined;
  const end = layout?.compressible
    ? writeLayout(writing, start, layout, rdata)
    : writeOpaque(writing, start, rdata, 0, rdata.length);
  if (end !== -1) writeUint16(buffer, nameEnd + 8, end - start);
  return end;
}

/** Rdata field by field, its names compressed. */
function writeLayout(
  writing: Writing,
  offset: number,
  layout: RdataLayout,
  rdata: Uint8Array,
): number {
  let from = 0;
  let end = offset;
  for (const field of layout.fields) {
    const to = from + (field === NAME_FIELD ? nameOctets(rdata, from) : field);
    end =
      field === NAME_FIELD
        ? writing.names.write(rdata, from, end, writing.room)
        : writeOpaque(writing, end, rdata, from, to);
    if (end === -1) return -1;
    from = to;
  }
  if (from === rdata.length) return end;
  throw new Error(`rdata of ${rdata.length} octets where its type has ${from}`);
}

function writeOpaque(
  { buffer, room }: Writing,
  offset: number,
  octets: Uint8Array,
  from: number,
  to: number,
): number {
  return offset + to - from > room ? -1 : writeOctets(buffer, offset, octets, from, to);
}

function reserveOpt(writing: Writing, fields: EdnsFields): boolean {
  if (writing.opt !== null) throw new Error('a message has one OPT record');
  if (!keepFree(writing, optOctets(fields))) return false;
  writing.opt = fields;
  return true;
}

function keepFree(writing: Writing, octets: number): boolean {
  if (writing.end + octets > writing.room) return false;
  writing.room -= octets;
  return true;
}

function finishMessage(writing: Writing): number {
  const { opt, rcode, names } = writing;
  if (opt !== null) {
    enter(writing, COUNT_OFFSETS.additional);
    settle(writing, names.mark(), writeReservedOpt(writing, opt), 1);
    writing.opt = null;
  } else if (rcode > 0x0f) {
    throw new Error(`RCODE ${rcode} in a message without EDNS`);
  }
  return writing.end;
}

/** Room for it was set aside. */
function writeReservedOpt({ buffer, end, rcode, kept, limit }: Writing, opt: EdnsFields): number {
  const padding = paddingOctets(opt, end + optOctets(opt) + kept, limit);
  return writeOpt(buffer, end, opt, { rcode, padding });
}

/** Type and class. */
const QUESTION_FIXED_OCTETS = 4;
/** Type, class, TTL and rdata length. */
const RECORD_FIXED_OCTETS = 10;

function nameOctets(octets: Uint8Array, start: number): number {
  let position = start;
  while (octets[position] > 0) position += 1 + octets[position];
  return position + 1 - start;
}
