import type { DeviceZoneStatus } from './store-port.ts';

/** A row of the book, changed in place: at the pace of queries nothing is allocated. */
export type StatusRow = { -readonly [Field in keyof DeviceZoneStatus]: DeviceZoneStatus[Field] };

/** Rows in memory, up to a number; beyond it those that were touched longest ago go. */
export interface StatusRows {
  get(deviceId: number, origin: string): StatusRow | undefined;
  ofDevice(deviceId: number): Iterable<StatusRow>;
  /** The one touched longest ago first. The row in hand may be deleted meanwhile. */
  all(): Iterable<StatusRow>;
  /** Adds a row. Gives the row that had to go for it, if one had to. */
  add(row: StatusRow): StatusRow | undefined;
  /** Gives a row and makes it the one that was touched last. */
  touch(deviceId: number, origin: string): StatusRow | undefined;
  delete(row: StatusRow): void;
}

/** A row between the one touched before it and the one touched after it. */
interface Link {
  readonly row: StatusRow;
  before: Link | null;
  after: Link | null;
}

export function createStatusRows(rowsMax: number): StatusRows {
  const byDevice = new Map<number, Map<string, Link>>();
  // A list and not a Set, which makes a new table now and then when entries come and go: at the pace
  // of queries those that are given up filled the old space, each holding on to the next.
  let oldest: Link | null = null;
  let latest: Link | null = null;
  let size = 0;

  const takeOut = (link: Link): void => {
    if (link.before === null) oldest = link.after;
    else link.before.after = link.after;
    if (link.after === null) latest = link.before;
    else link.after.before = link.before;
  };
  const putLast = (link: Link): void => {
    link.before = latest;
    link.after = null;
    if (latest === null) oldest = link;
    else latest.after = link;
    latest = link;
  };
  const linkOf = (deviceId: number, origin: string): Link | undefined =>
    byDevice.get(deviceId)?.get(origin);

  const remove = ({ deviceId, origin }: StatusRow): void => {
    const ofDevice = byDevice.get(deviceId);
    const link = ofDevice?.get(origin);
    if (ofDevice === undefined || link === undefined) return;
    takeOut(link);
    size -= 1;
    ofDevice.delete(origin);
    if (ofDevice.size === 0) byDevice.delete(deviceId);
  };

  return {
    get: (deviceId, origin) => linkOf(deviceId, origin)?.row,
    *ofDevice(deviceId) {
      for (const { row } of byDevice.get(deviceId)?.values() ?? []) yield row;
    },
    *all() {
      for (let link = oldest; link !== null; ) {
        const { row, after } = link;
        yield row;
        link = after;
      }
    },
    add(row) {
      const link: Link = { row, before: null, after: null };
      const ofDevice = byDevice.get(row.deviceId);
      if (ofDevice === undefined) byDevice.set(row.deviceId, new Map([[row.origin, link]]));
      else ofDevice.set(row.origin, link);
      putLast(link);
      size += 1;
      if (size <= rowsMax || oldest === null) return undefined;
      const gone = oldest.row;
      remove(gone);
      return gone;
    },
    touch(deviceId, origin) {
      const link = linkOf(deviceId, origin);
      if (link === undefined) return undefined;
      if (link !== latest) {
        takeOut(link);
        putLast(link);
      }
      return link.row;
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
