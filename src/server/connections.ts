import type { Socket } from 'node:net';
import type { Peer } from '../nameserver/handler-port.ts';
import { clientOf, plainAddress } from './client-address.ts';
import type { DnsServerLimits } from './options.ts';
import type { Proxies } from './proxies.ts';
import { readProxyHeader } from './read-proxy-header.ts';
import { openConnection, type TcpConnection, type TcpService } from './tcp-connection.ts';
import type { TlsHandshakes } from './tls-handshakes.ts';

/** The connections of all listeners, within the limits, from their acceptance to their end. */
export interface Connections {
  accept(socket: Socket, protocol: 'tcp' | 'tls'): void;
  /** Lets every connection finish what is under way; resolves when none is left. */
  finish(): Promise<void>;
  destroy(): void;
}

export interface ConnectionsService extends TcpService {
  proxies: Proxies;
  /** Null when there is no TLS. */
  readonly handshakes: TlsHandshakes | null;
}

/** A connection that has not shown yet who it is: a proxy has to say so, or a handshake to be made. */
interface Arrival {
  readonly until: number;
  readonly tooSlow: 'proxyHeadersTooSlow' | 'tlsHandshakesTooSlow';
}

export function createConnections(service: ConnectionsService): Connections {
  const { limits, counters } = service;
  /** All that were accepted and are not closed. */
  const sockets = new Set<Socket>();
  const arrivals = new Map<Socket, Arrival>();
  const open = new Set<TcpConnection>();
  const openPerClient = new Map<string, number>();
  let finished: (() => void) | null = null;

  const sweep = setInterval(() => {
    const now = performance.now();
    for (const connection of open) connection.checkDeadlines(now);
    for (const [socket, { until, tooSlow }] of arrivals) {
      if (now < until) continue;
      counters[tooSlow] += 1;
      arrivals.delete(socket);
      socket.destroy();
    }
  }, sweepInterval(limits));

  const finishWhenEmpty = (): void => {
    if (sockets.size === 0 && open.size === 0) finished?.();
  };

  const identify = (socket: Socket, protocol: 'tcp' | 'tls', proxy: Peer): void => {
    arrivals.set(socket, {
      until: performance.now() + limits.proxyHeaderMs,
      tooSlow: 'proxyHeadersTooSlow',
    });
    const refused = (): void => {
      // Those that were too slow are counted as such.
      if (arrivals.delete(socket)) counters.proxyHeadersRefused += 1;
      socket.destroy();
    };
    const found = (client: Pick<Peer, 'address' | 'port'> | null): void => {
      arrivals.delete(socket);
      if (socket.destroyed) return;
      counters.proxyHeaders += 1;
      admit(socket, { ...proxy, ...client }, protocol);
    };
    readProxyHeader(socket, found, refused);
  };

  const admit = (socket: Socket, peer: Peer, protocol: 'tcp' | 'tls'): void => {
    const client = clientOf(peer.address);
    const openOfClient = openPerClient.get(client) ?? 0;
    // RFC 7766 section 6.2.2: servers may limit connections, in all and per client or subnet.
    if (openOfClient >= limits.tcpConnectionsPerClientMax) {
      counters.tcpRefusedPerClient += 1;
      socket.destroy();
      return;
    }
    openPerClient.set(client, openOfClient + 1);
    socket.once('close', () => {
      const left = (openPerClient.get(client) ?? 1) - 1;
      if (left === 0) openPerClient.delete(client);
      else openPerClient.set(client, left);
    });
    if (protocol === 'tls') secure(socket, peer, client);
    else converse(socket, peer, client);
  };

  const secure = (socket: Socket, peer: Peer, client: string): void => {
    arrivals.set(socket, {
      until: performance.now() + limits.tlsHandshakeMs,
      tooSlow: 'tlsHandshakesTooSlow',
    });
    service.handshakes?.begin(socket, client, (secured, certificateNames) => {
      arrivals.delete(socket);
      counters.tlsConnections += 1;
      counters.tlsConnectionsOpen += 1;
      secured.once('close', () => (counters.tlsConnectionsOpen -= 1));
      if (secured.isSessionReused()) counters.tlsResumptions += 1;
      if (certificateNames !== undefined) counters.tlsClientsVerified += 1;
      const named = certificateNames === undefined ? peer : { ...peer, certificateNames };
      converse(secured, named, client);
    });
  };

  const converse = (socket: Socket, peer: Peer, client: string): void => {
    const connection = openConnection(service, socket, { peer, client }, () => {
      open.delete(connection);
      counters.tcpConnectionsOpen = open.size;
      finishWhenEmpty();
    });
    open.add(connection);
    counters.tcpConnections += 1;
    counters.tcpConnectionsOpen = open.size;
    if (finished !== null) connection.finish();
  };

  return {
    accept(socket, protocol) {
      const peer = peerOf(socket, protocol);
      if (peer === null) {
        socket.destroy();
        return;
      }
      if (sockets.size >= limits.tcpConnectionsMax) {
        counters.tcpRefusedTotal += 1;
        socket.destroy();
        return;
      }
      sockets.add(socket);
      // Resets and broken pipes are the client's affair; 'close' follows.
      socket.on('error', () => {});
      socket.once('close', () => {
        sockets.delete(socket);
        arrivals.delete(socket);
        finishWhenEmpty();
      });
      if (service.proxies.includes(peer.address)) identify(socket, protocol, peer);
      else admit(socket, peer, protocol);
    },
    async finish() {
      await new Promise<void>((resolve) => {
        finished = resolve;
        // They have asked nothing yet.
        for (const socket of arrivals.keys()) socket.destroy();
        for (const connection of open) connection.finish();
        finishWhenEmpty();
      });
      clearInterval(sweep);
    },
    destroy() {
      for (const connection of open) connection.destroy();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Null when the client is gone before we looked. */
function peerOf(socket: Socket, protocol: 'tcp' | 'tls'): Peer | null {
  const { remoteAddress, remotePort } = socket;
  if (remoteAddress === undefined || remotePort === undefined) return null;
  return { protocol, address: plainAddress(remoteAddress), port: remotePort };
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
    limits.tlsHandshakeMs,
    limits.proxyHeaderMs,
  );
  return Math.min(SWEEP_MS_MAX, Math.max(SWEEP_MS_MIN, shortest / SWEEPS_PER_DEADLINE));
}
