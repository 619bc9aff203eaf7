import { createHmac } from 'node:crypto';
import { type Message, readMessage } from '../../src/dns/message.ts';
import { createMessageWriter } from '../../src/dns/message-writer.ts';
import { lowerCaseName, parseName } from '../../src/dns/name.ts';
import { encodeRdata } from '../../src/dns/rdata.ts';
import { CLASS, RRTYPE } from '../../src/dns/registry.ts';
import { signRequest, TSIG_ALGORITHMS, type TsigKey, type TsigRecord } from '../../src/dns/tsig.ts';

/** Requests, answers and a second way to compute a MAC, for the TSIG tests. */

export const NOW = 1_760_000_000;

export const key: TsigKey = {
  name: parseName('Device1.Key.'),
  algorithm: 'hmac-sha256',
  secret: Uint8Array.from({ length: 32 }, (_, i) => i),
};

export const ALL_ALGORITHMS = Object.keys(TSIG_ALGORITHMS) as (keyof typeof TSIG_ALGORITHMS)[];

export interface Signed {
  readonly bytes: Uint8Array;
  readonly message: Message;
  /** The octets before the TSIG record came to them. */
  readonly plain: Uint8Array;
  readonly record: TsigRecord;
}

/** A message with one question, and answers that make it `answerOctets` longer or more. */
export function writePlain(into: Uint8Array, isResponse: boolean, answerOctets = 0): number {
  const name = parseName('Zone.Example.');
  const writer = createMessageWriter(into);
  writer.start({ id: 0x1234, isResponse });
  writer.question({ name, type: RRTYPE.AXFR, class: CLASS.IN });
  const rdata = encodeRdata({ type: 'A', address: Uint8Array.of(192, 0, 2, 1) });
  while (writer.length() < 30 + answerOctets) {
    writer.record('answer', { name, type: RRTYPE.A, class: CLASS.IN, ttl: 60, rdata });
  }
  return writer.finish();
}

export function signedRequest(
  options: { key?: TsigKey; nowSeconds?: number; fudge?: number } = {},
): Signed {
  const buffer = new Uint8Array(512);
  const length = writePlain(buffer, false);
  const plain = buffer.slice(0, length);
  const signed = signRequest({ buffer, length, key, nowSeconds: NOW, ...options });
  return readSigned(buffer.slice(0, signed.length), plain);
}

export function readSigned(bytes: Uint8Array, plain: Uint8Array = new Uint8Array()): Signed {
  const message = readMessage(bytes) as Message;
  return { bytes, message, plain, record: message.tsig as TsigRecord };
}

/** The same message with a TSIG record that says something else. */
export function withRecord(signed: Signed, changes: Partial<TsigRecord>): Signed {
  const { name, ...fields } = { ...signed.record, ...changes };
  const rdata = encodeRdata({ type: 'TSIG', ...fields });
  const fixed = Uint8Array.of(0, 250, 0, 255, 0, 0, 0, 0, rdata.length >> 8, rdata.length & 0xff);
  const front = signed.bytes.subarray(0, signed.record.offset);
  return readSigned(Uint8Array.of(...front, ...name, ...fixed, ...rdata), signed.plain);
}

export type MacPart = Uint8Array | { readonly number: number; readonly octets: number };

/** HMAC over the parts one after the other, as the RFC's tables list them. */
export function naiveMac(by: TsigKey, parts: readonly MacPart[]): Uint8Array {
  const all = parts.map((part) => {
    if (part instanceof Uint8Array) return part;
    return Buffer.from(part.number.toString(16).padStart(2 * part.octets, '0'), 'hex');
  });
  const { hash } = TSIG_ALGORITHMS[by.algorithm];
  return Uint8Array.from(createHmac(hash, by.secret).update(Buffer.concat(all)).digest());
}

/** RFC 8945 section 4.3.3. */
export function naiveVariables(record: TsigRecord): MacPart[] {
  return [
    lowerCaseName(record.name),
    { number: 255, octets: 2 },
    { number: 0, octets: 4 },
    lowerCaseName(record.algorithm),
    ...naiveTimers(record),
    { number: record.error, octets: 2 },
    { number: record.otherData.length, octets: 2 },
    record.otherData,
  ];
}

/** RFC 8945 section 5.3.1. */
export function naiveTimers(record: TsigRecord): MacPart[] {
  return [
    { number: record.timeSigned, octets: 6 },
    { number: record.fudge, octets: 2 },
  ];
}

/** RFC 8945 sections 4.3.1 and 5.3.1: a MAC with its length in front. */
export function naivePrior(mac: Uint8Array): MacPart[] {
  return [{ number: mac.length, octets: 2 }, mac];
}
