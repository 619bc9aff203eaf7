import { expandedName, expandName, lowerCaseName, NAME_OCTETS_MAX } from './name.ts';
import { copyOctets } from './octets.ts';
import { RRTYPE, rrtypeName } from './registry.ts';

/** A field of rdata: a domain name, a character-string, everything that is left, or so many octets. */
export const NAME_FIELD = -1;
const STRING_FIELD = -2;
const REST_FIELD = -3;

export interface RdataLayout {
  readonly fields: readonly number[];
  /** Whether a sender may compress the names: only in types of RFC 1035 (RFC 3597 section 4). */
  readonly compressible: boolean;
}

const RDATA_OCTETS_MAX = 0xffff;

/** The names of a type of RFC 1035 may be compressed. */
const old = (...fields: number[]): RdataLayout => ({ fields, compressible: true });
/** RFC 3597 section 4 has receivers decompress these too, though nobody may send them compressed. */
const expandOnly = (...fields: number[]): RdataLayout => ({ fields, compressible: false });

/** Types whose rdata holds names that a sender may have compressed. All others are opaque octets. */
const LAYOUTS: ReadonlyMap<number, RdataLayout> = new Map([
  [RRTYPE.NS, old(NAME_FIELD)],
  [RRTYPE.MD, old(NAME_FIELD)],
  [RRTYPE.MF, old(NAME_FIELD)],
  [RRTYPE.CNAME, old(NAME_FIELD)],
  [RRTYPE.SOA, old(NAME_FIELD, NAME_FIELD, 20)],
  [RRTYPE.MB, old(NAME_FIELD)],
  [RRTYPE.MG, old(NAME_FIELD)],
  [RRTYPE.MR, old(NAME_FIELD)],
  [RRTYPE.PTR, old(NAME_FIELD)],
  [RRTYPE.MINFO, old(NAME_FIELD, NAME_FIELD)],
  [RRTYPE.MX, old(2, NAME_FIELD)],
  [RRTYPE.RP, expandOnly(NAME_FIELD, NAME_FIELD)],
  [RRTYPE.AFSDB, expandOnly(2, NAME_FIELD)],
  [RRTYPE.RT, expandOnly(2, NAME_FIELD)],
  [RRTYPE.SIG, expandOnly(18, NAME_FIELD, REST_FIELD)],
  [RRTYPE.PX, expandOnly(2, NAME_FIELD, NAME_FIELD)],
  [RRTYPE.NXT, expandOnly(NAME_FIELD, REST_FIELD)],
  [RRTYPE.NAPTR, expandOnly(4, STRING_FIELD, STRING_FIELD, STRING_FIELD, NAME_FIELD)],
  [RRTYPE.SRV, expandOnly(6, NAME_FIELD)],
]);

export function rdataLayout(type: number): RdataLayout | undefined {
  return LAYOUTS.get(type);
}

/**
 * A copy of the rdata of `length` octets at `offset`, with the names of the types above written out
 * in full. Null when it does not fit the type's layout or would grow beyond 65,535 octets.
 */
export function expandRdata(
  type: number,
  message: Uint8Array,
  offset: number,
  length: number,
): Uint8Array | null {
  const layout = LAYOUTS.get(type);
  const end = offset + length;
  if (end > message.length) return null;
  if (layout === undefined) return copyOctets(message, offset, end);
  const names = layout.fields.filter((field) => field === NAME_FIELD).length;
  const rdata = new Uint8Array(length + names * NAME_OCTETS_MAX);
  let position = offset;
  let written = 0;
  for (const field of layout.fields) {
    const next = fieldEnd(field, message, position, end);
    if (next === -1) return null;
    const octets = field === NAME_FIELD ? expandedName() : message.subarray(position, next);
    rdata.set(octets, written);
    written += octets.length;
    position = next;
  }
  if (position !== end || written > RDATA_OCTETS_MAX) return null;
  return rdata.slice(0, written);
}

/**
 * The canonical form of whole, uncompressed rdata (RFC 4034 section 6.2): its names in lower case.
 * The types above are those of the section, but for KX, DNAME, A6 and RRSIG, which no zone of ours has;
 * NSEC keeps its case by RFC 6840 section 5.1. Throws RangeError when it does not fit the layout.
 */
export function canonicalRdata(type: number, rdata: Uint8Array): Uint8Array {
  const layout = LAYOUTS.get(type);
  if (layout === undefined) return rdata;
  const canonical = copyOctets(rdata);
  let position = 0;
  for (const field of layout.fields) {
    const next = fieldEnd(field, rdata, position, rdata.length);
    if (next === -1) throw new RangeError(`${rrtypeName(type)} rdata that does not fit the type`);
    if (field === NAME_FIELD) canonical.set(lowerCaseName(expandedName()), position);
    position = next;
  }
  return canonical;
}

/** Where a field that starts at `position` ends; -1 when it passes `end`. */
function fieldEnd(field: number, message: Uint8Array, position: number, end: number): number {
  if (field === REST_FIELD) return end;
  if (field === STRING_FIELD && position >= end) return -1;
  const next =
    field === NAME_FIELD
      ? expandName(message, position)
      : position + (field === STRING_FIELD ? 1 + message[position] : field);
  return next <= end ? next : -1;
}
