import type { PackedIndicators } from '../indicators/indicator.ts';
import { type MemberSets, memberCount } from '../policy/member-sets.ts';
import type { Feed } from '../policy/model.ts';
import type { FeedRun } from '../publish/feeds-port.ts';
import type { MemberNote } from '../publish/member-notes.ts';
import type { Author, ModelDraft, Publisher } from '../publish/publisher.ts';
import type { Holder } from '../publish/store-port.ts';
import type { SeenBook } from './ageing.ts';
import { type ContentCounts, gateReasons } from './gates.ts';
import { lookupInSlices } from './lookup-in-slices.ts';
import { subtractMembers } from './member-algebra.ts';
import { nextMembers, type Told } from './next-members.ts';
import { type MergedNotes, memberTest, mergeNotes } from './notes.ts';
import { tellingOf } from './telling.ts';

/**
 * A source that tells the same again and again is written into the history of its target once in this
 * time: it costs a row there and one in the audit trail.
 */
const SEEN_ROW_MS = 6 * 3_600_000;

export type PublishingDesk = Pick<
  Publisher,
  'model' | 'catalogue' | 'change' | 'internInSlices' | 'memberNotes'
>;

/** A content that is ready for its target. */
export interface ReadyContent {
  readonly packed: PackedIndicators;
  readonly withdrawn: PackedIndicators;
  readonly notes: readonly MemberNote[];
  readonly incremental: boolean;
  readonly counts: ContentCounts;
}

/** What the target holds after a run, and what is known of it. */
export interface Standing {
  readonly members: MemberSets;
  readonly book: SeenBook;
  /** The time of the last row in the history of the target that came from here; null for none. */
  readonly rowAt: number | null;
  /** By which an edit of somebody else is told. */
  readonly targetUpdatedAt: number;
  /** When the first indicator ends by itself; null when none does. */
  readonly nextExpiryAt: number | null;
}

export type PublishEnd =
  | {
      readonly kind: 'published' | 'unchanged';
      readonly added: number;
      readonly removed: number;
      readonly zones: FeedRun['zones'];
      readonly standing: Standing;
    }
  | {
      readonly kind: 'held';
      readonly added: number;
      readonly removed: number;
      readonly reasons: readonly string[];
    };

/** The feed is gone, or is another than the one whose source was read. */
export class FeedChanged extends Error {
  override readonly name = 'FeedChanged';

  constructor() {
    super('The feed was changed while it ran.');
  }
}

class HeldBack extends Error {
  override readonly name = 'HeldBack';
  readonly end: Extract<PublishEnd, { kind: 'held' }>;

  constructor(end: Extract<PublishEnd, { kind: 'held' }>) {
    super('The run waits for a person.');
    this.end = end;
  }
}

export interface PublishRequest {
  readonly feed: Feed;
  readonly content: ReadyContent;
  readonly book: SeenBook;
  readonly rowAt: number | null;
  readonly by: Author;
  /** Null publishes in any case. */
  readonly gates: Feed['gates'] | null;
  /** Whether what was read is still what the feed is about, asked when it is about to be published. */
  readonly isCurrent: (feed: Feed | undefined) => boolean;
}

/**
 * Gives a target what its source told, as one change, unless a gate holds it. Ids are given and notes
 * written before, in slices; whether a gate holds it is decided in the turn of the change itself.
 * Throws FeedChanged, or what the publisher throws; then nothing has changed.
 */
export async function publishContent(
  publisher: PublishingDesk,
  request: PublishRequest,
): Promise<PublishEnd> {
  const { feed, content } = request;
  const told: Told = {
    members: await publisher.internInSlices(content.packed),
    withdrawn: await lookupInSlices(publisher.catalogue, content.withdrawn),
    telling: tellingOf(feed.source, content.incremental),
  };
  const before = await publisher.memberNotes(holderOf(feed));
  const notes = await mergeNotes({
    told: content.notes,
    before,
    stays: stayTest(publisher, feed, told),
  });
  const isNoted = notes.bytes === null || isSame(before, notes.bytes);
  try {
    const { value, zones } = await publisher.change(request.by, (draft) =>
      writeContent(draft, { ...request, told, notes: isNoted ? null : notes.bytes }),
    );
    const { kind, added, removed, standing } = value;
    return {
      kind,
      added,
      removed,
      zones: zones.map(({ origin, toSerial }) => ({ origin, toSerial })),
      standing: { ...standing, nextExpiryAt: notes.nextExpiryAt },
    };
  } catch (error) {
    if (error instanceof HeldBack) return error.end;
    throw error;
  }
}

