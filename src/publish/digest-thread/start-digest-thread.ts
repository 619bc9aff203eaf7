import { Worker } from 'node:worker_threads';
import { THREAD_BOOT, type ThreadProgram, threadProgram } from '../../threads/index.ts';
import type { ZoneBody } from '../../zone/snapshot.ts';
import {
  createDigestSession,
  type DigestSession,
  type IpBody,
  type ZoneToDigest,
} from './digest-session.ts';
import { octetsOfContent } from './page-book.ts';

/** Makes the digests of large IP zones in a thread of its own. */
export interface DigestThread {
  /** Whether a body is large enough for the thread, and not too large. */
  takes(body: ZoneBody): body is IpBody;
  /**
   * The digests of zones that carry this body, in their order. Null is what the thread could not do,
   * because it died or too much waits: the caller makes it. Never rejects.
   */
  digests(body: IpBody, zones: readonly ZoneToDigest[]): Promise<readonly (Uint8Array | null)[]>;
  /** Waits for what was asked and ends the thread. Who asks later gets nothing but null. */
  close(): Promise<void>;
}

export interface DigestThreadOptions {
  /** Smaller contents are not taken. Octets of rows: 5 for an IPv4 prefix, 17 for an IPv6 prefix. */
  readonly octetsMin?: number;
  /** Of rows, for all contents that the thread keeps; a larger content is not taken. */
  readonly keptOctetsMax?: number;
  /** After so long without a zone the thread ends, and with it all that it keeps. */
  readonly restMs?: number;
  /** A thread that is silent for so long, though it owes a digest, is ended from outside. */
  readonly answerMsMax?: number;
  /** Told when a thread died: the digests are made, and the next one that is worth it starts another. */
  readonly onError?: (error: unknown) => void;
  /** Another program for the thread. */
  readonly thread?: URL;
}

/**
 * 13,000 IPv4 prefixes, a third of a millisecond. Measured with 1,000,000 prefixes of which one changed,
 * in slices → by the thread: main-thread CPU for 1 zone 21 → 1.7 ms, for 20 zones 400 → 6 ms, for 1,000
 * zones 21.8 → 0.22 s; the main thread was held for 3 to 5 → 1 to 4 ms at a time. The digests are there
 * as soon as before (25 to 30 ms, 0.45 s, 20 s), but for those that start the thread: 0.2 s later, and
 * 0.4 s the first time, when its program is read.
 */
const OCTETS_MIN = 64 * 1024;
/**
 * 13,000,000 IPv4 prefixes. What is made ready from them takes twice as much beside. The process grew by
 * 30 MB for 1,000,000 prefixes, and by 50 MB with 20 zones, where it grows by 20 MB when they are made in
 * slices; of that, the C library keeps most when the thread has ended, for its next life.
 */
const KEPT_OCTETS_MAX = 64 * 1024 * 1024;
const REST_MS = 60_000;
const ANSWER_MS_MAX = 30_000;
/** Zones that wait for the thread at most; the caller makes the others. */
const ZONES_WAITING_MAX = 20_000;
/** Its garbage is short-lived: names, leads, keys. */
const YOUNG_MEGABYTES_MAX = 8;
/** A thread that died before it answered anything is not started again sooner. */
const RETRY_MS = 60_000;

/** Starts nothing yet: the thread is started for the first zone, and again after it died or rested. */
export function startDigestThread(options: DigestThreadOptions = {}): DigestThread {
  const {
    octetsMin = OCTETS_MIN,
    keptOctetsMax = KEPT_OCTETS_MAX,
    restMs = REST_MS,
    answerMsMax = ANSWER_MS_MAX,
    onError = () => {},
    thread: url = new URL('./digest-thread.ts', import.meta.url),
  } = options;
  let program: ThreadProgram | null = null;
  let session: DigestSession | null = null;
  let tail: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  let rest: NodeJS.Timeout | undefined;
  let isClosed = false;
  /** By the clock of `performance`. */
  let startsAgainAt = 0;

  async function runningSession(): Promise<DigestSession | null> {
    if (session !== null) return session;
    if (performance.now() < startsAgainAt) return null;
    program ??= await threadProgram(url);
    session = startSession(program);
    return session;
  }

  function startSession(from: ThreadProgram): DigestSession {
    const worker = new Worker(THREAD_BOOT, {
      name: 'sluice-digests',
      workerData: from,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MEGABYTES_MAX },
    });
    const started = createDigestSession({
      worker,
      keptOctetsMax,
      answerMsMax,
      onEnd: (cause) => {
        if (session !== started) return;
        session = null;
        if (!started.hasAnswered) startsAgainAt = performance.now() + RETRY_MS;
        onError(cause);
      },
    });
    return started;
  }

  async function hand(body: IpBody, zones: readonly ZoneToDigest[]) {
    try {
      return (await (await runningSession())?.hand(body, zones)) ?? zones.map(() => null);
    } catch (error) {
      onError(error);
      return zones.map(() => null);
    }
  }

  /** What has been handed over before is still done. */
  async function endSession(): Promise<void> {
    const ending = session;
    session = null;
    await ending?.end();
  }

  return {
    takes(body): body is IpBody {
      if (body.kind !== 'ip') return false;
      const octets = octetsOfContent(body.content);
      return octets >= octetsMin && octets <= keptOctetsMax;
    },
    async digests(body, zones) {
      if (isClosed || waiting + zones.length > ZONES_WAITING_MAX) return zones.map(() => null);
      waiting += zones.length;
      clearTimeout(rest);
      const handed = tail.then(() => hand(body, zones));
      tail = handed;
      const digests = await Promise.all(await handed);
      waiting -= zones.length;
      if (waiting === 0 && !isClosed) rest = setTimeout(endSession, restMs).unref();
      return digests;
    },
    async close() {
      isClosed = true;
      clearTimeout(rest);
      await tail;
      await endSession();
    },
  };
}
