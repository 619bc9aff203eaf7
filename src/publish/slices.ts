import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Steps } from '../zone/steps.ts';

/** After so long everyone else has a turn: queries are answered, transfers go on. */
const SLICE_MS = 2;

/** Work on the main thread that lets others in between. */
export interface Slices {
  isOver(): boolean;
  next(): Promise<void>;
}

export function createSlices(): Slices {
  let began = performance.now();
  return {
    isOver: () => performance.now() - began >= SLICE_MS,
    async next() {
      await nextTurn();
      began = performance.now();
    },
  };
}

/** Does work in steps to its end. What it reads must not change meanwhile. */
export async function inSlices<Value>(steps: Steps<Value>): Promise<Value> {
  const slices = createSlices();
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
    if (slices.isOver()) await slices.next();
  }
}
