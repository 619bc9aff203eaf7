import type Database from 'better-sqlite3';
import type { StoredChange } from '../publish/store-port.ts';

/** Who changed what, in the order of the commits: the clock may go backwards, the sequence does not. */
export function prepareChangeLogTable(database: Database.Database, rowsKept: number) {
  const add = database.prepare<StoredChange>(
    'INSERT INTO change_log (at, actor, action, body) VALUES (@at, @actor, @action, @body)',
  );
  const prune = database.prepare<[number]>('DELETE FROM change_log WHERE sequence <= ?');
  const newest = database.prepare<[number], StoredChange>(
    'SELECT at, actor, action, body FROM change_log ORDER BY sequence DESC LIMIT max(0, ?)',
  );

  return {
    add(change: StoredChange): void {
      const { lastInsertRowid } = add.run(change);
      prune.run(Number(lastInsertRowid) - rowsKept);
    },
    newest: (limit: number): StoredChange[] => newest.all(limit),
  };
}
