import { formatName } from '../dns/name.ts';
import type { Observer } from '../nameserver/directory-port.ts';
import type { DeviceZoneStatus, Store } from './store-port.ts';

/** Devices and zones remembered at most; beyond it the longest unseen are forgotten in memory. */
const STATUS_ROWS_MAX = 200_000;

/** What there is now: a row of any other device or zone says nothing any more. */
export interface LiveThings {
  hasDevice(deviceId: number): boolean;
  hasZone(origin: string): boolean;
}

/**
 * What each device acknowledged, polled and transferred. Events come in at the pace of queries, so
 * they are gathered here and written to the store now and then.
 */
export interface DeviceStatusBook extends Pick<Observer, 'polled' | 'transferred'> {
  acknowledged(event: {
    readonly deviceId: number;
    readonly origin: string;
    readonly serial: number;
    readonly address: string;
    readonly at: number;
  }): void;
  /**
   * Whether a device may follow a zone. It follows the zones of its policy or its own, and its
   * questions tell which: a kind that it never asked for, or not for a day in which it asked for the
   * other, is not followed. A device that has asked for nothing yet may follow both.
   */
  isFollowed(deviceId: number, origin: string): boolean;
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
  /** The longest unseen first. */
  const rows = new Map<string, DeviceZoneStatus>();
  /** To be written, whether they are still remembered or not. */
  const changed = new Map<string, DeviceZoneStatus>();
  /** To be deleted from the store. */
  const ended = new Map<string, RowKey>();
  /** When each device last asked for zones of either kind. */
  const interest = new Map<number, Interest>();
  const noteInterest = ({ deviceId, origin, polledAt, transferredAt }: DeviceZoneStatus): void => {
    const at = Math.max(polledAt ?? 0, transferredAt ?? 0);
    const known = interest.get(deviceId) ?? { own: 0, policy: 0 };
    const kind = isOwnZone(origin) ? 'own' : 'policy';
    interest.set(deviceId, { ...known, [kind]: Math.max(known[kind], at) });
  };
  const isLive = ({ deviceId, origin }: RowKey): boolean =>
    live.hasDevice(deviceId) && live.hasZone(origin);
  const remember = (key: string, row: DeviceZoneStatus): void => {
    rows.delete(key);
    rows.set(key, row);
    noteInterest(row);
    if (rows.size > rowsMax) rows.delete(rows.keys().next().value ?? key);
  };
  const stored = [...(await store.deviceZoneStatus())];
  for (const row of stored.sort((a, b) => lastSeen(a) - lastSeen(b))) {
    if (isLive(row)) remember(rowKey(row), row);
    else ended.set(rowKey(row), row);
  }

  const update = (deviceId: number, origin: string, fields: Partial<DeviceZoneStatus>): void => {
    const key = rowKey({ deviceId, origin });
    const known = rows.get(key) ?? changed.get(key) ?? unseen(deviceId, origin);
    const row = { ...known, ...fields };
    // A transfer may end after its device or its zone did.
    if (!isLive(row)) return;
    ended.delete(key);
    changed.set(key, row);
    remember(key, row);
  };

  return {
    polled({ deviceId, zone, address }) {
      update(deviceId, formatName(zone.settings.origin), {
        polledSerial: zone.serial,
        polledAt: clock(),
        polledAddress: address,
      });
    },
    transferred({ deviceId, zone, address, kind, octets, completed }) {
      if (!completed) return;
      update(deviceId, formatName(zone.settings.origin), {
        transferredSerial: zone.serial,
        transferredAt: clock(),
        transferredAddress: address,
        transferKind: kind,
        transferBytes: octets,
      });
    },
    acknowledged({ deviceId, origin, serial, address, at }) {
      update(deviceId, origin, {
        notifiedSerial: serial,
        notifiedAt: at,
        notifiedAddress: address,
      });
    },
    isFollowed(deviceId, origin) {
      const known = interest.get(deviceId);
      if (known === undefined) return true;
      const [asked, other] = isOwnZone(origin)
        ? [known.own, known.policy]
        : [known.policy, known.own];
      return asked > 0 ? asked > other - FOLLOWED_MS : other === 0;
    },
    list: () => [...rows.values()],
    forgetEnded() {
      for (const known of [rows, changed]) {
        for (const [key, row] of known) {
          if (isLive(row)) continue;
          known.delete(key);
          ended.set(key, row);
          if (!live.hasDevice(row.deviceId)) interest.delete(row.deviceId);
        }
      }
    },
    async flush() {
      const due = new Map(changed);
      const gone = new Map(ended);
      changed.clear();
      ended.clear();
      try {
        if (gone.size > 0) await store.dropDeviceZoneStatus([...gone.values()]);
        if (due.size > 0) await store.putDeviceZoneStatus([...due.values()]);
      } catch (error) {
        // What came meanwhile is newer.
        for (const [key, row] of gone) if (!changed.has(key)) ended.set(key, row);
        for (const [key, row] of due)
          if (!changed.has(key) && !ended.has(key)) changed.set(key, row);
        throw error;
      }
    },
  };
}

/** A device that has gone over to the other kind of zones has not asked for the first kind since. */
const FOLLOWED_MS = 24 * 3_600_000;

interface Interest {
  readonly own: number;
  readonly policy: number;
}

/** Zones of devices are `<side>.<device>.dev.…`, and no account is called `dev`. */
function isOwnZone(origin: string): boolean {
  return origin.split('.')[2] === 'dev';
}

type RowKey = Pick<DeviceZoneStatus, 'deviceId' | 'origin'>;

function lastSeen({ notifiedAt, polledAt, transferredAt }: DeviceZoneStatus): number {
  return Math.max(notifiedAt ?? 0, polledAt ?? 0, transferredAt ?? 0);
}

function rowKey({ deviceId, origin }: RowKey): string {
  return `${deviceId} ${origin}`;
}

function unseen(deviceId: number, origin: string): DeviceZoneStatus {
  return {
    deviceId,
    origin,
    notifiedSerial: null,
    notifiedAt: null,
    notifiedAddress: null,
    polledSerial: null,
    polledAt: null,
    polledAddress: null,
    transferredSerial: null,
    transferredAt: null,
    transferredAddress: null,
    transferKind: null,
    transferBytes: null,
  };
}
