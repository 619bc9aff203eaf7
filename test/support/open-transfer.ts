import type { ResourceRecord } from '../../src/dns/index.ts';
import { makeQuery } from './dns-query.ts';
import type { AskOptions, Desk } from './house.ts';
import { readAnswer } from './transfer.ts';

/** A transfer that a client takes message by message, at its own pace. */
export interface OpenTransfer {
  /** Takes up to so many more messages; returns the answer records of all so far. */
  read(messages: number): readonly ResourceRecord[];
  isOver(): boolean;
}

/** So much room that one message fits and a second one never is begun. */
const ONE_MESSAGE_OCTETS = 65_537;

/** AXFR, or IXFR with `have`, over TCP, of which nothing has been taken yet. */
export function openTransfer(desk: Desk, zone: string, options: AskOptions = {}): OpenTransfer {
  const { from, ...more } = options;
  const { bytes } = makeQuery(zone, more.have === undefined ? 'AXFR' : 'IXFR', more);
  const address = from === undefined ? {} : { address: from };
  const answer = desk.handle(bytes, { protocol: 'tcp', ...address });
  if (answer.kind !== 'stream') throw new Error(`${zone}: the answer is of kind ${answer.kind}`);
  const buffer = new Uint8Array(ONE_MESSAGE_OCTETS);
  const records: ResourceRecord[] = [];
  let octets = 0;
  let isOver = false;
  return {
    isOver: () => isOver,
    read(messages) {
      for (let taken = 0; taken < messages && !isOver; taken++) {
        const filled = answer.fill(buffer);
        octets += filled;
        isOver = filled === 0;
        if (isOver) answer.ended({ completed: true, octets, durationMs: 1 });
        else records.push(...readAnswer(buffer.slice(2, filled)).answers);
      }
      return records;
    },
  };
}
