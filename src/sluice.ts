import { join, resolve } from 'node:path';
import type { Logger } from 'pino';
import { bindDns } from './bind-dns.ts';
import { type Config, loadFeedPresets } from './config/index.ts';
import { checkDataDirectory } from './data-directory.ts';
import { editSettings, policySettings } from './edit-settings.ts';
import { type FeedRunner, hearNotifies } from './feeds/index.ts';
import { beginDatabase, isBegun } from './first-run.ts';
import { httpAccess } from './http-access.ts';
import { type InheritedSockets, NO_SOCKETS } from './inherited-sockets.ts';
import { createLogging } from './logging.ts';
import { answerNotReady } from './nameserver/answer-not-ready.ts';
import { dropPrivileges, findIdentity } from './privileges.ts';
import { type RunningPublisher, startExpiryClock } from './publish/index.ts';
import { safetyLimits, safetySettings } from './safety-settings.ts';
import { serverMetrics } from './server-metrics.ts';
import { createSettingsInUse } from './settings-in-use.ts';
import { startApi } from './start-api.ts';
import { startConvergence } from './start-convergence.ts';
import { startDns } from './start-dns.ts';
import { startFeeds } from './start-feeds.ts';
import { startHosts } from './start-hosts.ts';
import { startKeys } from './start-keys.ts';
import { startNotify } from './start-notify.ts';
import { startPublisher } from './start-publisher.ts';
import { startStatus } from './start-status.ts';
import { createStopOrder, type StopOrder } from './stop-order.ts';
import { openStore } from './store/index.ts';

/** A running server. */
export interface Sluice {
  readonly publisher: RunningPublisher;
  /** Printed once; null when the database was there already. */
  readonly adminToken: string | null;
  dnsAddresses(): readonly { readonly address: string; readonly port: number }[];
  /** Where DNS over TLS is spoken. */
  dnsTlsAddresses(): readonly { readonly address: string; readonly port: number }[];
  httpAddress(): { readonly address: string; readonly port: number };
  /**
   * Takes those of the new settings that can be taken now, or none of them when it throws. Nothing
   * that runs is interrupted.
   */
  reload(config: Config): void;
  /** Stops what makes changes, then finishes or cuts what runs, and closes the store last. */
  stop(): Promise<void>;
}

export interface SluiceOptions {
  readonly config: Config;
  /** The folder `zones/` with the built-in and the sample targets. */
  readonly zonesDirectory: string;
  readonly version: string;
  /** Its level holds until the first reload or a change by the admin API. */
  readonly log: Logger;
  /** Sockets that are bound already; without any the settings say where to listen. */
  readonly inherited?: InheritedSockets;
  /** Unix milliseconds. */
  readonly clock?: () => number;
}

/** Starts everything in order. When something fails, what had started is stopped, and it rejects. */
export async function startSluice(options: SluiceOptions): Promise<Sluice> {
  const stopOrder = createStopOrder();
  try {
    return await startInOrder(options, stopOrder);
  } catch (error) {
    await stopOrder.stop().catch((failure: unknown) => {
      options.log.error({ err: failure }, 'what had started did not stop cleanly');
    });
    throw error;
  }
}

/**
 * The order of starting: the ports, the unprivileged user, the store, what is published, answers,
 * NOTIFY, feeds, the admin API.
 */
async function startInOrder(
  { config, log, inherited = NO_SOCKETS, version, zonesDirectory, clock = Date.now }: SluiceOptions,
  { started, stop }: StopOrder,
): Promise<Sluice> {
  const logging = createLogging(log, config.log);
  const settings = createSettingsInUse(config, logging);
  settings.add(logging);

  // Files that the settings name: a wrong one stops the start before anything has begun.
  const access = httpAccess(config);
  const feedPresets = loadFeedPresets(zonesDirectory);
  const safety = safetySettings(config, zonesDirectory);
  settings.add({ use: (next) => Object.assign(safety, safetyLimits(next)) });

  const identity = findIdentity(config.process);
  const bound = await bindDns({ config, inherited, notReady: answerNotReady, log });
  started(() => bound.server.stop({ deadlineMs: 0 }));
  started(() => bound.stopFollowing());
  settings.add(bound);
  if (identity !== null) {
    dropPrivileges(identity);
    log.info(identity, 'runs as another user');
    // Root has read the certificates, but it is this user who reads them again when they change.
    bound.check?.(config);
  }

  const directory = resolve(config.dataDirectory);
  checkDataDirectory(directory);
  const store = await openStore({
    path: join(directory, 'sluice.sqlite'),
    keyFile: join(directory, 'secret.key'),
  });
  started(() => store.close());

  const { publisher, follow } = await startPublisher({ config, store, clock, log });
  const shared = { config, store, publisher, clock, log };
  const edits = editSettings(config, publisher);
  settings.add({ use: (next) => Object.assign(edits, policySettings(next)) });

  const status = await startStatus(shared);
  started(() => status.stop());
  follow(() => status.book.forgetEnded());

  const keys = await startKeys(shared);
  started(() => keys.stop());
  follow(() => keys.book.forgetEnded());

  const hosts = startHosts(shared);
  started(() => hosts.book.stop());
  follow(hosts.follow);

  const convergence = startConvergence({ ...shared, status: status.book, hosts: hosts.book });
  settings.add(convergence);
  started(() => convergence.stop());

  let feeds: FeedRunner | undefined;
  const upstreams = hearNotifies({
    feeds: () => publisher.model.feeds,
    run: (feedId, actor) => feeds?.run(feedId, actor),
  });
  const dns = startDns({
    ...shared,
    bound,
    hosts: hosts.book,
    status: status.book,
    keys: keys.book,
    refusals: convergence.refusals,
    upstreams: () => upstreams,
    logging,
  });
  settings.add(dns);
  started(() => dns.server.stop({ deadlineMs: settings.config().process.stopDeadlineMs }));

  const notifier = startNotify({
    ...shared,
    status: status.book,
    keys: keys.book,
    hosts: hosts.book,
    listen: dns.server.addresses(),
  });
  settings.add(notifier);
  started(() => notifier.stop());
  follow(() => notifier.wake());
  started(() => publisher.close());

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

  const runner = await startFeeds({
    ...shared,
    safety,
    listen: dns.server.addresses(),
    version,
    log: logging.child('feeds'),
  });
  started(() => runner.stop());
  follow(() => runner.reschedule());
  feeds = runner;

  let isServing = false;
  const api = await startApi(config, {
    ...access,
    publisher,
    edits,
    safety,
    feeds: runner,
    version,
    log: logging.child('http', 'warn'),
    logging,
    clock,
    convergence: convergence.convergence,
    keyUse: keys.book.useOf,
    describeHost: hosts.book.describe,
    feedPresets,
    isServing: () => isServing,
    collectMetrics: () => [
      ...serverMetrics(dns, notifier),
      ...convergence.metrics(),
      ...runner.metrics(),
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
  runner.start();

  return {
    publisher,
    adminToken,
    dnsAddresses: () => dns.server.addresses(),
    dnsTlsAddresses: () => dns.server.tlsAddresses(),
    httpAddress: () => api.address(),
    reload: settings.reload,
    stop,
  };
}
