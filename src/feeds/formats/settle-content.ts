import { formatIndicator } from '../../indicators/format-indicator.ts';
import {
  INDICATOR_KINDS,
  type Indicator,
  type PackedIndicators,
} from '../../indicators/indicator.ts';
import { packIndicators } from '../../indicators/pack-indicators.ts';
import type { FeedContent, ParseFeedOptions } from '../feed-content.ts';
import { createFeedGuard, findGuarded } from '../guard/feed-guard.ts';
import type { Exceptions } from './exceptions.ts';
import type { FinishOptions } from './feed-draft.ts';
import { feedReasonSentence } from './feed-reasons.ts';
import type { NoteBook } from './note-book.ts';
import {
  emptyPacked,
  HOST,
  NAME,
  WILDCARD,
  withKind,
  withMergedForms,
  withoutDropped,
} from './packed-set.ts';
import { type RejectionLog, SHOWN_MAX } from './rejection-log.ts';

type Admitted = 'leftOut' | 'leftOutByReason' | 'belowConfidence' | 'exceptions';

/**
 * The last steps, over the whole set: names get the form that they are meant in, exceptions are
 * taken out, then what must never be blocked.
 */
export function settleContent(
  draft: FinishOptions & {
    readonly options: ParseFeedOptions;
    readonly packed: PackedIndicators;
    readonly duplicates: number;
    readonly namesAre: 'name' | 'host';
    readonly exceptions: Exceptions;
    readonly withdrawn: readonly Indicator[];
    readonly notes: NoteBook;
    readonly rejections: RejectionLog;
  },
): Omit<FeedContent, Admitted> {
  const { options, exceptions, notes } = draft;
  const { unreadable = null } = draft;
  // Reading may have ended in the middle of anything.
  const read = unreadable === null ? draft.packed : emptyPacked();
  const formed = formNames({ ...draft, packed: read });
  const open = withoutDropped(formed.packed, exceptions.find(formed.packed));
  const merged = draft.mergesForms === true ? withMergedForms(open, options.hashSeed) : open;
  const found = findGuarded(createFeedGuard(options.guard), merged, SHOWN_MAX);
  const { guarded, guardedShown, ...rejected } = draft.rejections.result();
  const packed = withoutDropped(merged, found.dropped);
  return {
    packed,
    detected: draft.detected,
    unreadable: unreadable === null ? null : inASentence(unreadable),
    lines: draft.lines,
    duplicates: formed.duplicates,
    ...rejected,
    withdrawn: withoutNamed(draft.withdrawn, packed),
    guarded: guarded + found.guarded,
    guardedShown: [...guardedShown, ...found.shown].slice(0, SHOWN_MAX),
    notes: notes.about(packed),
    notesLeftOut: notes.leftOut(),
  };
}

function inASentence({ reason, text }: NonNullable<FinishOptions['unreadable']>) {
  const sentence = feedReasonSentence(reason);
  return { reason, text: text === '' ? sentence : `${sentence} (${text})` };
}

function formNames(draft: {
  readonly packed: PackedIndicators;
  readonly duplicates: number;
  readonly namesAre: 'name' | 'host';
  readonly wildcardsAreNames?: boolean;
  readonly options: ParseFeedOptions;
}): { readonly packed: PackedIndicators; readonly duplicates: number } {
  const { hashSeed } = draft.options;
  const hosts =
    draft.namesAre === 'host'
      ? withKind(draft.packed, { from: NAME, to: HOST, hashSeed })
      : { packed: draft.packed, duplicates: 0 };
  const names =
    draft.wildcardsAreNames === true
      ? withKind(hosts.packed, { from: WILDCARD, to: NAME, hashSeed })
      : { packed: hosts.packed, duplicates: 0 };
  const duplicates = draft.duplicates + hosts.duplicates + names.duplicates;
  return { packed: names.packed, duplicates };
}

/** What is taken back and not named by anything else. */
function withoutNamed(withdrawn: readonly Indicator[], packed: PackedIndicators): PackedIndicators {
  if (withdrawn.length === 0) return emptyPacked();
  const byText = new Map(withdrawn.map((each) => [formatIndicator(each.kind, each.key), each]));
  let start = 0;
  for (let index = 0; index < packed.count; index++) {
    const key = packed.keys.subarray(start, packed.ends[index]);
    byText.delete(formatIndicator(INDICATOR_KINDS[packed.kinds[index]], key));
    start = packed.ends[index];
  }
  return packIndicators(byText.values());
}
