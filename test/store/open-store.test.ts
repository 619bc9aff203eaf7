import { writeFileSync } from 'node:fs';
import type { Worker } from 'node:worker_threads';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Store } from '../../src/publish/store-port.ts';
import { openStore, REQUESTS_WAITING_MAX } from '../../src/store/open-store.ts';
import { StoreError } from '../../src/store/store-error.ts';
import type { StoreOptions } from '../../src/store/store-options.ts';
import { changeOf, codeOf, commitOf, entity, statusOf, temporaryStore } from './fixtures.ts';

async function opened(options: StoreOptions = temporaryStore()): Promise<Store> {
  const store = await openStore(options);
  onTestFinished(() => store.close());
  return store;
}

const zone = (serial: number) => ({ origin: 'a.example.', live: true, serial, state: '{}' });

describe('the store in its thread', () => {
  it('answers every method of the interface', async () => {
    const options = temporaryStore();
    const store = await openStore(options);
    const owed = {
      deviceId: 1,
      origin: 'a.example.',
      address: '::1',
      port: 53,
      serial: 1,
    };
    const { subjects, accountIds, ...change } = changeOf({ at: 100, accountId: 3 });
    const holder = { kind: 'target', id: 1 } as const;
    const sizes = { at: 5, whole: true, added: 2, removed: 1, size: 7 };
    const ids = { delta: Uint8Array.of(1), seen: Uint8Array.of(2), absent: null };
    const history = { holder, ...sizes, ...ids };
    await store.commit(
      commitOf({
        change: { ...change, subjects, accountIds },
        putEntities: [entity('key', 1, 's'), entity('target', 1)],
        history: [history],
        zones: [zone(1)],
        notifies: [owed],
      }),
    );
    const row = { ...owed, attempts: 0, nextAttemptAt: 100 };
    expect(await store.dueNotifies(100, 5)).toEqual([row]);
    expect(await store.nextNotifyAt()).toBe(100);
    const failed = [{ ...owed, attempts: 2, nextAttemptAt: 300 }];
    await store.settleNotifies({ acknowledged: [], failed });
    expect(await store.owedNotifies()).toEqual([{ ...row, attempts: 2, nextAttemptAt: 300 }]);
    await store.settleNotifies({ acknowledged: [owed], failed: [] });
    expect(await store.nextNotifyAt()).toBeNull();
    await store.putDeviceZoneStatus([statusOf({ deviceId: 1, origin: 'a.example.' })]);
    expect(await store.deviceZoneStatus()).toHaveLength(1);
    await store.dropDeviceZoneStatus([{ deviceId: 1, origin: 'a.example.' }]);
    expect(await store.deviceZoneStatus()).toEqual([]);
    expect(await store.changes({ limit: 5 })).toEqual([{ ...change, sequence: 1 }]);
    expect(await store.allHistory()).toEqual([history]);
    expect(await store.memberHistory(holder)).toEqual([history]);
    expect(await store.memberSizes(holder, 5)).toEqual([sizes]);
    await store.compact({ owners: [], members: [], history: [], pins: [] });
    await store.close();

    const { entities, zones } = await (await opened(options)).load();
    expect({ entities, zones }).toEqual({
      entities: [entity('key', 1, 's'), entity('target', 1)],
      zones: [zone(1)],
    });
  });

  it('does requests in the order in which they were made', async () => {
    const store = await opened();
    const commits = Array.from({ length: 50 }, (_, n) =>
      store.commit(commitOf({ zones: [zone(n)] })),
    );
    const { zones } = await store.load();
    expect(zones).toEqual([zone(49)]);
    await Promise.all(commits);
  });

  it('has copied the arguments when the call returns, and hands out plain arrays of octets', async () => {
    const store = await opened();
    const slab = new Uint8Array(1_000_000).fill(1);
    const holder = { kind: 'target', id: 1 } as const;
    const committed = store.commit(
      commitOf({
        putEntities: [entity('target', 1)],
        owners: { firstId: 0, count: 1, bytes: slab },
        members: [
          { holder, base: slab.subarray(10, 20) },
          { holder, delta: Buffer.from('ab') },
        ],
      }),
    );
    slab.fill(2);
    await committed;
    expect(slab.length).toBe(1_000_000);
    const { owners, members } = await store.load();
    expect(owners[0].bytes.every((octet) => octet === 1)).toBe(true);
    expect(members).toEqual([
      { holder, base: new Uint8Array(10).fill(1), deltas: [Uint8Array.of(97, 98)] },
    ]);
  });

  it('rejects with the code of the table and of SQLite, and goes on working', async () => {
    const store = await opened();
    const broken = commitOf({ zones: [zone(-1)] });
    const error = await store.commit(broken).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(StoreError);
    expect(error.code).toBe('store-constraint');
    expect(error.sqliteCode).toBe('SQLITE_CONSTRAINT_CHECK');
    expect(error.message).toMatch(/^The data break a rule of the database: commit: CHECK/);
    await store.commit(commitOf({ zones: [zone(1)] }));
    expect((await store.load()).zones).toEqual([zone(1)]);
  });

  it('refuses values of the wrong type instead of storing them', async () => {
    const store = await opened();
    expect(await codeOf(() => store.commit(commitOf({ zones: [zone(1.5)] })))).toBe(
      'store-constraint',
    );
    expect((await store.load()).zones).toEqual([]);
  });

  it('refuses what exceeds its queue, and takes requests again when the queue is shorter', async () => {
    const store = await opened();
    const waiting = Array.from({ length: REQUESTS_WAITING_MAX }, () => store.nextNotifyAt());
    expect(await codeOf(() => store.nextNotifyAt())).toBe('store-busy');
    await Promise.all(waiting);
    expect(await store.nextNotifyAt()).toBeNull();
  });
});

