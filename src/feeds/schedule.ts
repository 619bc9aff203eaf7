import type { Feed } from '../policy/model.ts';
import { cronOf } from '../publish/edits/feed-schedule.ts';

/** The first pause after a failure; it doubles with each further one. */
const BACK_OFF_MS = 60_000;
/** So many doublings reach every schedule that there may be. */
const DOUBLINGS_MAX = 16;

/** What the schedule of a feed follows from, besides the feed. Times in Unix milliseconds. */
export interface RunHistory {
  /** When the last run ended; null before the first. */
  readonly lastRunAt: number | null;
  /** Failures since the last run that was none. */
  readonly failures: number;
}

/**
 * When a feed is to run by itself, in Unix milliseconds, or null for never: one that is paused, or
 * takes uploads only. A new feed runs at once, and so does one whose time passed while the server was
 * down. After a failure the pause is short at first and never longer than the schedule's own.
 */
export function nextRunAt(options: {
  readonly feed: Pick<Feed, 'enabled' | 'source' | 'schedule' | 'jitterSeconds'>;
  readonly history: RunHistory;
  readonly now: number;
  /** In [0, 1). */
  readonly random: number;
}): number | null {
  const { feed, history, now, random } = options;
  if (!feed.enabled || feed.source.kind === 'upload') return null;
  const { lastRunAt, failures } = history;
  if (lastRunAt === null) return now;
  const regular = regularRunAt(feed.schedule, lastRunAt);
  const retry = failures === 0 ? null : lastRunAt + backOffMs(failures);
  if (regular === null && retry === null) return null;
  const due = Math.min(regular ?? Number.POSITIVE_INFINITY, retry ?? Number.POSITIVE_INFINITY);
  // A retry that comes soon must not be put off for long.
  const jitterMs = Math.min(feed.jitterSeconds * 1_000, due - lastRunAt);
  return Math.max(now, Math.round(due + random * jitterMs));
}

function backOffMs(failures: number): number {
  return BACK_OFF_MS * 2 ** Math.min(failures - 1, DOUBLINGS_MAX);
}

function regularRunAt(schedule: Feed['schedule'], after: number): number | null {
  if (schedule.kind === 'interval') return after + schedule.seconds * 1_000;
  return cronOf(schedule.expression).nextRun(new Date(after))?.getTime() ?? null;
}
