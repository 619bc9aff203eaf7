import type { Observer } from '../nameserver/directory-port.ts';
import { askedAt, createStatusRows, type StatusRow, unseenRow } from './status-rows.ts';
import type { DeviceZoneStatus, Store } from './store-port.ts';
import { originOf } from './zone-origin.ts';

/** Devices and zones remembered at most; beyond it the longest unseen are forgotten in memory. */
const STATUS_ROWS_MAX = 200_000;
/** Rows written at once: a commit must not wait behind all of them. */
const FLUSH_ROWS_MAX = 2_000;
/** Of what went wrong with a NOTIFY: some of it is told by the system, or by the device. */
const PROBLEM_LENGTH_MAX = 200;

/** What there is now: a row of any other device or zone says nothing any more. */
export interface LiveThings {
  hasDevice(deviceId: number): boolean;
  hasZone(origin: string): boolean;
  /** Whether a device follows every zone that it may read: a secondary does. None does without this. */
  followsAll?(deviceId: number): boolean;
}

/**
 * What each device acknowledged, polled, transferred and holds, and what went wrong. Events come in at
 * the pace of queries, so they are gathered here and written to the store now and then.
 */
export interface DeviceStatusBook extends Pick<Observer, 'polled' | 'transferred'> {
  acknowledged(event: {
    readonly deviceId: number;
    readonly origin: string;
    readonly serial: number;
    readonly address: string;
    readonly at: number;
  }): void;
  /** A NOTIFY was not acknowledged; `problem` is what came instead. */
  notAcknowledged(event: {
    readonly deviceId: number;
    readonly origin: string;
    readonly address: string;
    readonly port: number;
    readonly problem: string;
    readonly at: number;
  }): void;
  /**
   * Whether a device may follow a zone. It follows the zones of its policy or its own, and its
   * questions tell which: a kind that it never asked for, or not for a day in which it asked for the
   * other, is not followed. A device that has asked for nothing yet may follow both.
   */
  isFollowed(deviceId: number, origin: string): boolean;
  row(deviceId: number, origin: string): DeviceZoneStatus | undefined;
  ofDevice(deviceId: number): Iterable<DeviceZoneStatus>;
  list(): readonly DeviceZoneStatus[];
  /** Forgets devices and zones that have ended, in the store with the next `flush`. */
  forgetEnded(): void;
  /** Writes what has changed since the last time. */
  flush(): Promise<void>;
}

