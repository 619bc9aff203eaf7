import type { Serial } from '../dns/serial.ts';
import type { Device } from '../policy/model.ts';
import { isSecondary } from '../policy/secondary.ts';
import type { ZoneSettings, ZoneSnapshot } from '../zone/snapshot.ts';
import { type Behind, reasonOf } from './behind-reason.ts';
import { type Lag, lagOf, type Position, timeOfSerial } from './convergence-lag.ts';
import type { DeviceStatusBook } from './device-status.ts';
import { expectedZones } from './expected-zones.ts';
import type { RefusalBook } from './refusal-book.ts';
import type { PublishedState } from './state.ts';
import type { DeviceZoneStatus } from './store-port.ts';

/** How far one device has come with one zone. */
export interface ZoneConvergence {
  readonly device: Device;
  readonly origin: string;
  /** The serial that is served. */
  readonly serial: Serial;
  /** What happened; undefined when nothing has. */
  readonly row: DeviceZoneStatus | undefined;
  /** Whether it is to hold the zone: where it is not, being behind is nothing to report. */
  readonly expected: boolean;
  /**
   * By what it is judged: what it proved to hold (`held`), or the serial that it saw last (`polled`).
   * The latter is all there is of a device that reads an IP zone by ordinary queries.
   */
  readonly judgedBy: 'held' | 'polled';
  readonly lag: Lag;
  readonly converged: boolean;
  /** Why, when it is behind for longer than the expected time; null otherwise. */
  readonly behind: Behind | null;
}

export interface Convergence {
  /** The zones that a device is to hold, and others that it asked for or was told of. */
  ofDevice(device: Device): ZoneConvergence[];
  /** The zones that it is to hold. */
  expectedOf(device: Device): ZoneConvergence[];
}

export interface ConvergenceOptions {
  readonly state: () => Pick<PublishedState, 'zones'>;
  readonly status: Pick<DeviceStatusBook, 'isFollowed' | 'row' | 'ofDevice'>;
  readonly refusals: Pick<RefusalBook, 'ofDevice'>;
  /** Unix milliseconds. */
  readonly clock: () => number;
  /** In which a device is to hold a new serial. */
  readonly expectedMs: () => number;
}

/** Compares what devices hold with what is served, whenever it is asked. */
export function createConvergence(options: ConvergenceOptions): Convergence {
  const { state, status, refusals, clock, expectedMs } = options;
  const ages = createZoneAges();

  const judge = (device: Device, origin: string, expected: boolean): ZoneConvergence | null => {
    const zone = state().zones.get(origin);
    if (zone === undefined) return null;
    const now = clock();
    const row = status.row(device.id, origin);
    const judgedBy = readsByQueries(device, zone, row) ? 'polled' : 'held';
    const position = positionOf(judgedBy, row, () =>
      Math.max(device.updatedAt, ages.since(zone, now)),
    );
    const lag = lagOf(zone, position, now);
    const { since } = lag;
    const isLate = expected && since !== null && now - since >= expectedMs();
    const evidence = { device, origin, zone, row, refusals: refusals.ofDevice(device.id) };
    return {
      device,
      origin,
      serial: zone.serial,
      row,
      expected,
      judgedBy,
      lag,
      converged: since === null,
      behind: isLate ? reasonOf({ ...evidence, since }) : null,
    };
  };
  const expectedOf = (device: Device): ZoneConvergence[] =>
    expectedZones(state(), device, status).flatMap((origin) => judge(device, origin, true) ?? []);

  return {
    expectedOf,
    ofDevice(device) {
      const expected = expectedOf(device);
      const known = new Set(expected.map(({ origin }) => origin));
      const others = [...status.ofDevice(device.id)].filter(({ origin }) => !known.has(origin));
      return [...expected, ...others.flatMap(({ origin }) => judge(device, origin, false) ?? [])];
    },
  };
}

/** Who never began a transfer of an IP zone and asks for it takes its pages, which prove nothing. */
function readsByQueries(
  device: Device,
  { body }: ZoneSnapshot,
  row: DeviceZoneStatus | undefined,
): boolean {
  if (body.kind !== 'ip' || isSecondary(device) || row === undefined) return false;
  return row.heldSerial === null && row.cutAt === null && row.polledSerial !== null;
}

function positionOf(
  judgedBy: ZoneConvergence['judgedBy'],
  row: DeviceZoneStatus | undefined,
  expectedSince: () => number,
): Position {
  const serial = judgedBy === 'polled' ? row?.polledSerial : row?.heldSerial;
  const at = judgedBy === 'polled' ? row?.polledAt : row?.heldAt;
  if (serial == null || at == null) return { serial: null, at: expectedSince() };
  return { serial: serial as Serial, at };
}

/**
 * Since when zones are there. It is not stored: a zone that was there at the start is as old as the
 * oldest serial that is known of it, one that came later as old as its first serial. A zone keeps its
 * settings as long as it is served; one that comes again under the same name has others.
 */
function createZoneAges() {
  const known = new WeakMap<ZoneSettings, number>();
  return {
    since({ settings, serial, revisions }: ZoneSnapshot, now: number): number {
      const remembered = known.get(settings);
      if (remembered !== undefined) return remembered;
      const since = timeOfSerial(revisions[0]?.fromSerial ?? serial, now) ?? now;
      known.set(settings, since);
      return since;
    },
  };
}
