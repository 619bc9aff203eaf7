import type { Model, Session, User } from '../../policy/model.ts';
import { type Edit, refuse } from './edit.ts';
import { hashToken } from './tokens.ts';

/** Logins of one user at a time; the oldest goes when there is one more. */
const SESSIONS_PER_USER_MAX = 20;
/** 256 bits. */
const SESSION_OCTETS = 32;

/**
 * Begins a session of a user whose identity was proved. `secret` is what the cookie holds, told this
 * once: only its hash is kept.
 */
export function createSession(
  edit: Omit<Edit, 'accountId'>,
  user: User,
  lifetimeMs: number,
): { readonly session: Session; readonly secret: string } {
  const { draft, settings } = edit;
  const current = draft.model.users.get(user.id);
  if (current === undefined || current.disabled || current.passwordHash !== user.passwordHash) {
    const rule = 'The user was changed during the login; log in again.';
    throw refuse('not-allowed', 'name', user.name, rule);
  }
  const own = sessionsOf(draft.model, user.id).sort(
    (a, b) => a.createdAt - b.createdAt || a.id - b.id,
  );
  const surplus = Math.max(0, own.length - SESSIONS_PER_USER_MAX + 1);
  for (const { id } of own.slice(0, surplus)) draft.delete('session', id);
  const secret = Buffer.from(settings.randomBytes(SESSION_OCTETS)).toString('base64url');
  const session: Session = {
    id: draft.nextId('session'),
    userId: user.id,
    sha256: hashToken(secret),
    createdAt: draft.now,
    expiresAt: draft.now + lifetimeMs,
  };
  draft.put('session', session);
  return { session, secret };
}

/** Ends one session, if it is still there. */
export function endSession(edit: Pick<Edit, 'draft'>, id: Session['id']): void {
  if (edit.draft.model.sessions.has(id)) edit.draft.delete('session', id);
}

/** Ends every session of a user: whoever holds a cookie has to prove anew who it is. */
export function endSessionsOf(edit: Pick<Edit, 'draft'>, userId: User['id']): number {
  const own = sessionsOf(edit.draft.model, userId);
  for (const { id } of own) edit.draft.delete('session', id);
  return own.length;
}

/** Removes sessions whose time is over; says how many went. */
export function removeExpiredSessions(edit: Pick<Edit, 'draft'>): number {
  const { draft } = edit;
  const expired = [...draft.model.sessions.values()].filter(
    ({ expiresAt }) => expiresAt <= draft.now,
  );
  for (const { id } of expired) draft.delete('session', id);
  return expired.length;
}

/** When the next session expires (Unix milliseconds), or null when there is none. */
export function nextSessionExpiry(model: Pick<Model, 'sessions'>): number | null {
  let next: number | null = null;
  for (const { expiresAt } of model.sessions.values()) {
    if (next === null || expiresAt < next) next = expiresAt;
  }
  return next;
}

function sessionsOf(model: Pick<Model, 'sessions'>, userId: User['id']): Session[] {
  return [...model.sessions.values()].filter((session) => session.userId === userId);
}
