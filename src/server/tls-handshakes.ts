import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { dnsNamesOf } from './certificate-names.ts';
import type { Counters } from './statistics.ts';

/** What the server shows to its TLS clients, and whose clients it knows; all in PEM. */
export interface TlsIdentity {
  /** The certificate of the server, then those that lead to an authority. */
  readonly certificate: string;
  readonly key: string;
  /** Authorities of client certificates; with null none is asked for. */
  readonly clientAuthorities: string | null;
}

export type Secured = (
  socket: TLSSocket,
  /** Of the client's certificate when it was verified; undefined without one. */
  certificateNames: readonly string[] | undefined,
) => void;

/** TLS handshakes on connections that were accepted. */
export interface TlsHandshakes {
  /**
   * Calls `secured` when the handshake is complete. When it fails the connection is closed, and that
   * is all; nothing is logged, since anybody can bring it about. How long it may take is up to the caller.
   * With as many under way as may, the client that has most of them loses its oldest: whoever begins
   * them by the hundred and goes on with none keeps out nobody else.
   */
  begin(socket: Socket, client: string, secured: Secured): void;
  /** For handshakes from now on. Throws what OpenSSL says and changes nothing when it is unusable. */
  replaceIdentity(identity: TlsIdentity): void;
}

interface Handshake {
  readonly socket: Socket;
  readonly client: string;
  readonly secured: Secured;
}

export function createTlsHandshakes(
  identity: TlsIdentity,
  limits: { readonly tlsHandshakesMax: number },
  counters: Counters,
): TlsHandshakes {
  /** By both ends of the connection; the oldest first. */
  const running = new Map<string, Handshake>();
  const completed = (socket: TLSSocket): void => {
    const handshake = take(endpointsOf(socket));
    // Gone already: there is nobody left to answer.
    if (handshake === undefined) {
      socket.destroy();
      return;
    }
    socket.allowHalfOpen = true;
    handshake.secured(socket, verifiedNames(socket));
  };
  const take = (endpoints: string): Handshake | undefined => {
    const handshake = running.get(endpoints);
    running.delete(endpoints);
    counters.tlsHandshakesRunning = running.size;
    return handshake;
  };
  /**
   * Cuts the oldest handshake of the client that has most of them. False when the client of the new
   * one would then have as many.
   */
  const makeRoomFor = (client: string): boolean => {
    const perClient = new Map<string, number>();
    for (const each of running.values()) {
      perClient.set(each.client, (perClient.get(each.client) ?? 0) + 1);
    }
    const [most, count] = [...perClient].reduce((a, b) => (b[1] > a[1] ? b : a));
    if (count <= (perClient.get(client) ?? 0) + 1) return false;
    const [endpoints, { socket }] = [...running].find(([, each]) => each.client === most)!;
    take(endpoints);
    socket.destroy();
    return true;
  };
  let server = createTlsServer(identity, completed);
  return {
    begin(socket, client, secured) {
      if (running.size >= limits.tlsHandshakesMax) {
        counters.tlsHandshakesRefused += 1;
        if (!makeRoomFor(client)) {
          socket.destroy();
          return;
        }
      }
      const endpoints = endpointsOf(socket);
      const handshake = { socket, client, secured };
      running.set(endpoints, handshake);
      counters.tlsHandshakesRunning = running.size;
      socket.once('close', () => {
        if (running.get(endpoints) !== handshake) return;
        take(endpoints);
        counters.tlsHandshakeFailures += 1;
      });
      // Who closes its side amid a handshake asks nothing any more; afterwards it may still wait for answers.
      socket.allowHalfOpen = false;
      server.emit('connection', socket);
    },
    replaceIdentity(next) {
      server = createTlsServer(next, completed);
    },
  };
}

/** Node's TLS server makes the TLS socket by itself; both ends of the connection tell which one it is. */
function endpointsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}

/**
 * A server that never listens: connections are handed to it. A new one for each identity leaves
 * connections and transfers of the one before alone, and has ticket keys of its own, so that no
 * session outlives the authorities that it was verified by.
 */
function createTlsServer(
  { certificate, key, clientAuthorities }: TlsIdentity,
  completed: (socket: TLSSocket) => void,
): Server {
  return createServer(
    {
      cert: certificate,
      key,
      // RFC 9103 section 7.2.
      minVersion: 'TLSv1.3',
      // RFC 9103 section 7.1. RFC 7301 section 3.2: a client that offers others only is refused by an
      // alert. RFC 7858 is older than the token, so one that offers none at all is served.
      ALPNProtocols: ['dot'],
      ...(clientAuthorities === null ? {} : { ca: clientAuthorities, requestCert: true }),
      // Whoever cannot show a certificate may still sign with a key or come from a known address.
      rejectUnauthorized: false,
    },
    completed,
  );
}

function verifiedNames(socket: TLSSocket): readonly string[] | undefined {
  // Node says `authorized` of every resumed session, even of one that began without a certificate.
  const certificate = socket.authorized ? socket.getPeerX509Certificate() : undefined;
  if (certificate === undefined) return undefined;
  // A full handshake has checked the time; a resumed one relies on what was checked then.
  if (socket.isSessionReused() && Date.parse(certificate.validTo) < Date.now()) return undefined;
  return dnsNamesOf(certificate.subjectAltName);
}
