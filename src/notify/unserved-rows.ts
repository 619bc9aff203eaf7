import type { OutboxRow } from '../publish/store-port.ts';
import type { NotifierLimits, NotifierOptions } from './options.ts';
import type { OutcomeWriter } from './outcome-writer.ts';

/**
 * Rows whose zone is not served. Mostly it is about to be: a row is on disk before its zone is in
 * place. Where the root was changed it never is again, and nobody else takes such rows away.
 */
export interface UnservedRows {
  /** How many of those that were read last are left in the outbox as they are. */
  readonly held: number;
  /**
   * Lets the row be for a moment, then puts it off, and settles it when its zone is not served then
   * either. What is written for that is given to `track`.
   */
  meet(row: OutboxRow, track: (written: Promise<void>) => void): void;
  /** Forgets the rows that were not read any more. */
  keepOnly(rows: readonly OutboxRow[]): void;
}

interface Meeting {
  readonly since: number;
  /** While it is written that the row is put off or settled. */
  isWritten: boolean;
}

/** Of the time until a row is settled, the part in which it is not even put off. */
const HELD_PART = 0.1;

export function createUnservedRows(options: {
  readonly options: NotifierOptions & NotifierLimits;
  readonly outcomes: OutcomeWriter;
  readonly now: () => number;
}): UnservedRows {
  const { outcomes, now } = options;
  const { log, unservedMs } = options.options;
  const meetings = new Map<string, Meeting>();

  /** Put off, it is in nobody's way. A row that was tried, or put off, is no new one. */
  const write = (row: OutboxRow): Promise<void> =>
    row.attempts === 0
      ? outcomes.write({ failed: [{ ...row, attempts: 1, nextAttemptAt: now() + unservedMs }] })
      : outcomes.write({ acknowledged: [row] });

  return {
    get held() {
      return meetings.size;
    },
    meet(row, track) {
      const key = keyOf(row);
      const at = performance.now();
      const meeting = meetings.get(key) ?? { since: at, isWritten: false };
      meetings.set(key, meeting);
      const isNew = row.attempts === 0 && at - meeting.since < unservedMs * HELD_PART;
      if (isNew || meeting.isWritten) return;
      meeting.isWritten = true;
      track(
        write(row)
          .catch((error) => log.error({ err: error }, 'the outbox failed'))
          .finally(() => meetings.delete(key)),
      );
    },
    keepOnly(rows) {
      if (meetings.size === 0) return;
      const read = new Set(rows.map(keyOf));
      for (const [key, { isWritten }] of meetings)
        if (!isWritten && !read.has(key)) meetings.delete(key);
    },
  };
}

function keyOf({ deviceId, origin, address, port, serial }: OutboxRow): string {
  return `${deviceId} ${address} ${port} ${origin} ${serial}`;
}
