import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { type Message, RCODE, type ResourceRecord, RRTYPE } from '../../src/dns/index.ts';
import { type TcpClient, tcpClient } from '../server/tcp-client.ts';
import { makeQuery, type Query, type QueryOptions } from './dns-query.ts';
import { assembleTransfer, isWhole, readAnswer, type Transfer } from './transfer.ts';

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

const PATIENCE_MS = 10_000;

/** Sends a query once and resolves with the first datagram that comes back. */
export async function askByUdp(
  server: Endpoint,
  query: Query,
  patienceMs = PATIENCE_MS,
): Promise<Message> {
  const socket = createSocket(isIPv6(server.address) ? 'udp6' : 'udp4');
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<Message>((resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer for ${query.name}`)), patienceMs);
      socket.on('error', reject);
      socket.on('message', (bytes) => resolve(readAnswer(bytes)));
      socket.send(query.bytes, server.port, server.address);
    });
  } finally {
    clearTimeout(timer);
    socket.close();
  }
}

/** Asks one question over a connection of its own. */
export async function askByTcp(server: Endpoint, query: Query): Promise<Message> {
  const client = await tcpClient(server);
  try {
    client.send(framed(query.bytes));
    return readAnswer(await client.message());
  } finally {
    client.destroy();
  }
}

/** AXFR, or IXFR with `have`, over a connection of its own; a signed answer is verified throughout. */
export async function transferByTcp(
  server: Endpoint,
  zone: string,
  options: QueryOptions = {},
): Promise<Transfer> {
  const client = await tcpClient(server);
  try {
    return await takeTransfer(client, zone, options);
  } finally {
    client.destroy();
  }
}

/** The same over a connection that is open already and has no other answers under way. */
export async function takeTransfer(
  client: TcpClient,
  zone: string,
  options: QueryOptions = {},
): Promise<Transfer> {
  const isIncremental = options.have !== undefined;
  const query = makeQuery(zone, isIncremental ? RRTYPE.IXFR : RRTYPE.AXFR, options);
  client.send(framed(query.bytes));
  const octets: Uint8Array[] = [];
  const records: ResourceRecord[] = [];
  for (let isOver = false; !isOver; ) {
    const bytes = Uint8Array.from(await client.message());
    const { rcode, answers } = readAnswer(bytes);
    octets.push(bytes);
    records.push(...answers);
    isOver = rcode !== RCODE.NOERROR || isWhole(records, isIncremental);
  }
  return assembleTransfer(query, octets, Math.floor(Date.now() / 1000));
}

/** With its length in front. */
export function framed(bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(bytes.length >> 8, bytes.length & 255), bytes]);
}
