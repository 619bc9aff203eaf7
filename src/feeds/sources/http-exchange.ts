import { once } from 'node:events';
import {
  type ClientRequest,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
} from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { detailOf, FeedFailure, type FeedFailureReason, shownUrl } from './feed-failure.ts';
import { checkLiteralAddress, guardedLookup, type ResolveHost } from './guarded-lookup.ts';
import { collectOctets } from './octet-collector.ts';
import { type IdleWatch, watchIdle } from './watch-idle.ts';

/** Room for a body that does not say how long it is; it grows. */
const UNANNOUNCED_OCTETS = 64 * 1024;

export interface ExchangeOptions {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly allowPrivate: boolean;
  readonly resolve?: ResolveHost | undefined;
  /** Of a body as it is sent. */
  readonly octetsMax: number;
  /** Until the answer begins, and between two parts of its body. */
  readonly idleMs: number;
  /** Its reason is the failure that the exchange then ends with. */
  readonly signal: AbortSignal;
  readonly onOctets: (received: number) => void;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** As it was sent, all of it; empty unless the status is 200. */
  readonly body: Uint8Array;
}

/**
 * One GET and its answer, over a connection of its own. Throws a FeedFailure that says how far it
 * came. A body that ends before its announced length is never returned, nor one that visibly goes on
 * after it (what comes later than the last read of the body is not waited for).
 *
 * A body without length and without chunks ends when the server closes the connection (RFC 9112
 * section 6.3), and nothing tells whether that is all of it; every server of today announces one.
 */
export async function exchange(options: ExchangeOptions): Promise<HttpAnswer> {
  const { url, signal } = options;
  signal.throwIfAborted();
  const { promise: failed, reject: fail } = Promise.withResolvers<never>();
  failed.catch(() => {});
  const request = openRequest(options);
  const stage = followStages(request, url);
  // It stays attached: what goes wrong on a connection that is done with concerns nobody.
  request.on('error', fail);
  request.once('upgrade', () => {
    fail(new FeedFailure('protocol', `${shownUrl(url)} changes to a protocol nobody asked for`));
  });
  const idle = watchIdle(options.idleMs, () => {
    const seconds = options.idleMs / 1000;
    fail(new FeedFailure('timeout', `${shownUrl(url)} sent nothing for ${seconds} s`));
  });
  const onAbort = () => fail(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const answer = readAnswer(request, options, idle);
    answer.catch(() => {});
    return await Promise.race([failed, answer]);
  } catch (error) {
    throw toFailure(error, stage(), url);
  } finally {
    idle.stop();
    signal.removeEventListener('abort', onAbort);
    request.destroy();
  }
}

function openRequest({ url, headers, allowPrivate, resolve }: ExchangeOptions): ClientRequest {
  const isTls = url.protocol === 'https:';
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  checkLiteralAddress(host, allowPrivate);
  const request = (isTls ? httpsRequest : httpRequest)({
    host,
    port: url.port === '' ? (isTls ? 443 : 80) : Number(url.port),
    path: `${url.pathname}${url.search}`,
    headers: { host: url.host, 'user-agent': 'Sluice', ...headers },
    lookup: guardedLookup(allowPrivate, resolve),
    agent: false,
    // Said here, an environment variable cannot switch it off.
    rejectUnauthorized: true,
    // RFC 6066 section 3: an address is no server name.
    ...(isTls && isIP(host) === 0 ? { servername: host } : {}),
  });
  request.end();
  return request;
}

async function readAnswer(
  request: ClientRequest,
  options: ExchangeOptions,
  idle: IdleWatch,
): Promise<HttpAnswer> {
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  idle.touch();
  const status = response.statusCode ?? 0;
  const { headers } = response;
  if (status !== 200) return { status, headers, body: new Uint8Array(0) };
  return { status, headers, body: await readBody(response, options, idle) };
}

async function readBody(
  response: IncomingMessage,
  { octetsMax, onOctets, url }: ExchangeOptions,
  idle: IdleWatch,
): Promise<Uint8Array> {
  const announced = response.headers['content-length'];
  if (announced !== undefined && Number(announced) > octetsMax) {
    throw new FeedFailure('too-large', `${announced} octets, and ${octetsMax} are allowed`);
  }
  const body = collectOctets(announced === undefined ? UNANNOUNCED_OCTETS : Number(announced));
  for await (const chunk of response as AsyncIterable<Uint8Array>) {
    idle.touch();
    if (body.length + chunk.length > octetsMax) {
      throw new FeedFailure('too-large', `more than the ${octetsMax} octets that are allowed`);
    }
    body.add(chunk);
    onOctets(body.length);
  }
  if (!response.complete || (announced !== undefined && Number(announced) !== body.length)) {
    throw new FeedFailure(
      'truncated',
      `${shownUrl(url)} sent ${body.length} of ${announced} octets`,
    );
  }
  return body.take();
}

/** How far a request has come, which says what an error means. */
type Stage = 'dns' | 'connect' | 'tls' | 'answer' | 'body';

const REASON_AT: Readonly<Record<Stage, FeedFailureReason>> = {
  dns: 'dns',
  connect: 'connect',
  tls: 'tls',
  answer: 'connect',
  body: 'truncated',
};

function followStages(request: ClientRequest, url: URL): () => Stage {
  let stage: Stage = 'dns';
  request.once('socket', (socket) => {
    if (isIP(url.hostname.replace(/[[\]]/g, '')) !== 0) stage = 'connect';
    socket.once('lookup', () => {
      stage = 'connect';
    });
    socket.once('connect', () => {
      stage = url.protocol === 'https:' ? 'tls' : 'answer';
    });
    socket.once('secureConnect', () => {
      stage = 'answer';
    });
  });
  request.once('response', () => {
    stage = 'body';
  });
  return () => stage;
}

function toFailure(error: unknown, stage: Stage, url: URL): FeedFailure {
  if (error instanceof FeedFailure) return error;
  const isMalformed = error instanceof Error && String(detailOf(error)).includes('HPE_');
  const reason = stage === 'answer' && isMalformed ? 'protocol' : REASON_AT[stage];
  return new FeedFailure(reason, `${shownUrl(url)}: ${detailOf(error)}`);
}
