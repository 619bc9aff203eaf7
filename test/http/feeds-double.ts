import type { FeedPreset } from '../../src/policy/feed-preset.ts';
import type { Feed, FeedId, Model } from '../../src/policy/model.ts';
import { ModelError } from '../../src/policy/model-error.ts';
import type {
  FeedEvent,
  FeedProgress,
  FeedRun,
  FeedStatus,
  FeedsPort,
  HeldFeedChange,
} from '../../src/publish/feeds-port.ts';

/** What runs feeds, without sources: tests say what became of a run. */
export interface FeedsDouble extends FeedsPort {
  /** What was asked for, in order. */
  readonly asked: readonly { readonly feedId: number; readonly actor: string }[];
  readonly uploads: readonly Uint8Array[];
  /** Ends a run. */
  end(feedId: number, run: Partial<FeedRun>): void;
  /** Holds a run. */
  hold(feedId: number, held?: Partial<HeldFeedChange>): void;
  progress(feedId: number, progress: FeedProgress): void;
  listeners(): number;
}

export function createFeedsDouble(options: {
  readonly model: () => Model;
  readonly clock: () => number;
}): FeedsDouble {
  const { model, clock } = options;
  const asked: { feedId: number; actor: string }[] = [];
  const uploads: Uint8Array[] = [];
  const runs = new Map<number, FeedRun[]>();
  const held = new Map<number, HeldFeedChange>();
  const running = new Map<number, FeedProgress>();
  const listeners = new Map<(event: FeedEvent) => void, number>();

  const tell = (event: FeedEvent): void => {
    for (const [listener, feedId] of listeners) if (feedId === event.feedId) listener(event);
  };
  const end = (id: number, given: Partial<FeedRun>): FeedRun => {
    const feedId = id as FeedId;
    const run = runReport({ startedAt: clock(), endedAt: clock(), ...given });
    runs.set(feedId, [run, ...(runs.get(feedId) ?? [])]);
    running.delete(feedId);
    tell({ kind: 'ended', feedId, run });
    tell({ kind: 'state', feedId, status: status(feedId) });
    return run;
  };
  const takeHeld = (feedId: number): HeldFeedChange => {
    const found = held.get(feedId);
    const rule = 'No run of this feed waits to be released.';
    if (found === undefined)
      throw new ModelError('nothing-held', { field: 'feed id', value: feedId, rule });
    held.delete(feedId);
    return found;
  };
  const stateOf = (feed: Feed, own: readonly FeedRun[]): FeedStatus['state'] => {
    if (!feed.enabled) return 'paused';
    if (held.has(feed.id)) return 'held';
    if (own.length === 0) return 'new';
    return own[0]!.end === 'failed' ? 'failing' : 'ok';
  };
  const status = (feedId: FeedId): FeedStatus => {
    const feed = model().feeds.get(feedId);
    if (feed === undefined) throw new Error(`there is no feed ${feedId}`);
    const own = runs.get(feedId) ?? [];
    const good = own.find((run) => run.end !== 'failed');
    const failures = own.findIndex((run) => run.end !== 'failed');
    return {
      feedId,
      targetId: feed.targetId,
      state: stateOf(feed, own),
      running: running.get(feedId) ?? null,
      nextRunAt: feed.enabled ? clock() + 60_000 : null,
      lastRunAt: own[0]?.endedAt ?? null,
      lastSuccessAt: good?.endedAt ?? null,
      failures: failures < 0 ? own.length : failures,
      runs: own,
    };
  };

  return {
    asked,
    uploads,
    run(feedId, actor) {
      if (model().feeds.get(feedId)?.source.kind === 'upload') {
        const rule = 'This feed has no source to read.';
        throw new ModelError('feed-source', { field: 'source', value: 'upload', rule });
      }
      asked.push({ feedId, actor });
    },
    async upload(feedId, octets, actor) {
      uploads.push(octets);
      return end(feedId, { actor, octets: octets.length });
    },
    async release(feedId, actor) {
      const { run } = takeHeld(feedId);
      return end(feedId, { ...run, actor, end: 'published', reasons: [] });
    },
    async discard(feedId, actor) {
      const { run } = takeHeld(feedId);
      end(feedId, { ...run, actor, end: 'discarded', reasons: [] });
    },
    status,
    heldChange: async (feedId) => held.get(feedId) ?? null,
    listen(feedId, listener) {
      listeners.set(listener, feedId);
      return () => void listeners.delete(listener);
    },
    end: (feedId, run) => void end(feedId, run),
    hold(feedId, given = {}) {
      const reasons = ['The target would shrink by 90 %.'];
      const run = runReport({ startedAt: clock(), endedAt: clock(), end: 'held', reasons });
      const sample = { addedShown: ['new.example'], removedShown: ['old.example'] };
      held.set(feedId, { run, added: 1, removed: 1, ...sample, ...given });
      end(feedId, { ...run, ...given.run });
    },
    progress(id, progress) {
      const feedId = id as FeedId;
      running.set(feedId, progress);
      tell({ kind: 'progress', feedId, progress });
    },
    listeners: () => listeners.size,
  };
}

function runReport(given: Partial<FeedRun> & Pick<FeedRun, 'startedAt' | 'endedAt'>): FeedRun {
  return {
    actor: 'schedule',
    end: 'published',
    reasons: [],
    octets: 0,
    lines: 0,
    detected: 'lines',
    indicators: 0,
    added: 0,
    removed: 0,
    duplicates: 0,
    exceptions: 0,
    belowConfidence: 0,
    rejected: 0,
    rejectedByReason: {},
    rejections: [],
    guarded: 0,
    guardedShown: [],
    zones: [],
    ...given,
  };
}

export const PRESETS: readonly FeedPreset[] = [
  {
    name: 'feodo-tracker',
    title: 'Botnet controllers',
    url: 'https://feeds.example/ipblocklist.txt',
    publisher: 'Feeds of example',
    licence: 'CC0 1.0',
    licenceUrl: 'https://feeds.example/terms',
    format: { kind: 'lines' },
    namesAs: 'name',
    intervalSeconds: 3_600,
    attributes: {
      severity: 5,
      confidence: 95,
      risk: 90,
      danger: 'critical',
      iocType: 'ip',
      threatType: 'botnet',
      trafficType: 'outbound',
      tags: ['c2'],
    },
    note: '',
    verified: true,
  },
  {
    name: 'phishing-names',
    title: 'Phishing names',
    url: 'https://feeds.example/phishing.csv',
    publisher: 'Another publisher',
    licence: 'see https://feeds.example/terms',
    licenceUrl: null,
    format: { kind: 'csv', separator: ',', header: true, value: 'url' },
    namesAs: 'host',
    intervalSeconds: 600,
    attributes: {
      severity: 4,
      confidence: 80,
      risk: 70,
      danger: 'high',
      iocType: 'domain',
      threatType: 'phishing',
      trafficType: 'outbound',
      tags: [],
    },
    note: 'Register first.',
    verified: false,
  },
];
