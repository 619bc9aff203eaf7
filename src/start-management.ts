import type { Logger } from 'pino';
import { type Config, loadFeedPresets } from './config/index.ts';
import { editSettings, policySettings } from './edit-settings.ts';
import type { FeedRunner } from './feeds/index.ts';
import { beginDatabase, isBegun } from './first-run.ts';
import type { httpAccess } from './http-access.ts';
import type { Logging } from './logging.ts';
import type { HostBook } from './lookup/index.ts';
import { startExpiryClock } from './publish/expiry.ts';
import type { DeviceStatusBook, RunningPublisher } from './publish/index.ts';
import type { Store } from './publish/store-port.ts';
import { safetyLimits, safetySettings } from './safety-settings.ts';
import { serverMetrics } from './server-metrics.ts';
import type { SettingsInUse } from './settings-in-use.ts';
import { type RunningApi, startApi } from './start-api.ts';
import type { RunningConvergence } from './start-convergence.ts';
import type { RunningDns } from './start-dns.ts';
import { startFeeds } from './start-feeds.ts';
import type { RunningKeys } from './start-keys.ts';
import { startNotify } from './start-notify.ts';
import type { StartedPublisher } from './start-publisher.ts';
import type { StopOrder } from './stop-order.ts';

/** What a server does besides answering questions. */
export interface RunningManagement {
  readonly feeds: FeedRunner;
  /** Printed once; null when the database was there already. */
  readonly adminToken: string | null;
  httpAddress: RunningApi['address'];
}

/**
 * Starts what tells of changes and what makes them: NOTIFY, the clocks, feeds, the admin API, and what a
 * new database begins with. Its programs are loaded when this file is, which is when answers are given.
 */
export async function startManagement(
  server: {
    readonly config: Config;
    readonly zonesDirectory: string;
    readonly version: string;
    readonly store: Store;
    readonly publisher: RunningPublisher;
    readonly clock: () => number;
    readonly log: Logger;
    readonly logging: Logging;
    readonly access: ReturnType<typeof httpAccess>;
    readonly dns: RunningDns;
    readonly status: DeviceStatusBook;
    readonly keys: RunningKeys;
    readonly hosts: HostBook;
    readonly convergence: RunningConvergence;
  },
  {
    started,
    follow,
    settings,
  }: Pick<StopOrder, 'started'> &
    Pick<StartedPublisher, 'follow'> & { readonly settings: SettingsInUse },
): Promise<RunningManagement> {
  const { config, zonesDirectory, version, publisher, clock, log, logging } = server;
  const { access, dns, keys, hosts, convergence } = server;
  const feedPresets = loadFeedPresets(zonesDirectory);
  const safety = safetySettings(config, zonesDirectory);
  settings.add({ use: (next) => Object.assign(safety, safetyLimits(next)) });
  const edits = editSettings(config, publisher);
  settings.add({ use: (next) => Object.assign(edits, policySettings(next)) });
  const listen = dns.server.addresses();

  const notifier = startNotify({ ...server, keys: keys.book, listen });
  settings.add(notifier);
  started(() => notifier.stop());
  follow(() => notifier.wake());

  const expiry = startExpiryClock({
    publisher,
    settings: edits,
    clock,
    onError: (error) => log.error({ err: error }, 'what has expired could not be removed'),
  });
  started(() => expiry.stop());
  follow(() => expiry.reschedule());

  const retirement = keys.startRetirement();
  started(() => retirement.stop());

  const feeds = await startFeeds({ ...server, safety, listen, log: logging.child('feeds') });
  started(() => feeds.stop());
  follow(() => feeds.reschedule());

  let isServing = false;
  const api = await startApi(config, {
    ...access,
    publisher,
    edits,
    safety,
    feeds,
    version,
    log: logging.child('http', 'warn'),
    logging,
    clock,
    convergence: convergence.convergence,
    keyUse: keys.book.useOf,
    describeHost: hosts.describe,
    feedPresets,
    isServing: () => isServing,
    collectMetrics: () => [
      ...serverMetrics(dns, notifier),
      ...convergence.metrics(),
      ...feeds.metrics(),
    ],
  });
  started(() => api.stop());

  // Last, when nothing can fail any more: the token is told once, so it must not be made and then lost.
  const adminToken = isBegun(publisher.model)
    ? null
    : await beginDatabase({ publisher, edits, config, zonesDirectory });
  isServing = true;
  started(() => {
    isServing = false;
  });
  feeds.start();
  return { feeds, adminToken, httpAddress: () => api.address() };
}
