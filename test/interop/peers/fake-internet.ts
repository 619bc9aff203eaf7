import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import type { Answer, Packet } from 'dns-packet';
import * as dnsPacket from 'dns-packet';
import { type Endpoint, endpointFor, ownAddress } from './endpoint.ts';

/**
 * An Internet in which every name exists and has addresses: those of a table, else derived from
 * the name. There is no signature, alias or name error anywhere in it, so whatever else a resolver
 * answers is its policy's doing.
 *
 * Resolvers use it in one of two ways. As a forwarder they ask its one endpoint, which answers in
 * full. As iterating resolvers they find in `root` a root server (on port 53, as root hints name
 * no port), which refers them to a server of its own for each delegated zone: that is what triggers
 * on name servers (NSDNAME, NSIP) need.
 */
export interface FakeInternet extends Endpoint {
  /** Address of the root server, when zones are delegated. */
  readonly root: string | null;
  addressesOf(name: string, type: 'A' | 'AAAA'): string[];
  /** Address of the server that a delegated zone has. */
  nameserverAddressOf(zone: string): string;
  /** All names that were asked for, lower case, in order (at most the last few thousand). */
  readonly asked: readonly string[];
  stop(): Promise<void>;
}

export interface FakeInternetOptions {
  /** Addresses, IPv4 and IPv6, for names that need certain ones. */
  readonly hosts?: Readonly<Record<string, readonly string[]>>;
  /** Zones with name servers of their own: the zone's name, and its server's name. */
  readonly delegations?: Readonly<Record<string, string>>;
}

const TTL = 60;
const ASKED_MAX = 5_000;
const ROOT_SERVER = 'root-server.invalid';
const DNS_PORT = 53;

interface Delegation {
  readonly zone: string;
  readonly server: string;
  readonly address: string;
}

interface World {
  readonly hosts: ReadonlyMap<string, readonly string[]>;
  readonly delegations: readonly Delegation[];
  readonly root: string | null;
}

export async function startFakeInternet(options: FakeInternetOptions = {}): Promise<FakeInternet> {
  const delegations = Object.entries(options.delegations ?? {}).map(([zone, server]) => ({
    zone: zone.toLowerCase(),
    server: server.toLowerCase(),
    address: ownAddress(),
  }));
  const world: World = {
    hosts: new Map(
      Object.entries(options.hosts ?? {}).map(([name, addresses]) => [
        name.toLowerCase(),
        addresses,
      ]),
    ),
    delegations,
    root: delegations.length > 0 ? ownAddress() : null,
  };
  const asked: string[] = [];
  const endpoint = await endpointFor('fake internet');
  const places = [endpoint];
  if (world.root !== null) places.push({ address: world.root, port: DNS_PORT });
  for (const { address } of delegations) places.push({ address, port: DNS_PORT });
  const stops = await Promise.all(
    places.map((place) => listen(place, (query) => respond(world, place, query, asked))),
  );
  return {
    ...endpoint,
    root: world.root,
    asked,
    addressesOf: (name, type) => addressesOf(world, name, type),
    nameserverAddressOf: (zone) => {
      const found = delegations.find((delegation) => delegation.zone === zone.toLowerCase());
      if (found === undefined) throw new Error(`${zone} is not delegated in this fake Internet`);
      return found.address;
    },
    stop: async () => {
      await Promise.all(stops.map((stop) => stop()));
    },
  };
}

function respond(world: World, place: Endpoint, bytes: Buffer, asked: string[]): Buffer | null {
  const query = decodeOrNull(bytes);
  const question = query?.questions?.[0];
  if (query === null || question === undefined) return null;
  const name = question.name.toLowerCase();
  asked.push(name);
  if (asked.length > ASKED_MAX) asked.shift();

  const delegation = closestDelegation(world, name);
  const isForwarder = place.port !== DNS_PORT;
  const refers = !isForwarder && delegation !== null && delegation.address !== place.address;
  return dnsPacket.encode({
    type: 'response',
    id: query.id,
    flags:
      ((query.flags ?? 0) & dnsPacket.RECURSION_DESIRED) |
      (isForwarder ? dnsPacket.RECURSION_AVAILABLE : 0) |
      (isForwarder || refers ? 0 : dnsPacket.AUTHORITATIVE_ANSWER),
    questions: [question],
    ...(refers ? referral(delegation) : answer(world, name, question.type, delegation)),
  });
}

function decodeOrNull(bytes: Buffer): Packet | null {
  try {
    return dnsPacket.decode(bytes);
  } catch {
    return null;
  }
}

type Sections = Pick<Packet, 'answers' | 'authorities' | 'additionals'>;

