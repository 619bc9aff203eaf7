import type Database from 'better-sqlite3';
import type { Commit, StoredPin } from '../publish/store-port.ts';

/** What policies were rolled back to. A pin goes with its policy, by the rule of its table. */
export function preparePinTable(database: Database.Database) {
  const put = database.prepare<StoredPin>(`
    INSERT INTO pin (policy_id, bytes) VALUES (@policyId, @bytes)
    ON CONFLICT DO UPDATE SET bytes = excluded.bytes`);
  const remove = database.prepare<[number]>('DELETE FROM pin WHERE policy_id = ?');
  const all = database.prepare<[], StoredPin>(
    'SELECT policy_id AS policyId, bytes FROM pin ORDER BY policy_id',
  );

  return {
    write({ deletePins, putPins }: Pick<Commit, 'deletePins' | 'putPins'>): void {
      for (const policyId of deletePins) remove.run(policyId);
      for (const pin of putPins) put.run(pin);
    },
    read: (): StoredPin[] => all.all(),
  };
}
