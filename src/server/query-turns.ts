/** Gives turns to connections that ask more than one turn allows. */
export interface QueryTurns {
  /** Calls `take` once, when it is its turn. */
  join(take: () => void): void;
}

/** Messages of one connection that are looked at before the others get their turn. */
export const MESSAGES_PER_TURN_MAX = 128;
/** Turns go on for so long before sockets are looked at again. */
const TURNS_MS = 2;

/**
 * One ring for all connections. Those in it do not read, so that however many of them pipeline
 * queries without end, together they have some milliseconds between two looks at all sockets.
 */
export function createQueryTurns(): QueryTurns {
  const ring: (() => void)[] = [];
  let planned = false;
  const plan = (): void => {
    if (planned) return;
    planned = true;
    // Immediates run after the sockets were looked at.
    setImmediate(run);
  };
  const run = (): void => {
    planned = false;
    const started = performance.now();
    do ring.shift()?.();
    while (ring.length > 0 && performance.now() - started < TURNS_MS);
    if (ring.length > 0) plan();
  };
  return {
    join(take) {
      ring.push(take);
      plan();
    },
  };
}
