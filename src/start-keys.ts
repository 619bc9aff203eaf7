import type { Logger } from 'pino';
import type { Config } from './config/index.ts';
import {
  type KeyBook,
  type KeyRetirement,
  openKeyBook,
  type RunningPublisher,
  startKeyRetirement,
} from './publish/index.ts';
import type { Store } from './publish/store-port.ts';

/** What is known of the use of TSIG keys, written to the store now and then. */
export interface RunningKeys {
  readonly book: KeyBook;
  /** Lets old keys end when new ones were seen, from now on. */
  startRetirement(): KeyRetirement;
  /** Writes what is not written yet, and nothing after it. */
  stop(): Promise<void>;
}

const FLUSH_MS = 2_000;

export async function startKeys(options: {
  readonly config: Config;
  readonly store: Store;
  readonly publisher: RunningPublisher;
  readonly clock: () => number;
  readonly log: Logger;
}): Promise<RunningKeys> {
  const { config, store, publisher, clock, log } = options;
  let retirement: KeyRetirement | null = null;
  const book = await openKeyBook({
    store,
    model: () => publisher.model,
    clock,
    onFirstUse: () => retirement?.look(),
  });
  const report = (error: unknown) =>
    log.error({ err: error }, 'the use of keys could not be stored');
  const flusher = setInterval(() => void book.flush().catch(report), FLUSH_MS);
  return {
    book,
    startRetirement() {
      retirement = startKeyRetirement({
        publisher,
        book,
        retireAfterMs: config.tsig.retireAfterMs,
        clock,
        onError: (error) => log.error({ err: error }, 'keys could not be retired'),
      });
      return retirement;
    },
    async stop() {
      clearInterval(flusher);
      await book.flush();
    },
  };
}
