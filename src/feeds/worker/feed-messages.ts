import type { FeedJob, FeedOutcome, FeedProgress } from './feed-job.ts';

/** What the thread for feeds is told. */
export type FeedOrder =
  | { readonly kind: 'run'; readonly id: number; readonly job: FeedJob }
  | { readonly kind: 'stop'; readonly id: number };

/** What it says of run `id`; after its outcome, nothing more. */
export type FeedReport =
  | { readonly kind: 'progress'; readonly id: number; readonly progress: FeedProgress }
  | { readonly kind: 'outcome'; readonly id: number; readonly outcome: FeedOutcome };

/** What the thread starts with. */
export interface FeedThreadData {
  readonly directory: string | null;
}
