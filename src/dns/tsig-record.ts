import { expandedName, expandName, type Name } from './name.ts';
import {
  copyOctets,
  readUint16,
  readUint48,
  writeOctets,
  writeUint16,
  writeUint48,
} from './octets.ts';

/** The rdata of a TSIG record (RFC 8945 section 4.2). */
export interface TsigFields {
  readonly algorithm: Name;
  /** Seconds since 1970, 48 bits. */
  readonly timeSigned: number;
  /** Seconds of error permitted in `timeSigned`. */
  readonly fudge: number;
  readonly mac: Uint8Array;
  readonly originalId: number;
  readonly error: number;
  readonly otherData: Uint8Array;
}

/** A TSIG record of a message that was read. */
export interface TsigRecord extends TsigFields {
  /** Name of the key. */
  readonly name: Name;
  /** Where the record starts in the message; the signed octets end there. */
  readonly offset: number;
}

/** Time signed, fudge, MAC size, original id, error and other length. */
export const TSIG_FIXED_OCTETS = 16;

export function encodeTsigFields(fields: TsigFields): Uint8Array {
  const { algorithm, mac, otherData } = fields;
  const rdata = new Uint8Array(
    algorithm.length + TSIG_FIXED_OCTETS + mac.length + otherData.length,
  );
  writeTsigFields(rdata, 0, fields);
  return rdata;
}

/** Writes the rdata and returns the offset behind it. */
export function writeTsigFields(into: Uint8Array, offset: number, fields: TsigFields): number {
  let end = writeOctets(into, offset, fields.algorithm);
  end = writeUint48(into, end, fields.timeSigned);
  end = writeUint16(into, end, fields.fudge);
  end = writeUint16(into, end, fields.mac.length);
  end = writeOctets(into, end, fields.mac);
  end = writeUint16(into, end, fields.originalId);
  end = writeUint16(into, end, fields.error);
  end = writeUint16(into, end, fields.otherData.length);
  return writeOctets(into, end, fields.otherData);
}

/** Null when the octets from `start` to `end` are not exactly one TSIG rdata. */
export function decodeTsigFields(
  message: Uint8Array,
  start: number,
  end: number,
): TsigFields | null {
  const macSizeAt = expandName(message, start) + 8;
  const macStart = macSizeAt + 2;
  if (macSizeAt < 8 || macStart > end) return null;
  const algorithm = expandedName();
  const macEnd = macStart + readUint16(message, macSizeAt);
  const otherStart = macEnd + 6;
  if (otherStart > end) return null;
  if (otherStart + readUint16(message, macEnd + 4) !== end) return null;
  return {
    algorithm,
    timeSigned: readUint48(message, macSizeAt - 8),
    fudge: readUint16(message, macSizeAt - 2),
    mac: copyOctets(message, macStart, macEnd),
    originalId: readUint16(message, macEnd),
    error: readUint16(message, macEnd + 2),
    otherData: copyOctets(message, otherStart, end),
  };
}
