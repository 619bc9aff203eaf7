import { describe, expect, it } from 'vitest';
import type { NewNotify, OutboxRow, OwedNotify } from '../../src/publish/store-port.ts';
import type { SqliteStore } from '../../src/store/sqlite-store.ts';
import { changeOf, commitOf, openTemporaryStore } from './fixtures.ts';

const owed = (parts: Partial<OwedNotify> = {}): OwedNotify => ({
  deviceId: 1,
  origin: 'rpz.p.a.example.',
  address: '192.0.2.1',
  port: 53,
  serial: 10,
  ...parts,
});
const fresh = (row: OwedNotify, at: number) => ({ ...row, attempts: 0, nextAttemptAt: at });
const acknowledge = (store: SqliteStore, ...acknowledged: OwedNotify[]) =>
  store.settleNotifies({ acknowledged, failed: [] });
const fail = (store: SqliteStore, ...failed: OutboxRow[]) =>
  store.settleNotifies({ acknowledged: [], failed });
const owe = (store: SqliteStore, at: number, ...notifies: NewNotify[]) =>
  store.commit(commitOf({ change: changeOf({ at }), notifies }));

describe('the outbox', () => {
  it('holds one row for each device, zone, address and port, and survives a restart', () => {
    const temporary = openTemporaryStore();
    const rows = [
      owed(),
      owed({ port: 5353 }),
      owed({ address: '2001:db8::1' }),
      owed({ origin: 'rpz.q.a.example.' }),
      owed({ deviceId: 2 }),
    ];
    owe(temporary.store, 100, ...rows);
    owe(temporary.store, 200, ...rows);
    expect(temporary.reopen().owedNotifies()).toEqual(rows.map((row) => fresh(row, 100)));
  });

  it('starts anew for a newer serial, and keeps its plan for the same one', () => {
    const { store } = openTemporaryStore();
    owe(store, 100, owed());
    fail(store, { ...owed(), attempts: 3, nextAttemptAt: 900 });
    owe(store, 200, owed());
    expect(store.owedNotifies()).toEqual([{ ...owed(), attempts: 3, nextAttemptAt: 900 }]);
    owe(store, 300, owed({ serial: 11 }));
    expect(store.owedNotifies()).toEqual([fresh(owed({ serial: 11 }), 300)]);
  });

  it('takes a serial that wrapped around for the newer one, as RFC 1982 does', () => {
    const { store } = openTemporaryStore();
    owe(store, 100, owed({ serial: 4_294_967_295 }));
    owe(store, 200, owed({ serial: 0 }));
    expect(store.owedNotifies()).toEqual([fresh(owed({ serial: 0 }), 200)]);
  });

  it('gives what is more urgent first, of each endpoint and among them', () => {
    const { store } = openTemporaryStore();
    const row = (port: number, origin: string, urgency?: number): NewNotify => ({
      ...owed({ port, origin }),
      ...(urgency === undefined ? {} : { urgency }),
    });
    owe(
      store,
      100,
      row(1, 'mild.example.', 1),
      row(1, 'worst.example.', 5),
      row(1, 'none.example.'),
    );
    owe(store, 100, row(2, 'middle.example.', 3), row(3, 'low.example.', 2));
    const given = store.dueNotifies(200, 10).map(({ port, origin }) => `${port} ${origin}`);
    expect(given).toEqual([
      '1 worst.example.',
      '2 middle.example.',
      '3 low.example.',
      '1 mild.example.',
      '1 none.example.',
    ]);
  });

  it('lets nothing wait for ever behind what is more urgent: a step is worth ten seconds', () => {
    const { store } = openTemporaryStore();
    const mild = { ...owed({ origin: 'mild.example.' }), urgency: 1 };
    const worst = { ...owed({ origin: 'worst.example.' }), urgency: 5 };
    const first = () => store.dueNotifies(100_000, 1).map(({ origin }) => origin);
    owe(store, 0, mild);
    owe(store, 39_999, worst);
    expect(first()).toEqual(['worst.example.']);
    acknowledge(store, worst);
    owe(store, 40_001, worst);
    expect(first()).toEqual(['mild.example.']);
  });

  it('is as urgent as the most urgent of the changes that it tells of', () => {
    const { store } = openTemporaryStore();
    const both = (serial: number, urgency: number) => ({ ...owed({ serial }), urgency });
    owe(store, 0, both(10, 4), { ...owed({ origin: 'other.example.' }), urgency: 3 });
    owe(store, 0, both(11, 0));
    expect(store.dueNotifies(10, 2).map(({ origin }) => origin)).toEqual([
      owed().origin,
      'other.example.',
    ]);
  });

  it('forgets a row when its own serial is acknowledged, and no other', () => {
    const { store } = openTemporaryStore();
    owe(store, 100, owed(), owed({ port: 5353 }));
    owe(store, 200, owed({ serial: 11 }));
    acknowledge(store, owed({ serial: 10 }));
    expect(store.owedNotifies()).toHaveLength(2);
    acknowledge(store, owed({ serial: 11 }));
    expect(store.owedNotifies()).toEqual([fresh(owed({ port: 5353 }), 100)]);
  });

  it('does not let the failure of an older serial delay the newer one', () => {
    const { store } = openTemporaryStore();
    owe(store, 100, owed());
    owe(store, 200, owed({ serial: 11 }));
    fail(store, { ...owed({ serial: 10 }), attempts: 1, nextAttemptAt: 5_000 });
    expect(store.owedNotifies()).toEqual([fresh(owed({ serial: 11 }), 200)]);
  });

  it('does not bring a forgotten row back when its attempt fails', () => {
    const { store } = openTemporaryStore();
    owe(store, 100, owed());
    store.commit(commitOf({ forgetNotifies: [{ deviceId: 1, origin: null }] }));
    fail(store, { ...owed(), attempts: 1, nextAttemptAt: 5_000 });
    expect(store.owedNotifies()).toEqual([]);
  });

  it('gives the rows that are due, those owed longest first, up to a limit', () => {
    const { store } = openTemporaryStore();
    const [first, second, third] = [owed({ port: 3 }), owed({ port: 2 }), owed({ port: 1 })];
    owe(store, 100, first);
    owe(store, 200, second);
    owe(store, 300, third);
    // A newer serial does not send the endpoint to the end of the queue: it was owed one before.
    owe(store, 400, { ...first, serial: 11 });

    const ports = (now: number, limit: number) => store.dueNotifies(now, limit).map((r) => r.port);
    expect(ports(400, 10)).toEqual([3, 2, 1]);
    expect(ports(400, 2)).toEqual([3, 2]);
    expect(ports(300, 10)).toEqual([2, 1]);
    expect(ports(199, 10)).toEqual([]);
    expect(ports(400, -1)).toEqual([]);
  });

  it('gives one row of each endpoint in turn, so that one with many does not fill the limit', () => {
    const { store } = openTemporaryStore();
    const many = ['a', 'b', 'c', 'd'].map((label) => owed({ origin: `${label}.example.` }));
    owe(store, 100, ...many);
    owe(store, 200, owed({ port: 5353, deviceId: 2 }), owed({ port: 5354, deviceId: 3 }));
    const due = store.dueNotifies(300, 4);
    expect(due.map(({ port, origin }) => `${port} ${origin}`)).toEqual([
      '53 a.example.',
      '5353 rpz.p.a.example.',
      '5354 rpz.p.a.example.',
      '53 b.example.',
    ]);
  });

  it('tells when the next row is due, and null when nothing is owed', () => {
    const { store } = openTemporaryStore();
    expect(store.nextNotifyAt()).toBeNull();
    owe(store, 100, owed(), owed({ port: 1 }));
    fail(store, { ...owed(), attempts: 1, nextAttemptAt: 900 });
    expect(store.nextNotifyAt()).toBe(100);
    acknowledge(store, owed({ port: 1 }));
    expect(store.nextNotifyAt()).toBe(900);
  });

  it('forgets one zone of a device, or all of it, before new rows of the same commit come in', () => {
    const { store } = openTemporaryStore();
    const [a, b, other] = [
      owed({ origin: 'a.example.' }),
      owed({ origin: 'b.example.' }),
      owed({ deviceId: 2 }),
    ];
    owe(store, 100, a, b, other);
    store.commit(commitOf({ forgetNotifies: [{ deviceId: 1, origin: 'a.example.' }] }));
    expect(store.owedNotifies()).toEqual([fresh(b, 100), fresh(other, 100)]);

    fail(store, { ...b, attempts: 4, nextAttemptAt: 9_000 });
    store.commit(
      commitOf({
        change: changeOf({ at: 500 }),
        forgetNotifies: [{ deviceId: 1, origin: null }],
        notifies: [b],
      }),
    );
    expect(store.owedNotifies()).toEqual([fresh(b, 500), fresh(other, 100)]);
  });
});
