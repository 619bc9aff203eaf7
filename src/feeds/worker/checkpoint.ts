import { getHeapStatistics } from 'node:v8';
import { FeedFailure } from '../sources/feed-failure.ts';
import type { FeedThreadData, StopFlag } from './feed-messages.ts';

/** Whether a run may go on, asked by whatever is busy for long. */
export interface Checkpoint {
  /** Throws a FeedFailure when it may not: stopped, out of time, out of memory. */
  check(): void;
  /** The time for parsing begins. */
  startParsing(): void;
}

const MEGABYTE = 1024 * 1024;

/**
 * The limits of a run, kept by the run itself. Nothing from outside ends a busy thread safely: V8
 * takes the whole process along when the limit of a thread's heap is reached inside of `JSON.parse`
 * or while one large array grows.
 */
export function createCheckpoint(
  { heapOctetsMax, parseMsMax }: Pick<FeedThreadData, 'heapOctetsMax' | 'parseMsMax'>,
  stopFlag: StopFlag,
): Checkpoint {
  let endsAt = Number.POSITIVE_INFINITY;
  return {
    check() {
      if (Atomics.load(stopFlag, 0) !== 0) throw new FeedFailure('stopped', 'by request');
      if (performance.now() > endsAt) throw new FeedFailure('timeout', parsingLimit(parseMsMax));
      if (heapOctets() > heapOctetsMax) {
        throw new FeedFailure('out-of-memory', `${heapOctetsMax / MEGABYTE} MB`);
      }
    },
    startParsing() {
      endsAt = performance.now() + parseMsMax;
    },
  };
}

/**
 * Whether a run has left so much behind that the next one might be blamed for it: what is garbage
 * counts until it is collected, and V8 takes its time.
 */
export function isHeapWorn({ heapOctetsMax }: Pick<FeedThreadData, 'heapOctetsMax'>): boolean {
  return heapOctets() > heapOctetsMax / 2;
}

function heapOctets(): number {
  return getHeapStatistics().used_heap_size;
}

export function parsingLimit(ms: number): string {
  return `parsing, for which the limit is ${ms / 1000} s`;
}
