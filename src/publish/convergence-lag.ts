import { isNewerSerial, type Serial } from '../dns/serial.ts';
import type { ZoneSnapshot } from '../zone/snapshot.ts';

/** How far what a device has is behind what is served. */
export interface Lag {
  /** Revisions between the two; with `isLowerBound` at least so many. */
  readonly serials: number;
  /** Whether history does not reach back to what the device has. */
  readonly isLowerBound: boolean;
  /** When the first serial that it lacks was published (Unix ms); null when it lacks none. */
  readonly since: number | null;
}

const NONE: Lag = { serials: 0, isLowerBound: false, since: null };

/** What a device has of a zone: a serial and when that was known, or nothing. */
export interface Position {
  readonly serial: Serial | null;
  /** Unix milliseconds: when it had the serial; without one, since when it ought to have some. */
  readonly at: number;
}

/** How far behind a device is. A serial above the one that is served lacks nothing that could be counted. */
export function lagOf(zone: ZoneSnapshot, { serial, at }: Position, now: number): Lag {
  const { revisions } = zone;
  if (serial === zone.serial) return NONE;
  if (serial === null) return { serials: revisions.length + 1, isLowerBound: true, since: at };
  if (isNewerSerial(serial, zone.serial)) return { serials: 0, isLowerBound: true, since: at };
  // Mostly it lacks the last few.
  const place = revisions.findLastIndex(({ fromSerial }) => fromSerial === serial);
  if (place >= 0) {
    return {
      serials: revisions.length - place,
      isLowerBound: false,
      since: revisions[place]!.at,
    };
  }
  const madeAt = timeOfSerial(revisions[0]?.fromSerial ?? zone.serial, now);
  const since = madeAt !== null && madeAt > at ? madeAt : (revisions[0]?.at ?? at);
  return { serials: revisions.length + 1, isLowerBound: true, since };
}

/**
 * A new zone's serial is the time at which it was made, unless a zone of that name had a higher one
 * before: then it is a time to come, and null.
 */
export function timeOfSerial(serial: number, now: number): number | null {
  return serial * 1000 <= now ? serial * 1000 : null;
}
