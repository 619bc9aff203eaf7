import type { Logger } from 'pino';
import type { Config } from './config/settings.ts';
import { createPublisher, type RunningPublisher } from './publish/create-publisher.ts';
import type { Store } from './publish/store-port.ts';
import { zoneDefaults } from './zone-settings.ts';

/** The one writer, and who is told of what it has published. */
export interface StartedPublisher {
  readonly publisher: RunningPublisher;
  /** From now on called after every publication, behind those that were added before. */
  follow(follower: () => void): void;
}

/** Loads what the store has. */
export async function startPublisher(options: {
  readonly config: Config;
  readonly store: Store;
  readonly clock: () => number;
  readonly log: Logger;
}): Promise<StartedPublisher> {
  const { config, store, clock, log } = options;
  const followers: (() => void)[] = [];
  const publisher = await createPublisher({
    store,
    defaults: zoneDefaults(config),
    clock,
    limits: {
      revisionsMax: config.journal.revisionsMax,
      octetsMax: config.journal.zoneMaxOctets,
    },
    digestThread: {
      onError: (error) =>
        log.warn({ err: error }, 'the thread for zone digests died; they are made in slices'),
    },
    onImageError: (error) =>
      log.warn(
        { err: error },
        'the image of the catalogue could not be written; the next start takes longer',
      ),
    onListenerError: (error) => log.error({ err: error }, 'a publication was not told to all'),
    onPublished: ({ zones }) => {
      for (const { origin, fromSerial, toSerial } of zones) {
        log.info({ zone: origin, fromSerial, toSerial }, 'published');
      }
      for (const follower of followers) follower();
    },
  });
  return { publisher, follow: (follower) => followers.push(follower) };
}
