import type { Logger } from 'pino';
import { loadDnsTls } from './config/named-files.ts';
import type { Config } from './config/settings.ts';
import { followDnsTls } from './follow-dns-tls.ts';
import type { InheritedSockets } from './inherited-sockets.ts';
import type { Handler } from './nameserver/index.ts';
import { type ChangeableLimits, type DnsServer, startDnsServer } from './server/index.ts';
import type { SettingsUser } from './settings-in-use.ts';
import { StartError } from './start-error.ts';

/** The sockets of DNS. Until `serve` every query is answered with SERVFAIL, Not Ready (RFC 8914). */
export interface BoundDns extends SettingsUser {
  readonly server: DnsServer;
  serve(handler: Handler): void;
  /** Looks at the certificate files no longer. */
  stopFollowing(): void;
}

/**
 * Binds the ports before anything else is done, since only this may need the rights of root, and so
 * that clients get an answer while a large database is loaded.
 */
export async function bindDns(options: {
  readonly config: Config;
  readonly inherited: InheritedSockets;
  readonly notReady: Handler;
  readonly log: Logger;
}): Promise<BoundDns> {
  const { config, inherited, notReady, log } = options;
  const identity = loadDnsTls(config);
  if (identity === null && inherited.tls.length > 0) {
    const rule = 'a socket for TLS needs dns.tls.listen with a certificate in the configuration';
    throw new StartError('LISTEN_FDNAMES', 'dns-tls', rule);
  }
  const server = await startDnsServer(
    {
      listen: config.dns.listen,
      ...(identity === null ? {} : { tls: { listen: config.dns.tls.listen, identity } }),
      proxies: config.dns.proxyProtocol.from,
      inherited,
      ...serverLimits(config),
    },
    notReady,
    log,
  );
  const tls = followDnsTls({ config, server, log });
  return {
    server,
    serve: (next) => server.handle(next),
    check: (next) => tls.check?.(next),
    use(next) {
      server.useLimits(serverLimits(next));
      server.useProxies(next.dns.proxyProtocol.from);
      tls.use(next);
    },
    stopFollowing: () => tls.stop(),
  };
}

function serverLimits({ dns }: Config): Partial<ChangeableLimits> {
  return {
    tcpConnectionsMax: dns.tcp.connectionsMax,
    tcpConnectionsPerClientMax: dns.tcp.connectionsPerClientMax,
    tcpPendingQueriesMax: dns.tcp.queriesPendingMax,
    tcpIdleMs: dns.tcp.idleTimeoutMs,
    tcpStallMs: dns.transfers.stallTimeoutMs,
    transfersMax: dns.transfers.runningMax,
    transfersPerClientMax: dns.transfers.runningPerClientMax,
    transfersPerKeyMax: dns.transfers.runningPerKeyMax,
  };
}
