import type { TlsIdentity } from './tls-handshakes.ts';

/** Where to listen. Port 0 lets the system choose. */
export interface ListenAddress {
  /** An IPv4 or IPv6 address, not a host name. */
  readonly address: string;
  readonly port: number;
}

/**
 * The most that clients can make the server hold or wait for. A client is one IPv4 address or one
 * IPv6 /64, the smallest that a site is given (RFC 6177 section 2); behind a proxy that is believed
 * it is the address that the proxy tells. What is named after TCP holds for TLS as well.
 */
export interface DnsServerLimits {
  /** Asked of the system for each UDP socket; it may grant less. */
  readonly udpReceiveBufferOctets: number;
  /** Answers that the system has not taken yet, for each UDP socket; more are dropped and counted. */
  readonly udpSendBacklogOctetsMax: number;
  /** Connections from their acceptance to their end, those that have not shown who they are included. */
  readonly tcpConnectionsMax: number;
  readonly tcpConnectionsPerClientMax: number;
  /** Queries of one connection whose answers are still to be made: transfers one behind another. */
  readonly tcpPendingQueriesMax: number;
  /** Nothing asked and nothing owed for so long: closed. */
  readonly tcpIdleMs: number;
  /** From the first octet of a message to its last. */
  readonly tcpMessageMs: number;
  /** A client that takes nothing of what is waiting for it for so long (at most twice that) is cut off. */
  readonly tcpStallMs: number;
  /** The longest that what is waiting may take to go, however steadily a client trickles. */
  readonly tcpWriteMs: number;
  /** How long a client may take to close its side after we have closed ours. */
  readonly tcpLingerMs: number;
  /** TLS handshakes under way; above them a connection of the client that has most is closed. */
  readonly tlsHandshakesMax: number;
  /** From the acceptance of a connection, or its PROXY header, to the end of its handshake. */
  readonly tlsHandshakeMs: number;
  /** How long a proxy may take to say whom a connection is from. */
  readonly proxyHeaderMs: number;
  /** Long transfers that run, in all, to one client and for one key that has no limit of its own. */
  readonly transfersMax: number;
  readonly transfersPerClientMax: number;
  readonly transfersPerKeyMax: number;
  /** Short transfers that run. Those of a client and of a key are limited as the long ones are, but apart. */
  readonly transfersShortMax: number;
  /** Transfers that wait for a place, long and short ones each; those above it get SERVFAIL. */
  readonly transfersWaitingMax: number;
}

/** Limits that take effect when they change: the others belong to sockets that are open already. */
export type ChangeableLimits = Omit<
  DnsServerLimits,
  'udpReceiveBufferOctets' | 'udpSendBacklogOctetsMax'
>;

/**
 * Sockets that another process has bound and handed over, as file descriptors: systemd does so for
 * ports below 1024. Each is used instead of binding: one of `udp` or `tcp` takes the place of all of
 * `listen`, one of `tls` that of all of `tls.listen`. They are set to non-blocking, which whoever
 * else holds the same socket notices; those of TCP and TLS may be listening already. The server
 * owns them: they are closed when it stops.
 */
export interface InheritedSockets {
  readonly udp: readonly number[];
  readonly tcp: readonly number[];
  readonly tls: readonly number[];
}

export interface DnsServerOptions extends Partial<DnsServerLimits> {
  /** UDP and TCP on the same port. */
  readonly listen: readonly ListenAddress[];
  /** DNS over TLS (RFC 7858), and with it zone transfers over TLS (RFC 9103). */
  readonly tls?: { readonly listen: readonly ListenAddress[]; readonly identity: TlsIdentity };
  /** Addresses and prefixes of load balancers: whatever they send begins with a PROXY header. */
  readonly proxies?: readonly string[];
  readonly inherited?: InheritedSockets;
}

export const DEFAULT_LIMITS: DnsServerLimits = {
  udpReceiveBufferOctets: 4_194_304,
  udpSendBacklogOctetsMax: 1_048_576,
  tcpConnectionsMax: 2_000,
  // RFC 7766 section 6.2.2: much looser than what clients are told to keep to.
  tcpConnectionsPerClientMax: 200,
  tcpPendingQueriesMax: 16,
  // RFC 7766 section 6.2.3: on the order of seconds, at least a few.
  tcpIdleMs: 10_000,
  tcpMessageMs: 5_000,
  tcpStallMs: 30_000,
  tcpWriteMs: 120_000,
  tcpLingerMs: 2_000,
  tlsHandshakesMax: 256,
  tlsHandshakeMs: 5_000,
  proxyHeaderMs: 3_000,
  transfersMax: 64,
  transfersPerClientMax: 16,
  transfersPerKeyMax: 16,
  transfersShortMax: 64,
  transfersWaitingMax: 1_000,
};
