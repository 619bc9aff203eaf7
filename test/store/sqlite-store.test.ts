import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Commit } from '../../src/publish/store-port.ts';
import { codeOf, commitOf, entity, openTemporaryStore } from './fixtures.ts';

const bytes = (...values: number[]) => Uint8Array.from(values);
/** SQLite hands out Buffers; what counts is their content. */
const plain = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_, item) =>
      item?.type === 'Buffer' ? `bytes ${item.data.join(' ')}` : item,
    ),
  );

const zone = (origin: string, serial: number, live = true) => ({
  origin,
  live,
  serial,
  state: `{"serial":${serial}}`,
});
const revision = (origin: string, fromSerial: number, toSerial = fromSerial + 1) => ({
  origin,
  fromSerial,
  toSerial,
  at: toSerial * 1_000,
  bytes: bytes(toSerial % 256),
});

describe('a commit', () => {
  it('is loaded whole after the database was closed and opened again', () => {
    const temporary = openTemporaryStore();
    temporary.store.commit(
      commitOf({
        putEntities: [
          entity('target', 2, '{"name":"t"}'),
          entity('list', 1),
          entity('key', 7, '"s"'),
        ],
        nextIds: [{ kind: 'target', nextId: 3 }],
        owners: { firstId: 0, count: 2, bytes: bytes(1, 97, 1, 98) },
        members: [
          { holder: { kind: 'target', id: 2 }, base: bytes(3) },
          { holder: { kind: 'target', id: 2 }, delta: bytes(4) },
          { holder: { kind: 'list', id: 1 }, delta: bytes() },
        ],
        putListEntries: [
          { listId: 1, value: 'b.example', comment: '', expiresAt: null },
          { listId: 1, value: 'a.example', comment: 'why', expiresAt: 1_700_000_000_000 },
        ],
        zones: [zone('rpz.p.a.example.', 4_294_967_295), zone('rpz.old.a.example.', 9, false)],
        revisions: [revision('rpz.p.a.example.', 4_294_967_294)],
      }),
    );

    expect(plain(temporary.reopen().load())).toEqual({
      entities: [entity('key', 7, '"s"'), entity('list', 1), entity('target', 2, '{"name":"t"}')],
      nextIds: [{ kind: 'target', nextId: 3 }],
      owners: [{ firstId: 0, count: 2, bytes: 'bytes 1 97 1 98' }],
      members: [
        { holder: { kind: 'target', id: 2 }, base: 'bytes 3', deltas: ['bytes 4'] },
        { holder: { kind: 'list', id: 1 }, base: null, deltas: ['bytes '] },
      ],
      listEntries: [
        { listId: 1, value: 'a.example', comment: 'why', expiresAt: 1_700_000_000_000 },
        { listId: 1, value: 'b.example', comment: '', expiresAt: null },
      ],
      zones: [zone('rpz.old.a.example.', 9, false), zone('rpz.p.a.example.', 4_294_967_295)],
      revisions: [{ ...revision('rpz.p.a.example.', 4_294_967_294), bytes: 'bytes 255' }],
    });
  });

  it('leaves nothing behind when its last part breaks a rule', async () => {
    const { store } = openTemporaryStore();
    store.commit(commitOf({ putEntities: [entity('target', 1, '"before"')] }));
    const before = plain(store.load());

    const broken = commitOf({
      putEntities: [entity('target', 1, '"after"'), entity('target', 2)],
      owners: { firstId: 0, count: 1, bytes: bytes(1) },
      zones: [zone('z.example.', 1)],
      notifies: [{ deviceId: 1, origin: 'z.example.', address: '::1', port: 0, serial: 1 }],
    });
    expect(await codeOf(() => store.commit(broken))).toBe('SQLITE_CONSTRAINT_CHECK');

    expect(plain(store.load())).toEqual(before);
    expect(store.changes(10)).toHaveLength(1);
    store.commit(commitOf({ zones: [zone('z.example.', 1)] }));
    expect(store.load().zones).toEqual([zone('z.example.', 1)]);
  });

  it('replaces an entity and deletes another', () => {
    const { store } = openTemporaryStore();
    store.commit(commitOf({ putEntities: [entity('policy', 1, '1'), entity('policy', 2)] }));
    store.commit(
      commitOf({
        putEntities: [entity('policy', 1, '2')],
        deleteEntities: [{ kind: 'policy', id: 2 }],
      }),
    );
    expect(store.load().entities).toEqual([entity('policy', 1, '2')]);
  });

  it('never lets a next id go back', () => {
    const { store } = openTemporaryStore();
    store.commit(commitOf({ nextIds: [{ kind: 'list', nextId: 9 }] }));
    store.commit(commitOf({ nextIds: [{ kind: 'list', nextId: 4 }] }));
    expect(store.load().nextIds).toEqual([{ kind: 'list', nextId: 9 }]);
  });
});

