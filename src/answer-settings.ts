import { randomBytes, randomInt } from 'node:crypto';
import { loadCookieSecrets } from './config/named-files.ts';
import type { Config } from './config/settings.ts';
import {
  createCookieSecrets,
  createRateLimiter,
  createServerIdentity,
  type NameserverOptions,
  type RateLimitOptions,
} from './nameserver/index.ts';
import type { SettingsUser } from './settings-in-use.ts';

/** How answers are given, apart from what is in them: identity, cookies, limits, time-outs. */
export interface AnswerSettings extends SettingsUser {
  readonly options: Pick<NameserverOptions, 'identity' | 'cookies' | 'rateLimiter' | 'keepaliveMs'>;
}

export function answerSettings(config: Config, clock: () => number): AnswerSettings {
  const identity = createServerIdentity(config.dns.identity);
  const rateLimiter = createRateLimiter(rateLimitOf(config), {
    // Not set back by anyone who sets the clock.
    clock: () => performance.now(),
    seed: randomInt(2 ** 32),
  });
  const { enabled, required, rotationMs } = config.dns.cookies;
  const cookieSecrets = createCookieSecrets({
    fixed: loadCookieSecrets(config),
    rotationMs,
    clock,
    random: (octets) => Uint8Array.from(randomBytes(octets)),
  });
  let keepaliveMs = config.dns.tcp.idleTimeoutMs;
  return {
    options: {
      identity,
      rateLimiter,
      keepaliveMs: () => keepaliveMs,
      ...(enabled ? { cookies: { secrets: cookieSecrets.secrets, required } } : {}),
    },
    check: (next) => void loadCookieSecrets(next),
    use(next) {
      identity.use(next.dns.identity);
      rateLimiter.use(rateLimitOf(next));
      cookieSecrets.use(loadCookieSecrets(next));
      keepaliveMs = next.dns.tcp.idleTimeoutMs;
    },
  };
}

function rateLimitOf({ dns }: Config): RateLimitOptions {
  return dns.rateLimit;
}
