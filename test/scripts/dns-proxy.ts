import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import * as dnsPacket from 'dns-packet';
import { type Endpoint, endpointFor } from '../interop/peers/index.ts';

/**
 * Stands between a client and a server and passes everything on unchanged, so that a test can act
 * at a certain question: change the zone on the server, wait, or let nothing through.
 */
export interface DnsProxy extends Endpoint {
  stop(): Promise<void>;
}

/** Called before each question is passed on; `false` as the result swallows it. */
export type BeforeQuestion = (type: string, name: string) => Promise<boolean> | boolean;

const UDP_ANSWER_MS = 5_000;

export async function startDnsProxy(server: Endpoint, before: BeforeQuestion): Promise<DnsProxy> {
  const endpoint = await endpointFor('proxy');
  const connections = new Set<Socket>();

  const udp = createSocket('udp4');
  udp.on('message', async (query, client) => {
    if (!(await mayPass(query, before))) return;
    const answer = await askUdp(server, query);
    if (answer !== null) udp.send(answer, client.port, client.address);
  });
  udp.bind(endpoint.port, endpoint.address);

  const tcp = createServer((client) => {
    const upstream = connect({ host: server.address, port: server.port });
    for (const socket of [client, upstream]) {
      connections.add(socket);
      socket.on('error', () => socket.destroy());
    }
    client.on('close', () => upstream.destroy());
    upstream.pipe(client);
    passMessages(client, upstream, before);
  });
  tcp.listen(endpoint.port, endpoint.address);
  await Promise.all([once(udp, 'listening'), once(tcp, 'listening')]);
  return {
    ...endpoint,
    stop: async () => {
      udp.close();
      tcp.close();
      for (const socket of connections) socket.destroy();
    },
  };
}

async function mayPass(query: Buffer, before: BeforeQuestion): Promise<boolean> {
  const question = dnsPacket.decode(query).questions?.[0];
  return question !== undefined && (await before(question.type, question.name));
}

/** One message after the other, in order, however long `before` takes. */
function passMessages(client: Socket, upstream: Socket, before: BeforeQuestion): void {
  let received = Buffer.alloc(0);
  let turn = Promise.resolve();
  client.on('data', (piece) => {
    received = Buffer.concat([received, piece]);
    while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
      const end = 2 + received.readUInt16BE(0);
      const framed = received.subarray(0, end);
      received = received.subarray(end);
      turn = turn.then(async () => {
        if (await mayPass(framed.subarray(2), before)) upstream.write(framed);
      });
    }
  });
}

function askUdp(server: Endpoint, query: Buffer): Promise<Buffer | null> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    const finish = (answer: Buffer | null) => {
      clearTimeout(timer);
      socket.close();
      resolve(answer);
    };
    const timer = setTimeout(() => finish(null), UDP_ANSWER_MS);
    socket.once('message', finish);
    socket.once('error', () => finish(null));
    socket.send(query, server.port, server.address);
  });
}
