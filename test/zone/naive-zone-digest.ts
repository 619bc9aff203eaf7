import { createHash } from 'node:crypto';
import type { ResourceRecord } from '../../src/dns/index.ts';

type DigestedRecord = Pick<ResourceRecord, 'name' | 'type' | 'ttl' | 'rdata'>;

/**
 * The digest of a zone word by word after RFC 8976 section 3.3.1: all records in hand at once, each
 * compared with each other. Shares no code with the server's way. Takes the records in any order, as
 * often as they come, those outside the zone included; rdata has its names uncompressed.
 */
export function naiveZoneDigest(
  origin: Uint8Array,
  records: readonly DigestedRecord[],
  hash: 'sha384' | 'sha512' = 'sha384',
): string {
  const apex = lower(origin);
  const canonical = records
    .map(({ name, type, ttl, rdata }) => ({
      owner: lower(name),
      type,
      ttl,
      rdata: lowerNames(type, rdata),
    }))
    .filter(({ owner }) => isWithin(owner, apex))
    .filter(({ owner, type }) => !(type === 63 && owner.equals(apex)));
  canonical.sort(
    (a, b) =>
      compareOwners(a.owner, b.owner) || a.type - b.type || Buffer.compare(a.rdata, b.rdata),
  );
  const digest = createHash(hash);
  canonical.forEach((record, index) => {
    const { owner, type, ttl, rdata } = record;
    const before = canonical[index - 1];
    if (before?.owner.equals(owner) && before.type === type && before.rdata.equals(rdata)) return;
    const fixed = Buffer.alloc(10);
    fixed.writeUInt16BE(type, 0);
    fixed.writeUInt16BE(1, 2);
    fixed.writeUInt32BE(ttl, 4);
    fixed.writeUInt16BE(rdata.length, 8);
    digest.update(owner).update(fixed).update(rdata);
  });
  return digest.digest('hex');
}

/** Where the names are in the rdata of types that the zones of these tests have (RFC 4034 section 6.2). */
const NAMES_IN_RDATA: Readonly<Record<number, { readonly from: number; readonly names: number }>> =
  {
    2: { from: 0, names: 1 },
    5: { from: 0, names: 1 },
    6: { from: 0, names: 2 },
    12: { from: 0, names: 1 },
    15: { from: 2, names: 1 },
  };

function lowerNames(type: number, rdata: Uint8Array): Buffer {
  const place = NAMES_IN_RDATA[type];
  const canonical = Buffer.from(rdata);
  let end = place?.from ?? 0;
  for (let name = 0; name < (place?.names ?? 0); name++) {
    while (canonical[end] !== 0) end += 1 + canonical[end]!;
    end += 1;
  }
  lower(canonical.subarray(place?.from ?? 0, end)).copy(canonical, place?.from ?? 0);
  return canonical;
}

/** Length octets are below the letters. */
function lower(octets: Uint8Array): Buffer {
  return Buffer.from(Buffer.from(octets).toString('latin1').replace(/[A-Z]/g, toLower), 'latin1');
}

const toLower = (letter: string) => letter.toLowerCase();

function labelsOf(name: Buffer): Buffer[] {
  const labels: Buffer[] = [];
  for (let at = 0; name[at] !== 0; at += 1 + name[at]!) {
    labels.push(name.subarray(at + 1, at + 1 + name[at]!));
  }
  return labels;
}

/** RFC 4034 section 6.1: the rightmost labels count first, and fewer labels come before more. */
function compareOwners(a: Buffer, b: Buffer): number {
  const left = labelsOf(a).reverse();
  const right = labelsOf(b).reverse();
  for (let index = 0; index < Math.min(left.length, right.length); index++) {
    const order = Buffer.compare(left[index]!, right[index]!);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

function isWithin(owner: Buffer, apex: Buffer): boolean {
  const end = labelsOf(apex);
  const rest = labelsOf(owner).slice(-end.length || Infinity);
  return end.length === rest.length && rest.every((label, index) => label.equals(end[index]!));
}
