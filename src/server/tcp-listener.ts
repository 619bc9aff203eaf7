import { createServer, type Server, type Socket } from 'node:net';
import type { Peer } from '../nameserver/handler-port.ts';
import { clientOf, plainAddress } from './client-address.ts';
import type { DnsServerLimits, ListenAddress } from './options.ts';
import { openConnection, type TcpConnection, type TcpService } from './tcp-connection.ts';

/** The connections of all listeners, within the limits. */
export interface TcpConnections {
  accept(socket: Socket): void;
  /** Lets every connection finish what is under way; resolves when none is left. */
  finish(): Promise<void>;
  destroy(): void;
}

export function createTcpConnections(service: TcpService): TcpConnections {
  const { limits, counters } = service;
  const open = new Set<TcpConnection>();
  const openPerClient = new Map<string, number>();
  let finished: (() => void) | null = null;

  const sweep = setInterval(() => {
    const now = performance.now();
    for (const connection of open) connection.checkDeadlines(now);
  }, sweepInterval(limits));

  const closed = (connection: TcpConnection): void => {
    open.delete(connection);
    counters.tcpConnectionsOpen = open.size;
    const left = (openPerClient.get(connection.client) ?? 1) - 1;
    if (left === 0) openPerClient.delete(connection.client);
    else openPerClient.set(connection.client, left);
    if (open.size === 0) finished?.();
  };

  return {
    accept(socket) {
      const peer = peerOf(socket);
      if (peer === null) {
        socket.destroy();
        return;
      }
      const client = clientOf(peer.address);
      const refusal = refusalOf(limits, open.size, openPerClient.get(client) ?? 0);
      if (refusal !== null) {
        counters[refusal] += 1;
        socket.destroy();
        return;
      }
      const connection = openConnection(service, socket, { peer, client }, () =>
        closed(connection),
      );
      open.add(connection);
      openPerClient.set(client, (openPerClient.get(client) ?? 0) + 1);
      counters.tcpConnections += 1;
      counters.tcpConnectionsOpen = open.size;
    },
    async finish() {
      await new Promise<void>((resolve) => {
        finished = resolve;
        if (open.size === 0) resolve();
        for (const connection of open) connection.finish();
      });
      clearInterval(sweep);
    },
    destroy() {
      for (const connection of open) connection.destroy();
    },
  };
}

/** RFC 7766 section 6.2.2: servers may limit connections, in all and per client or subnet. */
function refusalOf(
  limits: DnsServerLimits,
  open: number,
  openOfClient: number,
): 'tcpRefusedTotal' | 'tcpRefusedPerClient' | null {
  if (open >= limits.tcpConnectionsMax) return 'tcpRefusedTotal';
  return openOfClient >= limits.tcpConnectionsPerClientMax ? 'tcpRefusedPerClient' : null;
}

/** Null when the client is gone before we looked. */
function peerOf(socket: Socket): Peer | null {
  const { remoteAddress, remotePort } = socket;
  if (remoteAddress === undefined || remotePort === undefined) return null;
  return { protocol: 'tcp', address: plainAddress(remoteAddress), port: remotePort };
}

const SWEEP_MS_MIN = 10;
const SWEEP_MS_MAX = 1_000;
/** How many times the sweep looks within the shortest time that it guards. */
const SWEEPS_PER_DEADLINE = 4;

/** One timer for all connections: none is set or cleared for each query. */
function sweepInterval(limits: DnsServerLimits): number {
  const shortest = Math.min(
    limits.tcpIdleMs,
    limits.tcpMessageMs,
    limits.tcpWriteMs,
    limits.tcpLingerMs,
  );
  return Math.min(SWEEP_MS_MAX, Math.max(SWEEP_MS_MIN, shortest / SWEEPS_PER_DEADLINE));
}

export interface TcpListener {
  readonly port: number;
  /** Takes no more connections; those that are open stay. */
  close(): void;
}

/** Rejects with the system's error when the address cannot be had. */
export async function listenTcp(
  { address, port }: ListenAddress,
  { accept }: TcpConnections,
  onError: (error: Error) => void,
): Promise<TcpListener> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, accept);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: address, port, ipv6Only: true }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  // An accept that fails, for want of file descriptors say, is not the end of the listener.
  server.on('error', onError);
  return { port: portOf(server), close: () => server.close() };
}

function portOf(server: Server): number {
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('a listener without a port');
  return bound.port;
}
