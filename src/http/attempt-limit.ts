/** Keys that are remembered at a time; the window that ends first is forgotten for a new one. */
const KEYS_MAX = 10_000;

/** Counts attempts by key, so many within a window that begins with the first of them. */
export interface AttemptLimit {
  /** Counts one attempt before it is made; null when it may be, or the seconds to wait. */
  take(key: string): number | null;
  /** Takes an attempt back that turned out to be a good one. */
  giveBack(key: string): void;
}

export function createAttemptLimit(options: {
  readonly max: number;
  readonly windowMs: number;
  readonly monotonicMs: () => number;
}): AttemptLimit {
  const { max, windowMs, monotonicMs } = options;
  // All windows are equally long, so the order of insertion is the order in which they end.
  const windows = new Map<string, { count: number; endsMs: number }>();

  const makeRoom = (now: number): void => {
    for (const [key, { endsMs }] of windows) {
      if (endsMs > now && windows.size < KEYS_MAX) return;
      windows.delete(key);
    }
  };
  return {
    take(key) {
      const now = monotonicMs();
      const known = windows.get(key);
      if (known === undefined || known.endsMs <= now) {
        windows.delete(key);
        makeRoom(now);
        windows.set(key, { count: 1, endsMs: now + windowMs });
        return null;
      }
      if (known.count >= max) return Math.max(1, Math.ceil((known.endsMs - now) / 1000));
      known.count++;
      return null;
    },
    giveBack(key) {
      const known = windows.get(key);
      if (known === undefined) return;
      known.count--;
      if (known.count <= 0) windows.delete(key);
    },
  };
}
