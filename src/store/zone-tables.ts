import type Database from 'better-sqlite3';
import type { Commit, StoredRevision, StoredZone } from '../publish/store-port.ts';

type ZoneRow = Omit<StoredZone, 'live'> & { readonly live: 0 | 1 };

const ZONE_ID = '(SELECT zone_id FROM zone WHERE origin = @origin)';

/** Zones with their serials, and the journal of their revisions. */
export function prepareZoneTables(database: Database.Database) {
  const putZone = database.prepare<ZoneRow>(`
    INSERT INTO zone (origin, live, serial, state) VALUES (@origin, @live, @serial, @state)
    ON CONFLICT (origin) DO UPDATE
    SET live = excluded.live, serial = excluded.serial, state = excluded.state`);
  const putRevision = database.prepare<StoredRevision>(`
    INSERT INTO revision (zone_id, from_serial, to_serial, at, bytes)
    VALUES (${ZONE_ID}, @fromSerial, @toSerial, @at, @bytes)`);
  // Behind the `keep` newest comes the newest row that goes; all before it go too.
  const prune = database.prepare<Commit['pruneRevisions'][number]>(`
    DELETE FROM revision WHERE zone_id = ${ZONE_ID} AND sequence <= (
      SELECT sequence FROM revision WHERE zone_id = ${ZONE_ID}
      ORDER BY sequence DESC LIMIT 1 OFFSET max(0, @keep))`);
  const zones = database.prepare<[], ZoneRow>(
    'SELECT origin, live, serial, state FROM zone ORDER BY origin',
  );
  const revisions = database.prepare<[], StoredRevision>(`
    SELECT origin, from_serial AS fromSerial, to_serial AS toSerial, at, bytes
    FROM revision JOIN zone USING (zone_id) ORDER BY origin, sequence`);

  return {
    write(commit: Commit): void {
      for (const zone of commit.zones) putZone.run({ ...zone, live: zone.live ? 1 : 0 });
      for (const revision of commit.revisions) putRevision.run(revision);
      for (const rule of commit.pruneRevisions) prune.run(rule);
    },
    forgetRevisions: (): void => void database.exec('DELETE FROM revision'),
    readZones: (): StoredZone[] => zones.all().map((row) => ({ ...row, live: row.live === 1 })),
    readRevisions: (): StoredRevision[] => revisions.all(),
  };
}
