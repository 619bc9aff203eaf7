import { Worker } from 'node:worker_threads';
import { detailOf, FeedFailure, type FeedFailureReason } from '../sources/feed-failure.ts';
import type { FeedJob, FeedOutcome, FeedProgress } from './feed-job.ts';
import type { FeedOrder, FeedReport, FeedThreadData } from './feed-messages.ts';
import { withOwnBuffer } from './move-outcome.ts';

/** Runs feeds in a thread of its own. */
export interface FeedWorker {
  /**
   * Runs a job when it is its turn: one at a time per feed, so many at once of all. Never rejects.
   * Progress is told when it begins, then at most ten times a second, and when parsing begins.
   */
  run(job: FeedJob, onProgress: (progress: FeedProgress) => void): Promise<FeedOutcome>;
  /** Ends all runs of this feed, those that wait as well; their outcome is `stopped`. */
  stop(feedId: number): void;
  /** Stops everything and ends the thread. */
  close(): Promise<void>;
}

export interface FeedWorkerOptions {
  /** The folder that sources of the kind `file` are in; null refuses them. */
  readonly directory: string | null;
  /** At the same time. */
  readonly jobsMax?: number;
  /** Of the thread; octets and packed indicators are outside of it. */
  readonly heapMegabytesMax?: number;
  /** After so long without a run the thread ends, which gives back all that it used. */
  readonly restMs?: number;
  /** A parse that takes longer ends with its thread. */
  readonly parseMsMax?: number;
  /** Another program for the thread. */
  readonly thread?: URL;
}

const JOBS_MAX = 2;
const HEAP_MEGABYTES_MAX = 512;
const REST_MS = 10_000;
const PARSE_MS_MAX = 120_000;
/** Runs that may wait; the next one fails with `busy`. */
const RUNS_WAITING_MAX = 10_000;
/** Smaller octets are copied sooner than moved. */
const MOVED_OCTETS_MIN = 64 * 1024;

interface Run {
  readonly id: number;
  readonly job: FeedJob;
  readonly onProgress: (progress: FeedProgress) => void;
  readonly settle: (outcome: FeedOutcome) => void;
  phase: FeedProgress['phase'];
  /** It was running when a thread died, and it is not known who was to blame: it runs alone. */
  isSuspect: boolean;
  /** Its outcome was told already; the thread is still busy with it. */
  isStopped: boolean;
  watchdog: NodeJS.Timeout | undefined;
}

