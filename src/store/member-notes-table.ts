import type Database from 'better-sqlite3';
import type { Commit, Holder, StoredNotes } from '../publish/store-port.ts';

/** What single members say of themselves; goes with the holder, by the rule of its table. */
export function prepareMemberNotesTable(database: Database.Database) {
  const put = database.prepare<Holder & Pick<StoredNotes, 'bytes'>>(`
    INSERT INTO member_notes (holder_kind, holder_id, bytes) VALUES (@kind, @id, @bytes)
    ON CONFLICT DO UPDATE SET bytes = excluded.bytes`);
  const ofHolder = database
    .prepare<Holder, Uint8Array>(
      'SELECT bytes FROM member_notes WHERE holder_kind = @kind AND holder_id = @id',
    )
    .pluck();

  return {
    write({ putNotes }: Commit): void {
      for (const { holder, bytes } of putNotes) put.run({ ...holder, bytes });
    },
    ofHolder: (holder: Holder): Uint8Array | null =>
      (ofHolder.get(holder) as Uint8Array | undefined) ?? null,
  };
}
