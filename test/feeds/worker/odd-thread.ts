import { subscribe } from 'node:diagnostics_channel';
import type { ClientRequest } from 'node:http';
import { parentPort, workerData } from 'node:worker_threads';
import { parseFeed } from '../../../src/feeds/formats/parse-feed.ts';
import { serveFeedJobs } from '../../../src/feeds/worker/serve-feed-jobs.ts';

/**
 * The thread for feeds, with a parser that comes to grief where a feed's text says so. It also
 * leaves, without a word, when the answer for `/leave` begins.
 */
if (parentPort === null) throw new Error('odd-thread.ts runs as a worker thread only');
subscribe('http.client.response.finish', (message) => {
  const { request } = message as { readonly request: ClientRequest };
  if (request.path === '/leave') process.exit(3);
});
serveFeedJobs(parentPort, workerData, (octets, format, options) => {
  const [order] = new TextDecoder().decode(octets.subarray(0, 20)).split('\n');
  if (order === 'fill') fill(options.checkpoint);
  if (order === 'spin') for (;;);
  if (order === 'crawl') for (;;) options.checkpoint?.();
  if (order === 'leave') process.exit(3);
  if (order === 'throw') throw new Error('a parser with a fault');
  return parseFeed(octets, format, options);
});

/**
 * Fills the heap as every parser does, with a checkpoint now and then. One without any would get to
 * V8's own limit, and a thread that reaches it may end the process: a fault of Node's (issue 47224)
 * that src/feeds keeps away from.
 */
function fill(checkpoint: () => void = () => {}): never {
  const kept: unknown[] = [];
  for (let number = 0; ; number++) {
    kept.push({ number, text: `${number}` });
    if (number % 1000 === 0) checkpoint();
  }
}
