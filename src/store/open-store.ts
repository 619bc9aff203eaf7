import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Store } from '../publish/store-port.ts';
import { THREAD_BOOT, type ThreadProgram, threadProgram } from '../threads/index.ts';
import { imagePath, readImageFile, writeImageFile } from './image-file.ts';
import { LOCK_WAIT_MS } from './open-database.ts';
import { packBlobs, withPlainBlobs } from './pack-blobs.ts';
import { openSqliteStore, type SqliteStore } from './sqlite-store.ts';
import { StoreError, storeErrorFromPlain, toStoreError } from './store-error.ts';
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

/** A store that does everything on the calling thread until it is handed over to a thread of its own. */
export interface StoreHere {
  readonly store: Store;
  /**
   * Starts the thread; requests wait for it from the moment at which the database is closed here.
   * Rejects with a StoreError when the thread cannot open it; then the store is of no use any more.
   */
  handOver(): Promise<void>;
}

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
  const { store, handOver } = await openStoreHere(options);
  await handOver();
  return store;
}

/**
 * The same for a start that has nothing else to do until the store was read: a thread takes as long to
 * begin as all of that.
 */
export async function openStoreHere({ image, ...options }: StoreOptions): Promise<StoreHere> {
  let requests: Requests = requestsHere(await openWhenFree(options), options);
  const ask: Requests['ask'] = (method, ...args) => requests.ask(method, ...args);
  let isClosed = false;
  return {
    async handOver() {
      const program = await threadProgram(PROGRAM);
      if (isClosed) return;
      await requests.close();
      const thread = startStoreThread(program, options);
      requests = thread;
      await thread.opened;
    },
    store: {
      async load(imageVersion) {
        const file =
          imageVersion === undefined ? null : await (image ?? readImageFile(imagePath(options)));
        const fits =
          file !== null &&
          file.version === imageVersion &&
          (await ask('ownersChain', file.owners)) === file.chain;
        const state = await ask('load', fits ? file.owners : 0);
        return fits ? { ...state, image: file } : state;
      },
      async saveImage(image) {
        const chain = await ask('ownersChain', image.owners);
        if (chain === null) {
          throw new StoreError(
            'image-unfit',
            `no segment of owners ends with owner ${image.owners}`,
          );
        }
        // Not in the thread: its octets would have to be copied on the way there.
        await writeImageFile(imagePath(options), image, chain);
      },
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
      close() {
        isClosed = true;
        return requests.close();
      },
    },
  };
}

/** Between two looks at a database that another process still has open. */
const LOCK_LOOK_MS = 20;

/** As SQLite would wait for the database, without holding up what else this thread does. */
async function openWhenFree(options: StoreOptions): Promise<SqliteStore> {
  const deadline = performance.now() + (options.lockWaitMs ?? LOCK_WAIT_MS);
  for (;;) {
    try {
      return openSqliteStore({ ...options, lockWaitMs: 0 });
    } catch (error) {
      const isLocked = error instanceof StoreError && error.code === 'store-locked';
      if (!isLocked || performance.now() >= deadline) throw error;
    }
    await sleep(LOCK_LOOK_MS);
  }
}

/** What does the requests: this thread, or one of its own. */
interface Requests {
  ask<Method extends StoreMethod>(
    method: Method,
    ...args: Parameters<SqliteStore[Method]>
  ): Promise<Result<Method>>;
  /** Does what was asked before and lets go of the database; again changes nothing. */
  close(): Promise<void>;
}

function requestsHere(store: SqliteStore, options: StoreOptions): Requests {
  let isClosed = false;
  return {
    async ask(method, ...args) {
      if (isClosed) throw new StoreError('store-closed', options.path);
      try {
        // The client's types tie the arguments to the method; the union of all methods does not.
        const run: (...args: never[]) => unknown = store[method];
        return withPlainBlobs(run(...(args as never[]))) as Result<typeof method>;
      } catch (thrown) {
        throw toStoreError(thrown, method);
      }
    },
    async close() {
      if (!isClosed) store.close();
      isClosed = true;
    },
  };
}

function startStoreThread(program: ThreadProgram, options: StoreOptions) {
  const data: StoreThreadData = { ...program, options };
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

type Result<Method extends StoreMethod> = ReturnType<SqliteStore[Method]>;

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
    args: Parameters<SqliteStore[Method]>,
  ): Promise<Result<Method>> {
    if (refusal !== null) throw refusal;
    const request: StoreRequest = { id: ++lastId, method, args };
    const { value, transfer } = packBlobs(request, false);
    worker.postMessage(value, transfer);
    return expect<Result<Method>>(request.id);
  }

  async function ask<Method extends StoreMethod>(
    method: Method,
    ...args: Parameters<SqliteStore[Method]>
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
