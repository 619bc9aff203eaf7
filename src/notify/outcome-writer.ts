import type { NotifyOutcome, OwedNotify } from '../publish/store-port.ts';
import type { Outbox } from './options.ts';

/**
 * Writes what became of rows. The outbox flushes the disk for each write, which takes milliseconds, so
 * what comes while one is under way is gathered for the next one. Who calls bounds how much that is:
 * there is never more than the rows that were read.
 */
export interface OutcomeWriter {
  /** Resolves when it is on disk; rejects when the outbox failed, and then nothing was written. */
  write(outcome: Partial<NotifyOutcome>): Promise<void>;
}

interface Batch {
  readonly acknowledged: OwedNotify[];
  readonly failed: NotifyOutcome['failed'][number][];
  readonly written: Promise<void>;
}

export function createOutcomeWriter(store: Pick<Outbox, 'settleNotifies'>): OutcomeWriter {
  let next: Batch | null = null;
  let writing: Promise<unknown> = Promise.resolve();

  const openBatch = (): Batch => {
    const batch: Omit<Batch, 'written'> = { acknowledged: [], failed: [] };
    const written = writing.then(() => {
      next = null;
      return store.settleNotifies(batch);
    });
    // A write that failed must not stop those after it.
    writing = written.catch(() => undefined);
    return { ...batch, written };
  };

  return {
    write({ acknowledged = [], failed = [] }) {
      next ??= openBatch();
      next.acknowledged.push(...acknowledged);
      next.failed.push(...failed);
      return next.written;
    },
  };
}
