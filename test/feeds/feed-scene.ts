import type { FeedContent } from '../../src/feeds/feed-content.ts';
import { type FeedRunner, type FeedRunnerOptions, openFeeds } from '../../src/feeds/runner.ts';
import type { FeedJob, FeedOutcome, FeedWorker } from '../../src/feeds/worker/index.ts';
import { packIndicators } from '../../src/indicators/pack-indicators.ts';
import { parseIndicator } from '../../src/indicators/parse-indicator.ts';
import type { Feed, FeedId, TargetId } from '../../src/policy/model.ts';
import type { FeedEvent, FeedRun } from '../../src/publish/feeds-port.ts';
import { type House, type HouseOptions, openHouse } from '../support/house.ts';
import { addPolicy, addTarget, NXDOMAIN, zoneName } from '../support/scene.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;

export interface FakeRun {
  readonly job: FeedJob;
  answer(outcome: FeedOutcome): void;
  progress: Parameters<FeedWorker['run']>[1];
}

export interface FakeWorker extends FeedWorker {
  /** Runs that have not been answered. */
  readonly open: FakeRun[];
  /** All that ever began, by their jobs. */
  readonly jobs: FeedJob[];
  /** The next run that begins. */
  next(): Promise<FakeRun>;
}

/** A worker whose outcomes the test gives. */
export function fakeWorker(): FakeWorker {
  const open: FakeRun[] = [];
  const jobs: FeedJob[] = [];
  const expected: ((run: FakeRun) => void)[] = [];
  const unseen: FakeRun[] = [];
  return {
    open,
    jobs,
    next: () => {
      const run = unseen.shift();
      return run ? Promise.resolve(run) : new Promise((resolve) => expected.push(resolve));
    },
    run(job, progress) {
      const { promise, resolve } = Promise.withResolvers<FeedOutcome>();
      const run: FakeRun = {
        job,
        progress,
        answer(outcome) {
          open.splice(open.indexOf(run), 1);
          resolve(outcome);
        },
      };
      open.push(run);
      jobs.push(job);
      const waiter = expected.shift();
      if (waiter) waiter(run);
      else unseen.push(run);
      return promise;
    },
    stop(feedId) {
      for (const run of open.filter(({ job }) => job.feedId === feedId)) run.answer(STOPPED);
    },
    async close() {
      for (const run of [...open]) run.answer(STOPPED);
    },
  };
}

const STOPPED: FeedOutcome = { kind: 'failed', reason: 'stopped', text: 'It was stopped' };

export const NO_VALIDATORS = {
  etag: null,
  lastModified: null,
  contentHash: null,
  addedAfter: null,
};

export function pack(lines: readonly string[]): FeedContent['packed'] {
  return packIndicators(
    lines.flatMap((line) => {
      const parsed = parseIndicator(line, { ownerOctetsMax: 159, isPublicSuffix: () => false });
      if (!parsed.ok) throw new Error(`${line} is no indicator`);
      return parsed.indicators;
    }),
  );
}

export function contentOf(lines: readonly string[], more: Partial<FeedContent> = {}): FeedContent {
  return {
    packed: pack(lines),
    detected: 'lines',
    unreadable: null,
    lines: lines.length,
    duplicates: 0,
    rejected: 0,
    rejectedByReason: {},
    rejections: [],
    leftOut: 0,
    leftOutByReason: {},
    exceptions: 0,
    withdrawn: pack([]),
    guarded: 0,
    guardedShown: [],
    belowConfidence: 0,
    notes: [],
    notesLeftOut: 0,
    ...more,
  };
}

export function told(
  lines: readonly string[],
  more: Partial<FeedContent> = {},
  outcome: Partial<Extract<FeedOutcome, { kind: 'content' }>> = {},
): FeedOutcome {
  const contentHash = `hash of ${lines.join()}`;
  return {
    kind: 'content',
    content: contentOf(lines, more),
    validators: { ...NO_VALIDATORS, contentHash },
    octets: 1_000,
    ms: 5,
    incremental: false,
    ...outcome,
  };
}

