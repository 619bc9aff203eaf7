import type { Handler } from '../nameserver/handler-port.ts';
import { createAnswerGatherer } from './answer-gatherer.ts';
import { DEFAULT_LIMITS, type DnsServerOptions, type ListenAddress } from './options.ts';
import { createReporter, type ServerLog } from './reporter.ts';
import { createCounters, type DnsServerStatistics } from './statistics.ts';
import { createTcpConnections, listenTcp, type TcpConnections } from './tcp-listener.ts';
import { createTransferScheduler } from './transfer-scheduler.ts';
import { listenUdp, type UdpService } from './udp-listener.ts';

export interface DnsServer {
  /** In the order of the options, with the ports that were really taken. */
  addresses(): readonly ListenAddress[];
  /**
   * Closes the listeners, lets connections finish what is under way, and cuts at the deadline what
   * is not done by then. Resolves when all sockets are closed.
   */
  stop(options: { readonly deadlineMs: number }): Promise<void>;
  statistics(): DnsServerStatistics;
}

/**
 * Listens on every address over UDP and TCP. Rejects with the system's error, and holds nothing,
 * when one of them cannot be had.
 */
export async function startDnsServer(
  options: DnsServerOptions,
  handler: Handler,
  log: ServerLog,
): Promise<DnsServer> {
  const { listen, ...limitsGiven } = options;
  const limits = { ...DEFAULT_LIMITS, ...limitsGiven };
  const counters = createCounters();
  const reporter = createReporter(log);
  const service = {
    handler,
    limits,
    counters,
    reporter,
    gatherer: createAnswerGatherer(),
    transfers: createTransferScheduler(limits, counters, reporter),
  };
  const connections = createTcpConnections(service);
  const listeners: Listener[] = [];
  try {
    for (const address of listen) listeners.push(await listenBoth(service, address, connections));
  } catch (error) {
    await stop(listeners, connections, 0);
    throw error;
  }
  let stopped: Promise<void> | null = null;
  return {
    addresses: () => listeners.map(({ address, port }) => ({ address, port })),
    stop: ({ deadlineMs }) => (stopped ??= stop(listeners, connections, deadlineMs)),
    statistics: () => ({ ...counters }),
  };
}

interface Listener extends ListenAddress {
  close(): void;
}

/** A port that the system chose for UDP may be taken for TCP; then another one is tried. */
const PORTS_TRIED_MAX = 16;

async function listenBoth(
  service: UdpService,
  { address, port }: ListenAddress,
  connections: TcpConnections,
): Promise<Listener> {
  for (let tried = 1; ; tried += 1) {
    const udp = await listenUdp(service, { address, port });
    try {
      const tcp = await listenTcp({ address, port: udp.port }, connections, (error) =>
        service.reporter.failure('a TCP listener failed', error, { address }),
      );
      const close = (): void => {
        udp.close();
        tcp.close();
      };
      return { address, port: udp.port, close };
    } catch (error) {
      udp.close();
      if (port !== 0 || tried === PORTS_TRIED_MAX) throw error;
    }
  }
}

async function stop(
  listeners: readonly Listener[],
  connections: TcpConnections,
  deadlineMs: number,
): Promise<void> {
  for (const listener of listeners) listener.close();
  const deadline = setTimeout(() => connections.destroy(), deadlineMs);
  await connections.finish();
  clearTimeout(deadline);
}
