import { ModelError } from '../policy/model-error.ts';
import type { FeedRun } from '../publish/feeds-port.ts';
import type { FeedSlot } from './feed-slot.ts';
import { sourceKey } from './source-key.ts';

/** Each is in memory until its turn comes. */
const UPLOADS_WAITING_MAX = 4;

/** A run that somebody asked for, or whose time has come. */
export interface WaitingRun {
  readonly slot: FeedSlot;
  /** In the place of the source. */
  readonly octets: Uint8Array | null;
  readonly actor: string;
  /** Who waits for the report of an upload. */
  readonly report: PromiseWithResolvers<FeedRun> | null;
}

/**
 * Who runs, and who waits for it: so many at once, and one at a time of those that read the same
 * source. A feed is in it once, so it holds no more than there are feeds.
 */
export interface RunQueue {
  /** Throws ModelError when too many uploads wait. */
  add(run: WaitingRun): void;
  /** The next that may begin; it counts as running from here on. */
  take(): WaitingRun | undefined;
  done(slot: FeedSlot): void;
  /** Takes out those that wait, of one feed or of all. */
  cancel(slot?: FeedSlot): WaitingRun[];
}

export function createRunQueue(runningMax: number): RunQueue {
  let waiting: WaitingRun[] = [];
  /** With the source that it reads; null reads none. */
  const running = new Map<FeedSlot, string | null>();
  const sourceOf = ({ slot, octets }: WaitingRun): string | null =>
    octets === null ? sourceKey(slot.feed.source) : null;
  return {
    add(run) {
      const uploads = waiting.filter(({ octets }) => octets !== null).length;
      if (run.octets !== null && uploads >= UPLOADS_WAITING_MAX) {
        const rule = `More than ${UPLOADS_WAITING_MAX} uploads are waiting; try again later.`;
        throw new ModelError('busy', { field: 'request', value: uploads, rule });
      }
      waiting.push(run);
    },
    take() {
      if (running.size >= runningMax) return undefined;
      const read = new Set(running.values());
      const next = waiting.find((run) => sourceOf(run) === null || !read.has(sourceOf(run)));
      if (next === undefined) return undefined;
      waiting = waiting.filter((run) => run !== next);
      running.set(next.slot, sourceOf(next));
      return next;
    },
    done: (slot) => void running.delete(slot),
    cancel(slot) {
      const cancelled = waiting.filter((run) => slot === undefined || run.slot === slot);
      waiting = waiting.filter((run) => !cancelled.includes(run));
      return cancelled;
    },
  };
}