describe('closing', () => {
  it('finishes what was asked before, even with a full queue, and refuses what comes after', async () => {
    const options = temporaryStore();
    const store = await openStore(options);
    const commits = Array.from({ length: REQUESTS_WAITING_MAX }, (_, n) =>
      store.commit(commitOf({ zones: [zone(n)] })),
    );
    const closed = store.close();
    expect(await codeOf(() => store.load())).toBe('store-closed');
    await Promise.all([...commits, closed, store.close()]);
    expect((await (await opened(options)).load()).zones).toEqual([zone(REQUESTS_WAITING_MAX - 1)]);
  });
});

describe('a thread that dies', () => {
  it('rejects what waited and what comes after, and lets go of the database', async () => {
    const options = temporaryStore();
    const started = new Promise<Worker>((resolve) => process.once('worker', resolve));
    const store = await openStore(options);
    await store.commit(commitOf({ zones: [zone(1)] }));
    const waiting = Array.from({ length: 20 }, () => codeOf(() => store.load()));
    await (await started).terminate();
    expect((await Promise.all(waiting)).at(-1)).toBe('store-stopped');
    expect(await codeOf(() => store.load())).toBe('store-stopped');
    expect(await codeOf(() => store.close())).toBe('store-stopped');
    expect((await (await opened(options)).load()).zones).toEqual([zone(1)]);
  });
});

describe('opening', () => {
  it('is refused while the database is open elsewhere, and works afterwards', async () => {
    const options = temporaryStore();
    const first = await openStore(options);
    expect(await codeOf(() => openStore(options))).toBe('store-locked');
    await first.close();
    await opened(options);
  });

  it('waits for a database that is about to be closed', async () => {
    const options = { ...temporaryStore(), lockWaitMs: 10_000 };
    const first = await openStore(options);
    const second = opened(options);
    setTimeout(() => void first.close(), 300);
    expect((await (await second).load()).zones).toEqual([]);
  });

  it('carries over why it failed', async () => {
    const options = temporaryStore();
    writeFileSync(options.keyFile, 'short', { mode: 0o600 });
    const error = await openStore(options).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(StoreError);
    expect(error.code).toBe('key-file-size');
    expect(error.message).toContain(options.keyFile);
  });
});
