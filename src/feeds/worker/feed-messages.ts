import type { ThreadProgram } from '../../threads/index.ts';
import type { FeedJob, FeedOutcome, FeedProgress } from './feed-job.ts';

/** What the thread for feeds is told. */
export type FeedOrder =
  | {
      readonly kind: 'run';
      readonly id: number;
      readonly job: FeedJob;
      /** Not 0 as soon as the run is to stop: a thread that parses hears no messages. */
      readonly stopFlag: StopFlag;
    }
  | { readonly kind: 'stop'; readonly id: number }
  /** Let go of everything and end. */
  | { readonly kind: 'end' };

/** One number, shared by both sides. */
export type StopFlag = Int32Array<SharedArrayBuffer>;

/** What it says of run `id`; after its outcome, nothing more. */
export type FeedReport =
  | { readonly kind: 'progress'; readonly id: number; readonly progress: FeedProgress }
  | {
      readonly kind: 'outcome';
      readonly id: number;
      readonly outcome: FeedOutcome;
      /** The thread ends now, and with it all other runs, of which none is to blame. */
      readonly isLast: boolean;
    };

/** What the thread starts with. */
export interface FeedThreadData extends ThreadProgram {
  readonly directory: string | null;
  readonly heapOctetsMax: number;
  readonly parseMsMax: number;
}
