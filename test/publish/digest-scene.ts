import { createHash } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import { onTestFinished, vi } from 'vitest';
import { parseName, serial } from '../../src/dns/index.ts';
import type { DigestOrder } from '../../src/publish/digest-thread/digest-messages.ts';
import type { IpBody } from '../../src/publish/digest-thread/digest-session.ts';
import {
  type DigestThread,
  type DigestThreadOptions,
  startDigestThread,
} from '../../src/publish/digest-thread/start-digest-thread.ts';
import type { IpContent } from '../../src/zone/ip-content.ts';
import { applyPrefixDiff, type PrefixPages } from '../../src/zone/ip-pages.ts';
import {
  type AddressWords,
  createPrefixCollector,
  noPrefixes,
  type PrefixRows,
  subtractPrefixes,
} from '../../src/zone/prefix-rows.ts';
import { PENDING_DIGEST, type ZoneSnapshot } from '../../src/zone/snapshot.ts';
import { digestInput } from '../../src/zone/zone-digest.ts';

/** So many IPv4 prefixes are above what a thread is for. */
export const LARGE = 20_000;
/** Octets of the rows of one IPv4 prefix. */
export const ROW_OCTETS = 5;

/** Prefixes by where they begin, in units of 256 addresses, and how long they are: from 24 bits on. */
export type Blocks = ReadonlyMap<number, number>;

export const blocks = (count: number, first = 0): Map<number, number> =>
  new Map(Array.from({ length: count }, (_, index) => [first + index * 3, 32]));

export function rowsOf(words: AddressWords, listed: Blocks): PrefixRows {
  const rows = createPrefixCollector(words);
  for (const [block, length] of [...listed].sort(([a], [b]) => a - b)) {
    const row = new Uint32Array(words);
    row[0] = block * 256;
    rows.add(row, 0, length);
  }
  return rows.finish();
}

/** The pages with another list; those that it does not reach stay the objects that they are. */
export function changedTo(pages: PrefixPages, words: AddressWords, listed: Blocks): PrefixPages {
  const before = createPrefixCollector(words);
  for (const { prefixes } of pages) {
    for (let index = 0; index < prefixes.count; index++) {
      before.add(prefixes.addresses, index * words, prefixes.lengths[index]);
    }
  }
  const old = before.finish();
  const now = rowsOf(words, listed);
  return applyPrefixDiff(pages, {
    removed: subtractPrefixes(old, now),
    added: subtractPrefixes(now, old),
  });
}

export const NO_HOSTS = { v4: noPrefixes(1), v6: noPrefixes(4), leftOut: 0 };

export function contentOf(listed: Blocks): IpContent {
  return { v4: changedTo([], 1, listed), v6: [], hosts: NO_HOSTS };
}

export const bodyWith = (content: IpContent): IpBody => ({
  kind: 'ip',
  side: 'block',
  ttl: 120,
  content,
});

/** A zone as a plan leaves it. */
export function pendingZone(origin: string, body: ZoneSnapshot['body'], at = 7): ZoneSnapshot {
  return {
    settings: {
      origin: parseName(origin),
      primary: parseName('ns.sluice.internal.'),
      hostmaster: parseName('hostmaster.sluice.internal.'),
      refresh: 900,
      retry: 300,
      expire: 1_209_600,
      minimum: 60,
      apexTtl: 30,
    },
    accountId: null,
    policyId: null,
    deviceId: null,
    former: false,
    serial: serial(at),
    body,
    digest: PENDING_DIGEST,
    records: 0,
    revisions: [],
  };
}

/** Zones that carry one body, as the thread is asked for them. */
export const zonesNamed = (...origins: string[]) =>
  origins.map((origin) => ({ origin, ...pendingZone(origin, bodyWith(contentOf(new Map()))) }));

/** By the way that is made in this thread. */
export function digestHere(origin: string, body: IpBody): Uint8Array {
  const { settings, serial } = pendingZone(origin, body);
  const hash = createHash('sha384');
  for (const piece of digestInput({ settings, serial, body })) hash.update(piece);
  return Uint8Array.from(hash.digest());
}

/** The workers that are started during a test. */
export function hearWorkers(onStart: (worker: Worker) => unknown = () => {}): {
  readonly workers: Worker[];
} {
  const workers: Worker[] = [];
  const hear = (worker: Worker) => {
    workers.push(worker);
    onStart(worker);
  };
  process.on('worker', hear);
  onTestFinished(() => void process.off('worker', hear));
  return { workers };
}

/** A thread for the length of a test, the workers that it is, and why they died. */
export function openThread(options: DigestThreadOptions = {}): {
  readonly thread: DigestThread;
  readonly workers: Worker[];
  readonly errors: unknown[];
} {
  const { workers } = hearWorkers();
  const errors: unknown[] = [];
  const thread = startDigestThread({ onError: (error) => errors.push(error), ...options });
  onTestFinished(() => thread.close());
  return { thread, workers, errors };
}

/** Everything that threads are told for the length of a test. */
export function hearOrders(): DigestOrder[] {
  const orders: DigestOrder[] = [];
  const post = Worker.prototype.postMessage;
  const spy = vi.spyOn(Worker.prototype, 'postMessage').mockImplementation(function (
    this: Worker,
    ...args
  ) {
    orders.push(args[0] as DigestOrder);
    return post.apply(this, args);
  });
  onTestFinished(() => spy.mockRestore());
  return orders;
}
