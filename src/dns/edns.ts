import { copyOctets, readUint16, writeOctets, writeUint16, writeUint32 } from './octets.ts';
import { EDNS_OPTION } from './registry.ts';

export interface EdnsOption {
  readonly code: number;
  readonly data: Uint8Array;
}

/** What an OPT record says (RFC 6891 section 6.1). */
export interface Edns {
  /** Already at least 512. */
  readonly udpPayloadSize: number;
  readonly version: number;
  readonly dnssecOk: boolean;
  /** The upper eight bits of the RCODE. */
  readonly extendedRcode: number;
  /** In order, repeated and unknown ones too; empty for a version other than 0. */
  readonly options: readonly EdnsOption[];
}

/** The only version there is; a request with a higher one gets BADVERS (RFC 6891 section 6.1.3). */
export const EDNS_VERSION = 0;

/** RFC 1035 section 4.2.1: what fits into a UDP message without EDNS. */
export const UDP_OCTETS_MAX = 512;

/** An OPT record without options: root owner, type, class, TTL, length. */
export const OPT_OCTETS = 11;

/** Code and length of an option. */
export const OPTION_OCTETS = 4;

/** RFC 8467 section 4.1: answers are padded to a multiple of so many octets. */
export const PADDING_BLOCK_OCTETS = 468;

/**
 * Octets that a UDP answer may have: what the requestor can take (RFC 6891 sections 6.2.3 to 6.2.5),
 * but no more than `ownMax`, which should stay below the path's MTU; 512 without EDNS.
 */
export function udpResponseOctetsMax(requestEdns: Edns | null, ownMax: number): number {
  if (requestEdns === null) return UDP_OCTETS_MAX;
  return Math.max(UDP_OCTETS_MAX, Math.min(requestEdns.udpPayloadSize, ownMax));
}

/**
 * The fields of an OPT record, of which class and TTL have another meaning than in other records
 * (RFC 6891 section 6.1.3). Null when its options do not add up. The options of other versions may
 * look different, so they are not read: the answer is BADVERS, not FORMERR.
 */
export function readOpt(
  udpPayloadSize: number,
  ttl: number,
  message: Uint8Array,
  start: number,
  end: number,
): Edns | null {
  const version = (ttl >>> 16) & 0xff;
  const options = version === EDNS_VERSION ? decodeOptions(message, start, end) : [];
  if (options === null) return null;
  return {
    // RFC 6891 section 6.2.3: lower values count as 512.
    udpPayloadSize: Math.max(UDP_OCTETS_MAX, udpPayloadSize),
    version,
    dnssecOk: (ttl & DNSSEC_OK_BIT) !== 0,
    extendedRcode: ttl >>> 24,
    options,
  };
}

/** The TTL field of an OPT record. */
export function optTtl(extendedRcode: number, version: number, dnssecOk: boolean): number {
  return ((extendedRcode << 24) | (version << 16) | (dnssecOk ? DNSSEC_OK_BIT : 0)) >>> 0;
}

/** RFC 3225 section 3. */
const DNSSEC_OK_BIT = 0x8000;

export function ednsOption(edns: Edns | null, code: number): Uint8Array | undefined {
  return edns?.options.find((option) => option.code === code)?.data;
}

/** An extended error (RFC 8914 section 2); the text is for people and may be empty. */
export function extendedErrorOption(infoCode: number, text = ''): EdnsOption {
  const words = new TextEncoder().encode(text);
  const data = new Uint8Array(2 + words.length);
  writeUint16(data, 0, infoCode);
  data.set(words, 2);
  return { code: EDNS_OPTION.EDE, data };
}

export function optionsOctets(options: readonly EdnsOption[]): number {
  let octets = 0;
  for (const { data } of options) octets += OPTION_OCTETS + data.length;
  return octets;
}

/** Writes option after option and returns the offset behind them (RFC 6891 section 6.1.2). */
export function writeOptions(
  into: Uint8Array,
  offset: number,
  options: readonly EdnsOption[],
): number {
  let end = offset;
  for (const { code, data } of options) {
    end = writeUint16(into, end, code);
    end = writeUint16(into, end, data.length);
    end = writeOctets(into, end, data);
  }
  return end;
}

/** The value of the SOA's EXPIRE field (RFC 7314 section 3.2). */
export function expireOption(seconds: number): EdnsOption {
  const data = new Uint8Array(4);
  writeUint32(data, 0, seconds);
  return { code: EDNS_OPTION.EXPIRE, data };
}

/** How long an idle connection stays open, in units of 100 ms (RFC 7828 section 3.1). */
export function keepaliveOption(timeoutMs: number): EdnsOption {
  const data = new Uint8Array(2);
  writeUint16(data, 0, Math.min(Math.floor(timeoutMs / KEEPALIVE_UNIT_MS), 0xffff));
  return { code: EDNS_OPTION.KEEPALIVE, data };
}

const KEEPALIVE_UNIT_MS = 100;

export function encodeOptions(options: readonly EdnsOption[]): Uint8Array {
  const rdata = new Uint8Array(optionsOctets(options));
  writeOptions(rdata, 0, options);
  return rdata;
}

export function decodeOptions(octets: Uint8Array, start: number, end: number): EdnsOption[] | null {
  const options: EdnsOption[] = [];
  let position = start;
  while (position < end) {
    if (position + 4 > end) return null;
    const code = readUint16(octets, position);
    const next = position + 4 + readUint16(octets, position + 2);
    if (next > end) return null;
    options.push({ code, data: copyOctets(octets, position + 4, next) });
    position = next;
  }
  return options;
}