function referral({ zone, server, address }: Delegation): Sections {
  return {
    authorities: [{ type: 'NS', name: zone, ttl: TTL, data: server }],
    additionals: [{ type: 'A', name: server, ttl: TTL, data: address }],
  };
}

function answer(world: World, name: string, type: string, delegation: Delegation | null): Sections {
  const answers = recordsOf(world, name, type, delegation);
  if (answers.length > 0) return { answers };
  const soa: Answer = {
    type: 'SOA',
    name: delegation?.zone ?? '.',
    ttl: TTL,
    data: {
      mname: delegation?.server ?? ROOT_SERVER,
      rname: 'hostmaster.invalid',
      serial: 1,
      refresh: 900,
      retry: 300,
      expire: 86_400,
      minimum: TTL,
    },
  };
  return { authorities: [soa] };
}

function recordsOf(
  world: World,
  name: string,
  type: string,
  delegation: Delegation | null,
): Answer[] {
  if (type === 'NS') {
    if (name === delegation?.zone) return [{ type, name, ttl: TTL, data: delegation.server }];
    if (name === '' || name === '.') return [{ type, name: '.', ttl: TTL, data: ROOT_SERVER }];
    return [];
  }
  if (type !== 'A' && type !== 'AAAA') return [];
  return addressesOf(world, name, type).map((data) => ({ type, name, ttl: TTL, data }));
}

function addressesOf(world: World, askedName: string, type: 'A' | 'AAAA'): string[] {
  const name = askedName.toLowerCase().replace(/\.$/, '');
  const server = world.delegations.find((delegation) => delegation.server === name)?.address;
  const known = world.hosts.get(name) ?? (server === undefined ? undefined : [server]);
  const fixed = name === ROOT_SERVER && world.root !== null ? [world.root] : known;
  if (fixed !== undefined) {
    return fixed.filter((address) => address.includes(':') === (type === 'AAAA'));
  }
  return [derivedAddress(name, type)];
}

/** From 198.18.0.0/15 and 2001:db8:f::/48, so that prefixes elsewhere in a test never match it. */
function derivedAddress(name: string, type: 'A' | 'AAAA'): string {
  // FNV-1a: any spread will do, as long as it is the same in every run.
  let hash = 0x811c9dc5;
  for (const octet of Buffer.from(name)) hash = Math.imul(hash ^ octet, 0x01000193) >>> 0;
  if (type === 'A') {
    return `198.${18 + ((hash >>> 16) & 1)}.${(hash >>> 8) & 255}.${hash & 255}`;
  }
  const words = [(hash >>> 16) | 0x1000, (hash & 0xffff) | 0x1000];
  return `2001:db8:f:1000:1000:1000:${words.map((word) => word.toString(16)).join(':')}`;
}

function closestDelegation(world: World, name: string): Delegation | null {
  let closest: Delegation | null = null;
  for (const delegation of world.delegations) {
    const covers = name === delegation.zone || name.endsWith(`.${delegation.zone}`);
    if (covers && delegation.zone.length > (closest?.zone.length ?? -1)) closest = delegation;
  }
  return closest;
}

type Responder = (query: Buffer) => Buffer | null;

async function listen(place: Endpoint, respondTo: Responder): Promise<() => Promise<void>> {
  const udp = createSocket('udp4');
  udp.on('message', (query, client) => {
    const response = respondTo(query);
    if (response !== null) udp.send(response, client.port, client.address);
  });
  udp.bind(place.port, place.address);
  const tcp = createTcpServer(respondTo);
  tcp.listen(place.port, place.address);
  await Promise.all([once(udp, 'listening'), once(tcp, 'listening')]);
  return () => close(udp, tcp);
}

function createTcpServer(respondTo: Responder): Server {
  return createServer((socket) => {
    let received = Buffer.alloc(0);
    socket.on('error', () => socket.destroy());
    socket.setTimeout(10_000, () => socket.destroy());
    socket.on('data', (piece) => {
      received = Buffer.concat([received, piece]);
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        const end = 2 + received.readUInt16BE(0);
        const response = respondTo(received.subarray(2, end));
        received = received.subarray(end);
        if (response === null) continue;
        const length = Buffer.alloc(2);
        length.writeUInt16BE(response.length);
        socket.write(Buffer.concat([length, response]));
      }
    });
  });
}

async function close(udp: Socket, tcp: Server): Promise<void> {
  const closed = once(tcp, 'close');
  tcp.close();
  udp.close();
  // Connections that a resolver keeps open end by their own timeout; they hold no test up.
  tcp.unref();
  await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, 100).unref())]);
}
