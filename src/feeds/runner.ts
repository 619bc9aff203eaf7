import { createHash } from 'node:crypto';
import { EMPTY_MEMBERS, type MemberSets } from '../policy/member-sets.ts';
import type { Feed, FeedId } from '../policy/model.ts';
import { ModelError } from '../policy/model-error.ts';
import type { FeedProgress, FeedRun, FeedsPort } from '../publish/feeds-port.ts';
import type { Publisher } from '../publish/publisher.ts';
import type { Store } from '../publish/store-port.ts';
import { absentMembers } from './ageing.ts';
import { expireMembers } from './expire-members.ts';
import { createFeedListeners } from './feed-listeners.ts';
import { type FeedMetric, feedMetrics } from './feed-metrics.ts';
import {
  type FeedSlot,
  loadSlot,
  newSlot,
  nextEnding,
  progressOf,
  statusOf,
  validatorsFor,
  waitingProgress,
} from './feed-slot.ts';
import {
  encodeState,
  type FeedState,
  feedFingerprint,
  NO_VALIDATORS,
  withRun,
} from './feed-state.ts';
import { describeHeld, nothingHeld } from './held-change.ts';
import { decodeHeld } from './held-content.ts';
import { isRowDue, writeSeen } from './publish-content.ts';
import { releaseHeld } from './release-held.ts';
import {
  actorOf,
  EMPTY_RUN,
  type FeedRunResult,
  type FeedRunSettings,
  operatorOf,
  runFeed,
} from './run-feed.ts';
import { createRunQueue, type WaitingRun } from './run-queue.ts';
import { nextRunAt } from './schedule.ts';
import { settleRun, takeStanding } from './settle-run.ts';
import type { FeedValidators, FeedWorker } from './worker/index.ts';

/** A timer counts the machine's waking time, a schedule is a time of day: so it is looked at every so often. */
const TIMER_MS_MAX = 30_000;
/** Between two looks for what has ended in one target. */
const EXPIRY_PAUSE_MS = 10_000;
const EXPIRY_RETRY_MS = 60_000;
/** Who asks for a run when its time has come. */
const SCHEDULE = 'schedule';

export interface FeedLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface FeedRunnerOptions extends Omit<FeedRunSettings, 'publisher' | 'worker'> {
  readonly publisher: Pick<
    Publisher,
    'model' | 'catalogue' | 'change' | 'internInSlices' | 'memberNotes' | 'memberHistory'
  >;
  readonly store: Pick<Store, 'putFeedState' | 'feedStates'>;
  readonly worker: FeedWorker;
  /** Runs at the same time. */
  readonly runningMax: number;
  /** Of the program: another may read the same source otherwise. */
  readonly version: string;
  readonly log: FeedLog;
}

/** Keeps targets current: what runs when, and what becomes of it. */
export interface FeedRunner extends FeedsPort {
  /** Begins to run feeds by themselves; until then nothing is fetched. */
  start(): void;
  /** Looks at the feeds again; call it after every change of the model. */
  reschedule(): void;
  metrics(): FeedMetric[];
  /** Ends everything that is under way; what is being published is published. */
  stop(): Promise<void>;
}

