import { setTimeout as sleep } from 'node:timers/promises';

const PAUSE_MS = 50;

/**
 * Calls `check` until it returns something other than null, undefined or false, and returns that.
 * After `withinMs` it fails, naming what was waited for; an error from `check` counts as "not yet"
 * and is told at the end.
 */
export async function eventually<T>(
  what: string,
  check: () => T | Promise<T>,
  withinMs = 10_000,
): Promise<NonNullable<T>> {
  const deadline = performance.now() + withinMs;
  let last: unknown;
  while (performance.now() < deadline) {
    try {
      const result = await check();
      if (result !== null && result !== undefined && result !== false) return result;
      last = result;
    } catch (error) {
      last = error;
    }
    await sleep(PAUSE_MS);
  }
  throw new Error(`not within ${withinMs} ms: ${what} (last: ${String(last)})`);
}
