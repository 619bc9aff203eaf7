import { resolve } from 'node:path';
import type { Logger } from 'pino';
import type { Config } from './config/index.ts';
import { type FeedRunner, openFeeds, startFeedWorker } from './feeds/index.ts';
import type { RunningPublisher, SafetySettings } from './publish/index.ts';
import type { Store } from './publish/store-port.ts';
import { feedGuard } from './safety-settings.ts';
import type { ListenAddress } from './server/index.ts';
import { OWNER_OCTETS_MAX } from './zone-settings.ts';

/** The feeds with the thread that reads them; they run from `start` on. */
export function startFeeds(options: {
  readonly config: Config;
  readonly store: Store;
  readonly publisher: RunningPublisher;
  readonly safety: SafetySettings;
  /** Where we answer. */
  readonly listen: readonly ListenAddress[];
  readonly version: string;
  readonly clock: () => number;
  readonly log: Logger;
}): Promise<FeedRunner> {
  const { config, store, publisher, safety, listen, version, clock, log } = options;
  const { directory, runningMax, allowPrivateSources } = config.feeds;
  return openFeeds({
    publisher,
    store,
    clock,
    worker: startFeedWorker({
      directory: resolve(config.dataDirectory, directory),
      jobsMax: runningMax,
    }),
    guard: feedGuard(config, safety, listen),
    ownerOctetsMax: OWNER_OCTETS_MAX,
    allowPrivateSources,
    runningMax,
    version,
    random: Math.random,
    log,
  });
}
