import { HEADER_OCTETS } from '../dns/header.ts';
import { createPlainQuery, readPlainQuery } from '../dns/plain-query.ts';
import { RRTYPE } from '../dns/registry.ts';
import type { ZoneSnapshot } from '../zone/snapshot.ts';
import { createAnswerTable } from './answer-table.ts';
import type { Directory, Observer } from './directory-port.ts';
import type { Answer, Peer } from './handler-port.ts';
import { LIMITED, type LimitVerdict, type RateLimiter } from './rate-limit.ts';
import { createReaderMemory } from './reader-memory.ts';
import type { Request } from './request.ts';

/**
 * Answers from zones that were given before and are the same still: a look-up and a copy, nothing
 * allocated but what the observer is told of an SOA. Whatever else belongs to an answer, who may have
 * it, limits, what the observer hears, is as if it were made anew.
 *
 * Only plain queries are answered so (dns/plain-query.ts): their question, DO and whether they have
 * EDNS decide all of an answer but its id and RD. What is kept is of one directory and goes with it.
 * Measured by `npm run bench:queries`.
 */
export interface ReadyAnswers {
  /** Null when there is none, and the answer has to be made. It is valid until the next call. */
  answer(query: Uint8Array, peer: Peer): Answer | null;
  /** Keeps what was answered from a zone, if it is of the kind that can be given again. */
  keep(request: Request, zone: ZoneSnapshot, answer: Uint8Array): void;
}

export interface ReadyAnswersOptions {
  readonly directory: () => Directory;
  readonly observer: Observer;
  readonly limiter: RateLimiter | null;
  /** Whether queries over UDP get an answer for a cookie only: a plain query has none. */
  readonly cookiesRequired: boolean;
  /** What is said over UDP in place of one of too many answers. */
  readonly slip: (query: Uint8Array, peer: Peer) => Answer;
}

/** The one answer that is given again and again. */
interface Reply {
  readonly kind: 'message';
  bytes: Uint8Array;
}

const DROPPED: Answer = { kind: 'none' };

export function createReadyAnswers(options: ReadyAnswersOptions): ReadyAnswers {
  const { observer, limiter, cookiesRequired, slip } = options;
  const table = createAnswerTable();
  const readers = createReaderMemory();
  const asked = createPlainQuery();
  const reply: Reply = { kind: 'message', bytes: new Uint8Array(0) };
  let directory: Directory | null = null;

  const turnTo = (current: Directory): void => {
    if (current === directory) return;
    directory = current;
    table.clear();
    readers.clear();
  };

  const judge = (place: number, query: Uint8Array, address: string): LimitVerdict => {
    if (limiter === null) return 'pass';
    if (table.isNegative(place)) {
      return limiter.judge(address, LIMITED.negative, table.zone(place).settings.origin);
    }
    const nameEnd = asked.questionEnd - QUESTION_FIXED_OCTETS;
    return limiter.judge(address, LIMITED.answer, query, HEADER_OCTETS, nameEnd);
  };

  return {
    answer(query, peer) {
      const { protocol, address, certificateNames } = peer;
      const isUdp = protocol === 'udp';
      if (certificateNames !== undefined || (isUdp && cookiesRequired)) return null;
      const current = options.directory();
      turnTo(current);
      if (!readPlainQuery(query, asked)) return null;
      const place = table.find(query, asked);
      if (place === -1) return null;
      const zone = table.zone(place);
      const deviceId = readers.readerOf(current, zone, address);
      if (deviceId === null) return null;
      if (asked.type === RRTYPE.SOA && !table.isNegative(place)) {
        observer.polled({ deviceId, zone, address, protocol, key: null });
      }
      const verdict = isUdp ? judge(place, query, address) : 'pass';
      if (verdict === 'drop') return DROPPED;
      if (verdict === 'slip') return slip(query, peer);
      reply.bytes = table.answer(place, query);
      observer.answered(rcodeOf(reply.bytes), protocol);
      return reply;
    },
    keep({ octets, directory: answeredFrom }, zone, answer) {
      const isTruncated = (answer[2] & TRUNCATED) !== 0;
      if (answeredFrom !== directory || isTruncated || !readPlainQuery(octets, asked)) return;
      // Those who show a certificate are answered anew each time.
      if (table.find(octets, asked) === -1) table.put(octets, asked, zone, answer);
    },
  };
}

/** Type and class. */
const QUESTION_FIXED_OCTETS = 4;
const TRUNCATED = 0x02;

/** Those from zones are all below 16. */
function rcodeOf(answer: Uint8Array): number {
  return answer[3] & 0x0f;
}
