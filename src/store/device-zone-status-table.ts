import type Database from 'better-sqlite3';
import type { Commit, DeviceZoneStatus } from '../publish/store-port.ts';

/** Column of each field; the two statements are made from it, so that no field can be forgotten. */
const COLUMNS = {
  deviceId: 'device_id',
  origin: 'origin',
  notifiedSerial: 'notified_serial',
  notifiedAt: 'notified_at',
  notifiedAddress: 'notified_address',
  polledSerial: 'polled_serial',
  polledAt: 'polled_at',
  polledAddress: 'polled_address',
  transferredSerial: 'transferred_serial',
  transferredAt: 'transferred_at',
  transferredAddress: 'transferred_address',
  transferKind: 'transfer_kind',
  transferBytes: 'transfer_bytes',
  notifyProblem: 'notify_problem',
  notifyProblemAt: 'notify_problem_at',
  notifyProblemAddress: 'notify_problem_address',
  cutSerial: 'cut_serial',
  cutAt: 'cut_at',
  cutAddress: 'cut_address',
  heldSerial: 'held_serial',
  heldAt: 'held_at',
} as const satisfies Record<keyof DeviceZoneStatus, string>;

export function prepareDeviceZoneStatusTable(database: Database.Database) {
  const pairs = Object.entries(COLUMNS);
  const columns = pairs.map(([, column]) => column).join(', ');
  const values = pairs.map(([field]) => `@${field}`).join(', ');
  const fields = pairs.map(([field, column]) => `${column} AS ${field}`).join(', ');
  const put = database.prepare<DeviceZoneStatus>(
    `INSERT OR REPLACE INTO device_zone_status (${columns}) VALUES (${values})`,
  );
  const drop = database.prepare<{ readonly deviceId: number; readonly origin: string }>(
    'DELETE FROM device_zone_status WHERE device_id = @deviceId AND origin = @origin',
  );
  const all = database.prepare<[], DeviceZoneStatus>(
    `SELECT ${fields} FROM device_zone_status ORDER BY device_id, origin`,
  );
  // Not only the rows of the devices just deleted: a transfer that ends after its device was
  // deleted still reports, and that row goes with the next deletion.
  const dropStrangers = database.prepare(`
    DELETE FROM device_zone_status
    WHERE device_id NOT IN (SELECT id FROM entity WHERE kind = 'device')`);

  return {
    put(rows: readonly DeviceZoneStatus[]): void {
      for (const row of rows) put.run(row);
    },
    drop(rows: readonly { readonly deviceId: number; readonly origin: string }[]): void {
      for (const { deviceId, origin } of rows) drop.run({ deviceId, origin });
    },
    forgetDeleted({ deleteEntities }: Commit): void {
      if (deleteEntities.some(({ kind }) => kind === 'device')) dropStrangers.run();
    },
    read: (): DeviceZoneStatus[] => all.all(),
  };
}
