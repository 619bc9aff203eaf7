import { IPV4_OCTETS, IPV6_OCTETS } from './address.ts';
import { type AplItem, decodeApl, encodeApl } from './apl.ts';
import { decodeOptions, type EdnsOption, encodeOptions } from './edns.ts';
import { expandedName, expandName, type Name } from './name.ts';
import {
  copyOctets,
  readUint16,
  readUint32,
  writeOctets,
  writeUint16,
  writeUint32,
} from './octets.ts';
import { RRTYPE } from './registry.ts';
import { type Serial, serial } from './serial.ts';
import { decodeTsigFields, encodeTsigFields, type TsigFields } from './tsig-record.ts';

export interface SoaRdata {
  readonly type: 'SOA';
  readonly mname: Name;
  readonly rname: Name;
  readonly serial: Serial;
  /** Seconds, like the three after it. */
  readonly refresh: number;
  readonly retry: number;
  readonly expire: number;
  readonly minimum: number;
}

/** RFC 8976 section 2.2. */
export interface ZonemdRdata {
  readonly type: 'ZONEMD';
  /** Of the SOA that the digest was made with. */
  readonly serial: Serial;
  readonly scheme: number;
  readonly hashAlgorithm: number;
  /** At least 12 octets. */
  readonly digest: Uint8Array;
}

/** The content of a record, one shape per type; any other type is its number and octets (RFC 3597). */
export type Rdata =
  | { readonly type: 'A'; readonly address: Uint8Array }
  | { readonly type: 'AAAA'; readonly address: Uint8Array }
  | { readonly type: 'NS'; readonly target: Name }
  | { readonly type: 'CNAME'; readonly target: Name }
  | { readonly type: 'PTR'; readonly target: Name }
  | SoaRdata
  | { readonly type: 'MX'; readonly preference: number; readonly exchange: Name }
  | { readonly type: 'TXT'; readonly strings: readonly Uint8Array[] }
  | { readonly type: 'APL'; readonly items: readonly AplItem[] }
  | ZonemdRdata
  | { readonly type: 'OPT'; readonly options: readonly EdnsOption[] }
  | ({ readonly type: 'TSIG' } & TsigFields)
  | { readonly type: 'unknown'; readonly code: number; readonly bytes: Uint8Array };

/** RFC 1035 section 3.3: the length of a character-string is one octet. */
export const STRING_OCTETS_MAX = 255;

/** The TYPE number of a record with this content. */
export function rdataTypeCode(rdata: Rdata): number {
  return rdata.type === 'unknown' ? rdata.code : RRTYPE[rdata.type];
}

/** The rdata in wire form, names uncompressed, without its length. */
export function encodeRdata(rdata: Rdata): Uint8Array {
  switch (rdata.type) {
    case 'A':
      return exactOctets(rdata.address, IPV4_OCTETS);
    case 'AAAA':
      return exactOctets(rdata.address, IPV6_OCTETS);
    case 'NS':
    case 'CNAME':
    case 'PTR':
      return copyOctets(rdata.target);
    case 'SOA':
      return encodeSoa(rdata);
    case 'MX':
      return encodeMx(rdata.preference, rdata.exchange);
    case 'TXT':
      return encodeStrings(rdata.strings);
    case 'APL':
      return encodeApl(rdata.items);
    case 'ZONEMD':
      return encodeZonemd(rdata);
    case 'OPT':
      return encodeOptions(rdata.options);
    case 'TSIG':
      return encodeTsigFields(rdata);
    case 'unknown':
      return copyOctets(rdata.bytes);
  }
}

/**
 * Reads the rdata of `length` octets at `offset` of a message, following compression pointers.
 * Null when it does not fit its type; a type that the union does not name becomes `unknown`.
 */
export function decodeRdata(
  type: number,
  message: Uint8Array,
  offset: number,
  length: number,
): Rdata | null {
  const end = offset + length;
  if (end > message.length) return null;
  switch (type) {
    case RRTYPE.A:
      return decodeAddress('A', message, offset, length);
    case RRTYPE.AAAA:
      return decodeAddress('AAAA', message, offset, length);
    case RRTYPE.NS:
      return decodeTarget('NS', message, offset, end);
    case RRTYPE.CNAME:
      return decodeTarget('CNAME', message, offset, end);
    case RRTYPE.PTR:
      return decodeTarget('PTR', message, offset, end);
    case RRTYPE.SOA:
      return decodeSoa(message, offset, end);
    case RRTYPE.MX:
      return decodeMx(message, offset, end);
    case RRTYPE.TXT:
      return decodeTxt(message, offset, end);
    case RRTYPE.APL: {
      const items = decodeApl(message, offset, end);
      return items && { type: 'APL', items };
    }
    case RRTYPE.ZONEMD:
      return decodeZonemd(message, offset, end);
    case RRTYPE.OPT: {
      const options = decodeOptions(message, offset, end);
      return options && { type: 'OPT', options };
    }
    case RRTYPE.TSIG: {
      const fields = decodeTsigFields(message, offset, end);
      return fields && { type: 'TSIG', ...fields };
    }
    default:
      return { type: 'unknown', code: type, bytes: copyOctets(message, offset, end) };
  }
}

