import type { Worker } from 'node:worker_threads';
import type { Serial } from '../../dns/serial.ts';
import type { ZoneBody, ZoneSettings } from '../../zone/snapshot.ts';
import { createSlices } from '../slices.ts';
import type { DigestOrder, DigestReport, NumberedPage } from './digest-messages.ts';
import { createPageBook, partsOf } from './page-book.ts';

export type IpBody = Extract<ZoneBody, { readonly kind: 'ip' }>;

/** A zone without its body, which others may have too. */
export interface ZoneToDigest {
  readonly origin: string;
  readonly settings: ZoneSettings;
  readonly serial: Serial;
}

/** One life of the digest thread. */
export interface DigestSession {
  /** Whether it has answered anything. */
  readonly hasAnswered: boolean;
  /**
   * Hands zones that have this body to the thread; not before the call before has resolved. Each
   * promise is for one of them: its digest, or null from a thread that died.
   */
  hand(
    body: IpBody,
    zones: readonly ZoneToDigest[],
  ): Promise<readonly Promise<Uint8Array | null>[]>;
  /** Lets the thread do what it was handed, and end. */
  end(): Promise<void>;
}

/** Of 5 to 70 KB each: a message is made ready within a millisecond. */
const PAGES_PER_ORDER = 32;
const ZONES_PER_ORDER = 64;

export function createDigestSession(options: {
  readonly worker: Worker;
  readonly keptOctetsMax: number;
  /** Without a digest for so long, though one is owed, the thread is ended from outside. */
  readonly answerMsMax: number;
  /** Called once, when the thread has ended or cannot be relied upon any more. */
  readonly onEnd: (cause: unknown) => void;
}): DigestSession {
  const { worker, keptOctetsMax, answerMsMax, onEnd } = options;
  const book = createPageBook(keptOctetsMax);
  const waiting = new Map<number, (digest: Uint8Array | null) => void>();
  let watchdog: NodeJS.Timeout | undefined;
  let lastId = 0;
  let hasAnswered = false;
  let isOver = false;

  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  worker.on('message', ({ id, digest }: DigestReport) => {
    hasAnswered = true;
    waiting.get(id)?.(digest);
    waiting.delete(id);
    watch();
  });
  worker.on('error', giveUp);
  worker.on('exit', (code) => giveUp(new Error(`the digest thread ended with code ${code}`)));
  worker.unref();

  function giveUp(cause: unknown): void {
    if (isOver) return;
    isOver = true;
    for (const settle of waiting.values()) settle(null);
    waiting.clear();
    watch();
    onEnd(cause);
  }

  /** While a digest is owed the process stays for it, but not for ever. */
  function watch(): void {
    clearTimeout(watchdog);
    if (waiting.size === 0) {
      worker.unref();
      return;
    }
    worker.ref();
    watchdog = setTimeout(() => {
      giveUp(new Error(`the digest thread was silent for ${answerMsMax} ms`));
      void worker.terminate();
    }, answerMsMax);
  }

  const post = (order: DigestOrder): void => worker.postMessage(order);

  /** Forgets before it keeps, so that the thread never has more than it may. */
  async function handBody({ content, side, ttl }: IpBody, origins: readonly string[]) {
    const slices = createSlices();
    forget(book.makeRoom(content));
    const parts = partsOf(content);
    const ids = new Uint32Array(parts.length);
    let batch: NumberedPage[] = [];
    for (let index = 0; index < parts.length; index++) {
      const { id, fresh: page } = book.numberOf(parts[index]);
      ids[index] = id;
      if (page !== null) batch.push({ id, page });
      const isLast = index === parts.length - 1;
      if (batch.length === PAGES_PER_ORDER || (isLast && batch.length > 0)) {
        post({ kind: 'keep', pages: batch });
        batch = [];
      }
      if (index % PAGES_PER_ORDER === 0 && slices.isOver()) await slices.next();
    }
    const pages4 = content.v4.length;
    const { leftOut } = content.hosts;
    post({ kind: 'body', body: { side, ttl, ids, pages4, leftOut } });
    forget(book.hold(origins, ids));
  }

  function forget(ids: Uint32Array): void {
    if (ids.length > 0) post({ kind: 'forget', ids });
  }

  return {
    get hasAnswered() {
      return hasAnswered;
    },
    async hand(body, zones) {
      await handBody(
        body,
        zones.map(({ origin }) => origin),
      );
      const slices = createSlices();
      const asked: Promise<Uint8Array | null>[] = [];
      for (let from = 0; from < zones.length; from += ZONES_PER_ORDER) {
        const some = zones
          .slice(from, from + ZONES_PER_ORDER)
          .map(({ settings, serial }) => ({ id: ++lastId, settings, serial }));
        post({ kind: 'digest', zones: some });
        for (const { id } of some) asked.push(answerTo(id));
        watch();
        if (slices.isOver()) await slices.next();
      }
      return asked;
    },
    async end() {
      post({ kind: 'end' });
      // The last resort: it may be in the middle of anything.
      const late = setTimeout(() => void worker.terminate(), answerMsMax);
      await exited;
      clearTimeout(late);
    },
  };

  function answerTo(id: number): Promise<Uint8Array | null> {
    if (isOver) return Promise.resolve(null);
    return new Promise((resolve) => waiting.set(id, resolve));
  }
}
