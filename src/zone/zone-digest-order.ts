import { canonicalRdata } from '../dns/rdata-layout.ts';
import type { RelativeRrset } from './records.ts';

/** An RRset as a zone digest takes it (RFC 8976 section 3.3.1). */
export interface CanonicalRrset {
  /** Relative to the zone, in lower case. */
  readonly labels: Uint8Array;
  readonly type: number;
  readonly ttl: number;
  /**
   * Each record's length and rdata: in canonical form and order, none twice. Made when it is asked
   * for, so that of a large zone only what is being digested is in hand.
   */
  packedRdatas(): Uint8Array;
  /** Of an RRset of one record that lives on: its octets by the key of the zone's origin. */
  readonly wire?: Map<string, Uint8Array>;
}

export function canonicalRrset({ labels, type, ttl, rdatas }: RelativeRrset): CanonicalRrset {
  return {
    labels: inLowerCase(labels),
    type,
    ttl,
    packedRdatas: () => packRdatas(rdatas.map((rdata) => canonicalRdata(type, rdata))),
  };
}

/** As canonicalRrset, made once for an RRset that lives on from one serial to the next. */
export function keptCanonicalRrset(rrset: RelativeRrset): CanonicalRrset {
  const known = keptRrsets.get(rrset);
  if (known !== undefined) return known;
  if (rrset.rdatas.length !== 1) return canonicalRrset(rrset);
  const { labels, type, ttl, packedRdatas } = canonicalRrset(rrset);
  const packed = packedRdatas();
  const kept = { labels, type, ttl, packedRdatas: () => packed, wire: new Map() };
  keptRrsets.set(rrset, kept);
  keptKeys.set(kept, orderKey(labels));
  return kept;
}

const keptRrsets = new WeakMap<RelativeRrset, CanonicalRrset>();
const keptKeys = new WeakMap<CanonicalRrset, string>();

/** RRsets after which the caller may pause, while they are gathered: a millisecond. */
const RRSETS_PER_PAUSE = 256;
const PAUSE = new Uint8Array(0);

/**
 * By owner (RFC 4034 section 6.1), and then by the number of the type (RFC 8976 section 3.3.1).
 * Yields pieces of no octets, at which a caller who hashes a large zone in slices may pause.
 */
export function* inCanonicalOrder(
  rrsets: Iterable<CanonicalRrset>,
): Generator<Uint8Array, CanonicalRrset[]> {
  const keyed: { readonly rrset: CanonicalRrset; readonly key: string }[] = [];
  for (const rrset of rrsets) {
    keyed.push({ rrset, key: keptKeys.get(rrset) ?? orderKey(rrset.labels) });
    if (keyed.length % RRSETS_PER_PAUSE === 0) yield PAUSE;
  }
  keyed.sort((a, b) => (a.key === b.key ? a.rrset.type - b.rrset.type : a.key < b.key ? -1 : 1));
  return keyed.map(({ rrset }) => rrset);
}

/**
 * Rdata in canonical form as CanonicalRrset has it. RFC 4034 section 6.3: sorted as rows of octets,
 * the absence of an octet before a zero; and of equal records one.
 */
export function packRdatas(rdatas: readonly Uint8Array[]): Uint8Array {
  const sorted = rdatas.toSorted(Buffer.compare);
  const unique = sorted.filter(
    (rdata, index) => index === 0 || Buffer.compare(sorted[index - 1], rdata) !== 0,
  );
  const packed = new Uint8Array(unique.reduce((sum, { length }) => sum + 2 + length, 0));
  let at = 0;
  for (const rdata of unique) {
    packed[at] = rdata.length >>> 8;
    packed[at + 1] = rdata.length;
    packed.set(rdata, at + 2);
    at += 2 + rdata.length;
  }
  return packed;
}

/**
 * Text that sorts as RFC 4034 section 6.1 sorts names of one zone: label by label from the right,
 * each octet as its number plus one, and zero where a label ends.
 */
function orderKey(labels: Uint8Array): string {
  let key = '';
  for (let start = 0; start < labels.length; start += 1 + labels[start]) {
    let text = '';
    for (let at = start + 1; at <= start + labels[start]; at++) {
      text += String.fromCharCode(labels[at] + 1);
    }
    key = `${text}\0${key}`;
  }
  return key;
}

/** Lengths of labels are at most 63, below the letters. */
function inLowerCase(labels: Uint8Array): Uint8Array {
  return labels.map((octet) => (octet >= 0x41 && octet <= 0x5a ? octet + 0x20 : octet));
}
