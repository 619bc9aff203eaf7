import { createSocket, type RemoteInfo } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Handler, Peer } from '../nameserver/handler-port.ts';
import { plainAddress } from './client-address.ts';
import { isQuery, queryHead, serverFailure } from './header.ts';
import type { DnsServerLimits } from './options.ts';
import type { Proxies } from './proxies.ts';
import { parseProxyHeader } from './proxy-header.ts';
import type { Reporter } from './reporter.ts';
import type { Counters } from './statistics.ts';
import type { BoundOrAddress, Listener } from './stream-listener.ts';
import { endStream } from './transfer-scheduler.ts';
import { createUdpSender } from './udp-sender.ts';
import { familyOfUdpSocket } from './udp-socket-family.ts';

export interface UdpService {
  handler: Handler;
  proxies: Proxies;
  readonly limits: DnsServerLimits;
  readonly counters: Counters;
  readonly reporter: Reporter;
}

/** No UDP payload is larger, and so no answer. */
const DATAGRAM_OCTETS_MAX = 65_535;

/**
 * Answers queries on one UDP socket, each from the address that it was sent to: listening on
 * 0.0.0.0 or :: leaves that choice to the system's routes, since Node does not tell the address.
 * Rejects with the system's error when the address cannot be had.
 */
export async function listenUdp(service: UdpService, where: BoundOrAddress): Promise<Listener> {
  const isInherited = 'fd' in where;
  const family = isInherited ? familyOfUdpSocket(where.fd) : isIPv6(where.address) ? 6 : 4;
  const socket = createSocket({
    ...(family === 6 ? { type: 'udp6', ipv6Only: true } : { type: 'udp4' }),
    recvBufferSize: service.limits.udpReceiveBufferOctets,
    // Only addresses are ever looked up. The usual look-up would put each answer off to a later tick.
    lookup: (host, _options, callback) => callback(null, host, family),
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(isInherited ? where : { address: where.address, port: where.port }, () => {
      socket.off('error', reject);
      resolve();
    });
  });
  const { address, port } = socket.address();
  socket.on('error', (error) =>
    service.reporter.failure('a UDP socket failed', error, { address }),
  );
  const sender = createUdpSender(service, socket);
  socket.on('message', (datagram, from) => {
    // RFC 768: a source port of zero says that there is nobody to reply to; anybody can forge it.
    if (from.port === 0) {
      service.counters.udpMalformed += 1;
      return;
    }
    const answer = answerDatagram(service, datagram, from);
    // To a proxy without a header of ours: it knows by the id whom the answer is for.
    if (answer !== null) sender.send(answer, from);
  });
  const close = (): void => {
    sender.flush();
    socket.close();
  };
  return { address, port, close };
}

/** Null for no answer. A proxy puts its header before each query. */
function answerDatagram(
  service: UdpService,
  datagram: Uint8Array,
  from: RemoteInfo,
): Uint8Array | null {
  const address = plainAddress(from.address);
  const sender = { protocol: 'udp', address, port: from.port } as const;
  if (!service.proxies.includes(address)) return answerTo(service, datagram, sender);
  const header = parseProxyHeader(datagram);
  if (header.kind !== 'header') {
    service.counters.proxyHeadersRefused += 1;
    return null;
  }
  service.counters.proxyHeaders += 1;
  const peer = header.source === null ? sender : { ...sender, ...header.source };
  return answerTo(service, datagram.subarray(header.octets), peer);
}

/** Null for no answer. */
function answerTo(
  { handler, counters, reporter }: UdpService,
  query: Uint8Array,
  peer: Peer,
): Uint8Array | null {
  if (!isQuery(query)) {
    counters.udpMalformed += 1;
    return null;
  }
  counters.udpQueries += 1;
  try {
    const answer = handler(query, peer);
    if (answer.kind === 'message' && answer.bytes.length <= DATAGRAM_OCTETS_MAX) {
      return answer.bytes;
    }
    if (answer.kind === 'none') return null;
    if (answer.kind === 'stream') {
      endStream(answer, { completed: false, octets: 0, durationMs: 0 }, reporter);
    }
    throw new Error('an answer that no datagram can carry');
  } catch (error) {
    counters.handlerFailures += 1;
    reporter.failure('a query failed', error, { peer });
    return serverFailure(queryHead(query));
  }
}
