import { parentPort } from 'node:worker_threads';
import { serveDigests } from './serve-digests.ts';

/** The thread that makes the digests of large zones, so that the main thread goes on answering. */
if (parentPort === null) throw new Error('digest-thread.ts runs as a worker thread only');
serveDigests(parentPort);
