import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { FeedFailure } from '../../../src/feeds/sources/feed-failure.ts';
import {
  type HttpGetOptions,
  type HttpGetResult,
  httpGet,
} from '../../../src/feeds/sources/http.ts';

/** Gets a URL with limits that suit a test; loopback is allowed, as every server here is there. */
export function get(
  url: string,
  options: Partial<Omit<HttpGetOptions, 'url' | 'limits'>> & {
    readonly limits?: Partial<HttpGetOptions['limits']>;
  } = {},
): Promise<HttpGetResult> {
  return httpGet({
    credentials: { kind: 'none' },
    allowPrivate: true,
    etag: null,
    lastModified: null,
    signal: AbortSignal.timeout(10_000),
    onOctets: () => {},
    ...options,
    url,
    limits: { octetsMax: 1_000_000, redirectsMax: 3, idleMs: 2_000, ...options.limits },
  });
}

export async function bodyOf(result: Promise<HttpGetResult>) {
  const got = await result;
  if (got.kind !== 'body') throw new Error('the server says that nothing changed');
  return { ...got, text: new TextDecoder().decode(got.octets) };
}

/** The failure that something ends with. */
export async function failureOf(doing: Promise<unknown>): Promise<FeedFailure> {
  const [result] = await Promise.allSettled([doing]);
  if (result?.status === 'fulfilled') throw new Error('it did not fail');
  if (result?.reason instanceof FeedFailure) return result.reason;
  throw result?.reason;
}

export interface RawServer {
  readonly url: string;
  readonly port: number;
  /** The heads of all requests so far. */
  readonly requests: readonly string[];
}

/** A server that says exactly what the test wants, right or wrong, once it has read a request. */
export async function startRawServer(
  answer: (socket: Socket, request: string) => void,
): Promise<RawServer> {
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    // A client that goes away in the middle is what many of these tests are about.
    socket.on('error', () => {});
    let request = '';
    socket.on('data', (chunk) => {
      request += chunk.toString('latin1');
      if (!request.endsWith('\r\n\r\n')) return;
      requests.push(request);
      answer(socket, request);
      request = '';
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('it has no port');
  return { url: `http://127.0.0.1:${bound.port}/`, port: bound.port, requests };
}
