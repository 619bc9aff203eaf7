import { HEADER_OCTETS } from '../dns/header.ts';
import type { PlainQuery } from '../dns/plain-query.ts';
import type { ZoneSnapshot } from '../zone/snapshot.ts';

/**
 * Answers in wire form by the question that they answer, its case included, and by what EDNS adds to
 * it. The table has a fixed size and gives up some answer for each that finds no room.
 *
 * The question of an answer is that of its query, octet by octet, so the answer itself is the key.
 */
export interface AnswerTable {
  /** The place of the answer to a query, or -1. Places are good until the next `put` or `clear`. */
  find(query: Uint8Array, asked: PlainQuery): number;
  zone(place: number): ZoneSnapshot;
  /** Whether it says that there is nothing: NODATA or NXDOMAIN. */
  isNegative(place: number): boolean;
  /** The answer with the id and RD of the query; valid until the next call. */
  answer(place: number, query: Uint8Array): Uint8Array;
  /** Takes an answer in, unless it is longer than most are. */
  put(query: Uint8Array, asked: PlainQuery, zone: ZoneSnapshot, answer: Uint8Array): void;
  clear(): void;
}

/** 4 MB, of which the system gives what is used. */
const PLACES = 16_384;
/**
 * An SOA or a rule takes 60 to 150. No longer ones are kept, so all of them fit into every datagram (512
 * octets at least, RFC 1035 section 4.2.1), whatever the client can take.
 */
const ANSWER_OCTETS_MAX = 256;
/** Places that an answer may lie in; when all are taken, one of them gives way. */
const WAYS = 8;

export function createAnswerTable(): AnswerTable {
  const answers = new Uint8Array(PLACES * ANSWER_OCTETS_MAX);
  /** Of each place the hash, then length and shape: those that are looked through lie in one cache line. */
  const heads = new Int32Array(2 * PLACES);
  const zones = new Array<ZoneSnapshot | null>(PLACES).fill(null);
  const out = new Uint8Array(ANSWER_OCTETS_MAX);
  /** Views of it by their length: one made for each answer would be garbage. */
  const views: Uint8Array[] = [];
  let isEmpty = true;
  let turn = 0;

  const isFor = (place: number, query: Uint8Array, end: number): boolean => {
    const start = place * ANSWER_OCTETS_MAX;
    for (let at = HEADER_OCTETS; at < end; at += 1) {
      if (answers[start + at] !== query[at]) return false;
    }
    return true;
  };

  const findFree = (first: number): number | null => {
    for (let place = first; place < first + WAYS; place += 1) {
      if (heads[2 * place + 1] === FREE) return place;
    }
    return null;
  };

  return {
    find(query, asked) {
      if (isEmpty) return -1;
      const end = asked.questionEnd;
      const shape = shapeOf(asked);
      const hash = hashOf(query, end, shape);
      const first = firstPlace(hash);
      for (let place = first; place < first + WAYS; place += 1) {
        if (heads[2 * place] !== hash) continue;
        const size = heads[2 * place + 1];
        const isCandidate = size !== FREE && size >>> SHAPE_SHIFT === shape;
        if (isCandidate && isFor(place, query, end)) return place;
      }
      return -1;
    },
    zone: (place) => zones[place]!,
    isNegative(place) {
      const count = place * ANSWER_OCTETS_MAX + ANSWER_COUNT;
      return answers[count] === 0 && answers[count + 1] === 0;
    },
    answer(place, query) {
      const length = heads[2 * place + 1] & LENGTH_MASK;
      const start = place * ANSWER_OCTETS_MAX;
      for (let at = 0; at < length; at += 1) out[at] = answers[start + at];
      out[0] = query[0];
      out[1] = query[1];
      out[2] = (out[2] & ~RECURSION_DESIRED) | (query[2] & RECURSION_DESIRED);
      return (views[length] ??= out.subarray(0, length));
    },
    put(query, asked, zone, answer) {
      if (answer.length > ANSWER_OCTETS_MAX) return;
      const shape = shapeOf(asked);
      const hash = hashOf(query, asked.questionEnd, shape);
      const first = firstPlace(hash);
      const place = findFree(first) ?? first + (turn = (turn + 1) % WAYS);
      answers.set(answer, place * ANSWER_OCTETS_MAX);
      heads[2 * place] = hash;
      heads[2 * place + 1] = answer.length | (shape << SHAPE_SHIFT);
      zones[place] = zone;
      isEmpty = false;
    },
    clear() {
      if (isEmpty) return;
      heads.fill(FREE);
      zones.fill(null);
      isEmpty = true;
    },
  };
}

const FREE = 0;
const SHAPE_SHIFT = 16;
const LENGTH_MASK = 0xffff;

const ANSWER_COUNT = 6;
const RECURSION_DESIRED = 0x01;

/** What of a query besides its question decides what the answer says: RFC 6891 section 6.1.1, RFC 3225 section 3. */
function shapeOf({ hasEdns, dnssecOk }: PlainQuery): number {
  return (hasEdns ? 1 : 0) | (dnssecOk ? 2 : 0);
}

/** Of the octets of the question, four at a time. */
function hashOf(query: Uint8Array, end: number, shape: number): number {
  let hash = shape;
  let at = HEADER_OCTETS;
  for (; at + 4 <= end; at += 4) {
    const word = query[at] | (query[at + 1] << 8) | (query[at + 2] << 16) | (query[at + 3] << 24);
    hash = Math.imul(hash ^ word, 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  for (; at < end; at += 1) hash = Math.imul(hash ^ query[at], 0x01000193);
  return Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
}

function firstPlace(hash: number): number {
  return ((hash ^ (hash >>> 15)) & (PLACES / WAYS - 1)) * WAYS;
}
