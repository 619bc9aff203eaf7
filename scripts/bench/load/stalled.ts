import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseName } from '../../../src/dns/index.ts';
import type { Endpoint } from '../client.ts';
import { createTransferCounter } from '../transfer-counter.ts';
import { transferQuery } from '../transfer-query.ts';
import { stalledAddress } from './addresses.ts';

/** Clients that ask for the zone and read nothing of it. */
export interface StalledClients {
  /** Ends them all; how many times one was cut off by the server, and how many times one was not. */
  stop(): Promise<{ readonly cutOff: number; readonly leftAlone: number }>;
}

/** The server looks now and then, so that it takes up to twice its limit to cut a client off. */
const LIMITS_WAITED = 2;
/** Beyond that, so long a client waits before it looks whether it was cut off. */
const MARGIN_MS = 5_000;
/** What the system has taken in for a client that was cut off is read within this. */
const LOOK_MS = 5_000;

/** Each asks anew as soon as it has been cut off, so that there are as many of them all the time. */
export function startStalled(options: {
  readonly server: Endpoint;
  readonly zone: string;
  readonly clients: number;
  readonly stallMs: number;
}): StalledClients {
  const { server, zone, clients, stallMs } = options;
  const query = transferQuery(parseName(zone));
  const stopping = new AbortController();
  const counts = { cutOff: 0, leftAlone: 0 };

  const stall = async (localAddress: string): Promise<void> => {
    const socket = connect({ host: server.address, port: server.port, localAddress });
    // Paused before it is connected, so that not even the first octets are read.
    socket.pause();
    socket.on('error', () => {});
    socket.write(query);
    try {
      await sleep(stallMs * LIMITS_WAITED + MARGIN_MS, undefined, { signal: stopping.signal });
      const isWhole = await readsWhole(socket);
      counts[isWhole ? 'leftAlone' : 'cutOff']++;
    } finally {
      socket.destroy();
    }
  };
  const stallOnAndOn = async (index: number): Promise<void> => {
    while (!stopping.signal.aborted) await stall(stalledAddress(index)).catch(() => {});
  };
  const running = Array.from({ length: clients }, (_, index) => stallOnAndOn(index));
  return {
    async stop() {
      stopping.abort();
      await Promise.all(running);
      return counts;
    },
  };
}

/** Whether the rest of the transfer comes when it is read after all, or the connection is at its end. */
function readsWhole(socket: ReturnType<typeof connect>): Promise<boolean> {
  const counter = createTransferCounter();
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(true), LOOK_MS);
    socket.on('data', (chunk: Buffer) => {
      if (counter.add(chunk)) resolve(true);
    });
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(false);
    });
    socket.resume();
  });
}
