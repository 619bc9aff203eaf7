/** Counters since the start, and the gauges whose names end in `Open`, `Running` and `Waiting`. */
export interface DnsServerStatistics {
  readonly udpQueries: number;
  readonly udpAnswers: number;
  /** Shorter than a header, or a response. */
  readonly udpMalformed: number;
  /** Answers dropped because the system did not take them fast enough. */
  readonly udpBacklogDrops: number;
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
  readonly transfersCompleted: number;
  /** Begun or waiting, and not finished: client gone, stalled, failed or server stopped. */
  readonly transfersCut: number;
  readonly transfersRefused: number;
  readonly transferOctets: number;
  readonly transfersRunning: number;
  readonly transfersWaiting: number;
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
    transfersCompleted: 0,
    transfersCut: 0,
    transfersRefused: 0,
    transferOctets: 0,
    transfersRunning: 0,
    transfersWaiting: 0,
    handlerFailures: 0,
  };
}