export const names = (count: number, prefix = 'n'): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}.example`);

export interface FeedScene {
  readonly house: House;
  readonly runner: FeedRunner;
  readonly worker: FakeWorker;
  readonly feedId: FeedId;
  readonly targetId: TargetId;
  readonly zone: string;
  readonly events: FeedEvent[];
  readonly complaints: string[];
  /** Members of the target as text, in order. */
  members(): string[];
  change(more: Partial<Feed>): Promise<void>;
  /** Answers the next run, which has to begin by itself or was asked for, and waits for its end. */
  answer(outcome: FeedOutcome): Promise<FeedRun>;
  /** Asks for a run and answers it. */
  feed(outcome: FeedOutcome): Promise<FeedRun>;
  /** The end of whatever ends next. */
  ended(): Promise<FeedRun>;
  /** Another server over the same database. */
  restart(): Promise<FeedScene>;
}

export const PLAIN_FEED: Omit<Feed, 'id' | 'targetId' | 'createdAt' | 'updatedAt'> = {
  preset: null,
  enabled: true,
  source: {
    kind: 'http',
    url: 'https://feeds.example/list.txt',
    credentials: { kind: 'none' },
    allowPrivate: false,
  },
  format: { kind: 'auto' },
  namesAs: 'name',
  schedule: { kind: 'interval', seconds: 3_600 },
  jitterSeconds: 0,
  limits: { octetsMax: 1_000_000, seconds: 60, linesMax: 1_000_000 },
  gates: { shrinkPercent: 50, growPercent: 200, rejectedPercent: 30 },
  confidenceMin: null,
  ttlSeconds: null,
};

/** A target with a feed and a policy over it, on a publisher in memory, with a worker that the test is. */
export async function feedScene(
  feed: Partial<Feed> = {},
  options: {
    readonly house?: HouseOptions;
    readonly runner?: Partial<FeedRunnerOptions>;
    readonly lines?: readonly string[];
  } = {},
): Promise<FeedScene> {
  const house = await openHouse(options.house);
  const { value: targetId } = await house.edit((edit) => {
    const id = addTarget(edit, 'fed', options.lines ?? []);
    addPolicy(edit, 'corp', 'dns', { targets: [[id, NXDOMAIN]] });
    return id;
  });
  const { value: feedId } = await house.edit((edit) => addFeed(edit, targetId, feed));
  return open(house, { feedId, targetId, runner: options.runner });
}

export function addFeed(
  { draft }: Parameters<Parameters<House['edit']>[0]>[0],
  targetId: TargetId,
  feed: Partial<Feed>,
): FeedId {
  const id = draft.nextId('feed');
  const times = { createdAt: draft.now, updatedAt: draft.now };
  draft.put('feed', { ...PLAIN_FEED, id, targetId, ...times, ...feed });
  return id;
}

async function open(
  house: House,
  given: {
    readonly feedId: FeedId;
    readonly targetId: TargetId;
    readonly runner: Partial<FeedRunnerOptions> | undefined;
  },
): Promise<FeedScene> {
  const { feedId, targetId } = given;
  const worker = fakeWorker();
  const complaints: string[] = [];
  const complain = (_: object, text: string): void => void complaints.push(text);
  const runner = await openFeeds({
    publisher: house.publisher,
    store: house.store,
    worker,
    guard: { names: [], prefixes: [] },
    ownerOctetsMax: 159,
    allowPrivateSources: false,
    runningMax: 2,
    version: '0.0.0',
    clock: () => house.time.now,
    random: () => 0,
    log: { info: () => {}, warn: complain, error: complain },
    ...given.runner,
  });
  const events: FeedEvent[] = [];
  const ends: FeedRun[] = [];
  const waiters: ((run: FeedRun) => void)[] = [];
  let last: FeedRun | null = null;
  runner.listen(feedId, (event) => {
    events.push(event);
    // A run has ended for everybody when its feed is free again.
    if (event.kind === 'ended') last = event.run;
    if (event.kind !== 'state' || last === null || event.status.running !== null) return;
    const waiter = waiters.shift();
    if (waiter) waiter(last);
    else ends.push(last);
    last = null;
  });
  const ended = (): Promise<FeedRun> => {
    const run = ends.shift();
    return run ? Promise.resolve(run) : new Promise((resolve) => waiters.push(resolve));
  };
  const scene: FeedScene = {
    house,
    runner,
    worker,
    feedId,
    targetId,
    zone: zoneName('rpz', 'corp'),
    events,
    complaints,
    members: () =>
      house.publisher.listMembers({ kind: 'target', id: targetId }, 0, 10_000).toSorted(),
    async change(more) {
      await house.edit(({ draft }) => {
        const feed = draft.model.feeds.get(feedId)!;
        draft.put('feed', { ...feed, ...more, updatedAt: draft.now });
      });
      runner.reschedule();
    },
    ended,
    async answer(outcome) {
      const run = await worker.next();
      run.answer(outcome);
      return ended();
    },
    feed(outcome) {
      runner.run(feedId, 'ann');
      return scene.answer(outcome);
    },
    async restart() {
      await runner.stop();
      return open(await house.restart(), given);
    },
  };
  return scene;
}
