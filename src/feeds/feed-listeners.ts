import type { FeedId } from '../policy/model.ts';
import { ModelError } from '../policy/model-error.ts';
import type { FeedEvent } from '../publish/feeds-port.ts';

/** Of all feeds together. */
const LISTENERS_MAX = 256;

type Listener = (event: FeedEvent) => void;

/** Those who are told what happens to feeds. */
export interface FeedListeners {
  /** Until the returned function is called. Throws ModelError when too many listen. */
  add(feedId: FeedId, listener: Listener): () => void;
  tell(event: FeedEvent): void;
  /** A feed that is gone has nothing to tell. */
  forget(feedId: FeedId): void;
}

export function createFeedListeners(
  onError: (error: unknown, feedId: FeedId) => void,
): FeedListeners {
  const byFeed = new Map<FeedId, Set<Listener>>();
  let count = 0;
  return {
    add(feedId, listener) {
      if (count >= LISTENERS_MAX) {
        const rule = `More than ${LISTENERS_MAX} listen to feeds already; try again later.`;
        throw new ModelError('busy', { field: 'request', value: count, rule });
      }
      // One function may listen more than once: each time is one of its own.
      const own: Listener = (event) => listener(event);
      const all = byFeed.get(feedId) ?? new Set();
      byFeed.set(feedId, all.add(own));
      count++;
      return () => {
        if (all.delete(own)) count--;
      };
    },
    tell(event) {
      for (const listener of byFeed.get(event.feedId) ?? []) {
        try {
          listener(event);
        } catch (error) {
          onError(error, event.feedId);
        }
      }
    },
    forget(feedId) {
      count -= byFeed.get(feedId)?.size ?? 0;
      byFeed.get(feedId)?.clear();
      byFeed.delete(feedId);
    },
  };
}
