import { EMPTY_MEMBERS, memberCount } from '../policy/member-sets.ts';
import { agedMembers, withoutMembers } from './ageing.ts';
import type { FeedSlot } from './feed-slot.ts';
import { intersectMembers, subtractMembers, unionMembers } from './member-algebra.ts';
import { expiredByNotes } from './notes.ts';
import {
  FeedChanged,
  holderOf,
  leftOf,
  type PublishingDesk,
  type Standing,
  touchTarget,
  ttlMsOf,
} from './publish-content.ts';
import { actorOf, operatorOf } from './run-feed.ts';

/**
 * Takes out of a target what has ended: members that their source does not tell any more and whose
 * time is over, and those that said themselves until when they are meant. One change for all of them.
 */
export async function expireMembers(
  publisher: PublishingDesk,
  slot: Pick<FeedSlot, 'feed' | 'book' | 'state'>,
  now: number,
): Promise<Standing> {
  const { feed, book, state } = slot;
  const ttlMs = ttlMsOf(feed);
  const notes = await publisher.memberNotes(holderOf(feed));
  const { expired, nextExpiryAt } =
    notes === null
      ? { expired: EMPTY_MEMBERS, nextExpiryAt: null }
      : await expiredByNotes(notes, publisher.catalogue, now);
  const by = {
    actor: actorOf(publisher, feed),
    action: `feed.expire ${feed.id}`,
    accountId: operatorOf(publisher),
  };
  const { value } = await publisher.change(by, (draft) => {
    const target = draft.model.targets.get(feed.targetId);
    if (target === undefined) throw new FeedChanged();
    const aged = ttlMs === null ? EMPTY_MEMBERS : agedMembers(book, ttlMs, now);
    const ended = unionMembers(aged, expired);
    const gone = intersectMembers(ended, target.members);
    const left = withoutMembers(book, ended);
    if (memberCount(gone) === 0) {
      return { ...leftOf(draft, feed), book: left, rowAt: state.rowAt };
    }
    const members = subtractMembers(target.members, gone);
    draft.setMembers(holderOf(feed), members, { whole: false, absent: null });
    touchTarget(draft, feed);
    return { ...leftOf(draft, feed), book: left, rowAt: draft.now };
  });
  return { ...value, nextExpiryAt };
}
