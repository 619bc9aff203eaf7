import type { Outbox } from '../../src/notify/index.ts';
import type { OutboxRow, OwedNotify } from '../../src/publish/store-port.ts';
import { inTurn } from '../support/in-turn.ts';

export interface MemoryOutbox extends Outbox {
  /** As a commit does: a row of another serial is replaced and due at once. */
  owe(row: OwedNotify): void;
  /** Puts a row in as it stands, as a restart finds it. */
  restore(row: OutboxRow): void;
  rows(): OutboxRow[];
  /** The next so many calls reject. */
  fail(calls: number): void;
  readonly calls: { due: number };
}

/** The outbox by the words of store-port.ts, each call answered in a later turn. */
export function memoryOutbox(): MemoryOutbox {
  let rows: OutboxRow[] = [];
  let failures = 0;
  const calls = { due: 0 };
  const same = (a: OwedNotify, b: OwedNotify): boolean =>
    a.deviceId === b.deviceId &&
    a.origin === b.origin &&
    a.address === b.address &&
    a.port === b.port;
  const answer = async <Value>(compute: () => Value): Promise<Value> => {
    await new Promise((resolve) => setImmediate(resolve));
    if (failures > 0) {
      failures -= 1;
      throw new Error('disk on fire');
    }
    return compute();
  };
  return {
    calls,
    owe(owed) {
      const at = rows.findIndex((row) => same(row, owed));
      const row = { ...owed, attempts: 0, nextAttemptAt: Date.now() };
      if (at === -1) rows.push(row);
      else if (rows[at].serial !== owed.serial) rows[at] = row;
    },
    restore: (row) => rows.push(row),
    rows: () => rows,
    fail(count) {
      failures = count;
    },
    dueNotifies: (now, limit) =>
      answer(() => {
        calls.due += 1;
        return inTurn(rows.filter((row) => row.nextAttemptAt <= now)).slice(0, limit);
      }),
    nextNotifyAt: () =>
      answer(() => (rows.length === 0 ? null : Math.min(...rows.map((row) => row.nextAttemptAt)))),
    settleNotifies: ({ acknowledged, failed }) =>
      answer(() => {
        for (const told of acknowledged) {
          rows = rows.filter((row) => !same(row, told) || row.serial !== told.serial);
        }
        for (const tried of failed) {
          rows = rows.map((row) =>
            same(row, tried) && row.serial === tried.serial
              ? { ...row, attempts: tried.attempts, nextAttemptAt: tried.nextAttemptAt }
              : row,
          );
        }
      }),
    owedNotifies: () => answer(() => [...rows]),
  };
}
