import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Collects garbage once. Loading leaves behind about as much as it keeps, and nothing would give it
 * back before the heap grows again, which on a server that has loaded may be never.
 */
export function releaseMemory(): void {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect === 'function') collect();
}

/** Publications after which what they left behind is collected, */
const PUBLICATIONS = 100;
/** and how often that is done at most: it holds up everything for some 20 ms. */
const COLLECT_MS_MIN = 10_000;

/**
 * Collects after every so many publications. Left to itself, the heap grows to several times of what
 * lives in it before V8 looks: with a million rules by 60 MB in 300 updates, and it keeps that.
 */
export function createMemoryRelease(options: {
  /** Milliseconds of a clock that only rises. */
  readonly now: () => number;
  readonly release: () => void;
}): { published(): void; stop(): void } {
  const { now, release } = options;
  let publications = 0;
  let last = now() - COLLECT_MS_MIN;
  let timer: NodeJS.Timeout | undefined;
  const collect = (): void => {
    timer = undefined;
    publications = 0;
    last = now();
    release();
  };
  return {
    published() {
      publications++;
      if (publications < PUBLICATIONS || timer !== undefined) return;
      // At the soonest behind the answer of the request that published.
      timer = setTimeout(collect, Math.max(0, last + COLLECT_MS_MIN - now()));
    },
    stop: () => clearTimeout(timer),
  };
}
