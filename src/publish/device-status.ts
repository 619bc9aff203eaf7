import { formatName } from '../dns/name.ts';
import type { Observer } from '../nameserver/directory-port.ts';
import type { DeviceZoneStatus, Store } from './store-port.ts';

/** Devices and zones remembered at most; beyond it the longest unseen are forgotten in memory. */
const STATUS_ROWS_MAX = 200_000;

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
  list(): readonly DeviceZoneStatus[];
  forgetDevices(isThere: (deviceId: number) => boolean): void;
  /** Writes what has changed since the last time. */
  flush(): Promise<void>;
}

export async function openDeviceStatusBook(
  store: Pick<Store, 'deviceZoneStatus' | 'putDeviceZoneStatus'>,
  clock: () => number,
): Promise<DeviceStatusBook> {
  const rows = new Map<string, DeviceZoneStatus>();
  const changed = new Set<string>();
  for (const row of await store.deviceZoneStatus()) rows.set(rowKey(row), row);

  const update = (deviceId: number, origin: string, fields: Partial<DeviceZoneStatus>): void => {
    const key = rowKey({ deviceId, origin });
    const row = { ...(rows.get(key) ?? unseen(deviceId, origin)), ...fields };
    rows.delete(key);
    rows.set(key, row);
    changed.add(key);
    if (rows.size > STATUS_ROWS_MAX) rows.delete(rows.keys().next().value ?? key);
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
    list: () => [...rows.values()],
    forgetDevices(isThere) {
      for (const [key, { deviceId }] of rows) {
        if (isThere(deviceId)) continue;
        rows.delete(key);
        changed.delete(key);
      }
    },
    async flush() {
      const keys = [...changed];
      const due = keys.flatMap((key) => rows.get(key) ?? []);
      changed.clear();
      if (due.length === 0) return;
      try {
        await store.putDeviceZoneStatus(due);
      } catch (error) {
        for (const key of keys) changed.add(key);
        throw error;
      }
    },
  };
}

function rowKey({ deviceId, origin }: Pick<DeviceZoneStatus, 'deviceId' | 'origin'>): string {
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
