import { getPublicSuffix } from 'tldts';
import type { FeedContent, FeedFormat, ParseFeedOptions } from '../../src/feeds/feed-content.ts';
import { parseFeed } from '../../src/feeds/formats/parse-feed.ts';
import type { PackedIndicators } from '../../src/indicators/indicator.ts';
import { describeIndicator, unpack } from '../indicators/parsing.ts';

/** 1 November 2026. */
export const NOW_MS = Date.UTC(2026, 10, 1);

export const isPublicSuffix = (name: string): boolean =>
  getPublicSuffix(name, { allowPrivateDomains: true }) === name;

export const FEED_OPTIONS: ParseFeedOptions = {
  ownerOctetsMax: 200,
  linesMax: 2_000_000,
  indicatorsMax: 2_000_000,
  confidenceMin: null,
  nowMs: NOW_MS,
  hashSeed: 7,
  guard: { names: [], prefixes: [], isPublicSuffix },
  namesAs: 'name',
  regexTimeMs: 2000,
};

/** Reads a text (or octets) as a feed. */
export function parse(
  feed: string | Uint8Array,
  format: FeedFormat | FeedFormat['kind'],
  options: Partial<ParseFeedOptions> = {},
): FeedContent {
  const octets = typeof feed === 'string' ? Buffer.from(feed) : feed;
  const whole = typeof format === 'string' ? ({ kind: format } as FeedFormat) : format;
  return parseFeed(octets, whole, { ...FEED_OPTIONS, ...options });
}

/** Kind and value of each indicator, in order of the alphabet. */
export function indicators({ packed }: { readonly packed: PackedIndicators }): string[] {
  return unpack(packed).map(describeIndicator).sort();
}
