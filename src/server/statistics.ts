/** Counters since the start, and the gauges whose names end in `Open`, `Running` and `Waiting`. */
export interface DnsServerStatistics {
  readonly udpQueries: number;
  readonly udpAnswers: number;
  /** Shorter than a header, a response, or from port 0, to which no answer can go. */
  readonly udpMalformed: number;
  /** Answers dropped because the system did not take them fast enough. */
  readonly udpBacklogDrops: number;
  /** Of TCP and of TLS, as everything that is named after TCP. */
  readonly tcpConnections: number;
  readonly tcpConnectionsOpen: number;
  readonly tcpRefusedTotal: number;
  readonly tcpRefusedPerClient: number;
  readonly tcpQueries: number;
  readonly tcpAnswers: number;
  readonly tcpMalformed: number;
  readonly tcpClosedIdle: number;
  readonly tcpClosedSlowMessage: number;
  readonly tcpClosedStalled: number;
  /** Times that a connection had to let others go first, having asked more than its turn allows. */
  readonly tcpTurnsPutOff: number;
  /** Handshakes that were completed. */
  readonly tlsConnections: number;
  readonly tlsConnectionsOpen: number;
  /** Of them: with a session from before. */
  readonly tlsResumptions: number;
  /** Of them: with a client certificate of an authority that is accepted. */
  readonly tlsClientsVerified: number;
  readonly tlsHandshakesRunning: number;
  /** No common version or protocol, no TLS at all, a client that left, and those that were too slow. */
  readonly tlsHandshakeFailures: number;
  readonly tlsHandshakesTooSlow: number;
  /** Closed, these or others in their place, because as many were under way as may. */
  readonly tlsHandshakesRefused: number;
  /** Connections and datagrams of proxies that said whom they are from. */
  readonly proxyHeaders: number;
  /** That did not, or not so that we understand it. */
  readonly proxyHeadersRefused: number;
  readonly proxyHeadersTooSlow: number;
  readonly transfersCompleted: number;
  /** Begun or waiting, and not finished: client gone, stalled, failed or server stopped. */
  readonly transfersCut: number;
  readonly transfersRefused: number;
  readonly transferOctets: number;
  /** Short and long ones. */
  readonly transfersRunning: number;
  readonly transfersWaiting: number;
  readonly transfersShortRunning: number;
  readonly transfersShortWaiting: number;
  /** Expected to be short, and were not. */
  readonly transfersOutgrown: number;
  readonly handlerFailures: number;
}

export type Counters = { -readonly [Name in keyof DnsServerStatistics]: number };

export function createCounters(): Counters {
  return {
    udpQueries: 0,
    udpAnswers: 0,
    udpMalformed: 0,
    udpBacklogDrops: 0,
    tcpConnections: 0,
    tcpConnectionsOpen: 0,
    tcpRefusedTotal: 0,
    tcpRefusedPerClient: 0,
    tcpQueries: 0,
    tcpAnswers: 0,
    tcpMalformed: 0,
    tcpClosedIdle: 0,
    tcpClosedSlowMessage: 0,
    tcpClosedStalled: 0,
    tcpTurnsPutOff: 0,
    tlsConnections: 0,
    tlsConnectionsOpen: 0,
    tlsResumptions: 0,
    tlsClientsVerified: 0,
    tlsHandshakesRunning: 0,
    tlsHandshakeFailures: 0,
    tlsHandshakesTooSlow: 0,
    tlsHandshakesRefused: 0,
    proxyHeaders: 0,
    proxyHeadersRefused: 0,
    proxyHeadersTooSlow: 0,
    transfersCompleted: 0,
    transfersCut: 0,
    transfersRefused: 0,
    transferOctets: 0,
    transfersRunning: 0,
    transfersWaiting: 0,
    transfersShortRunning: 0,
    transfersShortWaiting: 0,
    transfersOutgrown: 0,
    handlerFailures: 0,
  };
}
