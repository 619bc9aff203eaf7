import { IPV4_OCTETS, IPV6_OCTETS } from '../dns/address.ts';
import { writeAddress } from '../dns/address-octets.ts';
import { createAddressRanges } from './address-ranges.ts';

/** Answers that are counted together for one network. */
export const LIMITED = {
  /** With data, for one name. */
  answer: 0,
  /** Without, for one zone. */
  negative: 1,
  refusal: 2,
  error: 3,
} as const;

export type LimitedKind = (typeof LIMITED)[keyof typeof LIMITED];

/** What becomes of an answer. `slip`: it goes out in a form that shows the client another way. */
export type LimitVerdict = 'pass' | 'slip' | 'drop';

export interface RateLimitOptions {
  /** Like answers to one network in a second; 0 sets no limit. */
  readonly answersPerSecond: number;
  /** Of so many answers above the limit one slips through; 0 drops all. */
  readonly slip: number;
  readonly ipv4PrefixLength: number;
  readonly ipv6PrefixLength: number;
  /** Addresses and prefixes that are not limited. */
  readonly exempt: readonly string[];
}

export interface RateLimiter {
  /**
   * Counts one answer to an address in text form; `name` is that of the answer or the zone, without
   * regard to case, and null where there is none. `start` and `end` say where it stands in `name`, for
   * those who have it as a part of more.
   */
  judge(
    address: string,
    kind: LimitedKind,
    name: Uint8Array | null,
    start?: number,
    end?: number,
  ): LimitVerdict;
  /** From now on these limits hold. */
  use(options: RateLimitOptions): void;
  /** Answers above the limit since the start. */
  counts(): RateLimitCounts;
}

export interface RateLimitCounts {
  readonly dropped: number;
  readonly slipped: number;
}

/** Buckets at the same time: 1.5 MB. */
const BUCKETS_MAX = 65_536;
/** A bucket lies in one of so many places; when all are taken, the one unused for longest gives way. */
const PLACES = 8;
/**
 * Above the limit an answer still costs its token, down to so many seconds' worth: a flood is let
 * through at no rate at all until it has been quiet for as long.
 */
const WINDOW_SECONDS = 15;

/**
 * Response rate limiting for UDP: a token bucket for each network and kind of answer, so that nobody
 * can be flooded through this server with answers to questions sent in its name.
 *
 * The table has a fixed size, and counting an answer allocates nothing. Two hashes of 32 bits tell
 * buckets apart; `seed`, a random number of 32 bits, makes them different in every server, so that
 * nobody can work out beforehand whose answers share a bucket. `clock` gives milliseconds.
 */
export function createRateLimiter(
  initial: RateLimitOptions,
  { clock, seed }: { readonly clock: () => number; readonly seed: number },
): RateLimiter {
  let options = initial;
  let exempt = createAddressRanges(initial.exempt);
  const octets = new Uint8Array(IPV6_OCTETS);
  const tags = new Int32Array(BUCKETS_MAX);
  const usedMs = new Float64Array(BUCKETS_MAX);
  const tokens = new Float32Array(BUCKETS_MAX);
  const slips = new Uint8Array(BUCKETS_MAX);
  const hash = createHash(seed);
  let dropped = 0;
  let slipped = 0;

  /** The bucket of two hashes: its own, or one made new in the place of the longest unused. */
  const bucketOf = (place: number, tag: number, nowMs: number): number => {
    const first = (place & (BUCKETS_MAX / PLACES - 1)) * PLACES;
    let oldest = first;
    for (let at = first; at < first + PLACES; at += 1) {
      if (tags[at] === tag) return at;
      if (usedMs[at] < usedMs[oldest]) oldest = at;
    }
    tags[oldest] = tag;
    usedMs[oldest] = nowMs;
    tokens[oldest] = options.answersPerSecond;
    slips[oldest] = 0;
    return oldest;
  };

  return {
    judge(address, kind, name, start = 0, end = name === null ? 0 : name.length) {
      const { answersPerSecond, slip, ipv4PrefixLength, ipv6PrefixLength } = options;
      if (answersPerSecond === 0) return 'pass';
      const count = writeAddress(address, octets);
      if (exempt.size > 0 && exempt.has(octets, count)) return 'pass';
      const nowMs = clock();
      const bits = count === IPV4_OCTETS ? ipv4PrefixLength : ipv6PrefixLength;
      // An IPv4 and an IPv6 network may begin alike.
      hash.begin(kind | (count << 4), octets, bits);
      const place = hash.end(name, start, end);
      const at = bucketOf(place, hash.second || 1, nowMs);
      // A clock that was set back gives nothing and takes nothing.
      const elapsedMs = Math.max(0, nowMs - usedMs[at]);
      const available = Math.min(
        answersPerSecond,
        tokens[at] + (elapsedMs * answersPerSecond) / 1000,
      );
      usedMs[at] = nowMs;
      tokens[at] = Math.max(available - 1, -answersPerSecond * WINDOW_SECONDS);
      if (available >= 1) return 'pass';
      slips[at] = slip === 0 ? 0 : (slips[at] + 1) % slip;
      if (slip !== 0 && slips[at] === 0) {
        slipped += 1;
        return 'slip';
      }
      dropped += 1;
      return 'drop';
    },
    use(next) {
      exempt = createAddressRanges(next.exempt);
      options = next;
    },
    counts: () => ({ dropped, slipped }),
  };
}

/**
 * Two hashes of the same octets, taken four at a time: a multiplication by an odd number for each
 * four. `end` returns the first and leaves the second in `second`.
 */
function createHash(seed: number) {
  let first = 0;
  let second = 0;
  const hash = {
    second: 0,
    begin(kind: number, address: Uint8Array, bits: number): void {
      first = Math.imul(seed ^ (kind << 8) ^ bits, FIRST_FACTOR);
      second = Math.imul(seed ^ (bits << 8) ^ kind, SECOND_FACTOR);
      for (let at = 0; at < bits; at += 32) {
        const octet = at >>> 3;
        const word =
          wordOf(address, octet, address.length) &
          (bits - at >= 32 ? -1 : -1 << (32 - (bits - at)));
        first = Math.imul(first ^ word, FIRST_FACTOR);
        second = rotated(Math.imul(second ^ word, SECOND_FACTOR));
      }
    },
    end(name: Uint8Array | null, from: number, to: number): number {
      for (let at = from; name !== null && at < to; at += 4) {
        // Letters come out in one case; other octets that differ in this bit alone are told apart
        // nowhere, and names that differ in nothing else share a bucket.
        const word = wordOf(name, at, to) | 0x20202020;
        first = rotated(Math.imul(first ^ word, FIRST_FACTOR));
        second = rotated(Math.imul(second ^ word, SECOND_FACTOR));
      }
      const length = to - from;
      hash.second = mix(second ^ length);
      return mix(first ^ length);
    },
  };
  return hash;
}

const FIRST_FACTOR = 0x9e3779b1;
const SECOND_FACTOR = 0x5bd1e995;

/** Four octets; those from `end` on are zero. */
function wordOf(octets: Uint8Array, at: number, end: number): number {
  const word = (octets[at] << 24) | (octets[at + 1] << 16) | (octets[at + 2] << 8) | octets[at + 3];
  const missing = at + 4 - end;
  return missing > 0 ? word & (-1 << (8 * missing)) : word;
}

function rotated(word: number): number {
  return (word << 13) | (word >>> 19);
}

/** Lets every bit of the input reach the low bits, which choose the place. */
function mix(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  // With its sign: V8 keeps no larger number without an object for it.
  return mixed ^ (mixed >>> 16);
}
