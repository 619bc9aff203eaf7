import { createHash } from 'node:crypto';
import type { Feed } from '../policy/model.ts';
import type { FeedRun } from '../publish/feeds-port.ts';
import type { FeedValidators } from './worker/index.ts';

/** Reports that are kept of one feed. */
const RUNS_MAX = 50;
/** Lines that a report shows, and those that it still shows when a newer one is there. */
const SHOWN_MAX = 100;
const SHOWN_OLDER_MAX = 10;
const SHOWN_LENGTH_MAX = 200;

export const NO_VALIDATORS: FeedValidators = {
  etag: null,
  lastModified: null,
  contentHash: null,
  addedAfter: null,
};

/** What is kept of a feed over a restart, besides a content that is held. Times in Unix milliseconds. */
export interface FeedState {
  /** What the validators were told for (`feedFingerprint`). */
  readonly fingerprint: string;
  readonly validators: FeedValidators;
  /** Whether what they stand for is what the target holds: no longer when a person discarded it. */
  readonly isPublished: boolean;
  /** The time of the last row in the history of the target that came from here; null for none. */
  readonly rowAt: number | null;
  /** `updatedAt` of the target as it was left: another says that somebody else was there since. */
  readonly targetUpdatedAt: number | null;
  /** When the source last told what the target holds. */
  readonly toldAt: number | null;
  readonly nextRunAt: number | null;
  readonly lastRunAt: number | null;
  readonly lastSuccessAt: number | null;
  readonly failures: number;
  /** The newest first. */
  readonly runs: readonly FeedRun[];
}

export const NEW_STATE: FeedState = {
  fingerprint: '',
  validators: NO_VALIDATORS,
  isPublished: false,
  rowAt: null,
  targetUpdatedAt: null,
  toldAt: null,
  nextRunAt: null,
  lastRunAt: null,
  lastSuccessAt: null,
  failures: 0,
  runs: [],
};

export function encodeState(state: FeedState): string {
  return JSON.stringify(state);
}

/** What an older version did not write yet has the value of a new feed. Throws for what is no JSON. */
export function decodeState(body: string): FeedState {
  return { ...NEW_STATE, ...(JSON.parse(body) as Partial<FeedState>) };
}

/** With one more report. Older ones keep their counts and the first of their lines. */
export function withRun(state: FeedState, run: FeedRun): FeedState {
  const [newest, ...older] = state.runs;
  const runs = newest === undefined ? [] : [shortened(newest, SHOWN_OLDER_MAX), ...older];
  return { ...state, runs: [shortened(run), ...runs].slice(0, RUNS_MAX) };
}

/**
 * Everything that decides what a source comes to, besides what it sends: when it differs, the source
 * has to be read anew, changed or not. Credentials are left out, since a hash of them would say
 * something about them.
 */
export function feedFingerprint(feed: Feed, surroundings: unknown): string {
  const { targetId, format, namesAs, confidenceMin, limits } = feed;
  const source = { ...feed.source, credentials: null, key: null };
  const parts = [targetId, source, format, namesAs, confidenceMin, limits.linesMax, surroundings];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** A report without what it shows beyond so many lines, and with long ones cut off. */
export function shortened(run: FeedRun, shownMax = SHOWN_MAX): FeedRun {
  const cut = (text: string): string => text.slice(0, SHOWN_LENGTH_MAX);
  return {
    ...run,
    rejections: run.rejections
      .slice(0, shownMax)
      .map(({ line, text, reason }) => ({ line, text: cut(text), reason })),
    guardedShown: run.guardedShown
      .slice(0, shownMax)
      .map(({ text, covers }) => ({ text: cut(text), covers: cut(covers) })),
  };
}
