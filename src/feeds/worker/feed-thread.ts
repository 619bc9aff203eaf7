import { constants, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { parseFeed } from '../formats/parse-feed.ts';
import { serveFeedJobs } from './serve-feed-jobs.ts';

/** The thread in which everything hostile is met: downloads, archives, formats. */
if (parentPort === null) throw new Error('feed-thread.ts runs as a worker thread only');
giveWay();
serveFeedJobs(parentPort, workerData, parseFeed);

/**
 * Queries go first where both want the same processor. Linux keeps a priority for each thread
 * (setpriority(2), "C library/kernel differences"); elsewhere it would be that of the whole server.
 */
function giveWay(): void {
  if (process.platform !== 'linux') return;
  try {
    setPriority(constants.priority.PRIORITY_LOW);
  } catch {
    // A sandbox that forbids it: then both share.
  }
}
