import type Database from 'better-sqlite3';
import type {
  Commit,
  NewNotify,
  NotifyOutcome,
  OutboxRow,
  OwedNotify,
} from '../publish/store-port.ts';

const ROW = `device_id AS deviceId, origin, address, port, serial, attempts,
  next_attempt_at AS nextAttemptAt`;
const SAME_SERIAL = `device_id = @deviceId AND origin = @origin AND address = @address
  AND port = @port AND serial = @serial`;

/** What is owed for so long goes before what is a step more urgent. */
const URGENCY_STEP_MS = 10_000;
const MOST_URGENT = `owed_since - urgency * ${URGENCY_STEP_MS}, next_attempt_at, device_id, origin,
  address, port`;

/**
 * The NOTIFYs that endpoints are owed. Serials are compared for equality only: a commit's serial is
 * the newer one because publish is the only writer, and what the drainer reports about another
 * serial than the stored one is out of date.
 */
export function prepareOutboxTable(database: Database.Database) {
  const owe = database.prepare<NewNotify & { readonly at: number }>(`
    INSERT INTO outbox
      (device_id, origin, address, port, serial, attempts, next_attempt_at, owed_since, urgency)
    VALUES (@deviceId, @origin, @address, @port, @serial, 0, @at, @at, @urgency)
    ON CONFLICT DO UPDATE
    SET serial = excluded.serial, attempts = 0, next_attempt_at = excluded.next_attempt_at,
      urgency = max(urgency, excluded.urgency)
    WHERE serial <> excluded.serial`);
  const forget = database.prepare<Commit['forgetNotifies'][number]>(
    'DELETE FROM outbox WHERE device_id = @deviceId AND (@origin IS NULL OR origin = @origin)',
  );
  const acknowledge = database.prepare<OwedNotify>(`DELETE FROM outbox WHERE ${SAME_SERIAL}`);
  const plan = database.prepare<OutboxRow>(
    `UPDATE outbox SET attempts = @attempts, next_attempt_at = @nextAttemptAt WHERE ${SAME_SERIAL}`,
  );
  // Endpoints take turns, so that one that is owed thousands does not fill the limit.
  const due = database.prepare<{ readonly now: number; readonly limit: number }, OutboxRow>(`
    SELECT ${ROW} FROM (
      SELECT *, row_number() OVER (PARTITION BY address, port ORDER BY ${MOST_URGENT}) AS turn
      FROM outbox WHERE next_attempt_at <= @now)
    ORDER BY turn, ${MOST_URGENT}
    LIMIT max(0, @limit)`);
  const nextAt = database
    .prepare<[], number | null>('SELECT min(next_attempt_at) FROM outbox')
    .pluck();
  const all = database.prepare<[], OutboxRow>(
    `SELECT ${ROW} FROM outbox ORDER BY device_id, origin, address, port`,
  );

  return {
    write({ forgetNotifies, notifies, change }: Commit): void {
      for (const endpoint of forgetNotifies) forget.run(endpoint);
      for (const row of notifies) owe.run({ urgency: 0, ...row, at: change.at });
    },
    due: (now: number, limit: number): OutboxRow[] => due.all({ now, limit }),
    nextAt: (): number | null => nextAt.get() as number | null,
    settle({ acknowledged, failed }: NotifyOutcome): void {
      for (const row of acknowledged) acknowledge.run(row);
      for (const row of failed) plan.run(row);
    },
    read: (): OutboxRow[] => all.all(),
  };
}
