import type { HeldChange, HeldChangeId, Model } from '../../policy/model.ts';
import { type Edit, notFound, refuse, type Viewer, viewerOf } from './edit.ts';

/** Changes that one account can have waiting. */
const HELD_CHANGES_MAX = 100;
/** A change that nobody confirms is discarded after this time. */
const HELD_MS = 7 * 24 * 3_600_000;

/** Keeps a change that is above the limits until somebody confirms or discards it. */
export function holdChange(
  edit: Edit,
  change: Pick<HeldChange, 'actor' | 'action' | 'request' | 'reasons'>,
): HeldChange {
  const { draft, accountId } = edit;
  const waiting = [...draft.model.heldChanges.values()].filter(
    (other) => other.accountId === accountId,
  );
  if (waiting.length >= HELD_CHANGES_MAX) {
    const rule = `An account has at most ${HELD_CHANGES_MAX} changes waiting; confirm or discard some.`;
    throw refuse('held-full', 'confirm', waiting.length, rule);
  }
  const held: HeldChange = {
    ...change,
    id: draft.nextId('held'),
    accountId,
    expiresAt: draft.now + HELD_MS,
    createdAt: draft.now,
  };
  draft.put('held', held);
  return held;
}

export function findHeldChange(viewer: Viewer, id: number): HeldChange {
  const held = viewer.model.heldChanges.get(id as HeldChangeId);
  if (held === undefined || held.accountId !== viewer.accountId) throw notFound('held change', id);
  return held;
}

/** Takes a change off the waiting ones: because it is carried out in the same edit, or never will be. */
export function removeHeldChange(edit: Edit, id: number): HeldChange {
  const held = findHeldChange(viewerOf(edit), id);
  edit.draft.delete('held', held.id);
  return held;
}

/** Discards what nobody has confirmed in time, and returns how many there were. */
export function removeExpiredHeldChanges({ draft }: Omit<Edit, 'accountId'>): number {
  const expired = [...draft.model.heldChanges.values()].filter(
    ({ expiresAt }) => expiresAt <= draft.now,
  );
  for (const { id } of expired) draft.delete('held', id);
  return expired.length;
}

/** When the next held change expires, in Unix milliseconds; null when none is waiting. */
export function nextHeldExpiry(model: Model): number | null {
  let next: number | null = null;
  for (const { expiresAt } of model.heldChanges.values()) {
    if (next === null || expiresAt < next) next = expiresAt;
  }
  return next;
}
