import type { Logger } from 'pino';
import { loadDnsTls } from './config/named-files.ts';
import type { Config } from './config/settings.ts';
import type { DnsServer } from './server/index.ts';
import type { SettingsUser } from './settings-in-use.ts';
import { watchFiles } from './watch-files.ts';

/** Has the server use the certificate, key and authorities that its files hold, as they change. */
export interface FollowedDnsTls extends SettingsUser {
  stop(): void;
}

export function followDnsTls(options: {
  readonly config: Config;
  readonly server: Pick<DnsServer, 'replaceTls'>;
  readonly log: Pick<Logger, 'info' | 'error'>;
  /** How often the files are looked at. */
  readonly pollMs?: number;
}): FollowedDnsTls {
  const { server, log, pollMs } = options;
  let { config } = options;
  const read = (): void => {
    const identity = loadDnsTls(config);
    if (identity === null) return;
    server.replaceTls(identity);
    log.info({ files: filesOf(config) }, 'DNS over TLS has its certificates anew');
  };
  const changed = (): void => {
    try {
      read();
    } catch (error) {
      // Certificate and key are replaced one after the other: the second change mends it.
      log.error({ err: error }, 'the certificates of DNS over TLS stay as they were');
    }
  };
  let unwatch = watchFiles(filesOf(config), changed, pollMs);
  return {
    check: (next) => void loadDnsTls(next),
    use(next) {
      config = next;
      unwatch();
      unwatch = watchFiles(filesOf(config), changed, pollMs);
      changed();
    },
    stop: () => unwatch(),
  };
}

function filesOf({ dns: { tls } }: Config): string[] {
  if (tls.listen.length === 0) return [];
  const files = [tls.certificateFile, tls.keyFile, tls.clientAuthoritiesFile];
  return files.filter((file) => file !== null);
}