/** Starts nothing yet: the thread is started for the first run, and again after it died or rested. */
export function startFeedWorker(options: FeedWorkerOptions): FeedWorker {
  const {
    jobsMax = JOBS_MAX,
    heapMegabytesMax = HEAP_MEGABYTES_MAX,
    restMs = REST_MS,
    parseMsMax = PARSE_MS_MAX,
    thread: program = new URL('./feed-thread.ts', import.meta.url),
  } = options;
  const waiting: Run[] = [];
  const running = new Map<number, Run>();
  let thread: Worker | null = null;
  let rest: NodeJS.Timeout | undefined;
  let lastId = 0;
  let isClosed = false;

  function startThread(): Worker {
    const data: FeedThreadData = { directory: options.directory };
    const started = new Worker(program, {
      name: 'sluice-feeds',
      workerData: data,
      resourceLimits: { maxOldGenerationSizeMb: heapMegabytesMax },
    });
    let cause: unknown = null;
    started.on('message', take);
    started.on('error', (error) => {
      cause ??= error;
    });
    started.on('exit', (code) => {
      if (thread !== started) return;
      thread = null;
      afterDeath(cause ?? new Error(`it ended with code ${code}`));
    });
    return started;
  }

  /** Gives the thread what it may begin with now. */
  function startNext(): void {
    clearTimeout(rest);
    while (!isClosed && running.size < jobsMax) {
      const run = nextRun(waiting, running);
      if (run === null) break;
      waiting.splice(waiting.indexOf(run), 1);
      running.set(run.id, run);
      thread ??= startThread();
      const { order, transfer } = orderOf(run);
      thread.postMessage(order, transfer);
      // The thread keeps this limit itself, unless the system keeps the thread, say by a dead disk.
      watch(run, run.job.limits.timeMs + jobsMax * parseMsMax, 'fetching');
    }
    if (running.size === 0 && thread !== null) rest = setTimeout(endThread, restMs).unref();
  }

  function take(report: FeedReport): void {
    const run = running.get(report.id);
    if (run === undefined) return;
    if (report.kind === 'outcome') {
      forget(run);
      settle(run, report.outcome);
      startNext();
      return;
    }
    if (report.progress.phase === 'parse' && run.phase === 'fetch') {
      watch(run, parseMsMax, 'parsing');
    }
    run.phase = report.progress.phase;
    if (!run.isStopped) run.onProgress(report.progress);
  }

  function watch(run: Run, ms: number, what: string): void {
    clearTimeout(run.watchdog);
    run.watchdog = setTimeout(() => {
      settle(run, failed('timeout', `${what}, for which the limit is ${ms / 1000} s`));
      // Nothing else ends a thread that is busy. The others are run again when it has ended.
      void thread?.terminate();
    }, ms);
  }

  /** While one is parsed nothing else happens in the thread, so that one is to blame. */
  function afterDeath(cause: unknown): void {
    const runs = [...running.values()];
    const parsing = runs.find(({ phase }) => phase === 'parse');
    const culprit = parsing ?? (runs.length === 1 ? runs[0] : undefined);
    for (const run of runs.reverse()) {
      forget(run);
      const canRunAgain = run !== culprit && run.job.source.kind !== 'octets';
      if (run.isStopped) continue;
      if (!canRunAgain) {
        settle(run, outcomeOfDeath(cause));
        continue;
      }
      run.phase = 'fetch';
      run.isSuspect = culprit === undefined;
      waiting.unshift(run);
    }
    startNext();
  }

  function forget(run: Run): void {
    clearTimeout(run.watchdog);
    running.delete(run.id);
  }

  function endThread(): Promise<unknown> {
    const ending = thread;
    thread = null;
    return ending?.terminate() ?? Promise.resolve();
  }

  return {
    run(job, onProgress) {
      if (isClosed) return Promise.resolve(failed('stopped', 'feeds are not fetched any more'));
      if (waiting.length >= RUNS_WAITING_MAX) {
        return Promise.resolve(failed('busy', `${waiting.length} wait already`));
      }
      const { promise, resolve } = Promise.withResolvers<FeedOutcome>();
      waiting.push({
        id: ++lastId,
        job,
        onProgress,
        settle: resolve,
        phase: 'fetch',
        isSuspect: false,
        isStopped: false,
        watchdog: undefined,
      });
      startNext();
      return promise;
    },
    stop(feedId) {
      const isMeant = ({ job }: Run) => job.feedId === feedId;
      for (const run of waiting.filter(isMeant)) {
        waiting.splice(waiting.indexOf(run), 1);
        settle(run, failed('stopped', 'by request'));
      }
      for (const run of [...running.values()].filter(isMeant)) {
        settle(run, failed('stopped', 'by request'));
        thread?.postMessage({ kind: 'stop', id: run.id } satisfies FeedOrder);
      }
    },
    async close() {
      isClosed = true;
      clearTimeout(rest);
      for (const run of [...waiting.splice(0), ...running.values()]) {
        forget(run);
        settle(run, failed('stopped', 'feeds are not fetched any more'));
      }
      await endThread();
    },
  };
}

/** The first that waits and may begin: its feed does not run, and a suspect runs alone. */
function nextRun(waiting: readonly Run[], running: ReadonlyMap<number, Run>): Run | null {
  const active = [...running.values()];
  if (active.some(({ isSuspect }) => isSuspect)) return null;
  const feeds = new Set(active.map(({ job }) => job.feedId));
  const next = waiting.find(({ job }) => !feeds.has(job.feedId)) ?? null;
  return next?.isSuspect && active.length > 0 ? null : next;
}

function orderOf({ id, job }: Run): { order: FeedOrder; transfer: ArrayBuffer[] } {
  const transfer: ArrayBuffer[] = [];
  const { source } = job;
  if (source.kind !== 'octets' || source.octets.length < MOVED_OCTETS_MIN) {
    return { order: { kind: 'run', id, job }, transfer };
  }
  const octets = withOwnBuffer(source.octets, transfer);
  const moved: FeedJob = { ...job, source: { kind: 'octets', octets } };
  return { order: { kind: 'run', id, job: moved }, transfer };
}

/** A run is told its outcome once. */
function settle(run: Run, outcome: FeedOutcome): void {
  if (run.isStopped) return;
  run.isStopped = true;
  run.settle(outcome);
}

function outcomeOfDeath(cause: unknown): FeedOutcome {
  const isMemory = (cause as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY';
  return failed(isMemory ? 'out-of-memory' : 'worker-died', detailOf(cause));
}

function failed(reason: FeedFailureReason, detail: string): FeedOutcome {
  return { kind: 'failed', reason, text: new FeedFailure(reason, detail).message };
}