describe('members', () => {
  const holder = { kind: 'target', id: 1 } as const;
  const withTarget = () => {
    const { store } = openTemporaryStore();
    store.commit(commitOf({ putEntities: [entity('target', 1)] }));
    return {
      store,
      change: (...members: Commit['members']) => store.commit(commitOf({ members })),
      stored: () => plain(store.load().members),
    };
  };

  it('are a base and the deltas after it, in the order of their commits', () => {
    const { change, stored } = withTarget();
    change({ holder, base: bytes(1) });
    change({ holder, delta: bytes(2) }, { holder, delta: bytes(3) });
    change({ holder, delta: bytes(4) });
    expect(stored()).toEqual([
      { holder, base: 'bytes 1', deltas: ['bytes 2', 'bytes 3', 'bytes 4'] },
    ]);
  });

  it('lose their deltas to a new base', () => {
    const { change, stored } = withTarget();
    change({ holder, base: bytes(1) }, { holder, delta: bytes(2) });
    change({ holder, base: bytes(9) }, { holder, delta: bytes(10) });
    expect(stored()).toEqual([{ holder, base: 'bytes 9', deltas: ['bytes 10'] }]);
  });

  it('go when they are deleted, and when their target is', () => {
    const { store, change, stored } = withTarget();
    change({ holder, base: bytes(1) }, { holder, delta: bytes(2) });
    store.commit(commitOf({ deleteMembers: [holder] }));
    expect(stored()).toEqual([]);

    change({ holder, base: bytes(1) }, { holder, delta: bytes(2) });
    store.commit(commitOf({ deleteEntities: [holder] }));
    expect(stored()).toEqual([]);
  });

  it('cannot belong to a target that is not there, but may come in the same commit', async () => {
    const { store } = withTarget();
    const stranger = { kind: 'target', id: 5 } as const;
    const members = [{ holder: stranger, base: bytes(1) }];
    expect(await codeOf(() => store.commit(commitOf({ members })))).toBe(
      'SQLITE_CONSTRAINT_FOREIGNKEY',
    );
    store.commit(commitOf({ members, putEntities: [entity('target', 5)] }));
    expect(store.load().members).toHaveLength(1);
  });
});

describe('owners', () => {
  it('are refused when they leave a gap or overlap, for every later id would be wrong', async () => {
    const { store } = openTemporaryStore();
    const put = (firstId: number, count: number) =>
      store.commit(commitOf({ owners: { firstId, count, bytes: bytes(firstId) } }));
    put(0, 2);
    put(2, 3);
    expect(await codeOf(() => put(6, 1))).toBe('owners-out-of-order');
    expect(await codeOf(() => put(4, 1))).toBe('owners-out-of-order');
    put(5, 0);
    put(5, 1);
    expect(store.load().owners.map(({ firstId }) => firstId)).toEqual([0, 2, 5]);
  });
});

describe('list entries', () => {
  it('are cleared first, then deleted, then put', () => {
    const { store } = openTemporaryStore();
    const entry = (listId: number, value: string, comment = '') => ({
      listId,
      value,
      comment,
      expiresAt: null,
    });
    store.commit(
      commitOf({
        putEntities: [entity('list', 1), entity('list', 2)],
        putListEntries: [entry(1, 'old'), entry(2, 'gone'), entry(2, 'kept', 'a')],
      }),
    );
    store.commit(
      commitOf({
        clearLists: [1],
        deleteListEntries: [{ listId: 2, value: 'gone' }],
        putListEntries: [entry(1, 'new'), entry(2, 'kept', 'b')],
      }),
    );
    expect(store.load().listEntries).toEqual([entry(1, 'new'), entry(2, 'kept', 'b')]);

    store.commit(commitOf({ deleteEntities: [{ kind: 'list', id: 2 }] }));
    expect(store.load().listEntries).toEqual([entry(1, 'new')]);
  });
});

