import type { DeviceZoneStatus } from './store-port.ts';

/** A row of the book, changed in place: at the pace of queries nothing is allocated. */
export type StatusRow = { -readonly [Field in keyof DeviceZoneStatus]: DeviceZoneStatus[Field] };

/** Rows in memory, up to a number; beyond it those that were touched longest ago go. */
export interface StatusRows {
  get(deviceId: number, origin: string): StatusRow | undefined;
  ofDevice(deviceId: number): Iterable<StatusRow>;
  /** The one touched longest ago first. */
  all(): Iterable<StatusRow>;
  /** Adds a row. Gives the row that had to go for it, if one had to. */
  add(row: StatusRow): StatusRow | undefined;
  /** Makes a row the one that was touched last. */
  touch(row: StatusRow): void;
  delete(row: StatusRow): void;
}

export function createStatusRows(rowsMax: number): StatusRows {
  const byDevice = new Map<number, Map<string, StatusRow>>();
  const inOrder = new Set<StatusRow>();

  const remove = (row: StatusRow): void => {
    inOrder.delete(row);
    const ofDevice = byDevice.get(row.deviceId);
    ofDevice?.delete(row.origin);
    if (ofDevice?.size === 0) byDevice.delete(row.deviceId);
  };

  return {
    get: (deviceId, origin) => byDevice.get(deviceId)?.get(origin),
    ofDevice: (deviceId) => byDevice.get(deviceId)?.values() ?? [],
    all: () => inOrder,
    add(row) {
      const ofDevice = byDevice.get(row.deviceId);
      if (ofDevice === undefined) byDevice.set(row.deviceId, new Map([[row.origin, row]]));
      else ofDevice.set(row.origin, row);
      inOrder.add(row);
      if (inOrder.size <= rowsMax) return undefined;
      const oldest = inOrder.values().next().value!;
      remove(oldest);
      return oldest;
    },
    touch(row) {
      inOrder.delete(row);
      inOrder.add(row);
    },
    delete: remove,
  };
}

export function unseenRow(deviceId: number, origin: string): StatusRow {
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
    notifyProblem: null,
    notifyProblemAt: null,
    notifyProblemAddress: null,
    cutSerial: null,
    cutAt: null,
    cutAddress: null,
    heldSerial: null,
    heldAt: null,
  };
}

/** When the device last asked for the zone, whatever came of it; 0 for never. */
export function askedAt({ polledAt, transferredAt, cutAt }: DeviceZoneStatus): number {
  return Math.max(polledAt ?? 0, transferredAt ?? 0, cutAt ?? 0);
}
