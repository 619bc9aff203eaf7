import type { MessagePort } from 'node:worker_threads';
import { getPublicSuffix } from 'tldts';
import { detailOf, FeedFailure } from '../sources/feed-failure.ts';
import { createCheckpoint, isHeapWorn } from './checkpoint.ts';
import type { FeedJob, FeedProgress } from './feed-job.ts';
import type { FeedOrder, FeedReport, FeedThreadData, StopFlag } from './feed-messages.ts';
import { moveOutcome } from './move-outcome.ts';
import { type RunFeedJobOptions, runFeedJob } from './run-feed-job.ts';

/** Between two reports of one run: at most ten in a second. */
const PROGRESS_MS = 100;

/** The thread's side: takes orders from the port, and says what becomes of them. */
export function serveFeedJobs(
  port: MessagePort,
  data: FeedThreadData,
  parse: RunFeedJobOptions['parse'],
): void {
  const running = new Map<number, AbortController>();

  async function run(id: number, job: FeedJob, stopFlag: StopFlag): Promise<void> {
    const stopping = new AbortController();
    running.set(id, stopping);
    const progress = createProgress((progress) => post(port, { kind: 'progress', id, progress }));
    progress.tellFetched(0);
    const checkpoint = createCheckpoint(data, stopFlag);
    const outcome = await runFeedJob(job, {
      directory: data.directory,
      parse,
      isPublicSuffix,
      signal: stopping.signal,
      onFetched: progress.tellFetched,
      checkpoint: checkpoint.check,
      onParse(octets, lines) {
        progress.tell({ phase: 'parse', octets, lines });
        checkpoint.startParsing();
      },
    });
    running.delete(id);
    const isLast = isHeapWorn(data);
    postOutcome(port, { kind: 'outcome', id, outcome, isLast });
    if (isLast) leave();
  }

  port.on('message', (order: FeedOrder) => {
    if (order.kind === 'run') void run(order.id, order.job, order.stopFlag);
    else if (order.kind === 'end') leave();
    else running.get(order.id)?.abort(new FeedFailure('stopped', 'by request'));
  });

  /** A thread ends by itself when nothing is open any more: that is how it ends most safely. */
  function leave(): void {
    port.close();
    const reason = new FeedFailure('stopped', 'at the end');
    for (const stopping of running.values()) stopping.abort(reason);
  }
}

/** Hosting names under which strangers get names of their own count as public suffixes, too. */
function isPublicSuffix(name: string): boolean {
  return getPublicSuffix(name, SUFFIX_OPTIONS) === name;
}

function createProgress(report: (progress: FeedProgress) => void) {
  const startedAt = performance.now();
  let lastAt = Number.NEGATIVE_INFINITY;

  function tell(state: Omit<FeedProgress, 'msSoFar'>): void {
    lastAt = performance.now();
    report({ ...state, msSoFar: lastAt - startedAt });
  }
  function tellFetched(octets: number): void {
    if (performance.now() - lastAt < PROGRESS_MS) return;
    tell({ phase: 'fetch', octets, lines: 0 });
  }
  return { tell, tellFetched };
}

function postOutcome(port: MessagePort, report: FeedReport & { readonly kind: 'outcome' }): void {
  try {
    const { value, transfer } = moveOutcome(report.outcome);
    port.postMessage({ ...report, outcome: value } satisfies FeedReport, transfer);
  } catch (error) {
    // What cannot move must not take the thread and the other runs with it.
    const { reason, message } = new FeedFailure('unexpected', detailOf(error));
    post(port, { ...report, outcome: { kind: 'failed', reason, text: message } });
  }
}

function post(port: MessagePort, report: FeedReport): void {
  port.postMessage(report);
}

/** Names come as such, and not as parts of a URL. */
const SUFFIX_OPTIONS = { allowPrivateDomains: true, extractHostname: false };
