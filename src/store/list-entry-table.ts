import type Database from 'better-sqlite3';
import type { Commit, StoredListEntry } from '../publish/store-port.ts';

export function prepareListEntryTable(database: Database.Database) {
  const put = database.prepare<StoredListEntry>(`
    INSERT INTO list_entry (list_id, value, comment, expires_at, created_at)
    VALUES (@listId, @value, @comment, @expiresAt, @createdAt)
    ON CONFLICT DO UPDATE SET comment = excluded.comment, expires_at = excluded.expires_at,
      created_at = excluded.created_at`);
  const remove = database.prepare<Commit['deleteListEntries'][number]>(
    'DELETE FROM list_entry WHERE list_id = @listId AND value = @value',
  );
  const clear = database.prepare<[number]>('DELETE FROM list_entry WHERE list_id = ?');
  const all = database.prepare<[], StoredListEntry>(`
    SELECT list_id AS listId, value, comment, expires_at AS expiresAt,
      created_at AS createdAt
    FROM list_entry ORDER BY list_id, value`);

  return {
    write({ clearLists, deleteListEntries, putListEntries }: Commit): void {
      for (const listId of clearLists) clear.run(listId);
      for (const entry of deleteListEntries) remove.run(entry);
      for (const entry of putListEntries) put.run(entry);
    },
    read: (): StoredListEntry[] => all.all(),
  };
}
