import { connect } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { parseName } from '../../../src/dns/index.ts';
import type { Endpoint } from '../client.ts';
import { createTransferCounter } from '../transfer-counter.ts';
import { transferQuery } from '../transfer-query.ts';
import { drainAddress } from './addresses.ts';

/** What the thread of the clients that take whole zones is given. */
export interface DrainsTask {
  readonly server: Endpoint;
  readonly zone: string;
  readonly clients: number;
}

export interface DrainsOutcome {
  /** Of those that came whole, in milliseconds. */
  readonly axfrMs: Float64Array;
  readonly octets: number;
  readonly cut: number;
  readonly failed: number;
}

const READ_OCTETS = 256 * 1024;
/** A client that failed waits before it tries again, so that a server that is down is not flooded. */
const RETRY_MS = 1_000;
const TRANSFER_TIMEOUT_MS = 300_000;

const { server, zone, clients } = workerData as DrainsTask;
const query = transferQuery(parseName(zone));
const axfrMs: number[] = [];
let octets = 0;
const counts = { cut: 0, failed: 0 };
let isStopping = false;
/** One for all: what was read is looked at before anything more is. */
const buffer = Buffer.allocUnsafe(READ_OCTETS);

parentPort?.once('message', () => {
  isStopping = true;
});
await Promise.all(Array.from({ length: clients }, (_, index) => drainOnAndOn(index)));
const outcome: DrainsOutcome = { axfrMs: Float64Array.from(axfrMs), octets, ...counts };
parentPort?.postMessage(outcome);

/** One zone after the other; the one that is under way at the end is taken whole. */
async function drainOnAndOn(index: number): Promise<void> {
  while (!isStopping) {
    const end = await drain(drainAddress(index));
    if (end !== 'whole') {
      counts[end]++;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

function drain(localAddress: string): Promise<'whole' | keyof typeof counts> {
  const start = performance.now();
  const counter = createTransferCounter();
  return new Promise((resolve) => {
    const socket = connect({
      host: server.address,
      port: server.port,
      localAddress,
      noDelay: true,
      onread: {
        buffer,
        callback(length) {
          try {
            if (counter.add(buffer.subarray(0, length))) {
              axfrMs.push(performance.now() - start);
              resolve('whole');
              socket.destroy();
            }
          } catch {
            resolve('failed');
            socket.destroy();
          }
          return true;
        },
      },
    });
    socket.setTimeout(TRANSFER_TIMEOUT_MS, () => socket.destroy());
    socket.write(query);
    socket.on('error', () => resolve('failed'));
    socket.on('close', () => {
      octets += counter.octets();
      resolve('cut');
    });
  });
}
