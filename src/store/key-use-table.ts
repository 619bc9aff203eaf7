import type Database from 'better-sqlite3';
import type { KeyUse } from '../publish/store-port.ts';

/** When and from where each TSIG key was used; a row goes with its key, by the rule of its table. */
export function prepareKeyUseTable(database: Database.Database) {
  // A transfer may end after its key was revoked: then there is nothing left to remember.
  const put = database.prepare<KeyUse>(`
    INSERT INTO key_use (key_id, first_used_at, last_used_at, last_used_from, uses)
    SELECT @keyId, @firstUsedAt, @lastUsedAt, @lastUsedFrom, @uses
    WHERE EXISTS (SELECT 1 FROM entity WHERE kind = 'key' AND id = @keyId)
    ON CONFLICT (key_id) DO UPDATE SET
      first_used_at = excluded.first_used_at, last_used_at = excluded.last_used_at,
      last_used_from = excluded.last_used_from, uses = excluded.uses`);
  const all = database.prepare<[], KeyUse>(`
    SELECT key_id AS keyId, first_used_at AS firstUsedAt, last_used_at AS lastUsedAt,
      last_used_from AS lastUsedFrom, uses
    FROM key_use ORDER BY key_id`);

  return {
    put(rows: readonly KeyUse[]): void {
      for (const row of rows) put.run(row);
    },
    read: (): KeyUse[] => all.all(),
  };
}
