/** How fast messages go out: a token bucket, so many in a second and no more than a few at once. */
export interface Pacer {
  /** Until the next message may go out; 0 for now. */
  waitMs(): number;
  /** One message goes out, whether it may or not: what is too much is waited for afterwards. */
  spend(): void;
}

/** What may go out at once after a silence, as time at the full rate. */
const BURST_MS = 100;

/** The rate may change while it is in use. `now` is monotonic, in milliseconds. */
export function createPacer(perSecondMax: () => number, now: () => number): Pacer {
  const burst = (): number => Math.max(1, (perSecondMax() * BURST_MS) / 1000);
  let tokens = burst();
  let filledAt = now();
  const fill = (): void => {
    const at = now();
    tokens = Math.min(burst(), tokens + ((at - filledAt) * perSecondMax()) / 1000);
    filledAt = at;
  };
  return {
    waitMs() {
      fill();
      return tokens >= 1 ? 0 : ((1 - tokens) * 1000) / perSecondMax();
    },
    spend() {
      fill();
      tokens -= 1;
    },
  };
}
