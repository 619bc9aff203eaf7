import type { FeedSource } from '../../policy/model.ts';
import type { FeedContent, FeedFormat, ParseFeedOptions } from '../feed-content.ts';
import type { FeedFailureReason } from '../sources/feed-failure.ts';

/** What says, at the next run, whether anything changed since this one. */
export interface FeedValidators {
  readonly etag: string | null;
  readonly lastModified: string | null;
  /** SHA-256 of the unpacked octets, in hexadecimal. */
  readonly contentHash: string | null;
  /** How far a source that tells what is new was read: TAXII's time of the newest object, a zone's serial. */
  readonly addedAfter: string | null;
}

/** One run of one feed. Hand over validators only if they come from the same source, format and options. */
export interface FeedJob {
  readonly feedId: number;
  readonly source:
    | Extract<FeedSource, { kind: 'http' | 'file' | 'taxii' | 'transfer' }>
    /** The octets move to the thread if they have a buffer of their own: do not use them afterwards. */
    | { readonly kind: 'octets'; readonly octets: Uint8Array };
  readonly format: FeedFormat;
  readonly parse: Omit<ParseFeedOptions, 'guard' | 'checkpoint'> & {
    readonly guardNames: readonly string[];
    readonly guardPrefixes: readonly string[];
  };
  readonly validators: FeedValidators;
  readonly limits: {
    /** As it is sent and as it is unpacked. */
    readonly octetsMax: number;
    /** For fetching and unpacking; parsing has a limit of its own. */
    readonly timeMs: number;
    readonly redirectsMax: number;
    readonly linesMax: number;
    /** Without an octet from the server; 30 s when absent. */
    readonly idleMs?: number;
  };
}

export type FeedOutcome =
  /** Nothing differs from what the validators were made of. */
  | { readonly kind: 'unchanged'; readonly validators: FeedValidators }
  | {
      readonly kind: 'content';
      readonly content: FeedContent;
      readonly validators: FeedValidators;
      /** Unpacked. */
      readonly octets: number;
      readonly ms: number;
      /** Only what was added since the last run: to be added to what is there, not to replace it. */
      readonly incremental: boolean;
    }
  /** `text` may be shown and logged. What was published before stays. */
  | {
      readonly kind: 'failed';
      readonly reason: FeedFailureReason;
      readonly text: string;
      /** The server asked not to be asked again before; a day at most. */
      readonly retryAfterMs?: number;
    };

/** How far a run has come. */
export interface FeedProgress {
  readonly phase: 'fetch' | 'parse';
  /** Received while it is fetched, unpacked while it is parsed. */
  readonly octets: number;
  /** Known when it is parsed; 0 before. */
  readonly lines: number;
  readonly msSoFar: number;
}
