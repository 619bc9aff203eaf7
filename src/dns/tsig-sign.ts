import type { Name } from './name.ts';
import {
  copyOctets,
  readUint16,
  writeOctets,
  writeUint16,
  writeUint32,
  writeUint48,
} from './octets.ts';
import { CLASS, RCODE, RRTYPE } from './registry.ts';
import { startMac, TSIG_ALGORITHMS, TSIG_MAC_OCTETS_MAX, type TsigKey } from './tsig-key.ts';
import { ADDITIONAL_COUNT, writeTimers, writeVariables } from './tsig-mac.ts';
import { TSIG_FIXED_OCTETS, type TsigFields, writeTsigFields } from './tsig-record.ts';
import type { TsigVerdict } from './tsig-verify.ts';

/** RFC 8945 section 10: the recommended fudge, in seconds. */
export const TSIG_FUDGE_SECONDS = 300;

/** Signs the messages of one response, in their order. */
export interface ResponseSigner {
  /** Room that a message's TSIG record takes. */
  readonly octets: number;
  /**
   * Appends the TSIG record to the message of `length` octets at `start` of `buffer`, in place, and
   * returns its new length. The buffer must have `octets` more behind the message.
   */
  sign(buffer: Uint8Array, start: number, length: number): number;
}

/**
 * The signer for everything that answers one request; null when the answer carries no TSIG record
 * (the request had none, or was a FORMERR). RFC 8945 sections 5.2 and 5.3: BADKEY and BADSIG go
 * out unsigned; BADTIME and BADTRUNC are signed, BADTIME with the client's time and fudge and the
 * server's time as other data; all else is signed, a stream by 5.3.1, every message of it.
 */
export function createResponseSigner(
  verdict: TsigVerdict,
  nowSeconds: () => number,
): ResponseSigner | null {
  if (verdict.kind === 'unsigned') return null;
  const { record } = verdict;
  if (verdict.kind === 'valid') {
    return createStreamSigner({ key: verdict.key, record, error: RCODE.NOERROR, nowSeconds });
  }
  switch (verdict.error) {
    case RCODE.FORMERR:
      return null;
    case RCODE.BADKEY:
    case RCODE.BADSIG:
      return createUnsignedSigner({ record, error: verdict.error, nowSeconds });
    case RCODE.BADTRUNC:
      return createStreamSigner({ key: verdict.key, record, error: verdict.error, nowSeconds });
    case RCODE.BADTIME: {
      const otherData = new Uint8Array(6);
      writeUint48(otherData, 0, verdict.serverTime);
      const { timeSigned, fudge } = record;
      // RFC 8945 section 5.2.3: the client's own time, so that the client can verify this answer.
      const fixed = { timeSigned, fudge, otherData };
      return createStreamSigner({
        key: verdict.key,
        record,
        error: verdict.error,
        nowSeconds,
        fixed,
      });
    }
  }
}

/** Room that the TSIG record of a request takes. */
export function tsigOctets(key: TsigKey): number {
  const { name, macOctets } = TSIG_ALGORITHMS[key.algorithm];
  return recordOctets(key.name, name, macOctets);
}

/** Signs the request of `length` octets at the start of `buffer`, in place; `mac` is needed to verify the answer. */
export function signRequest(options: {
  readonly buffer: Uint8Array;
  readonly length: number;
  readonly key: TsigKey;
  readonly nowSeconds: number;
  readonly fudge?: number;
}): { readonly length: number; readonly mac: Uint8Array } {
  const { buffer, length, key, nowSeconds, fudge = TSIG_FUDGE_SECONDS } = options;
  requireRoom(buffer, length + tsigOctets(key));
  const fields = {
    algorithm: TSIG_ALGORITHMS[key.algorithm].name,
    timeSigned: nowSeconds,
    fudge,
    originalId: readUint16(buffer, 0),
    error: RCODE.NOERROR,
    otherData: NO_OCTETS,
  };
  const signedEnd = writeVariables(buffer, length, key.name, fields);
  const mac = startMac(key).update(buffer.subarray(0, signedEnd)).digest();
  const end = appendRecord(buffer, 0, length, key.name, { ...fields, mac });
  return { length: end, mac: copyOctets(mac) };
}

interface ErrorAnswer {
  /** Name and algorithm are sent back as they came. */
  readonly record: { readonly name: Name; readonly algorithm: Name; readonly mac: Uint8Array };
  readonly error: number;
  readonly nowSeconds: () => number;
}

