import type { Handler } from '../nameserver/handler-port.ts';
import { createAnswerGatherer } from './answer-gatherer.ts';
import { type Connections, type ConnectionsService, createConnections } from './connections.ts';
import {
  type ChangeableLimits,
  DEFAULT_LIMITS,
  type DnsServerOptions,
  type ListenAddress,
} from './options.ts';
import { createProxies } from './proxies.ts';
import { createQueryTurns } from './query-turns.ts';
import { createReporter, type ServerLog } from './reporter.ts';
import { createCounters, type DnsServerStatistics } from './statistics.ts';
import { type BoundOrAddress, type Listener, listenStream } from './stream-listener.ts';
import { createTlsHandshakes, type TlsIdentity } from './tls-handshakes.ts';
import { createTransferScheduler } from './transfer-scheduler.ts';
import { listenUdp, type UdpService } from './udp-listener.ts';

export interface DnsServer {
  /** For UDP and TCP, in the order of the options, with the ports that were really taken. */
  addresses(): readonly ListenAddress[];
  tlsAddresses(): readonly ListenAddress[];
  /**
   * Answers by `next` from the next query on. So the sockets can be had, and privileges dropped,
   * before there is anything to answer from.
   */
  handle(next: Handler): void;
  /**
   * New handshakes use `identity`; connections and transfers that are open go on with the one before.
   * Throws, and keeps that one, when OpenSSL does not accept it. Without TLS it does nothing.
   */
  replaceTls(identity: TlsIdentity): void;
  /** Limits from now on; what is above them already stays. */
  useLimits(limits: Partial<ChangeableLimits>): void;
  /** Proxies from now on; connections that are open stay what they are. */
  useProxies(prefixes: readonly string[]): void;
  /**
   * Closes the listeners, lets connections finish what is under way, and cuts at the deadline what
   * is not done by then. Resolves when all sockets are closed.
   */
  stop(options: { readonly deadlineMs: number }): Promise<void>;
  statistics(): DnsServerStatistics;
}

/**
 * Listens on every address over UDP and TCP, and over TLS where that is asked for. Rejects with the
 * system's error, and holds nothing, when one of them cannot be had.
 */
export async function startDnsServer(
  options: DnsServerOptions,
  handler: Handler,
  log: ServerLog,
): Promise<DnsServer> {
  const { listen, tls, proxies = [], inherited, ...limitsGiven } = options;
  const limits = { ...DEFAULT_LIMITS, ...limitsGiven };
  const counters = createCounters();
  const reporter = createReporter(log);
  const service: ConnectionsService & UdpService = {
    handler,
    proxies: createProxies(proxies),
    handshakes: tls === undefined ? null : createTlsHandshakes(tls.identity, limits, counters),
    limits,
    counters,
    reporter,
    gatherer: createAnswerGatherer(),
    transfers: createTransferScheduler(limits, counters, reporter),
    turns: createQueryTurns(),
  };
  const connections = createConnections(service);
  const plain: Listener[] = [];
  const secured: Listener[] = [];
  try {
    const { udp = [], tcp = [] } = inherited ?? {};
    for (const fd of udp) plain.push(await listenUdp(service, { fd }));
    for (const fd of tcp) plain.push(await listenFor('tcp', service, { fd }, connections));
    if (plain.length === 0) {
      for (const address of listen) plain.push(await listenBoth(service, address, connections));
    }
    for (const where of tls === undefined ? [] : tlsSockets(tls.listen, inherited?.tls ?? [])) {
      secured.push(await listenFor('tls', service, where, connections));
    }
  } catch (error) {
    await stop([...plain, ...secured], connections, 0);
    throw error;
  }
  let stopped: Promise<void> | null = null;
  return {
    addresses: () => withoutDuplicates(plain),
    tlsAddresses: () => withoutDuplicates(secured),
    handle: (next) => {
      service.handler = next;
    },
    replaceTls: (identity) => service.handshakes?.replaceIdentity(identity),
    useLimits(changed) {
      Object.assign(limits, changed);
      service.transfers.limitsChanged();
    },
    useProxies: (prefixes) => {
      service.proxies = createProxies(prefixes);
    },
    stop: ({ deadlineMs }) => (stopped ??= stop([...plain, ...secured], connections, deadlineMs)),
    statistics: () => ({ ...counters }),
  };
}

function tlsSockets(
  listen: readonly ListenAddress[],
  inherited: readonly number[],
): readonly BoundOrAddress[] {
  return inherited.length > 0 ? inherited.map((fd) => ({ fd })) : listen;
}

function listenFor(
  protocol: 'tcp' | 'tls',
  { reporter }: UdpService,
  where: BoundOrAddress,
  { accept }: Connections,
): Promise<Listener> {
  return listenStream(
    where,
    (socket) => accept(socket, protocol),
    (error) => reporter.failure(`a listener for ${protocol.toUpperCase()} failed`, error, where),
  );
}

/** A port that the system chose for UDP may be taken for TCP; then another one is tried. */
const PORTS_TRIED_MAX = 16;

async function listenBoth(
  service: UdpService,
  { address, port }: ListenAddress,
  connections: Connections,
): Promise<Listener> {
  for (let tried = 1; ; tried += 1) {
    const udp = await listenUdp(service, { address, port });
    try {
      const tcp = await listenFor('tcp', service, { address, port: udp.port }, connections);
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

/** Sockets that were handed over are one for UDP and one for TCP, often of the same address. */
function withoutDuplicates(listeners: readonly Listener[]): ListenAddress[] {
  const byText = new Map<string, ListenAddress>();
  for (const { address, port } of listeners) byText.set(`${address} ${port}`, { address, port });
  return [...byText.values()];
}

async function stop(
  listeners: readonly Listener[],
  connections: Connections,
  deadlineMs: number,
): Promise<void> {
  for (const listener of listeners) listener.close();
  const deadline = setTimeout(() => connections.destroy(), deadlineMs);
  await connections.finish();
  clearTimeout(deadline);
}
