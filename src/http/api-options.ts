import type { FastifyBaseLogger } from 'fastify';
import type { FeedPreset } from '../policy/feed-preset.ts';
import type { KeyId } from '../policy/model.ts';
import type { Convergence } from '../publish/convergence.ts';
import type { EditSettings } from '../publish/edits/index.ts';
import type { FeedsPort } from '../publish/feeds-port.ts';
import type { Publisher } from '../publish/publisher.ts';
import type { SafetySettings } from '../publish/safety/warnings.ts';
import type { KeyUse } from '../publish/store-port.ts';
import type { OpenIdSettings } from './openid-settings.ts';
import type { PasswordCost } from './password-hash.ts';
import type { SessionSettings } from './session-book.ts';

export interface ApiLimits {
  /** Connections at a time; more are closed at once. */
  readonly connectionsMax: number;
  /** Octets of a JSON body. */
  readonly jsonBodyMax: number;
  /** Octets of a text body, and of a JSON body with indicators. */
  readonly textBodyMax: number;
  /** Requests without a valid token, per client address, that are still answered 401 in a window. */
  readonly failedAuthMax: number;
  readonly failedAuthWindowMs: number;
  /** Until a request has arrived whole. */
  readonly requestTimeoutMs: number;
}

export const DEFAULT_API_LIMITS: ApiLimits = {
  connectionsMax: 256,
  jsonBodyMax: 1024 * 1024,
  textBodyMax: 64 * 1024 * 1024,
  failedAuthMax: 20,
  failedAuthWindowMs: 60_000,
  requestTimeoutMs: 300_000,
};

/** What proves to clients which server this is, both in PEM. */
export interface TlsIdentity {
  /** The certificate, then those that lead from it to an authority. */
  readonly certificate: string;
  readonly key: string;
}

/** Metrics that other rooms count, as they are now. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  /** Of all samples that will ever come: at the first scrape there may be none. */
  readonly labelNames: readonly string[];
  readonly samples: readonly {
    readonly labels: Readonly<Record<string, string>>;
    readonly value: number;
  }[];
}

/** What is known of a host name that a device is known by or told at. Times in Unix milliseconds. */
export interface HostStatus {
  readonly addresses: readonly string[];
  /** When the addresses were learnt; null while no answer came. */
  readonly resolvedAt: number | null;
  /** When it was last asked for; null before the first time. */
  readonly askedAt: number | null;
  /** Why the last lookup brought nothing; null when it did. */
  readonly lastError: string | null;
}

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** What is written to the log, for as long as the process runs. */
export interface LoggingPort {
  settings(): LoggingSettings;
  /** Holds from the next record on; what is not given stays. Returns the settings of now. */
  change(settings: Partial<LoggingSettings>): LoggingSettings;
}

export interface LoggingSettings {
  readonly level: (typeof LOG_LEVELS)[number];
  /** A record for every query. */
  readonly queries: boolean;
  /** A record for every transfer. */
  readonly transfers: boolean;
}

export interface ApiOptions {
  readonly publisher: Publisher;
  readonly edits: EditSettings;
  /** What is unusual in a change, and what is held until somebody confirms it. */
  readonly safety: SafetySettings;
  /** Shown in the OpenAPI document. */
  readonly version: string;
  readonly limits: ApiLimits;
  /** Without it nothing is logged. */
  readonly log?: FastifyBaseLogger;
  readonly sessions: SessionSettings;
  /** What hashing a password costs, where that differs from PASSWORD_COST. */
  readonly passwordCost?: PasswordCost;
  /** Login by OpenID Connect; without it there are no routes for it. */
  readonly openId?: OpenIdSettings;
  /** Serves HTTPS with it; without it plain HTTP. */
  readonly tls?: TlsIdentity;
  /** Addresses and prefixes of proxies whose X-Forwarded-For is believed; nobody's without. */
  readonly trustedProxies?: readonly string[];
  /** Unix milliseconds. */
  readonly clock: () => number;
  /** Monotonic milliseconds, for durations. */
  readonly monotonicMs: () => number;
  /** How far each device has come with each zone. */
  readonly convergence: Convergence;
  /** When and from where a TSIG key was used; without it no key counts as used. */
  readonly keyUse?: (keyId: KeyId) => KeyUse | undefined;
  /** The addresses of a host name; without it nothing is known of any. */
  readonly describeHost?: (name: string) => HostStatus;
  /** What runs the feeds of targets. */
  readonly feeds: FeedsPort;
  /** Feeds that can be turned on by name. */
  readonly feedPresets: readonly FeedPreset[];
  /** What the log of the whole server is switched by. */
  readonly logging: LoggingPort;
  /** Whether zones are being served; health says 503 otherwise. */
  readonly isServing: () => boolean;
  /** Called at each scrape of the metrics. */
  readonly collectMetrics: () => readonly MetricFamily[];
  /** Answer the metrics without a token, for a listener that only the monitoring reaches. */
  readonly metricsWithoutToken?: boolean;
}