export async function openDeviceStatusBook(
  store: Pick<Store, 'deviceZoneStatus' | 'putDeviceZoneStatus' | 'dropDeviceZoneStatus'>,
  clock: () => number,
  live: LiveThings,
  rowsMax = STATUS_ROWS_MAX,
): Promise<DeviceStatusBook> {
  const rows = createStatusRows(rowsMax);
  /** To be written. */
  const changed = new Set<StatusRow>();
  /** Of these, those that memory had to let go before. */
  const letGo = new Map<string, StatusRow>();
  /** To be deleted from the store. */
  const ended = new Map<string, RowKey>();
  const interests = createInterests(live);
  const isLive = (deviceId: number, origin: string): boolean =>
    live.hasDevice(deviceId) && live.hasZone(origin);
  const add = (row: StatusRow): void => {
    const gone = rows.add(row);
    if (gone !== undefined && changed.has(gone)) letGo.set(rowKey(gone), gone);
  };
  const stored = [...(await store.deviceZoneStatus())];
  for (const row of stored.sort((a, b) => lastSeen(a) - lastSeen(b))) {
    if (isLive(row.deviceId, row.origin)) {
      add({ ...row });
      interests.note(row.deviceId, row.origin, askedAt(row));
    } else {
      ended.set(rowKey(row), row);
    }
  }

  const takeUp = (deviceId: number, origin: string): StatusRow => {
    const key = rowKey({ deviceId, origin });
    const row = letGo.get(key) ?? unseenRow(deviceId, origin);
    letGo.delete(key);
    ended.delete(key);
    add(row);
    return row;
  };
  /** The row to be changed; null when there is no such device or zone: a transfer may end after either did. */
  const open = (deviceId: number, origin: string): StatusRow | null => {
    if (!isLive(deviceId, origin)) return null;
    const row = rows.touch(deviceId, origin) ?? takeUp(deviceId, origin);
    changed.add(row);
    return row;
  };

  return {
    polled({ deviceId, zone, address, clientSerial = null }) {
      const row = open(deviceId, originOf(zone));
      if (row === null) return;
      const at = clock();
      row.polledSerial = zone.serial;
      row.polledAt = at;
      row.polledAddress = address;
      if (clientSerial !== null) hold(row, clientSerial, at);
      interests.note(deviceId, row.origin, at);
    },
    transferred({ deviceId, zone, address, kind, octets, completed, clientSerial = null }) {
      const row = open(deviceId, originOf(zone));
      if (row === null) return;
      const at = clock();
      if (completed) {
        row.transferredSerial = zone.serial;
        row.transferredAt = at;
        row.transferredAddress = address;
        row.transferKind = kind;
        row.transferBytes = octets;
        setCut(row, null);
        hold(row, zone.serial, at);
      } else {
        setCut(row, { serial: zone.serial, at, address });
        if (clientSerial !== null) hold(row, clientSerial, at);
      }
      interests.note(deviceId, row.origin, at);
    },
    acknowledged({ deviceId, origin, serial, address, at }) {
      const row = open(deviceId, origin);
      if (row === null) return;
      row.notifiedSerial = serial;
      row.notifiedAt = at;
      row.notifiedAddress = address;
      row.notifyProblem = null;
      row.notifyProblemAt = null;
      row.notifyProblemAddress = null;
    },
    notAcknowledged({ deviceId, origin, address, port, problem, at }) {
      const row = open(deviceId, origin);
      if (row === null) return;
      row.notifyProblem = problem.slice(0, PROBLEM_LENGTH_MAX);
      row.notifyProblemAt = at;
      row.notifyProblemAddress = `${address} port ${port}`;
    },
    isFollowed: interests.isFollowed,
    row: rows.get,
    ofDevice: rows.ofDevice,
    list: () => [...rows.all()],
    forgetEnded() {
      for (const known of [rows.all(), letGo.values()]) {
        for (const row of known) {
          if (isLive(row.deviceId, row.origin)) continue;
          rows.delete(row);
          changed.delete(row);
          letGo.delete(rowKey(row));
          ended.set(rowKey(row), row);
          if (!live.hasDevice(row.deviceId)) interests.forget(row.deviceId);
        }
      }
    },
    async flush() {
      const due = [...changed];
      const gone = new Map(ended);
      changed.clear();
      letGo.clear();
      ended.clear();
      let written = 0;
      try {
        if (gone.size > 0) await store.dropDeviceZoneStatus([...gone.values()]);
        for (; written < due.length; written += FLUSH_ROWS_MAX) {
          const part = due.slice(written, written + FLUSH_ROWS_MAX);
          // What ended meanwhile must not come back.
          const alive = part.filter(({ deviceId, origin }) => isLive(deviceId, origin));
          await store.putDeviceZoneStatus(alive.map((row) => ({ ...row })));
        }
      } catch (error) {
        for (const row of due.slice(written)) {
          const current = rows.get(row.deviceId, row.origin);
          // What came meanwhile is newer.
          if (current !== undefined && current !== row) continue;
          changed.add(row);
          if (current === undefined) letGo.set(rowKey(row), row);
        }
        for (const [key, row] of gone)
          if (rows.get(row.deviceId, row.origin) === undefined) ended.set(key, row);
        throw error;
      }
    },
  };
}

function hold(row: StatusRow, serial: number, at: number): void {
  row.heldSerial = serial;
  row.heldAt = at;
}

function setCut(
  row: StatusRow,
  cut: { readonly serial: number; readonly at: number; readonly address: string } | null,
): void {
  row.cutSerial = cut?.serial ?? null;
  row.cutAt = cut?.at ?? null;
  row.cutAddress = cut?.address ?? null;
}

/** A device that has gone over to the other kind of zones has not asked for the first kind since. */
export const FOLLOWED_MS = 24 * 3_600_000;

/** When each device last asked for zones of either kind, and so which kind it follows. */
function createInterests({ followsAll = () => false }: LiveThings) {
  const known = new Map<number, { own: number; policy: number }>();
  return {
    note(deviceId: number, origin: string, at: number): void {
      const noted = known.get(deviceId);
      const interest = noted ?? { own: 0, policy: 0 };
      if (isOwnZone(origin)) interest.own = Math.max(interest.own, at);
      else interest.policy = Math.max(interest.policy, at);
      if (noted === undefined) known.set(deviceId, interest);
    },
    isFollowed(deviceId: number, origin: string): boolean {
      const interest = known.get(deviceId);
      if (interest === undefined || followsAll(deviceId)) return true;
      const [asked, other] = isOwnZone(origin)
        ? [interest.own, interest.policy]
        : [interest.policy, interest.own];
      return asked > 0 ? asked > other - FOLLOWED_MS : other === 0;
    },
    forget: (deviceId: number): boolean => known.delete(deviceId),
  };
}

/** Zones of devices are `<side>.<device>.dev.…`, and no account is called `dev`. */
function isOwnZone(origin: string): boolean {
  const device = origin.indexOf('.') + 1;
  return device > 0 && origin.startsWith('.dev.', origin.indexOf('.', device));
}

type RowKey = Pick<DeviceZoneStatus, 'deviceId' | 'origin'>;

function lastSeen(row: DeviceZoneStatus): number {
  return Math.max(row.notifiedAt ?? 0, askedAt(row));
}

function rowKey({ deviceId, origin }: RowKey): string {
  return `${deviceId} ${origin}`;
}
