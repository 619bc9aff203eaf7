import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { packBlobs } from './pack-blobs.ts';
import { openSqliteStore, type SqliteStore } from './sqlite-store.ts';
import { plainStoreError, toStoreError } from './store-error.ts';
import {
  OPENING_ID,
  type StoreAnswer,
  type StoreRequest,
  type StoreThreadData,
} from './store-messages.ts';

/**
 * The thread of the database. It does one request after the other, so answers keep the order of the
 * requests, and a commit that was answered is on disk. It ends when it has answered `close`.
 */
function runStoreThread(port: MessagePort, options: StoreThreadData['options']): void {
  let store: SqliteStore;
  try {
    store = openSqliteStore(options);
  } catch (thrown) {
    post(port, failure(OPENING_ID, thrown, options.path));
    return;
  }
  port.on('message', (request: StoreRequest) => {
    post(port, answer(store, request));
    if (request.method === 'close') port.close();
  });
  post(port, { id: OPENING_ID, ok: true, value: undefined });
}

function answer(store: SqliteStore, { id, method, args }: StoreRequest): StoreAnswer {
  try {
    // The client's types tie the arguments to the method; they do not survive the journey.
    const run: (...args: never[]) => unknown = store[method];
    return { id, ok: true, value: run(...(args as never[])) };
  } catch (thrown) {
    return failure(id, thrown, method);
  }
}

function failure(id: number, thrown: unknown, subject: string): StoreAnswer {
  return { id, ok: false, error: plainStoreError(toStoreError(thrown, subject)) };
}

function post(port: MessagePort, message: StoreAnswer): void {
  const { value, transfer } = packBlobs(message, true);
  port.postMessage(value, transfer);
}

if (parentPort === null) throw new Error('store-worker.ts runs as a worker thread only');
runStoreThread(parentPort, (workerData as StoreThreadData).options);
