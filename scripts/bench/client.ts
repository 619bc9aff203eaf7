import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import {
  CLASS,
  createMessageWriter,
  isMalformed,
  type Message,
  type Name,
  OPCODE,
  parseName,
  type ResourceRecord,
  RRTYPE,
  readMessage,
} from '../../src/dns/index.ts';
import { createTransferCounter } from './transfer-counter.ts';

/** Where a server under test answers. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

export interface Drained {
  readonly octets: number;
  readonly messages: number;
  readonly ms: number;
}

const SOA_FIXED_OCTETS = 20;
const DRAIN_TIMEOUT_MS = 300_000;
const ANSWER_TIMEOUT_MS = 10_000;

/**
 * Asks for a transfer and does nothing with it but look at the lengths and, at the end of each
 * message, for the timers that close an SOA: so that the client is not what is measured.
 */
export async function drainTransfer(
  server: Endpoint,
  zone: string,
  from?: number,
): Promise<Drained> {
  const query = transferQuery(parseName(zone), from);
  const start = performance.now();
  const socket = connect(server.port, server.address);
  socket.setNoDelay(true);
  socket.setTimeout(DRAIN_TIMEOUT_MS, () => socket.destroy(new Error('the transfer stalled')));
  socket.write(query);
  const counter = createTransferCounter();
  return new Promise((resolve, reject) => {
    socket.on('data', (chunk: Buffer) => {
      try {
        if (!counter.add(chunk)) return;
        const ms = performance.now() - start;
        socket.destroy();
        resolve({ octets: counter.octets(), messages: counter.messages(), ms });
      } catch (error) {
        socket.destroy(error as Error);
      }
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new Error(`closed after ${counter.messages()} messages`)));
  });
}

/** The serial of a zone, over UDP. */
export async function askSerial(server: Endpoint, zone: string): Promise<number> {
  return serialOf((await askSoa(server, zone)).rdata);
}

/** One DNS UPDATE over TCP that adds records (RFC 2136 section 2.5.1); resolves with the answer. */
export async function update(
  server: Endpoint,
  zone: string,
  added: readonly ResourceRecord[],
): Promise<Message> {
  const buffer = new Uint8Array(65_535);
  const writer = createMessageWriter(buffer);
  writer.start({ id: 1, opcode: OPCODE.UPDATE });
  writer.question({ name: parseName(zone), type: RRTYPE.SOA, class: CLASS.IN });
  for (const record of added) {
    if (!writer.record('authority', record)) throw new Error('the update does not fit one message');
  }
  return askTcp(server, buffer.slice(0, writer.finish()));
}

/** Waits until a zone has another serial than the given one. */
export async function waitForSerial(server: Endpoint, zone: string, not: number): Promise<number> {
  const deadline = performance.now() + DRAIN_TIMEOUT_MS;
  while (performance.now() < deadline) {
    const serial = await askSerial(server, zone);
    if (serial !== not) return serial;
  }
  throw new Error(`${zone} keeps serial ${not}`);
}

/** A query for the SOA of a zone, without length. */
export function soaQuery(zone: Name, id: number): Uint8Array {
  const writer = createMessageWriter(scratch);
  writer.start({ id });
  writer.question({ name: zone, type: RRTYPE.SOA, class: CLASS.IN });
  return scratch.slice(0, writer.finish());
}

/** The serial in the rdata of an SOA. */
export function serialOf(soa: Uint8Array): number {
  return Buffer.from(soa).readUInt32BE(soa.length - SOA_FIXED_OCTETS);
}

async function askSoa(server: Endpoint, zone: string): Promise<ResourceRecord> {
  const socket = createSocket(server.address.includes(':') ? 'udp6' : 'udp4');
  try {
    socket.send(soaQuery(parseName(zone), 7), server.port, server.address);
    const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
    const [answer] = (await once(socket, 'message', { signal })) as [Buffer];
    const message = readMessage(answer);
    const soa = isMalformed(message)
      ? undefined
      : message.answers.find(({ type }) => type === RRTYPE.SOA);
    if (soa === undefined) throw new Error(`${zone} is not served`);
    return soa;
  } finally {
    socket.close();
  }
}

async function askTcp(server: Endpoint, query: Uint8Array): Promise<Message> {
  const socket = connect(server.port, server.address);
  try {
    socket.write(framed(query));
    let received = Buffer.alloc(0);
    for await (const chunk of socket) {
      received = Buffer.concat([received, chunk as Buffer]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) continue;
      const message = readMessage(received.subarray(2, 2 + received.readUInt16BE(0)));
      if (isMalformed(message)) throw new Error(message.reason);
      return message;
    }
    throw new Error('closed without an answer');
  } finally {
    socket.destroy();
  }
}

const scratch = new Uint8Array(512);

/** A query for AXFR, or IXFR from a serial, with its length in front. */
export function transferQuery(zone: Name, from?: number): Uint8Array {
  const writer = createMessageWriter(scratch);
  writer.start({ id: 9 });
  writer.question({
    name: zone,
    type: from === undefined ? RRTYPE.AXFR : RRTYPE.IXFR,
    class: CLASS.IN,
  });
  if (from !== undefined) {
    const rdata = new Uint8Array(2 + SOA_FIXED_OCTETS);
    new DataView(rdata.buffer).setUint32(2, from);
    writer.record('authority', { name: zone, type: RRTYPE.SOA, class: CLASS.IN, ttl: 0, rdata });
  }
  return framed(scratch.slice(0, writer.finish()));
}

function framed(message: Uint8Array): Uint8Array {
  return Uint8Array.from([message.length >> 8, message.length & 0xff, ...message]);
}
