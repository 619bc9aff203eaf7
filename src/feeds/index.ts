/**
 * Feeds: targets that keep themselves current. A source is fetched, unpacked, parsed and checked in a
 * thread of its own; its difference is published here, unless a gate holds it for a person.
 *
 * Here: when a feed runs and what becomes of a run; gates, ageing and expiry of members; sources
 * (sources/), formats (formats/), what must never be blocked (guard/) and the thread (worker/). Not
 * here: what people may change of a feed (publish/edits), how a change is committed and served
 * (publish/), the requests and the events of the API (http/).
 */
export type { FeedMetric } from './feed-metrics.ts';
export { ownGuard } from './own-guard.ts';
export { type FeedRunner, openFeeds } from './runner.ts';
export { hearNotifies } from './upstream/hear-notifies.ts';
export { startFeedWorker } from './worker/index.ts';
