import { Worker } from 'node:worker_threads';
import type { Store } from '../publish/store-port.ts';
import { THREAD_BOOT, threadProgramNow } from '../threads/index.ts';
import { packBlobs } from './pack-blobs.ts';
import { StoreError, storeErrorFromPlain } from './store-error.ts';
import {
  OPENING_ID,
  type StoreAnswer,
  type StoreMethod,
  type StoreRequest,
  type StoreThreadData,
} from './store-messages.ts';
import type { StoreOptions } from './store-options.ts';

const PROGRAM = new URL('./store-worker.ts', import.meta.url);

/** Requests that may wait for the thread; the next one is refused with `store-busy`. */
export const REQUESTS_WAITING_MAX = 1_024;

/**
 * Opens the store in a thread of its own. Rejects with a StoreError: in use by another process,
 * written by a newer version, key file wrong or missing, damaged.
 *
 * Requests are done in their order. Arguments are copied before the call returns, so the caller may
 * go on changing its buffers. A promise that resolves means "on disk"; one that rejects means that
 * nothing was applied and the store can be used further, with one exception: `store-stopped` says
 * that the thread died, and that it is unknown whether the last commit is on disk. Nothing but a
 * restart of the process helps then; `close` rejects with the same error.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { opened, ask, close } = startStoreThread(options);
  await opened;
  return {
    load: () => ask('load'),
    commit: (commit) => ask('commit', commit),
    putOwners: (owners) => ask('putOwners', owners),
    compact: (compaction) => ask('compact', compaction),
    dueNotifies: (now, limit) => ask('dueNotifies', now, limit),
    nextNotifyAt: () => ask('nextNotifyAt'),
    settleNotifies: (outcome) => ask('settleNotifies', outcome),
    owedNotifies: () => ask('owedNotifies'),
    putDeviceZoneStatus: (rows) => ask('putDeviceZoneStatus', rows),
    dropDeviceZoneStatus: (rows) =>
      ask(
        'dropDeviceZoneStatus',
        rows.map(({ deviceId, origin }) => ({ deviceId, origin })),
      ),
    deviceZoneStatus: () => ask('deviceZoneStatus'),
    putKeyUses: (rows) => ask('putKeyUses', rows),
    keyUses: () => ask('keyUses'),
    changes: (query) => ask('changes', query),
    allHistory: () => ask('allHistory'),
    memberHistory: (holder) => ask('memberHistory', holder),
    memberSizes: (holder, limit) => ask('memberSizes', holder, limit),
    memberNotes: (holder) => ask('memberNotes', holder),
    putFeedState: (row) => ask('putFeedState', row),
    feedStates: () => ask('feedStates'),
    close,
  };
}

function startStoreThread(options: StoreOptions) {
  const data: StoreThreadData = { ...threadProgramNow(PROGRAM), options };
  const worker = new Worker(THREAD_BOOT, { name: 'sluice-store', workerData: data });
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  const requests = createRequests(worker);
  let closed: Promise<void> | null = null;

  /** Does what was asked before, closes the database and waits for the thread; again changes nothing. */
  function close(): Promise<void> {
    if (closed === null) {
      const answered = requests.send('close', []);
      requests.refuse(new StoreError('store-closed', options.path));
      closed = answered.finally(() => ended);
    }
    return closed;
  }

  // A thread that failed to open ends by itself; only then has it let go of the database.
  const opened = requests.expect<void>(OPENING_ID).catch(async (error) => {
    await ended;
    throw error;
  });
  return { opened, ask: requests.ask, close };
}

type Result<Method extends StoreMethod> = Awaited<ReturnType<Store[Method]>>;

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** The requests that the thread has not answered yet. */
function createRequests(worker: Worker) {
  const waiting = new Map<number, Waiting>();
  let lastId = OPENING_ID;
  /** Why no request is taken any more, or null. */
  let refusal: StoreError | null = null;

  worker.on('message', (answer: StoreAnswer) => settle(waiting, answer));
  worker.on('error', (error) => stop(new StoreError('store-stopped', String(error))));
  worker.on('exit', (code) => stop(new StoreError('store-stopped', `it ended with code ${code}`)));

  function refuse(why: StoreError): void {
    refusal ??= why;
  }

  function stop(why: StoreError): void {
    refuse(why);
    for (const { reject } of waiting.values()) reject(why);
    waiting.clear();
  }

  function expect<Value>(id: number): Promise<Value> {
    return new Promise<Value>((resolve, reject) => {
      waiting.set(id, { resolve: (value) => resolve(value as Value), reject });
    });
  }

  async function send<Method extends StoreMethod>(
    method: Method,
    args: Parameters<Store[Method]>,
  ): Promise<Result<Method>> {
    if (refusal !== null) throw refusal;
    const request: StoreRequest = { id: ++lastId, method, args };
    const { value, transfer } = packBlobs(request, false);
    worker.postMessage(value, transfer);
    return expect<Result<Method>>(request.id);
  }

  async function ask<Method extends StoreMethod>(
    method: Method,
    ...args: Parameters<Store[Method]>
  ): Promise<Result<Method>> {
    if (refusal === null && waiting.size >= REQUESTS_WAITING_MAX) {
      throw new StoreError('store-busy', `${waiting.size} requests wait, ${method} was refused`);
    }
    return send(method, args);
  }

  return { ask, send, expect, refuse };
}

function settle(waiting: Map<number, Waiting>, answer: StoreAnswer): void {
  const request = waiting.get(answer.id);
  waiting.delete(answer.id);
  if (answer.ok) request?.resolve(answer.value);
  else request?.reject(storeErrorFromPlain(answer.error));
}
