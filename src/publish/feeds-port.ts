import type { FeedId, TargetId } from '../policy/model.ts';

/** What became of one run of a feed. */
export type FeedRunEnd = 'unchanged' | 'published' | 'held' | 'failed' | 'discarded';

/** The report of one run. Times are Unix milliseconds. */
export interface FeedRun {
  readonly startedAt: number;
  readonly endedAt: number;
  readonly actor: string;
  readonly end: FeedRunEnd;
  /** Why it failed or is held, as sentences; empty otherwise. */
  readonly reasons: readonly string[];
  /** Octets after decompression. */
  readonly octets: number;
  readonly lines: number;
  /** How the content turned out to be written; null when there was none. */
  readonly detected: string | null;
  /** Distinct indicators that were taken. */
  readonly indicators: number;
  readonly added: number;
  readonly removed: number;
  readonly duplicates: number;
  readonly exceptions: number;
  readonly belowConfidence: number;
  readonly rejected: number;
  readonly rejectedByReason: Readonly<Record<string, number>>;
  /** The first of them. */
  readonly rejections: readonly {
    readonly line: number;
    readonly text: string;
    readonly reason: string;
  }[];
  /** Indicators left out because they cover what must never be blocked. */
  readonly guarded: number;
  readonly guardedShown: readonly { readonly text: string; readonly covers: string }[];
  readonly zones: readonly { readonly origin: string; readonly toSerial: number | null }[];
}

/** How a feed stands. */
export interface FeedStatus {
  readonly feedId: FeedId;
  readonly targetId: TargetId;
  /** `new` until the first run has ended. */
  readonly state: 'new' | 'ok' | 'failing' | 'held' | 'paused';
  readonly running: FeedProgress | null;
  readonly nextRunAt: number | null;
  readonly lastRunAt: number | null;
  /** When the source was last found as it is published: the age of what is served counts from here. */
  readonly lastSuccessAt: number | null;
  readonly failures: number;
  /** The newest first. */
  readonly runs: readonly FeedRun[];
}

export interface FeedProgress {
  readonly phase: 'waiting' | 'fetch' | 'parse' | 'publish';
  readonly startedAt: number;
  readonly octets: number;
  readonly lines: number;
  readonly octetsPerSecond: number;
}

/** A run that waits for a person, against what the target holds now. */
export interface HeldFeedChange {
  readonly run: FeedRun;
  readonly added: number;
  readonly removed: number;
  /** The first of them, in the text form of indicators. */
  readonly addedShown: readonly string[];
  readonly removedShown: readonly string[];
}

export type FeedEvent =
  | { readonly kind: 'progress'; readonly feedId: FeedId; readonly progress: FeedProgress }
  | { readonly kind: 'ended'; readonly feedId: FeedId; readonly run: FeedRun }
  | { readonly kind: 'state'; readonly feedId: FeedId; readonly status: FeedStatus };

/** The runs of feeds, as the admin API sees them. Methods throw ModelError for what cannot be done. */
export interface FeedsPort {
  /** Queues a run now; nothing happens while one is under way. */
  run(feedId: FeedId, actor: string): void;
  /** Takes octets in the place of the source. */
  upload(feedId: FeedId, octets: Uint8Array, actor: string): Promise<FeedRun>;
  /** Publishes what is held. */
  release(feedId: FeedId, actor: string): Promise<FeedRun>;
  /** Forgets what is held. */
  discard(feedId: FeedId, actor: string): Promise<void>;
  status(feedId: FeedId): FeedStatus;
  heldChange(feedId: FeedId): Promise<HeldFeedChange | null>;
  /** Tells what happens to a feed until the returned function is called. */
  listen(feedId: FeedId, listener: (event: FeedEvent) => void): () => void;
}
