import { createSocket } from 'node:dgram';
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
import { framed } from './transfer-query.ts';

/** Where a server under test answers. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** What an update does to a zone: whole RRsets go, then records come. */
export interface ZoneUpdate {
  readonly removed?: readonly Pick<ResourceRecord, 'name' | 'type'>[];
  readonly added?: readonly ResourceRecord[];
}

const SOA_FIXED_OCTETS = 20;
const SERVED_TIMEOUT_MS = 300_000;
const ANSWER_TIMEOUT_MS = 10_000;
/** A server that starts is asked so often: so exact is the time when it began to answer. */
const POLL_MS = 2;

/** The serial of a zone, over UDP. */
export async function askSerial(server: Endpoint, zone: string): Promise<number> {
  const asker = startAsking(server, zone);
  try {
    return await asker.serial();
  } finally {
    asker.stop();
  }
}

/** Waits until a zone has another serial than the given one: asks again as soon as it is answered. */
export async function waitForSerial(server: Endpoint, zone: string, not: number): Promise<number> {
  const asker = startAsking(server, zone);
  const deadline = performance.now() + SERVED_TIMEOUT_MS;
  try {
    while (performance.now() < deadline) {
      const serial = await asker.serial();
      if (serial !== not) return serial;
    }
    throw new Error(`${zone} keeps serial ${not}`);
  } finally {
    asker.stop();
  }
}

/**
 * Waits until a server answers for its zone with the serial that is asked for, or with any; returns
 * the time since `startedAt`, in milliseconds. The server may not be there yet: a question every two
 * milliseconds, whether or not the last was answered.
 */
export async function untilServed(
  server: Endpoint & { readonly zone: string },
  startedAt: number,
  isExpected: (serial: number) => boolean = () => true,
): Promise<number> {
  const socket = createSocket('udp4');
  const query = soaQuery(parseName(server.zone), 7);
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearInterval(timer);
      socket.close();
    };
    const timer = setInterval(() => {
      socket.send(query, server.port, server.address);
      if (performance.now() < startedAt + SERVED_TIMEOUT_MS) return;
      stop();
      reject(new Error(`${server.zone} is not served`));
    }, POLL_MS);
    socket.on('message', (answer) => {
      const serial = serialIn(answer);
      if (serial === null || !isExpected(serial)) return;
      stop();
      resolve(performance.now() - startedAt);
    });
  });
}

/** One DNS UPDATE over TCP (RFC 2136 section 2.5); resolves with the answer. */
export async function update(
  server: Endpoint,
  zone: string,
  { removed = [], added = [] }: ZoneUpdate,
): Promise<Message> {
  const buffer = new Uint8Array(65_535);
  const writer = createMessageWriter(buffer);
  writer.start({ id: 1, opcode: OPCODE.UPDATE });
  writer.question({ name: parseName(zone), type: RRTYPE.SOA, class: CLASS.IN });
  const records = [
    ...removed.map(({ name, type }) => ({ name, type, class: CLASS.ANY, ttl: 0, rdata: NO_RDATA })),
    ...added,
  ];
  for (const record of records) {
    if (!writer.record('authority', record)) throw new Error('the update does not fit one message');
  }
  return askTcp(server, buffer.slice(0, writer.finish()));
}

const NO_RDATA = new Uint8Array(0);

/** A query for the SOA of a zone, without length. */
export function soaQuery(zone: Name, id: number): Uint8Array {
  const writer = createMessageWriter(scratch);
  writer.start({ id });
  writer.question({ name: zone, type: RRTYPE.SOA, class: CLASS.IN });
  return scratch.slice(0, writer.finish());
}

const scratch = new Uint8Array(512);

/** The serial in the rdata of an SOA. */
export function serialOf(soa: Uint8Array): number {
  return Buffer.from(soa).readUInt32BE(soa.length - SOA_FIXED_OCTETS);
}

/** Asks one question after the other from one socket. */
function startAsking(server: Endpoint, zone: string) {
  const socket = createSocket(server.address.includes(':') ? 'udp6' : 'udp4');
  const query = soaQuery(parseName(zone), 7);
  return {
    stop: () => socket.close(),
    serial: () =>
      new Promise<number>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`${zone}: no answer`)), ANSWER_TIMEOUT_MS);
        socket.once('message', (answer) => {
          clearTimeout(timer);
          const serial = serialIn(answer);
          if (serial === null) reject(new Error(`${zone} is not served`));
          else resolve(serial);
        });
        socket.send(query, server.port, server.address);
      }),
  };
}

/** The serial that an answer tells; null when it tells none. */
export function serialIn(answer: Uint8Array): number | null {
  const message = readMessage(answer);
  if (isMalformed(message)) return null;
  const soa = message.answers.find(({ type }) => type === RRTYPE.SOA);
  return soa === undefined ? null : serialOf(soa.rdata);
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
