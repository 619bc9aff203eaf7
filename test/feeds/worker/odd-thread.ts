import { parentPort, workerData } from 'node:worker_threads';
import { parseFeed } from '../../../src/feeds/formats/parse-feed.ts';
import type { FeedJob } from '../../../src/feeds/worker/feed-job.ts';
import { serveFeedJobs } from '../../../src/feeds/worker/serve-feed-jobs.ts';

/**
 * The thread for feeds, with a parser that comes to grief where a feed's text says so. It also
 * leaves, without a word, a while after it got the order to fetch `…/leave`.
 */
if (parentPort === null) throw new Error('odd-thread.ts runs as a worker thread only');
parentPort.on('message', ({ job }: { readonly job?: FeedJob }) => {
  if (job?.source.kind !== 'http' || !job.source.url.endsWith('/leave')) return;
  setTimeout(() => process.exit(3), 200);
});
serveFeedJobs(parentPort, workerData, (octets, format, options) => {
  const [order] = new TextDecoder().decode(octets.subarray(0, 20)).split('\n');
  if (order === 'fill') fill();
  if (order === 'spin') for (;;);
  if (order === 'leave') process.exit(3);
  if (order === 'throw') throw new Error('a parser with a fault');
  return parseFeed(octets, format, options);
});

function fill(): never {
  const kept: unknown[] = [];
  for (let number = 0; ; number++) kept.push({ number, text: `${number}` });
}
