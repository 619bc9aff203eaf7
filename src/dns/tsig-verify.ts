import { type Hmac, timingSafeEqual } from 'node:crypto';
import type { Message } from './message.ts';
import { type Name, namesEqual } from './name.ts';
import { readUint48 } from './octets.ts';
import { RCODE } from './registry.ts';
import {
  startMac,
  TSIG_ALGORITHMS,
  type TsigAlgorithm,
  type TsigKey,
  tsigAlgorithmOf,
} from './tsig-key.ts';
import {
  TIMERS_OCTETS,
  updateWithMac,
  updateWithSigned,
  variablesOctets,
  writeTimers,
  writeVariables,
} from './tsig-mac.ts';
import type { TsigRecord } from './tsig-record.ts';

/** What a request's TSIG record says about it; `record` is the request's own. */
export type TsigVerdict =
  | { readonly kind: 'unsigned' }
  | { readonly kind: 'valid'; readonly key: TsigKey; readonly record: TsigRecord }
  | InvalidTsig;

/** Answer with `rcode`; `error` goes into the answer's TSIG record, which createResponseSigner writes. */
export type InvalidTsig = {
  readonly kind: 'invalid';
  readonly record: TsigRecord;
  /** Unix seconds when the request was checked. */
  readonly serverTime: number;
} & (
  | { readonly rcode: typeof RCODE.FORMERR; readonly error: typeof RCODE.FORMERR }
  | {
      readonly rcode: typeof RCODE.NOTAUTH;
      readonly error: typeof RCODE.BADKEY | typeof RCODE.BADSIG;
    }
  | {
      readonly rcode: typeof RCODE.NOTAUTH;
      readonly error: typeof RCODE.BADTIME | typeof RCODE.BADTRUNC;
      readonly key: TsigKey;
    }
);

/**
 * RFC 8945 section 5.2: key, then MAC, then time, then truncation policy, in this order, so that only
 * who knows the key learns anything of our clock or policy. A known key under another algorithm, or
 * under one that is not allowed, is BADKEY. The server keeps no last time per key (section 5.2.3
 * SHOULD): pipelined and UDP requests arrive out of order.
 *
 * `macOctetsMin` is the shortest truncated MAC accepted; without it none is.
 */
export function verifyRequest(options: {
  readonly bytes: Uint8Array;
  readonly message: Message;
  readonly findKey: (name: Name) => TsigKey | undefined;
  readonly nowSeconds: number;
  readonly allowedAlgorithms: readonly TsigAlgorithm[];
  readonly macOctetsMin?: number;
}): TsigVerdict {
  const { bytes, message, findKey, nowSeconds, allowedAlgorithms } = options;
  const record = message.tsig;
  if (record === null) return { kind: 'unsigned' };
  const invalid = { kind: 'invalid', record, serverTime: nowSeconds } as const;
  const notAuthentic = { ...invalid, rcode: RCODE.NOTAUTH } as const;

  const key = findKey(record.name);
  const algorithm = tsigAlgorithmOf(record.algorithm);
  if (key === undefined || algorithm !== key.algorithm || !allowedAlgorithms.includes(algorithm)) {
    return { ...notAuthentic, error: RCODE.BADKEY };
  }
  if (!isMacSizeLegal(record.mac.length, algorithm)) {
    return { ...invalid, rcode: RCODE.FORMERR, error: RCODE.FORMERR };
  }
  const hmac = startMac(key);
  updateWithSigned(hmac, bytes, record);
  updateWithVariables(hmac, record);
  if (!macMatches(hmac, record.mac)) return { ...notAuthentic, error: RCODE.BADSIG };
  if (!isTimely(record, nowSeconds)) return { ...notAuthentic, error: RCODE.BADTIME, key };
  if (isTooShort(record.mac, algorithm, options.macOctetsMin)) {
    return { ...notAuthentic, error: RCODE.BADTRUNC, key };
  }
  return { kind: 'valid', key, record };
}

/** What a client makes of one message of an answer. */
export type ResponseVerdict =
  | { readonly kind: 'valid'; readonly record: TsigRecord }
  /** A message of a stream without TSIG: to be believed only once a later one is `valid`. */
  | { readonly kind: 'pending' }
  /** No TSIG where one must be: not acceptable. */
  | { readonly kind: 'unsigned' }
  /** The server reports a TSIG error; anyone can have sent it unless it is authenticated. */
  | {
      readonly kind: 'error';
      readonly error: number;
      readonly authenticated: boolean;
      /** The server's clock, Unix seconds; only with BADTIME. */
      readonly serverTime: number | null;
    }
  /** Not acceptable; `error` says which check failed, by the names of RFC 8945. */
  | { readonly kind: 'invalid'; readonly error: number };

export interface StreamVerifier {
  /** Takes the messages of a response in order. After anything but `valid` and `pending` it repeats itself. */
  accept(received: { readonly bytes: Uint8Array; readonly message: Message }): ResponseVerdict;
  /** Whether the last message was signed and valid, as the end of a stream must be. */
  isComplete(): boolean;
}

/** RFC 8945 section 5.3.1: so many messages without TSIG may stand between two with one. */
const UNSIGNED_MESSAGES_MAX = 99;

