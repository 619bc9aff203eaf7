import { setImmediate } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Config } from './config/index.ts';
import { convergenceMetrics } from './convergence-metrics.ts';
import type { MetricFamily } from './http/index.ts';
import type { HostBook } from './lookup/index.ts';
import type { DeviceId, Model } from './policy/model.ts';
import {
  type BehindReason,
  type Convergence,
  type ConvergenceSummary,
  createConvergence,
  createRefusalBook,
  type DeviceIdentities,
  type DeviceStatusBook,
  EMPTY_SUMMARY,
  indexIdentities,
  type RefusalBook,
  type RunningPublisher,
  summariseConvergence,
} from './publish/index.ts';
import type { SettingsUser } from './settings-in-use.ts';

/** What is held against what is served, for the API, the metrics and the log. */
export interface RunningConvergence extends SettingsUser {
  readonly convergence: Convergence;
  /** For the observer of the nameserver. */
  readonly refusals: RefusalBook;
  metrics(): MetricFamily[];
  /** Looks at all devices at once rather than when it is time; for tests. */
  look(): Promise<void>;
  stop(): Promise<void>;
}

/** How often all devices are looked at, for the metrics and the log; the API looks when it is asked. */
const LOOK_MS = 5_000;
/** Devices and zones with metrics of their own, the ones that lag most: three series each. */
const METRIC_PAIRS_MAX = 1_000;
/** Devices that are logged in one look; the others are with the next ones. */
const LOGGED_MAX = 100;

export function startConvergence(options: {
  readonly config: Config;
  readonly publisher: RunningPublisher;
  readonly status: DeviceStatusBook;
  readonly hosts: HostBook;
  readonly clock: () => number;
  readonly log: Logger;
}): RunningConvergence {
  const { publisher, status, hosts, clock, log } = options;
  let { expectedMs } = options.config.convergence;
  const refusals = createRefusalBook({
    identities: identitiesOf(publisher, hosts, options.config.root),
    clock,
  });
  const convergence = createConvergence({
    state: () => publisher.state,
    status,
    refusals,
    clock,
    expectedMs: () => expectedMs,
  });
  const report = createReport(log);
  let summary = EMPTY_SUMMARY;
  const look = async (): Promise<void> => {
    summary = await summariseConvergence({
      convergence,
      devices: publisher.model.devices.values(),
      shownMax: METRIC_PAIRS_MAX,
      pause: () => setImmediate(),
    });
    report(summary);
  };
  let stopped = false;
  let looking: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  const plan = (): void => {
    timer = setTimeout(() => {
      looking = look()
        .catch((error: unknown) => log.error({ err: error }, 'devices could not be looked at'))
        .finally(() => {
          if (!stopped) plan();
        });
    }, LOOK_MS);
  };
  plan();
  return {
    convergence,
    refusals,
    metrics: () =>
      convergenceMetrics({
        summary,
        refusals: refusals.statistics(),
        model: publisher.model,
        now: clock(),
      }),
    look,
    use: (config) => {
      expectedMs = config.convergence.expectedMs;
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await looking;
    },
  };
}

/** The index of now; it is made anew when devices, keys, accounts or addresses of hosts have changed. */
function identitiesOf(
  publisher: RunningPublisher,
  hosts: HostBook,
  root: string,
): () => DeviceIdentities {
  let known: { readonly model: Model; readonly version: number } | undefined;
  let index: DeviceIdentities | undefined;
  return () => {
    const { model } = publisher;
    const isCurrent =
      known?.version === hosts.version &&
      known.model.devices === model.devices &&
      known.model.keys === model.keys &&
      known.model.accounts === model.accounts;
    if (index === undefined || !isCurrent) {
      known = { model, version: hosts.version };
      index = indexIdentities(model, root, hosts);
    }
    return index;
  };
}

/** Logs when a device falls behind, when the reason changes, and when it is not behind any more. */
function createReport(log: Logger): (summary: ConvergenceSummary) => void {
  const known = new Map<DeviceId, BehindReason>();
  return ({ worst }) => {
    let logged = 0;
    const behind = new Set(worst.map(({ device }) => device.id));
    for (const { device, origin, behind: why } of worst) {
      if (why === null || known.get(device.id) === why.reason || logged >= LOGGED_MAX) continue;
      logged += 1;
      known.set(device.id, why.reason);
      const { reason, detail } = why;
      log.warn({ deviceId: device.id, zone: origin, reason, detail }, 'a device is behind');
    }
    for (const id of known.keys()) {
      if (behind.has(id)) continue;
      known.delete(id);
      log.info({ deviceId: id }, 'a device is not behind any more');
    }
  };
}
