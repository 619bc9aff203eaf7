/** Everything that getting a feed can fail with, in one table. */
const FEED_FAILURES = {
  url: 'The URL cannot be used',
  credentials: 'The credentials cannot be used',
  dns: 'The name of the server has no address',
  'private-address': 'The server is at an address that feeds may not be fetched from',
  connect: 'The server could not be reached',
  tls: 'The server did not prove who it is',
  protocol: 'The server does not speak its protocol as it should',
  'http-status': 'The server refused',
  refused: 'The primary refused',
  signature: 'The answer of the primary is not authentic',
  redirect: 'The server sends elsewhere, and this is not followed',
  timeout: 'It took too long',
  'too-large': 'It is larger than allowed',
  truncated: 'Not all of it arrived',
  decompress: 'It cannot be unpacked',
  format: 'It cannot be read',
  'not-found': 'There is no such file',
  outside: 'The file is outside the folder of feeds',
  unreadable: 'The file cannot be read',
  stopped: 'It was stopped',
  busy: 'Too many feeds wait',
  'out-of-memory': 'It needs more memory than allowed',
  'worker-died': 'The thread for feeds ended',
  unexpected: 'It failed in an unexpected way',
} as const satisfies Record<string, string>;

export type FeedFailureReason = keyof typeof FEED_FAILURES;

const TEXT_LENGTH_MAX = 300;

/** Its message may be shown and logged: no credentials, and of a URL only the origin. */
export class FeedFailure extends Error {
  override readonly name = 'FeedFailure';
  readonly reason: FeedFailureReason;
  /** For how long the server does not want to be asked again, if it said so. */
  readonly retryAfterMs: number | null;

  constructor(reason: FeedFailureReason, detail: string, retryAfterMs: number | null = null) {
    super(`${FEED_FAILURES[reason]}: ${detail}`.slice(0, TEXT_LENGTH_MAX));
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
  }
}

/** What is known of an error of Node's: its code, which says most, or else its message. */
export function detailOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined) return error.message;
  return error.message === '' || error.message.includes(code)
    ? error.message || code
    : `${error.message} (${code})`;
}

/** Many feeds carry a key in the path or the query, so only the origin is ever told. */
export function shownUrl(url: URL): string {
  return url.origin;
}