/** RFC 8945 section 5.3.2: a record with an empty MAC. */
function createUnsignedSigner({ record, error, nowSeconds }: ErrorAnswer): ResponseSigner {
  const octets = recordOctets(record.name, record.algorithm, 0);
  return {
    octets,
    sign(buffer, start, length) {
      requireRoom(buffer, start + length + octets);
      const fields = {
        algorithm: record.algorithm,
        timeSigned: nowSeconds(),
        fudge: TSIG_FUDGE_SECONDS,
        mac: NO_OCTETS,
        originalId: readUint16(buffer, start),
        error,
        otherData: NO_OCTETS,
      };
      return appendRecord(buffer, start, length, record.name, fields);
    },
  };
}

/**
 * The MAC's variables or timers are first written where the TSIG record will stand, so that message
 * and variables are one update of the HMAC; what the signing of a message costs beyond the HMAC
 * is stated in test/dns/codec-cost.test.ts.
 */
function createStreamSigner({
  key,
  record,
  error,
  nowSeconds,
  fixed,
}: ErrorAnswer & {
  readonly key: TsigKey;
  /** Times and other data that are not those of the moment. */
  readonly fixed?: Pick<TsigFields, 'timeSigned' | 'fudge' | 'otherData'>;
}): ResponseSigner {
  const otherData = fixed?.otherData ?? NO_OCTETS;
  const fudge = fixed?.fudge ?? TSIG_FUDGE_SECONDS;
  const { macOctets } = TSIG_ALGORITHMS[key.algorithm];
  const octets = recordOctets(record.name, record.algorithm, macOctets) + otherData.length;
  /** The MAC that the next one chains to, with its length in front. */
  const prior = new Uint8Array(2 + TSIG_MAC_OCTETS_MAX);
  let priorEnd = writeOctets(prior, writeUint16(prior, 0, record.mac.length), record.mac);
  let first = true;
  let timeSigned = 0;
  return {
    octets,
    sign(buffer, start, length) {
      requireRoom(buffer, start + length + octets);
      const end = start + length;
      // RFC 8945 section 5.3.1: times in a stream do not decrease, whatever the clock does.
      timeSigned = fixed?.timeSigned ?? Math.max(timeSigned, nowSeconds());
      const { algorithm } = record;
      const signedEnd = first
        ? writeVariables(buffer, end, record.name, {
            algorithm,
            timeSigned,
            fudge,
            error,
            otherData,
          })
        : writeTimers(buffer, end, timeSigned, fudge);
      const mac = startMac(key)
        .update(prior.subarray(0, priorEnd))
        .update(buffer.subarray(start, signedEnd))
        .digest();
      first = false;
      priorEnd = writeOctets(prior, writeUint16(prior, 0, mac.length), mac);
      const originalId = readUint16(buffer, start);
      const fields = { algorithm, timeSigned, fudge, mac, originalId, error, otherData };
      return appendRecord(buffer, start, length, record.name, fields);
    },
  };
}

/** Writes the record behind the message, counts it, and returns the message's new length. */
function appendRecord(
  buffer: Uint8Array,
  start: number,
  length: number,
  keyName: Name,
  fields: TsigFields,
): number {
  // Uncompressed: other signers and verifiers are known to trip over pointers here.
  let end = writeOctets(buffer, start + length, keyName);
  end = writeUint16(buffer, end, RRTYPE.TSIG);
  end = writeUint16(buffer, end, CLASS.ANY);
  end = writeUint32(buffer, end, 0);
  const rdataStart = end + 2;
  end = writeTsigFields(buffer, rdataStart, fields);
  writeUint16(buffer, rdataStart - 2, end - rdataStart);
  const count = start + ADDITIONAL_COUNT;
  writeUint16(buffer, count, readUint16(buffer, count) + 1);
  return end - start;
}

function recordOctets(keyName: Name, algorithm: Name, macOctets: number): number {
  return keyName.length + RECORD_FIXED_OCTETS + algorithm.length + TSIG_FIXED_OCTETS + macOctets;
}

/** Type, class, TTL and rdata length. */
const RECORD_FIXED_OCTETS = 10;
const NO_OCTETS = new Uint8Array(0);

function requireRoom(buffer: Uint8Array, end: number): void {
  if (end > buffer.length) {
    throw new RangeError(`a TSIG record up to octet ${end} in a buffer of ${buffer.length}`);
  }
}