export function holderOf({ targetId }: Feed): Holder {
  return { kind: 'target', id: targetId };
}

/** The members that a whole telling left as they were, written into the history as seen. */
export function writeSeen(draft: ModelDraft, feed: Feed, absent: MemberSets): void {
  const target = draft.model.targets.get(feed.targetId);
  if (target === undefined) throw new FeedChanged();
  draft.setMembers(holderOf(feed), target.members, { whole: true, absent });
}

/** Which indicators of before keep their notes: those that stay although they were not told. */
function stayTest(
  { model, catalogue }: PublishingDesk,
  feed: Feed,
  told: Told,
): Parameters<typeof mergeNotes>[0]['stays'] {
  const present = model.targets.get(feed.targetId)?.members;
  if (present === undefined || (feed.ttlSeconds === null && told.telling === 'whole')) return null;
  const untold = subtractMembers(subtractMembers(present, told.members), told.withdrawn);
  return memberTest(catalogue, untold);
}

function writeContent(
  draft: ModelDraft,
  request: PublishRequest & { readonly told: Told; readonly notes: MergedNotes['bytes'] },
): Omit<Exclude<PublishEnd, { kind: 'held' }>, 'zones'> {
  const { content, told, book, gates, notes } = request;
  const feed = draft.model.feeds.get(request.feed.id);
  const target = draft.model.targets.get(request.feed.targetId);
  if (feed === undefined || target === undefined || !request.isCurrent(feed)) {
    throw new FeedChanged();
  }
  const holder = holderOf(feed);
  const present = target.members;
  const ttlMs = ttlMsOf(feed);
  const next = nextMembers({ present, told, book, ttlMs, now: draft.now });
  const { whole, added, removed } = next;
  const [membersBefore, membersAfter] = [memberCount(present), memberCount(next.members)];
  const measured = { membersBefore, membersAfter, content: content.counts };
  const reasons = gates === null ? [] : gateReasons(gates, measured);
  if (reasons.length > 0) throw new HeldBack({ kind: 'held', added, removed, reasons });

  const hasChanged = added > 0 || removed > 0;
  const isSeenDue = whole
    ? isRowDue(request.rowAt, draft.now) || memberCount(next.absent) > 0
    : memberCount(next.named) > 0;
  if (hasChanged || isSeenDue) {
    const { absent, named } = next;
    draft.setMembers(holder, next.members, { whole, absent, named });
  }
  if (notes !== null) draft.putNotes(holder, notes);
  const isPublished = hasChanged || notes !== null;
  if (isPublished) touchTarget(draft, feed);
  const rowAt = hasChanged || isSeenDue ? draft.now : request.rowAt;
  const standing = { ...leftOf(draft, feed), book: next.book, rowAt, nextExpiryAt: null };
  return { kind: isPublished ? 'published' : 'unchanged', added, removed, standing };
}

/** What an edit leaves of the target. */
export function leftOf(
  { model }: ModelDraft,
  { targetId }: Feed,
): Pick<Standing, 'members' | 'targetUpdatedAt'> {
  const { members, updatedAt } = model.targets.get(targetId)!;
  return { members, targetUpdatedAt: updatedAt };
}

export function ttlMsOf({ ttlSeconds }: Feed): number | null {
  return ttlSeconds === null ? null : ttlSeconds * 1_000;
}

export function isRowDue(rowAt: number | null, now: number): boolean {
  return rowAt === null || now - rowAt >= SEEN_ROW_MS;
}

export function touchTarget(draft: ModelDraft, { targetId }: Feed): void {
  const target = draft.model.targets.get(targetId)!;
  draft.put('target', { ...target, updatedAt: draft.now });
}

function isSame(before: Uint8Array | null, after: Uint8Array): boolean {
  return before !== null && Buffer.compare(before, after) === 0;
}
