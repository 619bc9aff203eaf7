import type { FastifyBaseLogger } from 'fastify';
import type { EditSettings } from '../publish/edits/index.ts';
import type { Publisher } from '../publish/publisher.ts';
import type { DeviceZoneStatus } from '../publish/store-port.ts';

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

export interface ApiOptions {
  readonly publisher: Publisher;
  readonly edits: EditSettings;
  /** Shown in the OpenAPI document. */
  readonly version: string;
  readonly limits: ApiLimits;
  /** Without it nothing is logged. */
  readonly log?: FastifyBaseLogger;
  /** Monotonic milliseconds, for durations. */
  readonly monotonicMs: () => number;
  /** What is known of each device and zone. */
  readonly deviceStatus: () => Promise<readonly DeviceZoneStatus[]>;
  /** Whether zones are being served; health says 503 otherwise. */
  readonly isServing: () => boolean;
  /** Called at each scrape of the metrics. */
  readonly collectMetrics: () => readonly MetricFamily[];
  /** Answer the metrics without a token, for a listener that only the monitoring reaches. */
  readonly metricsWithoutToken?: boolean;
}
