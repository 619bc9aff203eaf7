import { writeSync } from 'node:fs';
import { connect } from 'node:net';
import type { Endpoint } from '../client.ts';
import { createTransferCounter } from '../transfer-counter.ts';

/** A transfer that is asked for by several clients at the same time. */
export interface DrainTask {
  readonly server: Endpoint;
  /** With its length in front. */
  readonly query: Uint8Array;
  readonly clients: number;
  /** What a TSIG record takes in the answers, when the query is signed. */
  readonly tsigOctets: number;
  /** A file that what came is written into: for a look at the octets, not for a look at the clock. */
  readonly captureTo?: string;
}

/** Times and counts of all clients together. */
export interface Drained {
  /** From the first connection until the last octet of the last client. */
  readonly ms: number;
  readonly octets: number;
  readonly messages: number;
  readonly signed: number;
  /** Processor time of the draining process. */
  readonly processorMs: number;
}

const DRAIN_TIMEOUT_MS = 300_000;
const READ_OCTETS = 512 * 1024;
/** One for all clients: what was read is looked at before anything more is. */
const buffer = Buffer.alloc(READ_OCTETS);

/** Takes the transfer with as many clients as the task says, all at once. */
export async function drainOnce(task: DrainTask, captureFile?: number): Promise<Drained> {
  const processor = process.cpuUsage();
  const start = performance.now();
  const counters = await Promise.all(
    Array.from({ length: task.clients }, () => drain(task, captureFile)),
  );
  const ms = performance.now() - start;
  const { user, system } = process.cpuUsage(processor);
  const sum = (of: (counter: (typeof counters)[number]) => number) =>
    counters.reduce((total, counter) => total + of(counter), 0);
  return {
    ms,
    octets: sum((counter) => counter.octets()),
    messages: sum((counter) => counter.messages()),
    signed: sum((counter) => counter.signed()),
    processorMs: (user + system) / 1000,
  };
}

function drain({ server, query, tsigOctets }: DrainTask, captureFile?: number) {
  const counter = createTransferCounter(tsigOctets);
  return new Promise<typeof counter>((resolve, reject) => {
    const socket = connect({
      host: server.address,
      port: server.port,
      noDelay: true,
      onread: {
        buffer,
        callback(length, read) {
          const chunk = read.subarray(0, length);
          if (captureFile !== undefined) writeSync(captureFile, chunk);
          try {
            if (counter.add(chunk)) {
              resolve(counter);
              socket.destroy();
            }
          } catch (error) {
            socket.destroy(error as Error);
          }
          return true;
        },
      },
    });
    socket.setTimeout(DRAIN_TIMEOUT_MS, () => socket.destroy(new Error('the transfer stalled')));
    socket.write(query);
    socket.on('error', reject);
    socket.on('close', () => reject(new Error(`closed after ${counter.messages()} messages`)));
  });
}
