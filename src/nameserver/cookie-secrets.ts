import { COOKIE_SECRET_OCTETS } from '../dns/cookie.ts';
import type { CookieSecrets } from '../dns/cookie-secrets.ts';

/** A cookie is good for an hour (RFC 9018 section 4.3), so its secret is, after it was replaced. */
const FORMER_ACCEPTED_MS = 3_600_000;

/** The secrets of now. */
export interface CookieSecretHolder {
  secrets(): CookieSecrets;
  /**
   * From now on these are used, or with null one that is made here. One that was made here is
   * accepted no longer.
   */
  use(fixed: CookieSecrets | null): void;
}

/**
 * Holds secrets that were given, or, with `fixed` null, makes one itself and replaces it by time,
 * the one before accepted for an hour more. `random` gives so many random octets, `clock` Unix
 * milliseconds.
 */
export function createCookieSecrets(options: {
  readonly fixed: CookieSecrets | null;
  readonly rotationMs: number;
  readonly clock: () => number;
  readonly random: (octets: number) => Uint8Array;
}): CookieSecretHolder {
  const { rotationMs, clock, random } = options;
  let { fixed } = options;
  const made = (accepted: readonly Uint8Array[]): CookieSecrets => ({
    active: random(COOKIE_SECRET_OCTETS),
    accepted,
  });
  let own = made([]);
  let madeAt = clock();
  return {
    secrets() {
      if (fixed !== null) return fixed;
      const now = clock();
      if (now - madeAt >= rotationMs) {
        own = made([own.active]);
        madeAt = now;
      } else if (own.accepted.length > 0 && now - madeAt > FORMER_ACCEPTED_MS) {
        own = { active: own.active, accepted: [] };
      }
      return own;
    },
    use(next) {
      if (fixed !== null && next === null) {
        own = made([]);
        madeAt = clock();
      }
      fixed = next;
    },
  };
}
