import { parentPort, workerData } from 'node:worker_threads';
import { parseFeed } from '../formats/parse-feed.ts';
import { serveFeedJobs } from './serve-feed-jobs.ts';

/** The thread in which everything hostile is met: downloads, archives, formats. */
if (parentPort === null) throw new Error('feed-thread.ts runs as a worker thread only');
serveFeedJobs(parentPort, workerData, parseFeed);
