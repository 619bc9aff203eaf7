import { expect, it } from 'vitest';
import { createOutcomeWriter } from '../../src/notify/outcome-writer.ts';
import type { NotifyOutcome, OwedNotify } from '../../src/publish/store-port.ts';

const owed = (port: number): OwedNotify => ({
  deviceId: 1,
  origin: 'a.test.',
  address: '192.0.2.1',
  port,
  serial: 1,
});

/** A store that writes when the test says so, and what it was given. */
function slowStore() {
  const given: number[][] = [];
  const ends: { resolve: () => void; reject: (error: Error) => void }[] = [];
  const settleNotifies = ({ acknowledged }: NotifyOutcome): Promise<void> => {
    given.push(acknowledged.map(({ port }) => port));
    return new Promise((resolve, reject) => ends.push({ resolve, reject }));
  };
  return { given, ends, writer: createOutcomeWriter({ settleNotifies }) };
}

const turns = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it('what comes while a write is under way is written together', async () => {
  const { given, ends, writer } = slowStore();
  const first = writer.write({ acknowledged: [owed(1)] });
  await turns();
  const others = [2, 3, 4].map((port) => writer.write({ acknowledged: [owed(port)] }));
  await turns();
  expect(given).toEqual([[1]]);
  ends[0].resolve();
  await first;
  await turns();
  expect(given).toEqual([[1], [2, 3, 4]]);
  ends[1].resolve();
  await Promise.all(others);
});

it('a write that fails is told to those who gave it, and the next one is made', async () => {
  const { given, ends, writer } = slowStore();
  const first = writer.write({ acknowledged: [owed(1)] });
  await turns();
  const second = writer.write({ acknowledged: [owed(2)] });
  ends[0].reject(new Error('disk on fire'));
  await expect(first).rejects.toThrow('disk on fire');
  await turns();
  expect(given).toEqual([[1], [2]]);
  ends[1].resolve();
  await second;
});
