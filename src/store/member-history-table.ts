import type Database from 'better-sqlite3';
import {
  type Commit,
  type Compaction,
  HISTORY_ROWS_MAX,
  type Holder,
  type Store,
  type StoredHistory,
} from '../publish/store-port.ts';

type SizeRow = Awaited<ReturnType<Store['memberSizes']>>[number];

/** A row as SQLite keeps it: without booleans, and the holder in two columns. */
interface HistoryRow extends Omit<StoredHistory, 'holder' | 'whole'> {
  readonly kind: Holder['kind'];
  readonly id: number;
  readonly whole: 0 | 1;
}

const OF_HOLDER = 'holder_kind = @kind AND holder_id = @id';
const NEWEST_NUMBER = `(SELECT max(number) FROM member_history WHERE ${OF_HOLDER})`;
const FIELDS =
  'holder_kind AS kind, holder_id AS id, at, whole, added, removed, size, delta, seen, absent';

/** What each change did to the members of targets and lists; the rows of a holder go with it. */
export function prepareMemberHistoryTable(database: Database.Database) {
  const insert = database.prepare<HistoryRow>(`
    INSERT INTO member_history
      (holder_kind, holder_id, number, at, whole, added, removed, size, delta, seen, absent)
    VALUES (@kind, @id, coalesce(${NEWEST_NUMBER}, 0) + 1,
      @at, @whole, @added, @removed, @size, @delta, @seen, @absent)`);
  const prune = database.prepare<Holder & { readonly keep: number }>(
    `DELETE FROM member_history WHERE ${OF_HOLDER} AND number <= ${NEWEST_NUMBER} - @keep`,
  );
  const all = database.prepare<[], HistoryRow>(
    `SELECT ${FIELDS} FROM member_history ORDER BY sequence`,
  );
  const ofHolder = database.prepare<Holder, HistoryRow>(
    `SELECT ${FIELDS} FROM member_history WHERE ${OF_HOLDER} ORDER BY number`,
  );
  const sizes = database.prepare<
    Holder & { readonly limit: number },
    Omit<SizeRow, 'whole'> & Pick<HistoryRow, 'whole'>
  >(`
    SELECT at, whole, added, removed, size FROM member_history
    WHERE ${OF_HOLDER} ORDER BY number DESC LIMIT max(0, @limit)`);

  function append(rows: readonly StoredHistory[]): void {
    for (const { holder, whole, ...row } of rows) {
      insert.run({ ...row, ...holder, whole: whole ? 1 : 0 });
      prune.run({ ...holder, keep: HISTORY_ROWS_MAX });
    }
  }

  return {
    write: ({ history }: Commit): void => append(history),
    rewrite({ history }: Compaction): void {
      database.exec('DELETE FROM member_history');
      append(history);
    },
    read: (): StoredHistory[] => all.all().map(fromRow),
    ofHolder: (holder: Holder): StoredHistory[] => ofHolder.all(holder).map(fromRow),
    sizes: (holder: Holder, limit: number): SizeRow[] =>
      sizes
        .all({ ...holder, limit })
        .map((row) => ({ ...row, whole: row.whole === 1 }))
        .reverse(),
  };
}

function fromRow({ kind, id, ...row }: HistoryRow): StoredHistory {
  return { holder: { kind, id }, ...row, whole: row.whole === 1 };
}
