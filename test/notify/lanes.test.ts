import { describe, expect, it } from 'vitest';
import { createLanes, type Lanes } from '../../src/notify/lanes.ts';
import type { OutboxRow } from '../../src/publish/store-port.ts';

const row = (port: number, origin = 'a.test.'): OutboxRow => ({
  deviceId: 1,
  origin,
  address: '192.0.2.1',
  port,
  serial: 1,
  attempts: 0,
  nextAttemptAt: 0,
});
const rows = (port: number, count: number): OutboxRow[] =>
  Array.from({ length: count }, (_, index) => row(port, `zone${index}.test.`));

/** Takes and begins rows until none may be sent. */
function takeAll(lanes: Lanes, most = Number.POSITIVE_INFINITY): OutboxRow[] {
  const taken: OutboxRow[] = [];
  while (taken.length < most) {
    const next = lanes.next();
    if (next === undefined) break;
    lanes.begun(next);
    taken.push(next);
  }
  return taken;
}

const portsOf = (taken: readonly OutboxRow[]): number[] => taken.map(({ port }) => port);

describe('lanes of rows that wait', () => {
  it('take turns, and each gives the row that is owed longest first', () => {
    const lanes = createLanes({ inFlightMax: 100, inFlightPerEndpointMax: 100 });
    lanes.fill([...rows(1, 3), ...rows(2, 1), ...rows(3, 2)]);
    const taken = takeAll(lanes);
    expect(portsOf(taken)).toEqual([1, 2, 3, 1, 3, 1]);
    expect(taken.filter(({ port }) => port === 1).map(({ origin }) => origin)).toEqual([
      'zone0.test.',
      'zone1.test.',
      'zone2.test.',
    ]);
    expect(lanes.waiting).toBe(0);
  });

  it('go on where they were when they are filled anew, so that none is always the first', () => {
    const lanes = createLanes({ inFlightMax: 100, inFlightPerEndpointMax: 100 });
    const all = [1, 2, 3, 4].flatMap((port) => rows(port, 10));
    lanes.fill(all);
    expect(portsOf(takeAll(lanes, 3))).toEqual([1, 2, 3]);
    lanes.fill(all);
    expect(portsOf(takeAll(lanes, 3))).toEqual([4, 1, 2]);
  });

  it('wait while their endpoint has as many under way as it may, whatever they are filled with', () => {
    const lanes = createLanes({ inFlightMax: 100, inFlightPerEndpointMax: 2 });
    lanes.fill([...rows(1, 5), ...rows(2, 1)]);
    const [first] = takeAll(lanes);
    expect(lanes.waiting).toBe(3);
    lanes.fill(rows(1, 5));
    expect(takeAll(lanes)).toEqual([]);
    lanes.ended(first, true);
    expect(portsOf(takeAll(lanes))).toEqual([1]);
  });

  it('of endpoints that were silent come last and get half of the places', () => {
    const lanes = createLanes({ inFlightMax: 4, inFlightPerEndpointMax: 100 });
    lanes.fill(rows(1, 1));
    const [unanswered] = takeAll(lanes);
    lanes.ended(unanswered, false);
    lanes.fill([...rows(1, 9), ...rows(2, 2)]);
    const taken = takeAll(lanes);
    expect(portsOf(taken)).toEqual([2, 2, 1, 1]);
    lanes.ended(taken[2], true);
    lanes.fill(rows(1, 3));
    expect(portsOf(takeAll(lanes))).toEqual([1, 1, 1]);
  });
});
