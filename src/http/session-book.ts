import type { Model, Session, SessionId, User } from '../policy/model.ts';
import { createSession, type EditSettings, endSession, hashToken } from '../publish/edits/index.ts';
import type { Publisher } from '../publish/publisher.ts';

export interface SessionSettings {
  /** From the login on, whatever happens. */
  readonly lifetimeMs: number;
  /** Without a request. */
  readonly idleTimeoutMs: number;
  /** Give cookies to browsers for HTTPS only, because a proxy speaks it; over our own TLS that is so anyway. */
  readonly secureCookie: boolean;
}

/** The sessions of users: begun at a login, found by the secret in a cookie, ended by time or by hand. */
export interface SessionBook {
  readonly settings: SessionSettings;
  /** `how` is for the audit trail. */
  begin(user: User, how: string): Promise<{ readonly session: Session; readonly secret: string }>;
  /** Whose session it is; undefined when it is unknown, over, idle for too long, or its user disabled. */
  find(secret: string): { readonly session: Session; readonly user: User } | undefined;
}

export function createSessionBook(options: {
  readonly publisher: Publisher;
  readonly edits: EditSettings;
  readonly settings: SessionSettings;
  /** Unix milliseconds. */
  readonly clock: () => number;
  readonly monotonicMs: () => number;
}): SessionBook {
  const { publisher, edits, settings, clock, monotonicMs } = options;
  // In memory only: a request need not write. After a start every session counts as just used.
  const usedMs = new Map<SessionId, number>();
  const use = (session: Session): boolean => {
    const now = monotonicMs();
    const isIdle = now - (usedMs.get(session.id) ?? now) >= settings.idleTimeoutMs;
    if (!isIdle) usedMs.set(session.id, now);
    forgetEnded(usedMs, publisher.model.sessions);
    return !isIdle;
  };
  const endIdle = ({ id }: Session, { accountId }: User): void => {
    const by = { actor: 'sluice', action: `session.idle ${id}`, accountId };
    // When it cannot be stored now it stays refused, and the next request tries again.
    publisher.change(by, (draft) => endSession({ draft }, id)).catch(() => undefined);
  };

  return {
    settings,
    async begin(user, how) {
      const by = { actor: `user ${user.name}`, action: how, accountId: user.accountId };
      const { value } = await publisher.change(by, (draft) =>
        createSession({ draft, settings: edits, system: false }, user, settings.lifetimeMs),
      );
      usedMs.set(value.session.id, monotonicMs());
      return value;
    },
    find(secret) {
      const { model } = publisher;
      const session = sessionsByHash(model.sessions).get(hashToken(secret));
      const user = session && model.users.get(session.userId);
      if (session === undefined || user === undefined || user.disabled) return undefined;
      if (session.expiresAt <= clock()) return undefined;
      if (use(session)) return { session, user };
      endIdle(session, user);
      return undefined;
    },
  };
}

/** More entries than sessions are kept only up to this many. */
const ENDED_KEPT_MAX = 1_000;

function forgetEnded(usedMs: Map<SessionId, number>, sessions: Model['sessions']): void {
  if (usedMs.size <= sessions.size + ENDED_KEPT_MAX) return;
  for (const id of usedMs.keys()) if (!sessions.has(id)) usedMs.delete(id);
}

/** Made once per state of the sessions. Hashes of random secrets tell nothing by their timing. */
function sessionsByHash(sessions: Model['sessions']): ReadonlyMap<string, Session> {
  const known = indexes.get(sessions);
  if (known !== undefined) return known;
  const index = new Map<string, Session>();
  for (const session of sessions.values()) index.set(session.sha256, session);
  indexes.set(sessions, index);
  return index;
}

const indexes = new WeakMap<Model['sessions'], ReadonlyMap<string, Session>>();