interface ResponseCheck {
  readonly key: TsigKey;
  readonly requestMac: Uint8Array;
  readonly macOctetsMin?: number;
}

/** The whole answer is one message. Never `pending`. */
export function verifyResponse(
  options: ResponseCheck & {
    readonly bytes: Uint8Array;
    readonly message: Message;
    readonly nowSeconds: number;
  },
): ResponseVerdict {
  return createStreamVerifier({ ...options, nowSeconds: () => options.nowSeconds }).accept(options);
}

/** Verifies an answer of any number of messages (RFC 8945 sections 5.3.1 and 5.4). */
export function createStreamVerifier(
  options: ResponseCheck & { readonly nowSeconds: () => number },
): StreamVerifier {
  const { key, requestMac, nowSeconds, macOctetsMin } = options;
  let hmac = chainedMac(key, requestMac);
  let first = true;
  let unsigned = 0;
  let complete = false;
  let failed: ResponseVerdict | null = null;

  function acceptUnsigned(bytes: Uint8Array): ResponseVerdict {
    if (first || unsigned === UNSIGNED_MESSAGES_MAX) return { kind: 'unsigned' };
    unsigned += 1;
    hmac.update(bytes);
    return { kind: 'pending' };
  }

  function acceptSigned(bytes: Uint8Array, record: TsigRecord): ResponseVerdict {
    const failure = (error: number): ResponseVerdict => ({ kind: 'invalid', error });
    if (!namesEqual(record.name, key.name)) return failure(RCODE.BADKEY);
    if (tsigAlgorithmOf(record.algorithm) !== key.algorithm) return failure(RCODE.BADKEY);
    if (!isMacSizeLegal(record.mac.length, key.algorithm)) return failure(RCODE.FORMERR);
    updateWithSigned(hmac, bytes, record);
    if (first) updateWithVariables(hmac, record);
    else updateWithTimers(hmac, record);
    if (!macMatches(hmac, record.mac)) return failure(RCODE.BADSIG);
    if (record.error !== RCODE.NOERROR) return reportedError(record, true);
    if (!isTimely(record, nowSeconds())) return failure(RCODE.BADTIME);
    if (isTooShort(record.mac, key.algorithm, macOctetsMin)) return failure(RCODE.BADTRUNC);
    hmac = chainedMac(key, record.mac);
    first = false;
    unsigned = 0;
    return { kind: 'valid', record };
  }

  function judge(bytes: Uint8Array, message: Message): ResponseVerdict {
    const record = message.tsig;
    if (record === null) return acceptUnsigned(bytes);
    // RFC 8945 section 5.3.2: an error that the server must not or could not sign.
    const empty = record.mac.length === 0 && message.rcode === RCODE.NOTAUTH;
    if (empty && record.error !== RCODE.NOERROR) return reportedError(record, false);
    return acceptSigned(bytes, record);
  }

  return {
    accept({ bytes, message }) {
      const verdict = failed ?? judge(bytes, message);
      complete = verdict.kind === 'valid';
      if (verdict.kind !== 'valid' && verdict.kind !== 'pending') failed = verdict;
      return verdict;
    },
    isComplete: () => complete,
  };
}

function reportedError(record: TsigRecord, authenticated: boolean): ResponseVerdict {
  const { error, otherData } = record;
  const hasTime = error === RCODE.BADTIME && otherData.length === 6;
  const serverTime = hasTime ? readUint48(otherData, 0) : null;
  return { kind: 'error', error, authenticated, serverTime };
}

function chainedMac(key: TsigKey, priorMac: Uint8Array): Hmac {
  const hmac = startMac(key);
  updateWithMac(hmac, priorMac);
  return hmac;
}

function updateWithVariables(hmac: Hmac, record: TsigRecord): void {
  const variables = new Uint8Array(variablesOctets(record.name, record));
  writeVariables(variables, 0, record.name, record);
  hmac.update(variables);
}

function updateWithTimers(hmac: Hmac, record: TsigRecord): void {
  const timers = new Uint8Array(TIMERS_OCTETS);
  writeTimers(timers, 0, record.timeSigned, record.fudge);
  hmac.update(timers);
}

/** RFC 8945 section 5.2.2.1: no longer than the hash, no shorter than half of it or ten octets. */
function isMacSizeLegal(octets: number, algorithm: TsigAlgorithm): boolean {
  const { macOctets } = TSIG_ALGORITHMS[algorithm];
  return octets <= macOctets && octets >= Math.max(MAC_OCTETS_MIN, macOctets / 2);
}

const MAC_OCTETS_MIN = 10;

/** Compares the octets that are there, in constant time. */
function macMatches(hmac: Hmac, mac: Uint8Array): boolean {
  return timingSafeEqual(hmac.digest().subarray(0, mac.length), mac);
}

/** RFC 8945 section 5.2.3. */
function isTimely({ timeSigned, fudge }: TsigRecord, nowSeconds: number): boolean {
  return Math.abs(nowSeconds - timeSigned) <= fudge;
}

/** RFC 8945 section 5.2.4: local policy; by default a MAC is whole. */
function isTooShort(mac: Uint8Array, algorithm: TsigAlgorithm, macOctetsMin = Infinity): boolean {
  return mac.length < Math.min(macOctetsMin, TSIG_ALGORITHMS[algorithm].macOctets);
}
