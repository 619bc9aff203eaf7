import type { FeedJob } from '../../../src/feeds/worker/feed-job.ts';

export const NO_VALIDATORS = {
  etag: null,
  lastModified: null,
  contentHash: null,
  addedAfter: null,
} as const;

/** A run with limits that suit a test. */
export function jobOf(
  source: FeedJob['source'],
  changes: Partial<Omit<FeedJob, 'source' | 'limits' | 'parse'>> & {
    readonly limits?: Partial<FeedJob['limits']>;
    readonly parse?: Partial<FeedJob['parse']>;
  } = {},
): FeedJob {
  return {
    feedId: 1,
    format: { kind: 'auto' },
    validators: NO_VALIDATORS,
    ...changes,
    source,
    parse: {
      ownerOctetsMax: 200,
      linesMax: 10_000_000,
      indicatorsMax: 10_000_000,
      confidenceMin: null,
      nowMs: Date.UTC(2026, 2, 1),
      hashSeed: 1,
      namesAs: 'name',
      regexTimeMs: 1_000,
      guardNames: [],
      guardPrefixes: [],
      ...changes.parse,
    },
    limits: {
      octetsMax: 200_000_000,
      timeMs: 10_000,
      redirectsMax: 3,
      linesMax: 10_000_000,
      ...changes.limits,
    },
  };
}

export const httpOf = (url: string) =>
  ({ kind: 'http', url, credentials: { kind: 'none' }, allowPrivate: true }) as const;

export const octetsOf = (text: string) =>
  ({ kind: 'octets', octets: new TextEncoder().encode(text) }) as const;

export const quietly = () => {};
