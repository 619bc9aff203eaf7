import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import type { Answer, DecodedPacket, RecordType } from 'dns-packet';
import * as dnsPacket from 'dns-packet';
import type { Endpoint } from './endpoint.ts';

export interface Question {
  readonly name: string;
  readonly type?: RecordType;
  readonly tcp?: boolean;
  /** The address to ask from, for what depends on the client's address. */
  readonly from?: string;
  readonly recursionDesired?: boolean;
  /** Asks for DNSSEC records (the DO bit). */
  readonly dnssecOk?: boolean;
  readonly timeoutMs?: number;
}

export interface Response {
  readonly rcode: string;
  readonly authoritative: boolean;
  readonly truncated: boolean;
  readonly recursionAvailable: boolean;
  readonly answers: readonly Answer[];
  readonly authorities: readonly Answer[];
  /** Without OPT. */
  readonly additionals: readonly Answer[];
}

const TIMEOUT_MS = 2_000;
const UDP_PAYLOAD_SIZE = 1_232;

/** Sends one query, once; null when no answer came in time. A refused connection is no answer. */
export async function ask(server: Endpoint, question: Question): Promise<Response | null> {
  const id = 1 + Math.floor(Math.random() * 0xfffe);
  const query = encodeQuery(id, question);
  const exchange = question.tcp === true ? exchangeTcp : exchangeUdp;
  const bytes = await exchange(server, query, question);
  return bytes === null ? null : toResponse(dnsPacket.decode(bytes));
}

function encodeQuery(id: number, question: Question): Buffer {
  return dnsPacket.encode({
    type: 'query',
    id,
    flags: question.recursionDesired === false ? 0 : dnsPacket.RECURSION_DESIRED,
    questions: [{ name: question.name, type: question.type ?? 'A' }],
    additionals: [
      {
        type: 'OPT',
        name: '.',
        udpPayloadSize: UDP_PAYLOAD_SIZE,
        extendedRcode: 0,
        ednsVersion: 0,
        flags: question.dnssecOk === true ? dnsPacket.DNSSEC_OK : 0,
        flag_do: question.dnssecOk === true,
        options: [],
      },
    ],
  });
}

function exchangeUdp(server: Endpoint, query: Buffer, question: Question): Promise<Buffer | null> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    const finish = (answer: Buffer | null) => {
      clearTimeout(timer);
      socket.close();
      resolve(answer);
    };
    const timer = setTimeout(() => finish(null), question.timeoutMs ?? TIMEOUT_MS);
    socket.once('error', () => finish(null));
    socket.on('message', (bytes) => {
      if (bytes.length >= 2 && bytes.readUInt16BE(0) === query.readUInt16BE(0)) finish(bytes);
    });
    socket.bind(0, question.from ?? '0.0.0.0', () => {
      socket.send(query, server.port, server.address);
    });
  });
}

function exchangeTcp(server: Endpoint, query: Buffer, question: Question): Promise<Buffer | null> {
  return new Promise((resolve) => {
    const socket = connect({
      host: server.address,
      port: server.port,
      ...(question.from === undefined ? {} : { localAddress: question.from }),
    });
    const finish = (answer: Buffer | null) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => finish(null), question.timeoutMs ?? TIMEOUT_MS);
    let received = Buffer.alloc(0);
    socket.once('error', () => finish(null));
    socket.once('close', () => finish(null));
    socket.on('data', (piece) => {
      received = Buffer.concat([received, piece]);
      // RFC 1035 section 4.2.2: a length of two octets stands before each message.
      if (received.length < 2) return;
      const end = 2 + received.readUInt16BE(0);
      if (received.length >= end) finish(received.subarray(2, end));
    });
    const length = Buffer.alloc(2);
    length.writeUInt16BE(query.length);
    socket.write(Buffer.concat([length, query]));
  });
}

function toResponse(packet: DecodedPacket & { rcode?: string }): Response {
  return {
    rcode: packet.rcode ?? 'NOERROR',
    authoritative: packet.flag_aa,
    truncated: packet.flag_tc,
    recursionAvailable: packet.flag_ra,
    answers: packet.answers ?? [],
    authorities: packet.authorities ?? [],
    additionals: (packet.additionals ?? []).filter((record) => record.type !== 'OPT'),
  };
}
