/**
 * Sockets: UDP, TCP and TLS listeners, length framing, the PROXY protocol, limits on connections,
 * times and memory, and the turns of queries and of running transfers. What a query means and what
 * it is answered is not decided here: of a message the server reads the header only, and asks the
 * handler of nameserver/.
 *
 * Not implemented: DNS over HTTPS and QUIC (RFC 8484, RFC 9250), early data of TLS 1.3 (RFC 8446
 * section 2.3), several threads or processes on one port.
 */
export { type DnsServer, startDnsServer } from './dns-server.ts';
export {
  type ChangeableLimits,
  DEFAULT_LIMITS,
  type DnsServerLimits,
  type DnsServerOptions,
  type InheritedSockets,
  type ListenAddress,
} from './options.ts';
export type { ServerLog } from './reporter.ts';
export type { DnsServerStatistics } from './statistics.ts';
export type { TlsIdentity } from './tls-handshakes.ts';
