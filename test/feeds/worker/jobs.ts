import { onTestFinished } from 'vitest';
import type { FeedOutcome } from '../../../src/feeds/worker/feed-job.ts';
import {
  type FeedWorker,
  type FeedWorkerOptions,
  startFeedWorker,
} from '../../../src/feeds/worker/start-feed-worker.ts';
import { formatIndicator } from '../../../src/indicators/format-indicator.ts';
import { INDICATOR_KINDS, type PackedIndicators } from '../../../src/indicators/indicator.ts';

/** A worker whose parser obeys what a feed's text says, closed after the test. */
export function oddWorker(options: Partial<FeedWorkerOptions> = {}): FeedWorker {
  return closed(
    startFeedWorker({
      directory: null,
      thread: new URL('./odd-thread.ts', import.meta.url),
      ...options,
    }),
  );
}

export function closed(worker: FeedWorker): FeedWorker {
  onTestFinished(() => worker.close());
  return worker;
}

export function contentOf(outcome: FeedOutcome): Extract<FeedOutcome, { kind: 'content' }> {
  if (outcome.kind !== 'content') throw new Error(JSON.stringify(outcome));
  return outcome;
}

export function reasonOf(outcome: FeedOutcome): string {
  return outcome.kind === 'failed' ? outcome.reason : outcome.kind;
}

export function textsOf({ count, kinds, ends, keys }: PackedIndicators): string[] {
  return Array.from({ length: count }, (_, index) =>
    formatIndicator(
      INDICATOR_KINDS[kinds[index]!]!,
      keys.subarray(index === 0 ? 0 : ends[index - 1], ends[index]),
    ),
  );
}
