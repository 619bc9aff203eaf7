import type { MessagePort } from 'node:worker_threads';
import { getPublicSuffix } from 'tldts';
import { detailOf, FeedFailure } from '../sources/feed-failure.ts';
import type { FeedJob, FeedOutcome, FeedProgress } from './feed-job.ts';
import type { FeedOrder, FeedReport, FeedThreadData } from './feed-messages.ts';
import { moveOutcome } from './move-outcome.ts';
import { type RunFeedJobOptions, runFeedJob } from './run-feed-job.ts';

/** Between two reports of one run: at most ten in a second. */
const PROGRESS_MS = 100;

/** The thread's side: takes orders from the port, and says what becomes of them. */
export function serveFeedJobs(
  port: MessagePort,
  { directory }: FeedThreadData,
  parse: RunFeedJobOptions['parse'],
): void {
  const running = new Map<number, AbortController>();

  async function run(id: number, job: FeedJob): Promise<void> {
    const stopping = new AbortController();
    running.set(id, stopping);
    const progress = createProgress((progress) => post(port, { kind: 'progress', id, progress }));
    progress.tellFetched(0);
    const outcome = await runFeedJob(job, {
      directory,
      parse,
      isPublicSuffix,
      signal: stopping.signal,
      onFetched: progress.tellFetched,
      onParse: (octets, lines) => progress.tell({ phase: 'parse', octets, lines }),
    });
    running.delete(id);
    postOutcome(port, id, outcome);
  }

  port.on('message', (order: FeedOrder) => {
    if (order.kind === 'run') void run(order.id, order.job);
    else running.get(order.id)?.abort(new FeedFailure('stopped', 'by request'));
  });
}

/** Hosting names under which strangers get names of their own count as public suffixes, too. */
function isPublicSuffix(name: string): boolean {
  return getPublicSuffix(name, { allowPrivateDomains: true }) === name;
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

function postOutcome(port: MessagePort, id: number, outcome: FeedOutcome): void {
  try {
    const { value, transfer } = moveOutcome(outcome);
    port.postMessage({ kind: 'outcome', id, outcome: value } satisfies FeedReport, transfer);
  } catch (error) {
    // What cannot move must not take the thread and the other runs with it.
    const { reason, message } = new FeedFailure('unexpected', detailOf(error));
    post(port, { kind: 'outcome', id, outcome: { kind: 'failed', reason, text: message } });
  }
}

function post(port: MessagePort, report: FeedReport): void {
  port.postMessage(report);
}
