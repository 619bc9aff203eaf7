import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { PENDING_DIGEST, type ZoneSnapshot } from '../zone/snapshot.ts';
import {
  DIGEST_CHUNK_OCTETS,
  DIGEST_HASH,
  type DigestedZone,
  digestInput,
  zonemdRdata,
} from '../zone/zone-digest.ts';

/** After so long everyone else has a turn: queries are answered, transfers go on. */
const SLICE_MS = 2;

/**
 * The zones with the digests of those at `origins` that have theirs pending. In slices of a few
 * milliseconds and not in a thread: to assemble the octets takes as long as to hash them (10 ms each
 * for 1,000,000 prefixes), and to hand a copy of them to a thread takes 5 ms in one go.
 */
export async function withDigests(
  zones: ReadonlyMap<string, ZoneSnapshot>,
  origins: Iterable<string>,
): Promise<ReadonlyMap<string, ZoneSnapshot>> {
  const digested: [string, ZoneSnapshot][] = [];
  const slices = createSlices();
  for (const origin of origins) {
    const zone = zones.get(origin);
    if (zone?.digest !== PENDING_DIGEST) continue;
    digested.push([origin, { ...zone, digest: await zonemdOf(zone, slices) }]);
  }
  return digested.length === 0 ? zones : new Map([...zones, ...digested]);
}

/** For all zones: a piece is hashed at once, before anyone else has a turn. */
const room = new Uint8Array(DIGEST_CHUNK_OCTETS);

async function zonemdOf(
  { settings, serial, body }: ZoneSnapshot,
  slices: Slices,
): Promise<Uint8Array> {
  if (body.kind === 'rpz') throw new Error('an RPZ zone has no digest');
  const zone: DigestedZone = { settings, serial, body };
  const hash = createHash(DIGEST_HASH);
  for (const piece of digestInput(zone, () => room)) {
    hash.update(piece);
    if (slices.isOver()) await slices.next();
  }
  return zonemdRdata(serial, hash.digest());
}

type Slices = ReturnType<typeof createSlices>;

function createSlices() {
  let began = performance.now();
  return {
    isOver: () => performance.now() - began >= SLICE_MS,
    async next(): Promise<void> {
      await nextTurn();
      began = performance.now();
    },
  };
}