function exactOctets(address: Uint8Array, octets: number): Uint8Array {
  if (address.length !== octets) {
    throw new RangeError(`an address of ${address.length} octets where ${octets} belong`);
  }
  return copyOctets(address);
}

function decodeAddress(
  type: 'A' | 'AAAA',
  message: Uint8Array,
  offset: number,
  length: number,
): Rdata | null {
  if (length !== (type === 'A' ? IPV4_OCTETS : IPV6_OCTETS)) return null;
  return { type, address: copyOctets(message, offset, offset + length) };
}

function decodeTarget(
  type: 'NS' | 'CNAME' | 'PTR',
  message: Uint8Array,
  offset: number,
  end: number,
): Rdata | null {
  return expandName(message, offset) === end ? { type, target: expandedName() } : null;
}

function encodeSoa(soa: SoaRdata): Uint8Array {
  const rdata = new Uint8Array(soa.mname.length + soa.rname.length + SOA_NUMBERS_OCTETS);
  let end = writeOctets(rdata, 0, soa.mname);
  end = writeOctets(rdata, end, soa.rname);
  end = writeUint32(rdata, end, soa.serial);
  end = writeUint32(rdata, end, soa.refresh);
  end = writeUint32(rdata, end, soa.retry);
  end = writeUint32(rdata, end, soa.expire);
  writeUint32(rdata, end, soa.minimum);
  return rdata;
}

const SOA_NUMBERS_OCTETS = 20;

function decodeSoa(message: Uint8Array, offset: number, end: number): SoaRdata | null {
  const mnameEnd = expandName(message, offset);
  if (mnameEnd === -1 || mnameEnd >= end) return null;
  const mname = expandedName();
  const rnameEnd = expandName(message, mnameEnd);
  if (rnameEnd === -1 || rnameEnd + SOA_NUMBERS_OCTETS !== end) return null;
  const rname = expandedName();
  return {
    type: 'SOA',
    mname,
    rname,
    serial: serial(readUint32(message, rnameEnd)),
    refresh: readUint32(message, rnameEnd + 4),
    retry: readUint32(message, rnameEnd + 8),
    expire: readUint32(message, rnameEnd + 12),
    minimum: readUint32(message, rnameEnd + 16),
  };
}

function encodeMx(preference: number, exchange: Name): Uint8Array {
  const rdata = new Uint8Array(2 + exchange.length);
  writeOctets(rdata, writeUint16(rdata, 0, preference), exchange);
  return rdata;
}

function decodeMx(message: Uint8Array, offset: number, end: number): Rdata | null {
  if (offset + 2 >= end || expandName(message, offset + 2) !== end) return null;
  const preference = readUint16(message, offset);
  return { type: 'MX', preference, exchange: expandedName() };
}

function encodeStrings(strings: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const string of strings) length += 1 + string.length;
  const rdata = new Uint8Array(length);
  let end = 0;
  for (const string of strings) {
    if (string.length > STRING_OCTETS_MAX) {
      throw new RangeError(`a character-string of ${string.length} octets in a TXT`);
    }
    rdata[end] = string.length;
    end = writeOctets(rdata, end + 1, string);
  }
  return rdata;
}

function decodeTxt(message: Uint8Array, offset: number, end: number): Rdata | null {
  const strings: Uint8Array[] = [];
  let position = offset;
  while (position < end) {
    const next = position + 1 + message[position];
    if (next > end) return null;
    strings.push(copyOctets(message, position + 1, next));
    position = next;
  }
  // RFC 1035 section 3.3.14: one or more character-strings.
  return strings.length === 0 ? null : { type: 'TXT', strings };
}

function encodeZonemd({ serial, scheme, hashAlgorithm, digest }: ZonemdRdata): Uint8Array {
  if (digest.length < DIGEST_OCTETS_MIN) {
    throw new RangeError(`a digest of ${digest.length} octets in a ZONEMD`);
  }
  const rdata = new Uint8Array(DIGEST_AT + digest.length);
  const at = writeUint32(rdata, 0, serial);
  rdata[at] = scheme;
  rdata[at + 1] = hashAlgorithm;
  rdata.set(digest, DIGEST_AT);
  return rdata;
}

/** Behind the serial, the scheme and the hash algorithm. */
const DIGEST_AT = 6;
/** RFC 8976 section 2.2.4: shorter ones must not be made, nor accepted. */
const DIGEST_OCTETS_MIN = 12;

function decodeZonemd(message: Uint8Array, offset: number, end: number): ZonemdRdata | null {
  if (end - offset < DIGEST_AT + DIGEST_OCTETS_MIN) return null;
  return {
    type: 'ZONEMD',
    serial: serial(readUint32(message, offset)),
    scheme: message[offset + 4],
    hashAlgorithm: message[offset + 5],
    digest: copyOctets(message, offset + DIGEST_AT, end),
  };
}
