import { writeOctets, writeUint16, writeUint32 } from '../dns/octets.ts';
import { CLASS } from '../dns/registry.ts';

/** One RRset below a zone's apex. `labels` are relative to the zone, without root octet; none is the apex. */
export interface RelativeRrset {
  readonly labels: Uint8Array;
  readonly type: number;
  readonly ttl: number;
  /** Wire form, names uncompressed. */
  readonly rdatas: readonly Uint8Array[];
}

/** One record ready to be copied into a transfer: what follows the owner does not depend on where it stands. */
export interface PositionedRecord {
  readonly labels: Uint8Array;
  /** Type, class, TTL, rdata length, rdata. */
  readonly tail: Uint8Array;
}

/** BIND refuses RRsets of more records (interop.md). */
export const RRSET_RECORDS_MAX = 100;

export const NO_LABELS = new Uint8Array(0);
const TAIL_FIXED_OCTETS = 10;

export function recordTail(type: number, ttl: number, rdata: Uint8Array): Uint8Array {
  const tail = new Uint8Array(TAIL_FIXED_OCTETS + rdata.length);
  let at = writeUint16(tail, 0, type);
  at = writeUint16(tail, at, CLASS.IN);
  at = writeUint32(tail, at, ttl);
  at = writeUint16(tail, at, rdata.length);
  writeOctets(tail, at, rdata);
  return tail;
}

export function* recordsOf(rrset: RelativeRrset): Generator<PositionedRecord> {
  for (const rdata of rrset.rdatas) {
    yield { labels: rrset.labels, tail: recordTail(rrset.type, rrset.ttl, rdata) };
  }
}

/** One label in wire form. */
export function label(text: string): Uint8Array {
  return Uint8Array.from([text.length, ...Buffer.from(text, 'latin1')]);
}

export function joinLabels(...labels: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(labels));
}

/** The wildcard below a name: one array and two copies, since changes have them by the thousand. */
export function wildcardBelow(labels: Uint8Array): Uint8Array {
  const wildcard = new Uint8Array(2 + labels.length);
  wildcard[0] = 1;
  wildcard[1] = 0x2a;
  wildcard.set(labels, 2);
  return wildcard;
}

/** Equal for equal octets: a Map key. */
export function octetKey(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString('latin1');
}

/** Rdatas of `a` that `b` has not, octet by octet. */
export function subtractRdatas(a: readonly Uint8Array[], b: readonly Uint8Array[]): Uint8Array[] {
  const known = new Set(b.map(octetKey));
  return a.filter((rdata) => !known.has(octetKey(rdata)));
}
