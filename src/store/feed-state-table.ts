import type Database from 'better-sqlite3';
import type { StoredFeedState } from '../publish/store-port.ts';

/** How the runs of feeds stand; a row goes with its feed, by the rule of its table. */
export function prepareFeedStateTable(database: Database.Database) {
  // A run may end after its feed was deleted: then there is nothing left to remember.
  const put = database.prepare<StoredFeedState>(`
    INSERT INTO feed_state (feed_id, body, held)
    SELECT @feedId, @body, @held
    WHERE EXISTS (SELECT 1 FROM entity WHERE kind = 'feed' AND id = @feedId)
    ON CONFLICT (feed_id) DO UPDATE SET body = excluded.body, held = excluded.held`);
  const all = database.prepare<[], StoredFeedState>(
    'SELECT feed_id AS feedId, body, held FROM feed_state ORDER BY feed_id',
  );

  return {
    put: (row: StoredFeedState): void => void put.run(row),
    read: (): StoredFeedState[] => all.all(),
  };
}
