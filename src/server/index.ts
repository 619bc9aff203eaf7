/**
 * Sockets: UDP and TCP listeners, length framing, limits on connections, times and memory, and
 * the turns of running transfers. What a query means and what it is answered is not decided here:
 * of a message the server reads the header only, and asks the handler of nameserver/.
 *
 * Not implemented yet: TLS (RFC 9103, RFC 7858), response rate limiting, PROXY protocol.
 */
export { type DnsServer, startDnsServer } from './dns-server.ts';
export {
  DEFAULT_LIMITS,
  type DnsServerLimits,
  type DnsServerOptions,
  type ListenAddress,
} from './options.ts';
export type { ServerLog } from './reporter.ts';
export type { DnsServerStatistics } from './statistics.ts';
