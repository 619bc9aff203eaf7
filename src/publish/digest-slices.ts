import { setImmediate as nextTurn } from 'node:timers/promises';

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
