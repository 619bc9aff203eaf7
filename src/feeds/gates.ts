import type { Feed } from '../policy/model.ts';
import type { FeedContent } from './feed-content.ts';

/** Smaller targets are not measured by shares: a few lines more or less mean nothing there. */
const MEASURED_MEMBERS_MIN = 100;

/** What a run would do to the members of its target. */
export interface MeasuredRun {
  readonly membersBefore: number;
  readonly membersAfter: number;
  readonly content: ContentCounts;
}

export type ContentCounts = Pick<
  FeedContent,
  'duplicates' | 'rejected' | 'leftOut' | 'exceptions' | 'guarded' | 'belowConfidence'
> & { readonly indicators: number };

/**
 * Why a run waits for a person, as sentences; none when it may be published. The first content of a
 * target is never held: nothing is served yet that it could harm.
 */
export function gateReasons(gates: Feed['gates'], run: MeasuredRun): string[] {
  if (run.membersBefore === 0) return [];
  return [sizeReason(gates, run), rejectedReason(gates, run.content)].flatMap(
    (reason) => reason ?? [],
  );
}

/** Entries of a source that meant an indicator, whatever became of them. */
function entriesOf(content: ContentCounts): number {
  const { indicators, duplicates, rejected, leftOut, exceptions, guarded, belowConfidence } =
    content;
  return indicators + duplicates + rejected + leftOut + exceptions + guarded + belowConfidence;
}

/**
 * Why a content cannot be what its feed is meant to be, or null. An empty source is one (a list of
 * servers that are all gone); a source of which nothing can be used is not.
 */
export function uselessContent(content: ContentCounts): string | null {
  const { indicators, rejected, guarded } = content;
  if (indicators > 0 || rejected + guarded === 0) return null;
  const parts = [
    ...(rejected > 0 ? [`${rejected} are no indicators`] : []),
    ...(guarded > 0 ? [`${guarded} cover what must never be blocked`] : []),
  ];
  return `None of its entries can be used: ${parts.join(', ')}.`;
}

function sizeReason(gates: Feed['gates'], run: MeasuredRun): string | null {
  const { membersBefore: before, membersAfter: after } = run;
  if (before < MEASURED_MEMBERS_MIN) return null;
  const shrinks = before - after;
  if (gates.shrinkPercent !== null && shrinks * 100 > gates.shrinkPercent * before) {
    const share = percent(shrinks, before);
    return `The target would shrink by ${share} %, from ${before} to ${after} indicators; the limit is ${gates.shrinkPercent} %.`;
  }
  if (gates.growPercent !== null && -shrinks * 100 > gates.growPercent * before) {
    const share = percent(-shrinks, before);
    return `The target would grow by ${share} %, from ${before} to ${after} indicators; the limit is ${gates.growPercent} %.`;
  }
  return null;
}

function rejectedReason({ rejectedPercent }: Feed['gates'], content: ContentCounts): string | null {
  const { rejected } = content;
  const entries = entriesOf(content);
  if (rejectedPercent === null || rejected * 100 <= rejectedPercent * entries) return null;
  const share = percent(rejected, entries);
  return `${rejected} of ${entries} entries are no indicators, which is ${share} %; the limit is ${rejectedPercent} %.`;
}

/** With one decimal where that says more. */
function percent(part: number, of: number): number {
  return Math.round((part / of) * 1_000) / 10;
}
