import { type Serial, serial as toSerial } from '../dns/serial.ts';
import { ModelError } from '../policy/model-error.ts';
import { bodyAt } from '../zone/content-at.ts';
import type { ZoneBody, ZoneSnapshot } from '../zone/snapshot.ts';

/** A serial at which a zone can still be read. */
export interface RetainedSerial {
  readonly serial: Serial;
  /** Unix milliseconds since when it was served; null for the oldest, whose making is forgotten. */
  readonly at: number | null;
  /** Resource records, the SOA counted once. */
  readonly records: number;
}

/** Every serial at which the zone can be read, the newest first. */
export function retainedSerials(zone: ZoneSnapshot): RetainedSerial[] {
  const serials: RetainedSerial[] = [];
  let { records } = zone;
  for (const revision of zone.revisions.toReversed()) {
    serials.push({ serial: revision.toSerial, at: revision.at, records });
    records += revision.recordsRemoved - revision.recordsAdded;
  }
  serials.push({ serial: oldestSerial(zone), at: null, records });
  return serials;
}

/** Throws a ModelError that names the retained serials when the zone cannot be read at this one. */
export function findSerial(
  zone: ZoneSnapshot,
  origin: string,
  given: number,
  field: string,
): Serial {
  const isRetained =
    given === zone.serial || zone.revisions.some(({ fromSerial }) => fromSerial === given);
  if (isRetained) return toSerial(given);
  const oldest = oldestSerial(zone);
  const rule =
    oldest === zone.serial
      ? `Zone ${origin} is retained at serial ${oldest} only.`
      : `Zone ${origin} is retained at ${zone.revisions.length + 1} serials from ${oldest} to ${zone.serial}.`;
  throw new ModelError('serial-unknown', { field, value: given, rule });
}

/** What the zone held at a retained serial. Whoever pages through one asks for it again and again, so the last is kept. */
export function bodyOfSerial(zone: ZoneSnapshot, serial: Serial): ZoneBody {
  if (serial === zone.serial) return zone.body;
  const known = lastBodies.get(zone);
  if (known?.serial === serial) return known.body;
  const body = bodyAt(zone, serial);
  if (body === null) throw new Error(`serial ${serial} was found, and is not retained`);
  lastBodies.set(zone, { serial, body });
  return body;
}

const lastBodies = new WeakMap<ZoneSnapshot, { serial: Serial; body: ZoneBody }>();

/**
 * A moment at which the zone was served with a retained serial (Unix milliseconds): its beginning,
 * or for the oldest one its end.
 */
export function momentOf(zone: ZoneSnapshot, serial: Serial): number {
  const begin = zone.revisions.find((revision) => revision.toSerial === serial);
  if (begin !== undefined) return begin.at;
  const end = zone.revisions.find((revision) => revision.fromSerial === serial);
  return end === undefined ? Number.MAX_SAFE_INTEGER : end.at - 1;
}

/**
 * The serial that the zone had at a moment, and whether its history reaches back that far for
 * certain. Serials never lie before the time at which they are made (design, "Zones and records"),
 * so the oldest one was made at its own time or sooner.
 */
export function serialAtMoment(
  zone: ZoneSnapshot,
  timeMs: number,
): { readonly serial: Serial; readonly isCertain: boolean } {
  const revision = zone.revisions.findLast(({ at }) => at <= timeMs);
  if (revision !== undefined) return { serial: revision.toSerial, isCertain: true };
  const serial = oldestSerial(zone);
  return { serial, isCertain: serial <= Math.floor(timeMs / 1000) };
}

function oldestSerial(zone: ZoneSnapshot): Serial {
  return zone.revisions[0]?.fromSerial ?? zone.serial;
}
