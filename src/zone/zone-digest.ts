import { concatName, lowerCaseName, type Name, nameKey } from '../dns/name.ts';
import { readUint16, writeOctets, writeUint16, writeUint32 } from '../dns/octets.ts';
import { encodeRdata } from '../dns/rdata.ts';
import { CLASS, RRTYPE } from '../dns/registry.ts';
import type { Serial } from '../dns/serial.ts';
import { apexRrsets, soaRrset } from './apex.ts';
import { catalogRrsets } from './catalog-records.ts';
import type { PrefixPage } from './ip-pages.ts';
import { bucketRdatas, ipPages, ipRrsetsBesidePages } from './ip-records.ts';
import type { PlainBody } from './plain-records.ts';
import { PENDING_DIGEST, type ZoneSettings } from './snapshot.ts';
import {
  type CanonicalRrset,
  canonicalRrset,
  inCanonicalOrder,
  keptCanonicalRrset,
  packRdatas,
} from './zone-digest-order.ts';

/** RFC 8976 section 5.2: the scheme that takes every record of the zone, in canonical order. */
const SCHEME_SIMPLE = 1;
/** RFC 8976 section 5.3, by the name that node:crypto has for it. Hashing is up to the caller: this room has no crypto. */
const HASH_SHA384 = 1;
export const DIGEST_HASH = 'sha384';
const DIGEST_OCTETS = 48;

/** Octets of one piece at most: a millisecond or less, made ready and hashed. Has room for any record. */
export const DIGEST_CHUNK_OCTETS = 128 * 1024;
/** Type, class, TTL. */
const FIXED_OCTETS = 8;

/** A zone that may have a digest. An RPZ zone may not: consumers take its records for rules (interop.md). */
export interface DigestedZone {
  readonly settings: ZoneSettings;
  readonly serial: Serial;
  readonly body: PlainBody;
}

/**
 * Gives room for one piece. Who is done with each piece before it asks for the next may give the
 * same room again.
 */
export type NewDigestChunk = () => Uint8Array;

/**
 * What the digest of a zone is made from, in pieces of at most DIGEST_CHUNK_OCTETS: every record in
 * canonical form and order, but for the ZONEMD at the apex (RFC 8976 section 3.3.1). A piece may be
 * empty.
 *
 * The apex comes first in this order and has the serial in it, so no state of the hash can be kept
 * from one serial to the next: all of it has to be hashed again. What does not change is kept ready
 * instead, page by page.
 */
export function digestInput(zone: DigestedZone, newChunk?: NewDigestChunk): Generator<Uint8Array> {
  return canonicalOctets(zone.settings.origin, canonicalRrsets(zone), newChunk);
}

/** The octets of all records of these RRsets, in canonical order (RFC 4034 section 6). */
export function* canonicalOctets(
  origin: Name,
  rrsets: Iterable<CanonicalRrset>,
  newChunk: NewDigestChunk = () => new Uint8Array(DIGEST_CHUNK_OCTETS),
): Generator<Uint8Array> {
  const suffix = lowerCaseName(origin);
  const inOrder = yield* inCanonicalOrder(rrsets);
  let chunk = newChunk();
  let at = 0;
  const suffixKey = nameKey(suffix);
  for (const rrset of inOrder) {
    if (rrset.wire !== undefined) {
      const octets = keptOctets(rrset, suffix, suffixKey);
      if (at + octets.length > chunk.length) {
        yield chunk.subarray(0, at);
        chunk = newChunk();
        at = 0;
      }
      chunk.set(octets, at);
      at += octets.length;
      continue;
    }
    const lead = leadOf(rrset, suffix);
    const packed = rrset.packedRdatas();
    for (let from = 0; from < packed.length; ) {
      const to = from + 2 + readUint16(packed, from);
      if (at + lead.length + to - from > chunk.length) {
        yield chunk.subarray(0, at);
        chunk = newChunk();
        at = 0;
      }
      at = writeOctets(chunk, at, lead);
      at = writeOctets(chunk, at, packed, from, to);
      from = to;
    }
  }
  yield chunk.subarray(0, at);
}

/** All of an RRset of one record, ready for a zone of this origin: members are in two catalogs at most. */
function keptOctets(rrset: CanonicalRrset, suffix: Name, suffixKey: string): Uint8Array {
  const known = rrset.wire?.get(suffixKey);
  if (known !== undefined) return known;
  const lead = leadOf(rrset, suffix);
  const octets = Uint8Array.from(Buffer.concat([lead, rrset.packedRdatas()]));
  rrset.wire?.set(suffixKey, octets);
  return octets;
}

/** RFC 8976 section 2.2: the rdata for a digest that was made with this serial. */
export function zonemdRdata(serial: Serial, digest: Uint8Array): Uint8Array {
  if (digest.length !== DIGEST_OCTETS) {
    throw new RangeError(`a SHA-384 digest of ${digest.length} octets`);
  }
  return encodeRdata({
    type: 'ZONEMD',
    serial,
    scheme: SCHEME_SIMPLE,
    hashAlgorithm: HASH_SHA384,
    digest,
  });
}

/** What all records of an RRset begin with: owner, type, class, TTL (RFC 4034 section 6.2). */
function leadOf({ labels, type, ttl }: CanonicalRrset, suffix: Name): Uint8Array {
  const owner = concatName(labels, suffix);
  const lead = new Uint8Array(owner.length + FIXED_OCTETS);
  let at = writeOctets(lead, 0, owner);
  at = writeUint16(lead, at, type);
  at = writeUint16(lead, at, CLASS.IN);
  writeUint32(lead, at, ttl);
  return lead;
}

function* canonicalRrsets({ settings, serial, body }: DigestedZone): Generator<CanonicalRrset> {
  // The record itself is left out, but the TXT counts it.
  const apex = apexRrsets({ settings, serial, body, digest: PENDING_DIGEST });
  for (const rrset of [soaRrset(settings, serial), ...apex]) {
    if (rrset.type !== RRTYPE.ZONEMD) yield canonicalRrset(rrset);
  }
  if (body.kind === 'catalog') {
    // Members of a catalog stay as they are while others come and go.
    for (const rrset of catalogRrsets(body.content, body.ttl)) yield keptCanonicalRrset(rrset);
    return;
  }
  const { content, ttl } = body;
  const besidePages = ipRrsetsBesidePages(content, settings.origin, ttl);
  for (const rrset of besidePages) yield canonicalRrset(rrset);
  for (const { labels, page } of ipPages(content)) {
    yield { labels, type: RRTYPE.APL, ttl, packedRdatas: () => packedPage(page) };
  }
}

/** APL has no names in it, so a page is the same in every zone that has it. */
function packedPage(page: PrefixPage): Uint8Array {
  const known = packedPages.get(page) ?? packRdatas(bucketRdatas(page));
  packedPages.set(page, known);
  return known;
}

/** Pages outlive serials: a change makes new ones only where it reaches. 8 to 20 octets for each prefix. */
const packedPages = new WeakMap<PrefixPage, Uint8Array>();
