import type { LoginChecks } from './openid-provider.ts';

/** Logins under way at a time; the oldest is forgotten for a new one. */
const PENDING_MAX = 1_000;
/** How long somebody may take at the provider. */
export const PENDING_MS = 600_000;
const KEY_OCTETS = 32;

/** Logins that wait for somebody to come back from the provider, by the secret in a cookie of their own. */
export interface PendingLogins {
  add(checks: LoginChecks): string;
  /** Each is good for one return. */
  take(key: string): LoginChecks | undefined;
}

export function createPendingLogins(options: {
  readonly randomBytes: (octets: number) => Uint8Array;
  readonly monotonicMs: () => number;
}): PendingLogins {
  const { randomBytes, monotonicMs } = options;
  // In the order of their beginning, which is the order of their end.
  const pending = new Map<string, { checks: LoginChecks; endsMs: number }>();
  return {
    add(checks) {
      const now = monotonicMs();
      for (const [key, { endsMs }] of pending) {
        if (endsMs > now && pending.size < PENDING_MAX) break;
        pending.delete(key);
      }
      const key = Buffer.from(randomBytes(KEY_OCTETS)).toString('base64url');
      pending.set(key, { checks, endsMs: now + PENDING_MS });
      return key;
    },
    take(key) {
      const found = pending.get(key);
      pending.delete(key);
      return found !== undefined && found.endsMs > monotonicMs() ? found.checks : undefined;
    },
  };
}
