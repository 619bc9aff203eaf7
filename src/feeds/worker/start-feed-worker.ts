import { Worker } from 'node:worker_threads';
import { THREAD_BOOT, type ThreadProgram, threadProgram } from '../../threads/index.ts';
import { detailOf, FeedFailure, type FeedFailureReason } from '../sources/feed-failure.ts';
import { parsingLimit } from './checkpoint.ts';
import type { FeedJob, FeedOutcome, FeedProgress } from './feed-job.ts';
import type { FeedOrder, FeedReport, FeedThreadData, StopFlag } from './feed-messages.ts';
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
  /** Of the thread; octets and packed indicators are outside of it. A run that needs more fails. */
  readonly heapMegabytesMax?: number;
  /** After so long without a run the thread ends, which gives back all that it used. */
  readonly restMs?: number;
  /** A parse that takes longer fails. */
  readonly parseMsMax?: number;
  /** A thread that has not ended so long after it should have is ended from outside. */
  readonly graceMs?: number;
  /** Another program for the thread. */
  readonly thread?: URL;
}

const JOBS_MAX = 2;
/** With what is garbage already: twice of what a feed really needs, at worst. */
const HEAP_MEGABYTES_MAX = 768;
/**
 * V8's own limit is so many times further away, where no run comes: reaching it may end the whole
 * process (nodejs/node issue 47224), so it is no limit to rely on.
 */
const HEAP_LIMIT_FACTOR = 2;
const REST_MS = 10_000;
const PARSE_MS_MAX = 120_000;
const GRACE_MS = 3_000;
const MEGABYTE = 1024 * 1024;
/** Runs that may wait; the next one fails with `busy`. */
const RUNS_WAITING_MAX = 10_000;
/** Smaller octets are copied sooner than moved. */
const MOVED_OCTETS_MIN = 64 * 1024;

