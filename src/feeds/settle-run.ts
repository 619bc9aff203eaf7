import { EMPTY_MEMBERS, type MemberSets } from '../policy/member-sets.ts';
import { afterTelling, toldAgain } from './ageing.ts';
import type { FeedSlot } from './feed-slot.ts';
import { type FeedState, NO_VALIDATORS, withRun } from './feed-state.ts';
import { encodeHeld } from './held-content.ts';
import type { Standing } from './publish-content.ts';
import type { FeedRunResult } from './run-feed.ts';
import { readsOn, tellingOf } from './telling.ts';
import type { FeedValidators } from './worker/index.ts';

/** A result with what it was made of. */
export interface EndedRun {
  readonly result: Exclude<FeedRunResult, { kind: 'void' }>;
  readonly fingerprint: string;
  /** What the run began with. */
  readonly validators: FeedValidators;
  readonly isUpload: boolean;
  /** The members of the target now. */
  readonly present: MemberSets;
}

/** Writes into a slot what a run came to, but for when the next one is. */
export async function settleRun(slot: FeedSlot, ended: EndedRun): Promise<void> {
  const { result } = ended;
  const { endedAt } = result.run;
  slot.state = { ...withRun(slot.state, result.run), lastRunAt: endedAt };
  switch (result.kind) {
    case 'failed':
      slot.state = { ...slot.state, failures: slot.state.failures + 1 };
      return;
    case 'unchanged':
      settleUnchanged(slot, ended, endedAt);
      return;
    case 'published':
      slot.held = null;
      slot.state = {
        ...succeeded(slot.state, endedAt),
        ...readAs(ended, result.validators),
        isPublished: true,
      };
      takeStanding(slot, result.end.standing);
      return;
    case 'held':
      slot.held = await encodeHeld(result.held);
      slot.state = { ...slot.state, failures: 0 };
      // What a source told since the last time has to be told again until it is released.
      if (readsOn(slot.feed.source)) return;
      slot.state = {
        ...slot.state,
        ...readAs(ended, result.held.validators),
        isPublished: false,
      };
      slot.members = ended.present;
  }
}

/** What a change by this feed left of its target. */
export function takeStanding(slot: FeedSlot, standing: Standing): void {
  const { members, book, rowAt, targetUpdatedAt, nextExpiryAt } = standing;
  slot.members = members;
  slot.book = book;
  slot.nextExpiryAt = nextExpiryAt;
  slot.state = { ...slot.state, rowAt, targetUpdatedAt, toldAt: book.toldAt };
}

/** The source is as it was; whether that is what the target holds depends on what became of it then. */
function settleUnchanged(slot: FeedSlot, { validators, present }: EndedRun, now: number): void {
  const telling = tellingOf(slot.feed.source, validators.addedAfter !== null);
  slot.state = { ...slot.state, failures: 0 };
  if (!slot.state.isPublished) return;
  // A source that tells news told nothing; any other told everything again.
  slot.book =
    telling === 'news'
      ? afterTelling(slot.book, present, EMPTY_MEMBERS, now)
      : toldAgain(slot.book, now);
  slot.state = { ...succeeded(slot.state, now), toldAt: slot.book.toldAt };
}

function succeeded(state: FeedState, now: number): FeedState {
  return { ...state, failures: 0, lastSuccessAt: now };
}

/** An upload says nothing of the source: that is read in full the next time. */
function readAs(
  { fingerprint, isUpload }: EndedRun,
  validators: FeedValidators,
): Pick<FeedState, 'fingerprint' | 'validators'> {
  return { fingerprint, validators: isUpload ? NO_VALIDATORS : validators };
}