/** Reads how the feeds stand, and what of their targets is ageing. */
export async function openFeeds(options: FeedRunnerOptions): Promise<FeedRunner> {
  const { publisher, store, worker, runningMax, clock, random, log } = options;
  const surroundings = createHash('sha256')
    .update(JSON.stringify([options.version, options.guard, options.allowPrivateSources]))
    .digest('hex');
  const slots = await loadSlots(options);
  const queue = createRunQueue(runningMax);
  const tasks = new Set<Promise<unknown>>();
  const listeners = createFeedListeners((error, feed) =>
    log.error({ err: error, feed }, 'a listener of a feed failed'),
  );
  const runs = new Map<string, number>();
  let timer: NodeJS.Timeout | undefined;
  let isStarted = false;
  let isStopped = false;

  const fingerprintOf = (feed: Feed): string => feedFingerprint(feed, surroundings);
  const membersOf = (feed: Feed): MemberSets =>
    publisher.model.targets.get(feed.targetId)?.members ?? EMPTY_MEMBERS;
  const isThere = (slot: FeedSlot): boolean => slots.get(slot.feed.id) === slot;
  const slotOf = (feedId: FeedId): FeedSlot => {
    const slot = slots.get(feedId);
    if (slot !== undefined) return slot;
    const rule = 'There is no feed with this id.';
    throw new ModelError('not-found', { field: 'feed id', value: feedId, rule });
  };

  const tellState = (slot: FeedSlot): void =>
    listeners.tell({ kind: 'state', feedId: slot.feed.id, status: statusOf(slot) });
  const showProgress = (slot: FeedSlot, progress: FeedProgress): void => {
    slot.progress = progress;
    listeners.tell({ kind: 'progress', feedId: slot.feed.id, progress });
  };

  /** What cannot be written down is lost at the next start only: the feed is then read anew. */
  const persist = async ({ feed, state, held }: FeedSlot): Promise<void> => {
    try {
      await store.putFeedState({ feedId: feed.id, body: encodeState(state), held });
    } catch (error) {
      log.error({ err: error, feed: feed.id }, 'the state of a feed could not be stored');
    }
  };
  const plan = (slot: FeedSlot): void => {
    const { feed, state } = slot;
    const at = nextRunAt({ feed, history: state, now: clock(), random: random() });
    slot.state = { ...state, nextRunAt: at };
  };
  const inBackground = (work: () => Promise<unknown>): void => {
    const task = work().finally(() => tasks.delete(task));
    tasks.add(task);
  };

  const enqueue = (run: WaitingRun): void => {
    queue.add(run);
    run.slot.busy = 'waiting';
    showProgress(run.slot, waitingProgress(clock()));
  };
  const startWaiting = (): void => {
    while (!isStopped) {
      const next = queue.take();
      if (next === undefined) return;
      inBackground(() => perform(next));
    }
  };

  const perform = async (run: WaitingRun): Promise<void> => {
    const { slot, octets, actor, report } = run;
    const { feed } = slot;
    const startedAt = clock();
    const fingerprint = fingerprintOf(feed);
    const isUpload = octets !== null;
    const validators = isUpload ? NO_VALIDATORS : validatorsFor(slot, fingerprint, membersOf(feed));
    slot.busy = 'run';
    showProgress(slot, { ...waitingProgress(startedAt), phase: 'fetch' });
    try {
      const result = await runFeed(options, {
        feed,
        octets,
        validators,
        book: slot.book,
        rowAt: slot.state.rowAt,
        actor,
        isCurrent: (now) => now !== undefined && fingerprintOf(now) === fingerprint,
        onProgress: (progress) => showProgress(slot, progressOf(startedAt, progress)),
        onParsed: () => showProgress(slot, { ...slot.progress!, phase: 'publish' }),
      });
      if (result.kind === 'void') {
        report?.reject(stopped(feed.id, result.why));
        return;
      }
      await settleRun(slot, {
        result,
        fingerprint,
        validators,
        isUpload,
        present: membersOf(feed),
      });
      await confirmSeen(slot, result);
      noteEnd(slot, result.run);
      report?.resolve(result.run);
    } catch (error) {
      log.error({ err: error, feed: feed.id }, 'the run of a feed could not be ended');
      report?.reject(error);
    } finally {
      queue.done(slot);
      await endTask(slot, fingerprint !== fingerprintOf(slot.feed));
    }
  };
  /** What ends something that was under way, with what follows from it. */
  const endTask = async (slot: FeedSlot, isOutdated = false): Promise<void> => {
    slot.busy = null;
    slot.progress = null;
    if (!isThere(slot)) return;
    plan(slot);
    if (isOutdated && slot.state.nextRunAt !== null) {
      slot.state = { ...slot.state, nextRunAt: clock() };
    }
    await persist(slot);
    tellState(slot);
    look();
  };
  const noteEnd = ({ feed, state }: FeedSlot, run: FeedRun): void => {
    runs.set(run.end, (runs.get(run.end) ?? 0) + 1);
    const { added, removed, rejected, guarded, indicators, reasons } = run;
    const fields = { feed: feed.id, end: run.end, indicators, added, removed, rejected, guarded };
    if (run.end === 'failed' || run.end === 'held') {
      log.warn({ ...fields, reasons, failures: state.failures }, `a feed ${ENDS[run.end]}`);
    } else log.info(fields, 'a feed was read');
    listeners.tell({ kind: 'ended', feedId: feed.id, run });
  };
  /** Now and then it is written into the history that an unchanged source was seen. */
  const confirmSeen = async (slot: FeedSlot, result: FeedRunResult): Promise<void> => {
    const { feed, state, book } = slot;
    const isWhole = feed.source.kind !== 'taxii';
    if (result.kind !== 'unchanged' || !state.isPublished || !isWhole) return;
    if (!isRowDue(state.rowAt, clock()) || slot.members !== membersOf(feed)) return;
    const actor = actorOf(publisher, feed);
    const by = { actor, action: `feed.seen ${feed.id}`, accountId: operatorOf(publisher) };
    try {
      const { value } = await publisher.change(by, (draft) => {
        writeSeen(draft, feed, absentMembers(book));
        return draft.now;
      });
      slot.state = { ...slot.state, rowAt: value };
    } catch (error) {
      log.warn({ err: error, feed: feed.id }, 'it could not be noted that a feed was seen');
    }
  };

  const expire = async (slot: FeedSlot): Promise<void> => {
    slot.busy = 'expiry';
    try {
      takeStanding(slot, await expireMembers(publisher, slot, clock()));
      slot.expiryFrom = clock() + EXPIRY_PAUSE_MS;
    } catch (error) {
      slot.expiryFrom = clock() + EXPIRY_RETRY_MS;
      log.error({ err: error, feed: slot.feed.id }, 'what has ended could not be taken out');
    }
    slot.busy = null;
    if (!isThere(slot)) return;
    await persist(slot);
    look();
  };

  /** Begins what is due, and comes back when the next thing is. */
  const look = (): void => {
    clearTimeout(timer);
    if (isStopped) return;
    const now = clock();
    let next = Number.POSITIVE_INFINITY;
    for (const slot of slots.values()) {
      if (!isStarted || slot.busy !== null) continue;
      const runAt = slot.state.nextRunAt ?? Number.POSITIVE_INFINITY;
      const endingAt = nextEnding(slot);
      if (endingAt <= now) inBackground(() => expire(slot));
      else if (runAt <= now) enqueue({ slot, octets: null, actor: SCHEDULE, report: null });
      else next = Math.min(next, runAt, endingAt);
    }
    startWaiting();
    if (next === Number.POSITIVE_INFINITY) return;
    timer = setTimeout(look, Math.min(TIMER_MS_MAX, Math.max(1, next - clock())));
    timer.unref();
  };

  const drop = (slot: FeedSlot): void => {
    slots.delete(slot.feed.id);
    cancelWaiting(slot, 'the feed is gone');
    if (slot.busy === 'run') worker.stop(slot.feed.id);
    listeners.forget(slot.feed.id);
  };
  const cancelWaiting = (slot: FeedSlot, why: string): void => {
    for (const { report } of queue.cancel(slot)) {
      report?.reject(stopped(slot.feed.id, why));
      slot.busy = null;
      slot.progress = null;
    }
  };
  /** A person changed the feed: what was read with other settings is of no use. */
  const takeChange = (slot: FeedSlot, feed: Feed): void => {
    const before = slot.feed;
    slot.feed = feed;
    const readsOtherwise = fingerprintOf(before) !== fingerprintOf(feed);
    const hasOtherSource = JSON.stringify(before.source) !== JSON.stringify(feed.source);
    const isPaused = before.enabled && !feed.enabled;
    if (isPaused) cancelWaiting(slot, 'the feed was paused');
    if (slot.busy === 'run' && (readsOtherwise || isPaused)) worker.stop(feed.id);
    if (isScheduledAlike(before, feed) && !readsOtherwise && !hasOtherSource) return;
    plan(slot);
    if ((readsOtherwise || hasOtherSource) && slot.state.nextRunAt !== null) {
      slot.state = { ...slot.state, nextRunAt: clock() };
    }
    if (slot.busy === null) inBackground(() => persist(slot));
    tellState(slot);
  };
  const reschedule = (): void => {
    if (isStopped) return;
    const { feeds } = publisher.model;
    for (const slot of slots.values()) if (!feeds.has(slot.feed.id)) drop(slot);
    for (const feed of feeds.values()) {
      const slot = slots.get(feed.id);
      if (slot === undefined) {
        const added = newSlot(feed, clock());
        plan(added);
        slots.set(feed.id, added);
      } else if (slot.feed !== feed) takeChange(slot, feed);
    }
    look();
  };
  const refuseBusy = ({ feed, busy }: FeedSlot): void => {
    if (busy === null) return;
    const rule = 'Something else is under way with this feed; try again when it has ended.';
    throw new ModelError('feed-running', { field: 'feed id', value: feed.id, rule });
  };
  /** A person's decision about what is held: nothing else happens to the feed meanwhile. */
  const decide = async (
    slot: FeedSlot,
    carryOut: (held: Uint8Array) => Promise<FeedRun>,
  ): Promise<FeedRun> => {
    if (slot.held === null) throw nothingHeld(slot.feed.id);
    refuseBusy(slot);
    slot.busy = 'decision';
    try {
      const run = await carryOut(slot.held);
      slot.held = null;
      slot.state = withRun(slot.state, run);
      noteEnd(slot, run);
      return run;
    } finally {
      await endTask(slot);
    }
  };

  for (const slot of slots.values()) if (slot.state.nextRunAt === null) plan(slot);
  return {
    start() {
      isStarted = true;
      reschedule();
    },
    reschedule,
    metrics: () => feedMetrics(slots.values(), { model: publisher.model, runs, now: clock() }),
    run(feedId, actor) {
      const slot = slotOf(feedId);
      if (slot.feed.source.kind === 'upload') {
        const rule = 'This feed has no source to read: send it what it is to publish.';
        throw new ModelError('feed-source', { field: 'source', value: 'upload', rule });
      }
      if (slot.busy === 'waiting' || slot.busy === 'run') return;
      refuseBusy(slot);
      enqueue({ slot, octets: null, actor, report: null });
      startWaiting();
    },
    async upload(feedId, octets, actor) {
      const slot = slotOf(feedId);
      refuseBusy(slot);
      const report = Promise.withResolvers<FeedRun>();
      enqueue({ slot, octets, actor, report });
      startWaiting();
      return report.promise;
    },
    release(feedId, actor) {
      const slot = slotOf(feedId);
      return decide(slot, async (bytes) => {
        const { run, standing, held } = await releaseHeld(options, slot, bytes, actor);
        takeStanding(slot, standing);
        slot.state = {
          ...slot.state,
          validators: held.validators,
          isPublished: true,
          failures: 0,
          lastSuccessAt: run.endedAt,
        };
        return run;
      });
    },
    async discard(feedId, actor) {
      const slot = slotOf(feedId);
      await decide(slot, async (bytes) => {
        const { run, validators } = await decodeHeld(bytes);
        slot.state = discarded(slot, validators);
        const now = clock();
        return { ...EMPTY_RUN, ...run, end: 'discarded', startedAt: now, endedAt: now, actor };
      });
    },
    status(feedId) {
      return statusOf(slotOf(feedId));
    },
    async heldChange(feedId) {
      const slot = slotOf(feedId);
      if (slot.held === null) return null;
      const held = await decodeHeld(slot.held);
      const { catalogue } = publisher;
      return describeHeld({ catalogue, slot, held, present: membersOf(slot.feed), now: clock() });
    },
    listen(feedId, listener) {
      slotOf(feedId);
      return listeners.add(feedId, listener);
    },
    async stop() {
      isStopped = true;
      clearTimeout(timer);
      for (const { slot, report } of queue.cancel()) {
        report?.reject(stopped(slot.feed.id, 'the server stops'));
      }
      await worker.close();
      await Promise.allSettled([...tasks]);
    },
  };
}

const ENDS = { failed: 'failed', held: 'waits for a decision' } as const;

async function loadSlots(options: FeedRunnerOptions): Promise<Map<FeedId, FeedSlot>> {
  const { publisher, store } = options;
  const stored = new Map((await store.feedStates()).map((row) => [row.feedId, row]));
  const slots = new Map<FeedId, FeedSlot>();
  for (const feed of publisher.model.feeds.values()) {
    slots.set(feed.id, await loadSlot(feed, stored.get(feed.id), publisher));
  }
  return slots;
}

/** The same content is not held again, unless it is a difference: that is always to what is published. */
function discarded({ feed, state }: FeedSlot, validators: FeedValidators): FeedState {
  if (feed.source.kind === 'transfer') return state;
  return { ...state, validators, isPublished: feed.source.kind === 'taxii' };
}

function isScheduledAlike(before: Feed, after: Feed): boolean {
  const parts = ({ enabled, schedule, jitterSeconds }: Feed) =>
    JSON.stringify([enabled, schedule, jitterSeconds]);
  return parts(before) === parts(after);
}

function stopped(feedId: number, why: string): ModelError {
  const rule = `The run was ended before it had a result: ${why}.`;
  return new ModelError('busy', { field: 'feed id', value: feedId, rule });
}
