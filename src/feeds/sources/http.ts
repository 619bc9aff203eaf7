import { STATUS_CODES } from 'node:http';
import type { FeedCredentials } from '../../policy/model.ts';
import { credentialHeaders } from './credential-headers.ts';
import { decodeContent } from './decompress.ts';
import { FeedFailure, shownUrl } from './feed-failure.ts';
import type { ResolveHost } from './guarded-lookup.ts';
import { exchange, type HttpAnswer } from './http-exchange.ts';

export interface HttpGetOptions {
  readonly url: string;
  readonly credentials: FeedCredentials;
  readonly allowPrivate: boolean;
  readonly accept?: string;
  /** What an earlier answer said of itself: the server then may say that nothing changed. */
  readonly etag: string | null;
  readonly lastModified: string | null;
  readonly limits: {
    /** Of the body, as it is sent and as it is decoded. */
    readonly octetsMax: number;
    readonly redirectsMax: number;
    /** Until an answer begins, and between two parts of its body; 30 s when absent. */
    readonly idleMs?: number | undefined;
  };
  /** For the limit of time and for stopping: its reason is the failure that comes of it. */
  readonly signal: AbortSignal;
  readonly onOctets: (received: number) => void;
  /** Instead of the system's resolver. */
  readonly resolve?: ResolveHost | undefined;
}

export type HttpGetResult =
  | { readonly kind: 'unchanged' }
  | {
      readonly kind: 'body';
      /** Without its Content-Encoding. */
      readonly octets: Uint8Array;
      readonly headers: HttpAnswer['headers'];
      readonly etag: string | null;
      readonly lastModified: string | null;
    };

const IDLE_MS = 30_000;
const RETRY_AFTER_MS_MAX = 24 * 60 * 60 * 1000;
const VALIDATOR_LENGTH_MAX = 1_000;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * Gets a document over HTTP or HTTPS (RFC 9110): all of it, or a FeedFailure. Redirects are followed
 * a limited number of times, each address checked anew; credentials go to the first origin only,
 * and not to it either once a redirect has led away.
 */
export async function httpGet(options: HttpGetOptions): Promise<HttpGetResult> {
  const first = parseUrl(options.url);
  const secrets = credentialHeaders(options.credentials);
  let url = first;
  let isFirstOrigin = true;
  for (let redirects = 0; redirects <= options.limits.redirectsMax; redirects++) {
    const headers = { ...plainHeaders(options), ...(isFirstOrigin ? secrets : {}) };
    const answer = await exchangeAt(url, headers, options);
    if (!REDIRECTS.has(answer.status)) return readResult(answer, url, options);
    url = redirectTarget(answer, url, options.credentials);
    isFirstOrigin &&= url.origin === first.origin;
  }
  const { redirectsMax } = options.limits;
  throw new FeedFailure('redirect', `more than ${redirectsMax} times, last to ${shownUrl(url)}`);
}

function parseUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null) throw new FeedFailure('url', 'it is none');
  if (!isHttp(url)) throw new FeedFailure('url', 'it does not begin with https:// or http://');
  if (url.username !== '' || url.password !== '') {
    throw new FeedFailure('url', 'it contains credentials, which have a setting of their own');
  }
  return url;
}

function isHttp(url: URL): boolean {
  return url.protocol === 'https:' || url.protocol === 'http:';
}

function plainHeaders(options: HttpGetOptions): Record<string, string> {
  const { accept = '*/*', etag, lastModified } = options;
  return {
    accept,
    'accept-encoding': 'gzip, deflate, br',
    ...(etag === null ? {} : { 'if-none-match': etag }),
    ...(lastModified === null ? {} : { 'if-modified-since': lastModified }),
  };
}

function exchangeAt(
  url: URL,
  headers: Record<string, string>,
  { allowPrivate, resolve, limits, signal, onOctets }: HttpGetOptions,
): Promise<HttpAnswer> {
  const { octetsMax, idleMs = IDLE_MS } = limits;
  return exchange({ url, headers, allowPrivate, resolve, octetsMax, idleMs, signal, onOctets });
}

async function readResult(
  answer: HttpAnswer,
  url: URL,
  options: HttpGetOptions,
): Promise<HttpGetResult> {
  const { status, headers } = answer;
  const isConditional = options.etag !== null || options.lastModified !== null;
  if (status === 304 && isConditional) return { kind: 'unchanged' };
  if (status !== 200) {
    const text = `${status} ${STATUS_CODES[status] ?? ''}`.trimEnd();
    const retryAfterMs = readRetryAfter(headers['retry-after'], Date.now());
    throw new FeedFailure('http-status', `${shownUrl(url)} answered ${text}`, retryAfterMs);
  }
  return {
    kind: 'body',
    octets: await decodeContent(answer.body, headers['content-encoding'], {
      octetsMax: options.limits.octetsMax,
      signal: options.signal,
    }),
    headers,
    etag: validator(headers.etag),
    lastModified: validator(headers['last-modified']),
  };
}

/** RFC 9110 section 10.2.3: seconds, or a date. No server puts a feed off for more than a day. */
function readRetryAfter(text: string | undefined, nowMs: number): number | null {
  if (text === undefined) return null;
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs;
  return Number.isNaN(ms) ? null : Math.min(Math.max(ms, 0), RETRY_AFTER_MS_MAX);
}

/** It is kept and sent back, so it must be what a header can carry. */
function validator(text: string | undefined): string | null {
  if (text === undefined || text.length > VALIDATOR_LENGTH_MAX) return null;
  return /^[\x20-\x7e]+$/.test(text) ? text : null;
}

function redirectTarget(answer: HttpAnswer, from: URL, credentials: FeedCredentials): URL {
  const { location } = answer.headers;
  const target = location === undefined ? null : URL.parse(location, from.href);
  if (target === null) throw new FeedFailure('redirect', `${shownUrl(from)} does not say where to`);
  if (!isHttp(target)) throw new FeedFailure('redirect', `to ${target.protocol}`);
  if (target.username !== '' || target.password !== '') {
    throw new FeedFailure('redirect', `to a URL with credentials at ${shownUrl(target)}`);
  }
  const isDowngrade = from.protocol === 'https:' && target.protocol === 'http:';
  if (isDowngrade && credentials.kind !== 'none') {
    throw new FeedFailure('redirect', `from https to ${shownUrl(target)}, with credentials`);
  }
  return target;
}
