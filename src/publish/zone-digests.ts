import { createHash } from 'node:crypto';
import { PENDING_DIGEST, type ZoneSnapshot } from '../zone/snapshot.ts';
import {
  DIGEST_CHUNK_OCTETS,
  DIGEST_HASH,
  type DigestedZone,
  digestInput,
  zonemdRdata,
} from '../zone/zone-digest.ts';
import type { DigestThread } from './digest-thread/start-digest-thread.ts';
import { createSlices, type Slices } from './slices.ts';

/**
 * The zones with the digests of those at `origins` that have theirs pending. Large ones are made in the
 * thread, all of them asked for before anything is awaited; the others, and what the thread failed
 * to do, here in slices of a few milliseconds.
 */
export async function withDigests(
  zones: ReadonlyMap<string, ZoneSnapshot>,
  origins: Iterable<string>,
  thread?: DigestThread,
): Promise<ReadonlyMap<string, ZoneSnapshot>> {
  const pending = [...origins].flatMap((origin): PendingZone[] => {
    const zone = zones.get(origin);
    return zone?.digest === PENDING_DIGEST ? [{ origin, ...zone }] : [];
  });
  if (pending.length === 0) return zones;
  const slices = createSlices();
  const asked: { group: readonly PendingZone[]; digests: ReturnType<DigestThread['digests']> }[] =
    [];
  const digested = new Map(zones);
  const put = ({ origin }: PendingZone, digest: Uint8Array): void => {
    digested.set(origin, { ...zones.get(origin)!, digest });
  };
  const here: PendingZone[] = [];
  // Zones of one policy carry one body, whose pages the thread looks up once.
  for (const [body, group] of Map.groupBy(pending, (zone) => zone.body)) {
    if (thread?.takes(body)) asked.push({ group, digests: thread.digests(body, group) });
    else here.push(...group);
    if (slices.isOver()) await slices.next();
  }
  for (const zone of here) put(zone, await zonemdOf(zone, slices));
  for (const { group, digests } of asked) {
    for (const [index, digest] of (await digests).entries()) {
      const zone = group[index];
      put(zone, digest ? zonemdRdata(zone.serial, digest) : await zonemdOf(zone, slices));
    }
  }
  return digested;
}

type PendingZone = ZoneSnapshot & { readonly origin: string };

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
