import type { FeedSource } from '../policy/model.ts';

/**
 * What a content says of its source: `whole` is all that it holds; `news` what came since the last
 * time, and nothing of the rest (TAXII); `difference` everything that changed since the last time, so
 * that the rest is as it was (a zone by IXFR).
 */
export type Telling = 'whole' | 'news' | 'difference';

export function tellingOf(source: FeedSource, incremental: boolean): Telling {
  if (!incremental) return 'whole';
  return source.kind === 'transfer' ? 'difference' : 'news';
}

/** Whether a source is read from where it was left: then that moves on with what is published only. */
export function readsOn({ kind }: FeedSource): boolean {
  return kind === 'taxii' || kind === 'transfer';
}
