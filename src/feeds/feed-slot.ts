import { EMPTY_MEMBERS, type MemberSets } from '../policy/member-sets.ts';
import type { Feed } from '../policy/model.ts';
import type { FeedProgress, FeedStatus } from '../publish/feeds-port.ts';
import type { Publisher } from '../publish/publisher.ts';
import type { StoredFeedState, StoredHistory } from '../publish/store-port.ts';
import { nextAgeing, type SeenBook, seenBookOf } from './ageing.ts';
import { decodeState, type FeedState, NEW_STATE, NO_VALIDATORS } from './feed-state.ts';
import { expiredByNotes } from './notes.ts';
import { holderOf, ttlMsOf } from './publish-content.ts';
import type { FeedValidators, FeedProgress as WorkerProgress } from './worker/index.ts';

/** What is known of one feed while the server runs. */
export interface FeedSlot {
  feed: Feed;
  state: FeedState;
  /** A content that waits for a person, as `encodeHeld` wrote it. */
  held: Uint8Array | null;
  book: SeenBook;
  /** The members of the target as the last run left them; null when somebody else may have been there. */
  members: MemberSets | null;
  /** When the first indicator ends by itself, as its source said; null when none does. */
  nextExpiryAt: number | null;
  /** What has ended is not taken out before this time, so that much of it goes at once. */
  expiryFrom: number;
  /** What is under way; nothing else begins meanwhile. */
  busy: 'waiting' | 'run' | 'expiry' | 'decision' | null;
  progress: FeedProgress | null;
}

/** A feed that was not there before. */
export function newSlot(feed: Feed, now: number): FeedSlot {
  return {
    feed,
    state: NEW_STATE,
    held: null,
    book: { toldAt: now, cohorts: [] },
    members: null,
    nextExpiryAt: null,
    expiryFrom: 0,
    busy: null,
    progress: null,
  };
}

/** A feed as the database knows it, at a start. */
export async function loadSlot(
  feed: Feed,
  stored: StoredFeedState | undefined,
  publisher: Pick<Publisher, 'model' | 'catalogue' | 'memberHistory' | 'memberNotes'>,
): Promise<FeedSlot> {
  const target = publisher.model.targets.get(feed.targetId)!;
  const slot = newSlot(feed, target.createdAt);
  if (stored === undefined) return slot;
  slot.state = decodeState(stored.body);
  slot.held = stored.held;
  const holder = holderOf(feed);
  // A run that was published and not written down, or somebody's edit: then it is not what we left.
  if (target.updatedAt === slot.state.targetUpdatedAt) slot.members = target.members;
  const whole = feed.source.kind !== 'taxii';
  const isAgeing = feed.ttlSeconds !== null;
  const history = isAgeing || !whole ? await publisher.memberHistory(holder) : [];
  const toldAt = Math.max(slot.state.toldAt ?? target.createdAt, lastTelling(history, whole));
  slot.book = seenBookOf(history, target, { whole, toldAt });
  const notes = await publisher.memberNotes(holder);
  if (notes !== null) {
    slot.nextExpiryAt = (await expiredByNotes(notes, publisher.catalogue, 0)).nextExpiryAt;
  }
  return slot;
}

/** What says whether the source has changed: nothing where the target is not as it was left, or the feed not as it was. */
export function validatorsFor(
  slot: FeedSlot,
  fingerprint: string,
  present: MemberSets = EMPTY_MEMBERS,
): FeedValidators {
  const { state, members } = slot;
  const isSame = state.fingerprint === fingerprint && members === present;
  return isSame ? state.validators : NO_VALIDATORS;
}

/** When members of its target are to be taken out next (Unix milliseconds); infinite when none are. */
export function nextEnding({ feed, book, nextExpiryAt, expiryFrom }: FeedSlot): number {
  const ttlMs = ttlMsOf(feed);
  const ageing = ttlMs === null ? null : nextAgeing(book, ttlMs);
  const never = Number.POSITIVE_INFINITY;
  return Math.max(expiryFrom, Math.min(ageing ?? never, nextExpiryAt ?? never));
}

export function statusOf({ feed, state, held, progress }: FeedSlot): FeedStatus {
  return {
    feedId: feed.id,
    targetId: feed.targetId,
    state: stateOf(feed, state, held !== null),
    running: progress,
    nextRunAt: state.nextRunAt,
    lastRunAt: state.lastRunAt,
    lastSuccessAt: state.lastSuccessAt,
    failures: state.failures,
    runs: state.runs,
  };
}

/** What asks for a person comes first. */
function stateOf(feed: Feed, state: FeedState, isHeld: boolean): FeedStatus['state'] {
  if (isHeld) return 'held';
  if (!feed.enabled) return 'paused';
  if (state.failures > 0) return 'failing';
  return state.runs.length === 0 ? 'new' : 'ok';
}

export function waitingProgress(now: number): FeedProgress {
  return { phase: 'waiting', startedAt: now, octets: 0, lines: 0, octetsPerSecond: 0 };
}

/** What the worker tells, with the rate since the run began. */
export function progressOf(
  startedAt: number,
  { phase, octets, lines, msSoFar }: WorkerProgress,
): FeedProgress {
  const octetsPerSecond = msSoFar > 0 ? Math.round((octets * 1_000) / msSoFar) : 0;
  return { phase, startedAt, octets, lines, octetsPerSecond };
}

function lastTelling(history: readonly StoredHistory[], whole: boolean): number {
  const isTelling = (row: StoredHistory): boolean =>
    whole ? row.whole : row.whole || row.added > 0 || row.seen !== null;
  return history.findLast(isTelling)?.at ?? 0;
}
