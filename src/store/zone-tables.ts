import type Database from 'better-sqlite3';
import type { Commit, StoredDiff, StoredRevision, StoredZone } from '../publish/store-port.ts';

type ZoneRow = Omit<StoredZone, 'live'> & { readonly live: 0 | 1 };
/** A revision whose difference may be missing: the table refuses that. */
type RevisionRow = Omit<StoredRevision, 'diff'> & { readonly diff: number | null };

const ZONE_ID = '(SELECT zone_id FROM zone WHERE origin = @origin)';

/** Zones with their serials, and the journal of their revisions. */
export function prepareZoneTables(database: Database.Database) {
  const diffs = prepareDiffs(database);
  const putZone = database.prepare<ZoneRow>(`
    INSERT INTO zone (origin, live, serial, state) VALUES (@origin, @live, @serial, @state)
    ON CONFLICT (origin) DO UPDATE
    SET live = excluded.live, serial = excluded.serial, state = excluded.state`);
  const putRevision = database.prepare<RevisionRow>(`
    INSERT INTO revision (zone_id, from_serial, to_serial, at, diff_id, from_digest)
    VALUES (${ZONE_ID}, @fromSerial, @toSerial, @at, @diff, @fromDigest)`);
  // Behind the `keep` newest comes the newest row that goes; all before it go too.
  const prune = database
    .prepare<Commit['pruneRevisions'][number], number>(`
      DELETE FROM revision WHERE zone_id = ${ZONE_ID} AND sequence <= (
        SELECT sequence FROM revision WHERE zone_id = ${ZONE_ID}
        ORDER BY sequence DESC LIMIT 1 OFFSET max(0, @keep))
      RETURNING diff_id`)
    .pluck();
  const zones = database.prepare<[], ZoneRow>(
    'SELECT origin, live, serial, state FROM zone ORDER BY origin',
  );
  const revisions = database.prepare<[], StoredRevision>(`
    SELECT origin, from_serial AS fromSerial, to_serial AS toSerial, at, diff_id AS diff,
      from_digest AS fromDigest
    FROM revision JOIN zone USING (zone_id) ORDER BY origin, sequence`);

  function writeRevisions(commit: Commit): void {
    const idAt = diffs.add(commit);
    for (const revision of commit.revisions) {
      putRevision.run({ ...revision, diff: idAt.get(revision.diff) ?? null });
    }
  }

  function pruneRevisions(rules: Commit['pruneRevisions']): void {
    // Together at the end, because the zones that share a difference are pruned one after another.
    const released = new Set<number>();
    for (const rule of rules) {
      for (const diffId of prune.all(rule) as number[]) released.add(diffId);
    }
    diffs.dropUnused(released);
  }

  return {
    write(commit: Commit): void {
      for (const zone of commit.zones) putZone.run({ ...zone, live: zone.live ? 1 : 0 });
      writeRevisions(commit);
      pruneRevisions(commit.pruneRevisions);
    },
    forgetRevisions: (): void =>
      void database.exec('DELETE FROM revision; DELETE FROM revision_diff'),
    readZones: (): StoredZone[] => zones.all().map((row) => ({ ...row, live: row.live === 1 })),
    readRevisions: (): StoredRevision[] => revisions.all(),
    readDiffs: diffs.read,
  };
}

/** Differences, each stored once for all revisions that refer to it. */
function prepareDiffs(database: Database.Database) {
  const insert = database.prepare<[Uint8Array]>('INSERT INTO revision_diff (bytes) VALUES (?)');
  const dropUnused = database.prepare<{ readonly diffId: number }>(`
    DELETE FROM revision_diff WHERE diff_id = @diffId
      AND NOT EXISTS (SELECT 1 FROM revision WHERE diff_id = @diffId)`);
  const all = database.prepare<[], StoredDiff>(
    'SELECT diff_id AS id, bytes FROM revision_diff ORDER BY diff_id',
  );

  return {
    /** The id of each place in the commit's list that a revision refers to; the others are not stored. */
    add({ diffs, revisions }: Commit): Map<number, number> {
      const wanted = new Set(revisions.map(({ diff }) => diff));
      const idAt = new Map<number, number>();
      diffs.forEach((bytes, place) => {
        if (wanted.has(place)) idAt.set(place, Number(insert.run(bytes).lastInsertRowid));
      });
      return idAt;
    },
    dropUnused(ids: Iterable<number>): void {
      for (const diffId of ids) dropUnused.run({ diffId });
    },
    read: (): StoredDiff[] => all.all(),
  };
}
