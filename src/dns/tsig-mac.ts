import type { Hmac } from 'node:crypto';
import { HEADER_OCTETS } from './header.ts';
import { lowerCaseName, type Name } from './name.ts';
import {
  copyOctets,
  readUint16,
  writeOctets,
  writeUint16,
  writeUint32,
  writeUint48,
} from './octets.ts';
import { CLASS } from './registry.ts';
import type { TsigFields } from './tsig-record.ts';

/** What goes into a MAC besides messages (RFC 8945 section 4.3). */

/** The fields of a TSIG record that its MAC covers. */
export type TsigVariables = Pick<
  TsigFields,
  'algorithm' | 'timeSigned' | 'fudge' | 'error' | 'otherData'
>;

/** Length of the variables, always less than that of the record itself. */
export function variablesOctets(keyName: Name, { algorithm, otherData }: TsigVariables): number {
  return keyName.length + algorithm.length + 18 + otherData.length;
}

/** RFC 8945 section 4.3.3: names in canonical form, class ANY, TTL 0. Returns the offset behind them. */
export function writeVariables(
  into: Uint8Array,
  offset: number,
  keyName: Name,
  variables: TsigVariables,
): number {
  let end = writeOctets(into, offset, lowerCaseName(keyName));
  end = writeUint16(into, end, CLASS.ANY);
  end = writeUint32(into, end, 0);
  end = writeOctets(into, end, lowerCaseName(variables.algorithm));
  end = writeTimers(into, end, variables.timeSigned, variables.fudge);
  end = writeUint16(into, end, variables.error);
  end = writeUint16(into, end, variables.otherData.length);
  return writeOctets(into, end, variables.otherData);
}

/** RFC 8945 section 5.3.1: all that the later messages of a stream have of the variables. */
export function writeTimers(
  into: Uint8Array,
  offset: number,
  timeSigned: number,
  fudge: number,
): number {
  return writeUint16(into, writeUint48(into, offset, timeSigned), fudge);
}

export const TIMERS_OCTETS = 8;

/** The request's MAC or the one before, with its length in front (RFC 8945 sections 4.3.1, 5.3.1). */
export function updateWithMac(hmac: Hmac, mac: Uint8Array): void {
  const octets = new Uint8Array(2 + mac.length);
  writeUint16(octets, 0, mac.length);
  octets.set(mac, 2);
  hmac.update(octets);
}

/**
 * A received message as it was before its TSIG record came to it: with the original id, the record
 * not counted and cut off (RFC 8945 section 4.3.2).
 */
export function updateWithSigned(
  hmac: Hmac,
  bytes: Uint8Array,
  tsig: { readonly offset: number; readonly originalId: number },
): void {
  const header = copyOctets(bytes, 0, HEADER_OCTETS);
  writeUint16(header, 0, tsig.originalId);
  writeUint16(header, ADDITIONAL_COUNT, readUint16(bytes, ADDITIONAL_COUNT) - 1);
  hmac.update(header);
  hmac.update(bytes.subarray(HEADER_OCTETS, tsig.offset));
}

/** Offset of ARCOUNT in a message. */
export const ADDITIONAL_COUNT = 10;
