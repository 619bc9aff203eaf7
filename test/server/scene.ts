import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { afterEach } from 'vitest';
import type { Answer, Handler } from '../../src/nameserver/handler-port.ts';
import { type DnsServer, type DnsServerOptions, startDnsServer } from '../../src/server/index.ts';

export { echo } from './echo.ts';

import { type TcpClient, type TcpTarget, tcpClient } from './tcp-client.ts';
import { type TlsClient, type TlsClientOptions, tlsClient } from './tls-client.ts';

const endings: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

export interface Scene {
  readonly server: DnsServer;
  readonly address: string;
  readonly port: number;
  readonly logged: { message: string; details: object }[];
  /** A TCP client; `localAddress` picks another client of 127.0.0.0/8. */
  tcp(localAddress?: string): Promise<TcpClient>;
  udp(query: Uint8Array): Promise<Buffer>;
  /** A TLS client; rejects when the handshake fails. */
  tls(options?: TlsClientOptions): Promise<TlsClient>;
}

/** A server on loopback that is gone after the test, and its clients with it. */
export async function scene(
  handler: Handler,
  options: Partial<DnsServerOptions> = {},
): Promise<Scene> {
  const logged: Scene['logged'] = [];
  const note = (details: object, message: string): unknown => logged.push({ message, details });
  const server = await startDnsServer(
    { listen: [{ address: '127.0.0.1', port: 0 }], ...options },
    handler,
    { warn: note, error: note },
  );
  endings.push(() => server.stop({ deadlineMs: 0 }));
  const { address = '', port = 0 } = server.addresses()[0] ?? {};
  return {
    server,
    address,
    port,
    logged,
    async tcp(localAddress) {
      const client = await tcpClient({
        address,
        port,
        ...(localAddress === undefined ? {} : { localAddress }),
      });
      endings.push(client.destroy);
      return client;
    },
    udp: (octets) => udpExchange({ address, port }, octets),
    async tls(more = {}) {
      const client = await tlsClient({ ...tlsTarget(server), ...more });
      endings.push(client.destroy);
      return client;
    },
  };
}

/** The first address that TLS is spoken on. */
export function tlsTarget(server: DnsServer): TcpTarget {
  const [target] = server.tlsAddresses();
  if (target === undefined) throw new Error('the server has no TLS');
  return target;
}

/** Done after the test, the last first. */
export function afterwards(end: () => unknown): void {
  endings.push(end);
}

const UDP_PATIENCE_MS = 2_000;

/** Sends one datagram and resolves with the first that comes back from the same place. */
export async function udpExchange(
  to: { readonly address: string; readonly port: number },
  octets: Uint8Array,
  patienceMs = UDP_PATIENCE_MS,
): Promise<Buffer> {
  const socket = createSocket(isIPv6(to.address) ? 'udp6' : 'udp4');
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<Buffer>((resolve, reject) => {
      timer = setTimeout(() => reject(new Error('no answer')), patienceMs);
      socket.on('error', reject);
      socket.on('message', (message, from) => {
        if (from.port === to.port && from.address === to.address) resolve(message);
      });
      socket.send(octets, to.port, to.address);
    });
  } finally {
    clearTimeout(timer);
    socket.close();
  }
}

/** A query of a header and the question `example. SOA IN`, with an id to know it by. */
export function query(id: number, flags = 0x0100): Buffer {
  const question = Buffer.from('\x07example\x00\x00\x06\x00\x01', 'latin1');
  const octets = Buffer.alloc(12 + question.length);
  octets.writeUInt16BE(id, 0);
  octets.writeUInt16BE(flags, 2);
  octets.writeUInt16BE(1, 4);
  question.copy(octets, 12);
  return octets;
}

/** With its length in front. */
export function framed(...messages: readonly Uint8Array[]): Buffer {
  return Buffer.concat(
    messages.flatMap((message) => [Buffer.of(message.length >> 8, message.length & 255), message]),
  );
}

export const idOf = (message: Uint8Array): number => (message[0] << 8) | message[1];
export const rcodeOf = (message: Uint8Array): number => message[3] & 15;

export type Outcome = { completed: boolean; octets: number; durationMs: number };

export interface TestStream {
  readonly answer: Extract<Answer, { kind: 'stream' }>;
  /** Octets filled so far, with the length octets. */
  filled(): number;
  /** Every call of `ended`. */
  readonly outcomes: Outcome[];
}

/**
 * A transfer of `count` messages of `size` octets. The first two octets of a message are the id of
 * its query, the next four its number, the rest a pattern of that number.
 */
export function testStream(
  id: number,
  count: number,
  size: number,
  kind: Partial<Pick<TestStream['answer'], 'key' | 'isShort'>> = {},
): TestStream {
  let sent = 0;
  let filled = 0;
  const outcomes: Outcome[] = [];
  return {
    outcomes,
    filled: () => filled,
    answer: {
      kind: 'stream',
      key: null,
      isShort: false,
      ...kind,
      fill(buffer) {
        let at = 0;
        while (sent < count && at + 2 + size <= buffer.length) {
          buffer.set(framed(streamMessage(id, sent, size)), at);
          at += 2 + size;
          sent += 1;
        }
        filled += at;
        return at;
      },
      ended: (outcome) => outcomes.push(outcome),
    },
  };
}

export function streamMessage(id: number, number: number, size: number): Buffer {
  const message = Buffer.alloc(size, number & 255);
  message.writeUInt16BE(id, 0);
  message.writeUInt32BE(number, 2);
  return message;
}

/** Waits until `check` is true; fails the test by its own time limit otherwise. */
export async function until(check: () => boolean): Promise<void> {
  while (!check()) await sleep(5);
}

export const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms));
