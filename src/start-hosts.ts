import type { Logger } from 'pino';
import type { Config } from './config/index.ts';
import { createHostLookup, type HostBook, openHostBook } from './lookup/index.ts';
import { hostNamesInUse, type RunningPublisher } from './publish/index.ts';

/** How long the addresses of a host name are waited for. */
const LOOKUP_TIMEOUT_MS = 5_000;

/** The book of the addresses that host names of devices have, and what keeps it to those in use. */
export function startHosts(options: {
  readonly config: Config;
  readonly publisher: RunningPublisher;
  readonly clock: () => number;
  readonly log: Logger;
}): { readonly book: HostBook; follow(): void } {
  const { config, publisher, clock, log } = options;
  const book = openHostBook({
    lookup: createHostLookup({ servers: config.lookup.servers, timeoutMs: LOOKUP_TIMEOUT_MS }),
    onChange: (host, addresses) => log.info({ host, addresses }, 'a host name has other addresses'),
    clock,
    random: Math.random,
  });
  const follow = () => book.use(hostNamesInUse(publisher.model));
  follow();
  return { book, follow };
}
