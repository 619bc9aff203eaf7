import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { RRTYPE } from '../../src/dns/index.ts';
import { clientOn } from '../server/tcp-client.ts';
import type { Endpoint } from '../support/dns-clients.ts';
import { framed } from '../support/dns-clients.ts';
import { makeQuery } from '../support/dns-query.ts';
import { readAnswer } from '../support/transfer.ts';

/** So many rules that no socket buffer takes the zone that they make: it has about 9 MB. */
const RULES = 200_000;
/** A name and its wildcard for each, the four rules of the canary, the SOA twice and the NS. */
export const SLOW_RECORDS = 2 * RULES + 7;

/** The lines of a target whose zone takes a while to transfer. */
export function manyLines(): string {
  return Array.from({ length: RULES }, (_, index) => `n${index}.slow-transfer.example`).join('\n');
}

export interface SlowTransfer {
  /** Reads on; resolves with the number of records when the closing SOA came, rejects when it does not. */
  finish(): Promise<number>;
  /** Resolves when the server has closed or reset the connection. */
  readonly closed: Promise<unknown>;
}

/** Begins an AXFR over TCP and stops reading when it has begun to come. */
export async function beginSlowTransfer(server: Endpoint, zone: string): Promise<SlowTransfer> {
  const socket = connect(server.port, server.address);
  await once(socket, 'connect');
  return slowTransferOn(socket, zone);
}

/** The same over a connection that is open. */
export async function slowTransferOn(socket: Socket, zone: string): Promise<SlowTransfer> {
  onTestFinished(() => void socket.destroy());
  const client = clientOn(socket);
  const closed = once(socket, 'close');
  client.send(framed(makeQuery(zone, 'AXFR').bytes));
  const first = readAnswer(await client.message());
  if (first.rcode !== 0) throw new Error(`the AXFR of ${zone} is answered with ${first.rcode}`);
  socket.pause();
  return {
    closed,
    async finish() {
      socket.resume();
      let records = first.answers.length;
      for (;;) {
        const { answers } = readAnswer(await client.message());
        records += answers.length;
        if (answers.at(-1)?.type === RRTYPE.SOA) return records;
      }
    },
  };
}
