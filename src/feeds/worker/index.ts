/**
 * Runs feeds: fetching, unpacking and parsing in one thread, with limits on everything that comes
 * from outside. The main thread asks for a run and gets packed indicators, whose buffers moved here
 * without being copied.
 *
 * Not here: how a source is fetched (sources/), how it is read (formats/), when, and what becomes of
 * the result.
 */
export type { FeedJob, FeedOutcome, FeedProgress, FeedValidators } from './feed-job.ts';
export { type FeedWorker, startFeedWorker } from './start-feed-worker.ts';
