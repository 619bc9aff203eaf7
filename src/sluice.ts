import { join, resolve } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Logger } from 'pino';
import { bindDns } from './bind-dns.ts';
import type { Config } from './config/settings.ts';
import { checkDataDirectory, databasePath } from './data-directory.ts';
import { hearNotifies } from './feeds/upstream/hear-notifies.ts';
import { httpAccess } from './http-access.ts';
import { type InheritedSockets, NO_SOCKETS } from './inherited-sockets.ts';
import { loadManagement } from './load-management.ts';
import { createLogging } from './logging.ts';
import { answerNotReady } from './nameserver/answer-not-ready.ts';
import { dropPrivileges, findIdentity } from './privileges.ts';
import type { RunningPublisher } from './publish/create-publisher.ts';
import { createMemoryRelease, releaseMemory } from './publish/release-memory.ts';
import { createSettingsInUse } from './settings-in-use.ts';
import { startConvergence } from './start-convergence.ts';
import { startDns } from './start-dns.ts';
import { startHosts } from './start-hosts.ts';
import { startKeys } from './start-keys.ts';
import type { RunningManagement } from './start-management.ts';
import { startPublisher } from './start-publisher.ts';
import { startStatus } from './start-status.ts';
import { createStopOrder, type StopOrder } from './stop-order.ts';
import { type ImageFile, openStoreHere } from './store/index.ts';

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
  /** The image of the database in the data directory, where its reading has been begun ahead. */
  readonly image?: Promise<ImageFile | null>;
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
 * The order of starting: the ports, the unprivileged user, the store, what is published, answers; then
 * all that is not needed for answers, whose programs take longer to load than a zone of a million rules.
 */
async function startInOrder(options: SluiceOptions, { started, stop }: StopOrder): Promise<Sluice> {
  const {
    config,
    log,
    inherited = NO_SOCKETS,
    version,
    zonesDirectory,
    clock = Date.now,
  } = options;
  const logging = createLogging(log, config.log);
  const settings = createSettingsInUse(config, logging);
  settings.add(logging);

  // Files that the settings name: a wrong one stops the start before anything has begun.
  const access = httpAccess(config);

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

  // A question that waits in an inherited socket is told at once that zones are being loaded.
  await turns();

  const directory = resolve(config.dataDirectory);
  checkDataDirectory(directory);
  const { store, handOver } = await openStoreHere({
    path: databasePath(directory),
    keyFile: join(directory, 'secret.key'),
    ...(options.image === undefined ? {} : { image: options.image }),
  });
  started(() => store.close());

  const { publisher, follow } = await startPublisher({ config, store, clock, log });
  const shared = { config, store, publisher, clock, log };

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

  let management: RunningManagement | undefined;
  const upstreams = hearNotifies({
    feeds: () => publisher.model.feeds,
    run: (feedId, actor) => management?.feeds.run(feedId, actor),
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
  started(() => publisher.close());

  // From here on questions are answered, those that wait first: what follows takes turns of its own.
  await turns();
  const [{ startManagement }] = await Promise.all([loadManagement(), handOver()]);
  management = await startManagement(
    {
      ...shared,
      zonesDirectory,
      version,
      logging,
      access,
      dns,
      status: status.book,
      keys,
      hosts: hosts.book,
      convergence,
    },
    { started, follow, settings },
  );
  releaseMemory();
  const memory = createMemoryRelease({ now: () => performance.now(), release: releaseMemory });
  follow(() => memory.published());
  started(() => memory.stop());

  const { adminToken, httpAddress } = management;
  return {
    publisher,
    adminToken,
    dnsAddresses: () => dns.server.addresses(),
    dnsTlsAddresses: () => dns.server.tlsAddresses(),
    httpAddress,
    reload: settings.reload,
    stop,
  };
}

/** For questions that wait in the sockets: a turn to accept a connection, one to read from it, and one to spare. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await nextTurn();
}
