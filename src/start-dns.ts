import { answerSettings } from './answer-settings.ts';
import type { BoundDns } from './bind-dns.ts';
import type { Config } from './config/index.ts';
import type { Logging } from './logging.ts';
import type { HostBook } from './lookup/index.ts';
import {
  createNameserver,
  type Directory,
  type NameserverOptions,
  type QueryLog,
  type RateLimitCounts,
  warmEncoder,
} from './nameserver/index.ts';
import { createObserver, type ObserverWithCounts } from './observe-devices.ts';
import {
  createDirectory,
  type DeviceStatusBook,
  type KeyBook,
  type PublishedState,
  type RefusalBook,
  type RunningPublisher,
  type ZoneDefaults,
} from './publish/index.ts';
import type { DnsServer } from './server/index.ts';
import type { SettingsUser } from './settings-in-use.ts';
import { allowedAlgorithms } from './tsig-algorithms.ts';
import { zoneDefaults } from './zone-settings.ts';

/** What answers questions: the nameserver, and the observer of what was asked. */
export interface RunningDns extends SettingsUser {
  readonly server: DnsServer;
  readonly observer: ObserverWithCounts;
  /** Memory that encoded transfers take. */
  frameOctets(): number;
  /** UDP answers that were held back. */
  rateLimited(): RateLimitCounts;
}

/** Lets the sockets answer from what is published, from now on. */
export function startDns(options: {
  readonly config: Config;
  readonly bound: BoundDns;
  readonly publisher: RunningPublisher;
  readonly hosts: HostBook;
  readonly status: DeviceStatusBook;
  readonly keys: KeyBook;
  readonly refusals: RefusalBook;
  readonly upstreams: NonNullable<NameserverOptions['upstreams']>;
  readonly clock: () => number;
  readonly logging: Logging;
}): RunningDns {
  const { config, bound, publisher, hosts, status, keys, refusals, upstreams, clock, logging } =
    options;
  const logQuery: QueryLog = (entry) => logging.log.info(entry, 'query');
  const observer = createObserver(status, keys, refusals, logging);
  const answers = answerSettings(config, clock);
  const nameserver = createNameserver({
    ...answers.options,
    directory: directoryOf(publisher, zoneDefaults(config), hosts),
    clock,
    tsigAlgorithms: allowedAlgorithms(config),
    udpOctetsMax: config.dns.udpPayloadMaxOctets,
    frameCacheOctets: config.transfer.frameCacheMaxOctets,
    upstreams,
    observer,
    queryLog: () => (logging.settings().queries ? logQuery : null),
  });
  bound.serve(nameserver);
  warmEncoder(publisher.state.zones.values(), publisher.catalogue).catch((error: unknown) => {
    logging.log.error({ err: error }, 'the encoding of transfers could not be tried');
  });
  return {
    server: bound.server,
    observer,
    frameOctets: nameserver.frameOctets,
    rateLimited: nameserver.rateLimited,
    check: (next) => answers.check?.(next),
    use: answers.use,
  };
}

/** The directory of the state that is published now, made once per state and set of host addresses. */
function directoryOf(
  publisher: RunningPublisher,
  defaults: ZoneDefaults,
  hosts: HostBook,
): () => Directory {
  let state: PublishedState | undefined;
  let version = 0;
  let directory: Directory | undefined;
  return () => {
    if (directory === undefined || state !== publisher.state || version !== hosts.version) {
      state = publisher.state;
      version = hosts.version;
      directory = createDirectory(state, publisher.catalogue, defaults, hosts);
    }
    return directory;
  };
}