interface Run {
  readonly id: number;
  readonly job: FeedJob;
  readonly onProgress: (progress: FeedProgress) => void;
  readonly settle: (outcome: FeedOutcome) => void;
  readonly stopFlag: StopFlag;
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
    graceMs = GRACE_MS,
    thread: url = new URL('./feed-thread.ts', import.meta.url),
  } = options;
  const waiting: Run[] = [];
  const running = new Map<number, Run>();
  let thread: Worker | null = null;
  let program: ThreadProgram | null = null;
  /** The thread said that it ends, and is to get no more runs. */
  let isLeaving = false;
  let rest: NodeJS.Timeout | undefined;
  let lastId = 0;
  let isClosed = false;

  function startThread(program: ThreadProgram): Worker {
    const data: FeedThreadData = {
      directory: options.directory,
      heapOctetsMax: heapMegabytesMax * MEGABYTE,
      parseMsMax,
      ...program,
    };
    const started = new Worker(THREAD_BOOT, {
      name: 'sluice-feeds',
      workerData: data,
      resourceLimits: { maxOldGenerationSizeMb: heapMegabytesMax * HEAP_LIMIT_FACTOR },
    });
    isLeaving = false;
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
    if (program === null) {
      if (!isClosed) void threadProgram(url).then(startWith);
      return;
    }
    while (!isClosed && !isLeaving && running.size < jobsMax) {
      const run = nextRun(waiting, running);
      if (run === null) break;
      waiting.splice(waiting.indexOf(run), 1);
      running.set(run.id, run);
      thread ??= startThread(program);
      const { order, transfer } = orderOf(run);
      thread.postMessage(order, transfer);
      // The thread keeps this limit itself, unless the system keeps the thread, say by a dead disk.
      const { timeMs } = run.job.limits;
      watch(run, timeMs + jobsMax * (parseMsMax + graceMs), fetchingLimit(timeMs));
    }
    const isIdle = running.size === 0 && thread !== null && !isLeaving;
    if (isIdle) rest = setTimeout(endThread, restMs).unref();
  }

  function startWith(read: ThreadProgram): void {
    if (program !== null) return;
    program = read;
    startNext();
  }

  function take(report: FeedReport): void {
    const run = running.get(report.id);
    if (run === undefined) return;
    if (report.kind === 'outcome') {
      forget(run);
      settle(run, report.outcome);
      if (report.isLast) leave();
      startNext();
      return;
    }
    if (report.progress.phase === 'parse' && run.phase === 'fetch') {
      watch(run, parseMsMax + graceMs, parsingLimit(parseMsMax));
    }
    run.phase = report.progress.phase;
    if (!run.isStopped) run.onProgress(report.progress);
  }

  /** The thread keeps the limits of its runs itself. This is for one that does not come to it. */
  function watch(run: Run, ms: number, limit: string): void {
    clearTimeout(run.watchdog);
    run.watchdog = setTimeout(() => {
      settle(run, failed('timeout', limit));
      // The others are run again when it has ended.
      void thread?.terminate();
    }, ms);
  }

  /** The thread has said its last word; when it has ended, the runs that it left are done again. */
  function leave(): void {
    isLeaving = true;
    if (thread !== null) void endsBy(thread, graceMs);
  }

  /** While one is parsed nothing else happens in the thread, so that one is to blame. */
  function afterDeath(cause: unknown): void {
    const runs = [...running.values()];
    const parsing = runs.find(({ phase }) => phase === 'parse');
    const only = runs.length === 1 ? runs[0] : undefined;
    const culprit = isLeaving ? undefined : (parsing ?? only);
    for (const run of runs.reverse()) {
      forget(run);
      const canRunAgain = run !== culprit && run.job.source.kind !== 'octets';
      if (run.isStopped) continue;
      if (!canRunAgain) {
        settle(run, outcomeOfDeath(cause));
        continue;
      }
      run.phase = 'fetch';
      run.isSuspect = culprit === undefined && !isLeaving;
      waiting.unshift(run);
    }
    isLeaving = false;
    startNext();
  }

  function forget(run: Run): void {
    clearTimeout(run.watchdog);
    running.delete(run.id);
  }

  async function endThread(): Promise<void> {
    const ending = thread;
    thread = null;
    if (ending === null) return;
    ending.postMessage({ kind: 'end' } satisfies FeedOrder);
    await endsBy(ending, graceMs);
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
        stopFlag: new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)),
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
        Atomics.store(run.stopFlag, 0, 1);
        thread?.postMessage({ kind: 'stop', id: run.id } satisfies FeedOrder);
      }
    },
    async close() {
      isClosed = true;
      clearTimeout(rest);
      for (const run of [...waiting.splice(0), ...running.values()]) {
        forget(run);
        Atomics.store(run.stopFlag, 0, 1);
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

function orderOf({ id, job, stopFlag }: Run): { order: FeedOrder; transfer: ArrayBuffer[] } {
  const transfer: ArrayBuffer[] = [];
  const { source } = job;
  if (source.kind !== 'octets' || source.octets.length < MOVED_OCTETS_MIN) {
    return { order: { kind: 'run', id, job, stopFlag }, transfer };
  }
  const octets = withOwnBuffer(source.octets, transfer);
  const moved: FeedJob = { ...job, source: { kind: 'octets', octets } };
  return { order: { kind: 'run', id, job: moved, stopFlag }, transfer };
}

/**
 * When a thread has ended that was told to, or is ending already. To end one from outside is the last
 * resort: it may be in the middle of anything, and Node's own faults are met there.
 */
async function endsBy(thread: Worker, graceMs: number): Promise<void> {
  if (thread.threadId === -1) return;
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  thread.once('exit', () => resolve());
  const late = setTimeout(() => void thread.terminate(), graceMs);
  await ended;
  clearTimeout(late);
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

function fetchingLimit(ms: number): string {
  return `fetching, for which the limit is ${ms / 1000} s`;
}

function failed(reason: FeedFailureReason, detail: string): FeedOutcome {
  return { kind: 'failed', reason, text: new FeedFailure(reason, detail).message };
}