describe('revisions', () => {
  const serials = (store: ReturnType<typeof openTemporaryStore>['store']) =>
    store.load().revisions.map(({ origin, toSerial }) => `${origin} ${toSerial}`);

  it('are loaded oldest first in each zone, in the order of commits and not of serials', () => {
    const { store } = openTemporaryStore();
    store.commit(
      commitOf({
        zones: [zone('b.example.', 1), zone('a.example.', 1)],
        // RFC 1982: 4294967295 is followed by 0.
        revisions: [revision('b.example.', 4_294_967_294), revision('a.example.', 5)],
      }),
    );
    store.commit(commitOf({ revisions: [revision('b.example.', 4_294_967_295, 0)] }));
    expect(serials(store)).toEqual(['a.example. 6', 'b.example. 4294967295', 'b.example. 0']);
  });

  it('are pruned to the newest of their zone, those of the same commit included', () => {
    const { store } = openTemporaryStore();
    store.commit(
      commitOf({
        zones: [zone('a.example.', 1), zone('b.example.', 1)],
        revisions: [1, 2, 3].flatMap((n) => [revision('a.example.', n), revision('b.example.', n)]),
      }),
    );
    store.commit(
      commitOf({
        revisions: [revision('a.example.', 4)],
        pruneRevisions: [{ origin: 'a.example.', keep: 2 }],
      }),
    );
    expect(serials(store)).toEqual([
      'a.example. 4',
      'a.example. 5',
      'b.example. 2',
      'b.example. 3',
      'b.example. 4',
    ]);
    store.commit(
      commitOf({
        pruneRevisions: [
          { origin: 'a.example.', keep: 9 },
          { origin: 'b.example.', keep: 0 },
        ],
      }),
    );
    expect(serials(store)).toEqual(['a.example. 4', 'a.example. 5']);
  });

  it('belong to a zone that is stored', async () => {
    const { store } = openTemporaryStore();
    const orphan = commitOf({ revisions: [revision('a.example.', 1)] });
    expect(await codeOf(() => store.commit(orphan))).toBe('SQLITE_CONSTRAINT_NOTNULL');
  });
});

describe('a compaction', () => {
  const holder = { kind: 'target', id: 1 } as const;
  const filled = () => {
    const { store } = openTemporaryStore();
    store.commit(
      commitOf({
        putEntities: [entity('target', 1), entity('target', 2)],
        owners: { firstId: 0, count: 3, bytes: bytes(1) },
        members: [
          { holder, base: bytes(1) },
          { holder, delta: bytes(2) },
          { holder: { kind: 'target', id: 2 }, delta: bytes(3) },
        ],
        zones: [zone('a.example.', 2)],
        revisions: [revision('a.example.', 1)],
      }),
    );
    return store;
  };

  it('replaces owners and members, and forgets revisions but no zone', () => {
    const store = filled();
    store.compact({
      owners: [
        { firstId: 0, count: 1, bytes: bytes(8) },
        { firstId: 1, count: 1, bytes: bytes(9) },
      ],
      members: [{ holder, base: bytes(7) }],
    });
    const { owners, members, revisions, zones } = store.load();
    expect(plain({ owners, members, revisions, zones })).toEqual({
      owners: [
        { firstId: 0, count: 1, bytes: 'bytes 8' },
        { firstId: 1, count: 1, bytes: 'bytes 9' },
      ],
      members: [{ holder, base: 'bytes 7', deltas: [] }],
      revisions: [],
      zones: [zone('a.example.', 2)],
    });
  });

  it('that fails leaves all as it was', async () => {
    const store = filled();
    const before = plain(store.load());
    const broken = {
      owners: [
        { firstId: 0, count: 1, bytes: bytes(8) },
        { firstId: 2, count: 1, bytes: bytes(9) },
      ],
      members: [],
    };
    expect(await codeOf(() => store.compact(broken))).toBe('owners-out-of-order');
    expect(plain(store.load())).toEqual(before);
  });
});

describe('the audit trail', () => {
  const change = (n: number, at = n) => ({ at, actor: 'a', action: `change ${n}`, body: '{}' });

  it('is read newest first by commit, even when the clock went back', () => {
    const { store } = openTemporaryStore();
    store.commit(commitOf({ change: change(1, 500) }));
    store.commit(commitOf({ change: change(2, 400) }));
    store.commit(commitOf({ change: change(3, 450) }));
    expect(store.changes(2)).toEqual([change(3, 450), change(2, 400)]);
    expect(store.changes(0)).toEqual([]);
    expect(store.changes(-1)).toEqual([]);
  });

  it('keeps its newest rows only', () => {
    const { store } = openTemporaryStore({ changesKept: 3 });
    for (let n = 1; n <= 5; n++) store.commit(commitOf({ change: change(n) }));
    expect(store.changes(10).map(({ at }) => at)).toEqual([5, 4, 3]);
  });
});

describe('secrets', () => {
  it('are in no file of the store in clear, neither before nor after the log is merged', () => {
    const { options, store } = openTemporaryStore();
    const secret = 'K7gNU3sdo+OL0wNhqoVWhr3g6s1xYv72';
    const contents = () =>
      readdirSync(options.folder).map((name) => readFileSync(join(options.folder, name), 'latin1'));
    store.commit(
      commitOf({ putEntities: [entity('key', 1, secret), entity('device', 1, 'clear text')] }),
    );
    expect(contents().some((text) => text.includes('clear text'))).toBe(true);
    expect(contents().some((text) => text.includes(secret))).toBe(false);
    store.close();
    expect(contents().some((text) => text.includes('clear text'))).toBe(true);
    expect(contents().some((text) => text.includes(secret))).toBe(false);
  });
});
