/** Where to listen: UDP and TCP on the same port. Port 0 lets the system choose. */
export interface ListenAddress {
  /** An IPv4 or IPv6 address, not a host name. */
  readonly address: string;
  readonly port: number;
}

/**
 * The most that clients can make the server hold or wait for. A client is one IPv4 address or one
 * IPv6 /64, the smallest that a site is given (RFC 6177 section 2).
 */
export interface DnsServerLimits {
  /** Asked of the system for each UDP socket; it may grant less. */
  readonly udpReceiveBufferOctets: number;
  /** Answers that the system has not taken yet, for each UDP socket; more are dropped and counted. */
  readonly udpSendBacklogOctetsMax: number;
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
  /** Transfers that run; each has one buffer of TRANSFER_PIECE_OCTETS. */
  readonly transfersMax: number;
  readonly transfersPerClientMax: number;
  /** Transfers that wait for a place; those above it get SERVFAIL. */
  readonly transfersWaitingMax: number;
}

export interface DnsServerOptions extends Partial<DnsServerLimits> {
  readonly listen: readonly ListenAddress[];
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
  transfersMax: 64,
  transfersPerClientMax: 16,
  transfersWaitingMax: 1_000,
};
