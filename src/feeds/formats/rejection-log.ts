import type { ReadResult } from '../../indicators/read-lines.ts';
import type { RejectionReason } from '../../indicators/rejection.ts';
import type { FeedContent } from '../feed-content.ts';
import type { FeedReason } from './feed-reasons.ts';

export const SHOWN_MAX = 100;
/** How much of a rejected line is shown. */
export const SHOWN_CHARACTERS_MAX = 200;

/**
 * What parsing itself refuses because it would cover everything: that is a case for the guard, and
 * counted with what the guard finds.
 */
const GUARDED_REASONS: Readonly<Record<string, string>> = {
  'prefix-zero': 'every address there is',
  root: 'every name there is',
};

export interface RejectionLog {
  add(line: number, text: string, reason: FeedReason | RejectionReason): void;
  /** What reading in bulk has counted already. */
  addAll(counted: Pick<ReadResult, 'rejectedByReason' | 'rejections'>): void;
  result(): Pick<FeedContent, 'rejected' | 'rejectedByReason' | 'rejections'> & GuardedAtOnce;
}

export interface GuardedAtOnce {
  readonly guarded: number;
  readonly guardedShown: { readonly text: string; readonly covers: string }[];
}

/** Counts every rejection and keeps the first with their text. */
export function createRejectionLog(): RejectionLog {
  const counts = new Map<string, number>();
  const rejections: { line: number; text: string; reason: string }[] = [];
  const guardedShown: { text: string; covers: string }[] = [];
  let rejected = 0;
  let guarded = 0;
  const count = (reason: string, lines: number): void => {
    if (Object.hasOwn(GUARDED_REASONS, reason)) guarded += lines;
    else {
      rejected += lines;
      counts.set(reason, (counts.get(reason) ?? 0) + lines);
    }
  };
  const show = (line: number, text: string, reason: string): void => {
    if (!Object.hasOwn(GUARDED_REASONS, reason)) {
      if (rejections.length < SHOWN_MAX) rejections.push({ line, text: shown(text), reason });
    } else if (guardedShown.length < SHOWN_MAX) {
      guardedShown.push({ text: shown(text), covers: GUARDED_REASONS[reason] });
    }
  };
  return {
    add(line, text, reason) {
      count(reason, 1);
      show(line, text, reason);
    },
    addAll(counted) {
      for (const [reason, lines] of Object.entries(counted.rejectedByReason)) count(reason, lines);
      for (const { line, text, reason } of counted.rejections) show(line, text, reason);
    },
    result: () => ({
      rejected,
      rejectedByReason: Object.fromEntries(counts),
      rejections,
      guarded,
      guardedShown,
    }),
  };
}

/** As it stands there, cut, control characters replaced. */
function shown(text: string): string {
  const cut = text.slice(0, SHOWN_CHARACTERS_MAX).trim();
  return cut.replace(/[^\P{Cc}\t]/gu, '\ufffd').toWellFormed();
}
