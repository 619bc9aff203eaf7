import { createSocket } from 'node:dgram';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseName } from '../../../src/dns/index.ts';
import { soaQuery } from '../client.ts';
import type { Server } from '../server.ts';

/** One question, and when it was answered. */
export interface Asked {
  /** Since the first question, in milliseconds. */
  readonly at: number;
  readonly ms: number;
}

export type AskTask = Pick<Server, 'address' | 'port' | 'zone'> & { readonly perSecond: number };

const LAST_ANSWERS_MS = 300;
const IDS = 0x10000;

/**
 * Asks for the SOA of a zone at a steady rate, whatever the answers do, until the function that it
 * returns is called; an answer that has not come then counts as one that took until now.
 */
export function askSteadily({ address, port, zone, perSecond }: AskTask): () => Promise<Asked[]> {
  const socket = createSocket('udp4');
  const name = parseName(zone);
  const sentAt = new Map<number, number>();
  const answered: Asked[] = [];
  const startedAt = performance.now();
  const settle = (id: number): void => {
    const sent = sentAt.get(id);
    if (sent === undefined) return;
    sentAt.delete(id);
    answered.push({ at: sent - startedAt, ms: performance.now() - sent });
  };
  socket.on('message', (answer) => settle(answer.readUInt16BE(0)));
  let asked = 0;
  const timer = setInterval(() => {
    // A timer that comes late makes up for it, or the slow moments would be asked about least.
    const due = Math.floor(((performance.now() - startedAt) / 1000) * perSecond);
    for (; asked < due; asked++) {
      const id = asked % IDS;
      sentAt.set(id, performance.now());
      socket.send(soaQuery(name, id), port, address);
    }
  }, 1000 / perSecond);
  return async () => {
    clearInterval(timer);
    await sleep(LAST_ANSWERS_MS);
    for (const id of [...sentAt.keys()]) settle(id);
    socket.close();
    return answered.sort((a, b) => a.at - b.at);
  };
}
