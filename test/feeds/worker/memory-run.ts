import { readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { startFeedWorker } from '../../../src/feeds/worker/start-feed-worker.ts';
import { httpOf, jobOf, quietly } from './job-of.ts';

/**
 * A process of its own that runs a small feed, then a large one twice, and says what that cost: run it as
 * `node --expose-gc memory-run.ts <url of the small one> <url of the large one>`. Memory is what the
 * kernel counts as resident (VmRSS), after the thread has rested and garbage was collected.
 */
const [, , small = '', large = ''] = process.argv;
const REST_MS = 200;

const worker = startFeedWorker({ directory: null, restMs: REST_MS });
const run = async (url: string) => {
  const limits = { octetsMax: 150_000_000, timeMs: 100_000 };
  const outcome = await worker.run(jobOf(httpOf(url), { limits }), quietly);
  if (outcome.kind !== 'content') throw new Error(JSON.stringify(outcome));
  const { octets, ms, content } = outcome;
  return { octets, ms, indicators: content.packed.count };
};

/** The least of several looks: on a busy machine the thread takes its time to end and free its heap. */
async function residentOctets(): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let look = 0; look < 8; look++) {
    await sleep(REST_MS + 300);
    globalThis.gc?.();
    const [, kilobytes] =
      readFileSync('/proc/self/status', 'utf8').match(/VmRSS:\s+(\d+) kB/) ?? [];
    least = Math.min(least, Number(kilobytes) * 1024);
  }
  return least;
}

await run(small);
const before = await residentOctets();
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
const done = await run(large);
delay.disable();
const peak = process.resourceUsage().maxRSS * 1024;
const afterFirst = await residentOctets();
await run(large);
const after = await residentOctets();
const { arrayBuffers } = process.memoryUsage();
await worker.close();
const longestDelayMs = delay.max / 1_000_000;
console.log(
  JSON.stringify({ ...done, before, peak, afterFirst, after, arrayBuffers, longestDelayMs }),
);
