import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  type ChangeQuery,
  type Commit,
  HISTORY_ROWS_MAX,
  type StoredChange,
  type StoredHistory,
} from '../../src/publish/store-port.ts';
import { CHANGE_SEARCHES } from '../../src/store/change-log-table.ts';
import { openDatabase } from '../../src/store/open-database.ts';
import type { SqliteStore } from '../../src/store/sqlite-store.ts';
import { changeOf, codeOf, commitOf, entity, openTemporaryStore } from './fixtures.ts';

const bytes = (...values: number[]) => Uint8Array.from(values);
/** SQLite hands out Buffers; what counts is their content. */
const plain = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_, item) =>
      item?.type === 'Buffer' ? `bytes ${item.data.join(' ')}` : item,
    ),
  );

const asBuffers = (row: StoredHistory) => ({
  ...row,
  delta: Buffer.from(row.delta),
  seen: row.seen === null ? null : Buffer.from(row.seen),
  absent: row.absent === null ? null : Buffer.from(row.absent),
});

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
  diff: 0,
  fromDigest: null,
});
/** The difference of revisions of which only the serials count. */
const diffs = [bytes(1)];
const history = (at: number, parts: Partial<StoredHistory> = {}): StoredHistory => ({
  holder: { kind: 'target', id: 1 },
  at,
  whole: false,
  added: 1,
  removed: 0,
  size: at,
  delta: bytes(1),
  seen: null,
  absent: null,
  ...parts,
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
          entity('policy', 4),
          entity('rpz-action', 9, '"a"'),
        ],
        nextIds: [{ kind: 'target', nextId: 3 }],
        owners: { firstId: 0, count: 2, bytes: bytes(1, 97, 1, 98) },
        members: [
          { holder: { kind: 'target', id: 2 }, base: bytes(3) },
          { holder: { kind: 'target', id: 2 }, delta: bytes(4) },
          { holder: { kind: 'list', id: 1 }, delta: bytes() },
        ],
        putListEntries: [
          { listId: 1, value: 'b.example', comment: '', expiresAt: null, createdAt: 5 },
          {
            listId: 1,
            value: 'a.example',
            comment: 'why',
            expiresAt: 1_700_000_000_000,
            createdAt: 6,
          },
        ],
        putPins: [{ policyId: 4, bytes: bytes(44) }],
        zones: [zone('rpz.p.a.example.', 4_294_967_295), zone('rpz.old.a.example.', 9, false)],
        diffs: [bytes(254), bytes(255)],
        revisions: [{ ...revision('rpz.p.a.example.', 4_294_967_294), diff: 1 }],
      }),
    );

    expect(plain(temporary.reopen().load())).toEqual({
      entities: [
        entity('key', 7, '"s"'),
        entity('list', 1),
        entity('policy', 4),
        entity('rpz-action', 9, '"a"'),
        entity('target', 2, '{"name":"t"}'),
      ],
      nextIds: [{ kind: 'target', nextId: 3 }],
      owners: [{ firstId: 0, count: 2, bytes: 'bytes 1 97 1 98' }],
      members: [
        { holder: { kind: 'target', id: 2 }, base: 'bytes 3', deltas: ['bytes 4'] },
        { holder: { kind: 'list', id: 1 }, base: null, deltas: ['bytes '] },
      ],
      listEntries: [
        {
          listId: 1,
          value: 'a.example',
          comment: 'why',
          expiresAt: 1_700_000_000_000,
          createdAt: 6,
        },
        { listId: 1, value: 'b.example', comment: '', expiresAt: null, createdAt: 5 },
      ],
      pins: [{ policyId: 4, bytes: 'bytes 44' }],
      zones: [zone('rpz.old.a.example.', 9, false), zone('rpz.p.a.example.', 4_294_967_295)],
      diffs: [{ id: 1, bytes: 'bytes 255' }],
      revisions: [{ ...revision('rpz.p.a.example.', 4_294_967_294), diff: 1 }],
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
    expect(store.changes({ limit: 10 })).toHaveLength(1);
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
      createdAt: comment.length,
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
        diffs,
        // RFC 1982: 4294967295 is followed by 0.
        revisions: [revision('b.example.', 4_294_967_294), revision('a.example.', 5)],
      }),
    );
    store.commit(commitOf({ diffs, revisions: [revision('b.example.', 4_294_967_295, 0)] }));
    expect(serials(store)).toEqual(['a.example. 6', 'b.example. 4294967295', 'b.example. 0']);
  });

  it('are pruned to the newest of their zone, those of the same commit included', () => {
    const { store } = openTemporaryStore();
    store.commit(
      commitOf({
        zones: [zone('a.example.', 1), zone('b.example.', 1)],
        diffs,
        revisions: [1, 2, 3].flatMap((n) => [revision('a.example.', n), revision('b.example.', n)]),
      }),
    );
    store.commit(
      commitOf({
        diffs,
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

  it('keep the digest that the zone had before, where it had one', () => {
    const { store } = openTemporaryStore();
    const steps = [
      revision('a.example.', 1),
      { ...revision('a.example.', 2), fromDigest: bytes(1, 2, 3) },
    ];
    store.commit(commitOf({ zones: [zone('a.example.', 3)], diffs, revisions: steps }));
    const digests = store.load().revisions.map(({ fromDigest }) => fromDigest);
    expect(digests).toEqual([null, Buffer.of(1, 2, 3)]);
  });

  it('belong to a zone that is stored', async () => {
    const { store } = openTemporaryStore();
    const orphan = commitOf({ diffs, revisions: [revision('a.example.', 1)] });
    expect(await codeOf(() => store.commit(orphan))).toBe('SQLITE_CONSTRAINT_NOTNULL');
  });

  it('refer to a difference of their own commit', async () => {
    const { store } = openTemporaryStore();
    store.commit(
      commitOf({ zones: [zone('a.example.', 1)], diffs, revisions: [revision('a.example.', 1)] }),
    );
    const orphan = commitOf({ revisions: [revision('a.example.', 2)] });
    expect(await codeOf(() => store.commit(orphan))).toBe('SQLITE_CONSTRAINT_NOTNULL');
  });
});

describe('differences', () => {
  const shared = () => {
    const { store, options } = openTemporaryStore();
    store.commit(
      commitOf({
        zones: [zone('a.example.', 1), zone('b.example.', 1), zone('c.example.', 1)],
        diffs: [bytes(10), bytes(11), bytes(12)],
        revisions: [
          revision('a.example.', 1),
          revision('b.example.', 7),
          { ...revision('c.example.', 1), diff: 2 },
        ],
      }),
    );
    return {
      options,
      store,
      prune: (...pruneRevisions: Commit['pruneRevisions']) =>
        store.commit(commitOf({ pruneRevisions })),
      stored: () => plain(store.load().diffs),
    };
  };

  it('are stored once for all zones of a commit, and only those that a revision refers to', () => {
    const { store, stored } = shared();
    expect(stored()).toEqual([
      { id: 1, bytes: 'bytes 10' },
      { id: 2, bytes: 'bytes 12' },
    ]);
    expect(store.load().revisions.map(({ origin, diff }) => `${origin} ${diff}`)).toEqual([
      'a.example. 1',
      'b.example. 1',
      'c.example. 2',
    ]);
  });

  it('go with the last revision that refers to them', () => {
    const { prune, stored } = shared();
    prune({ origin: 'a.example.', keep: 0 });
    expect(stored()).toHaveLength(2);
    prune({ origin: 'b.example.', keep: 0 });
    expect(stored()).toEqual([{ id: 2, bytes: 'bytes 12' }]);
  });

  it('go when all their zones are pruned in one commit', () => {
    const { prune, stored } = shared();
    prune(...['a', 'b', 'c'].map((label) => ({ origin: `${label}.example.`, keep: 0 })));
    expect(stored()).toEqual([]);
  });

  it('are found by an index when a zone is pruned', () => {
    const { store, options } = shared();
    store.close();
    const database = openDatabase(options);
    const plan = database
      .prepare<[], { detail: string }>(`
        EXPLAIN QUERY PLAN DELETE FROM revision_diff WHERE diff_id = 1
          AND NOT EXISTS (SELECT 1 FROM revision WHERE diff_id = 1)`)
      .all();
    database.close();
    const details = plan.map(({ detail }) => detail).join('; ');
    expect(details).toContain('revision_of_diff');
    expect(details).not.toContain('SCAN');
  });
});

describe('the history of members', () => {
  const target = { kind: 'target', id: 1 } as const;
  const list = { kind: 'list', id: 1 } as const;
  const withHolders = () => {
    const { store } = openTemporaryStore();
    store.commit(commitOf({ putEntities: [entity('target', 1), entity('list', 1)] }));
    return { store, add: (...rows: StoredHistory[]) => store.commit(commitOf({ history: rows })) };
  };

  it('is read in the order of the commits, of one holder or of all', () => {
    const { store, add } = withHolders();
    const first = history(9, { whole: true, removed: 2, delta: bytes(1, 2) });
    const second = history(5, { holder: list, seen: bytes(3) });
    const third = history(7, { delta: bytes() });
    add(first);
    add(second, third);
    expect(plain(store.allHistory())).toEqual(plain([first, second, third].map(asBuffers)));
    expect(plain(store.memberHistory(target))).toEqual(plain([first, third].map(asBuffers)));
    expect(plain(store.memberHistory(list))).toEqual(plain([asBuffers(second)]));
    expect(store.memberHistory({ kind: 'target', id: 9 })).toEqual([]);
  });

  it('gives the newest sizes without the ids, oldest first', () => {
    const { store, add } = withHolders();
    add(history(1), history(2, { whole: true }), history(3, { removed: 4 }));
    add(history(8, { holder: list }));
    const row = (at: number, whole: boolean, removed: number) => ({
      at,
      whole,
      added: 1,
      removed,
      size: at,
    });
    expect(store.memberSizes(target, 2)).toEqual([row(2, true, 0), row(3, false, 4)]);
    expect(store.memberSizes(target, 9)).toHaveLength(3);
    expect(store.memberSizes(target, -1)).toEqual([]);
  });

  it('keeps the newest rows of each holder only', () => {
    const { store, add } = withHolders();
    const rows = Array.from({ length: HISTORY_ROWS_MAX + 1 }, (_, at) => history(at));
    add(history(1, { holder: list }), ...rows);
    add(history(99_999));
    const kept = store.memberSizes(target, 100_000).map(({ at }) => at);
    expect(kept).toHaveLength(HISTORY_ROWS_MAX);
    expect([kept[0], kept.at(-1)]).toEqual([2, 99_999]);
    expect(store.memberHistory(list)).toHaveLength(1);
  });

  it('goes with its holder, and belongs to one that is stored', async () => {
    const { store, add } = withHolders();
    add(history(1), history(2, { holder: list }));
    store.commit(commitOf({ deleteEntities: [target] }));
    expect(store.allHistory().map(({ holder }) => holder)).toEqual([list]);
    expect(await codeOf(() => add(history(3)))).toBe('SQLITE_CONSTRAINT_FOREIGNKEY');
  });
});

describe('pinned content', () => {
  it('is put, replaced and deleted, and goes with its policy', async () => {
    const { store } = openTemporaryStore();
    const pin = (policyId: number, octet: number) => ({ policyId, bytes: bytes(octet) });
    const pins = () => plain(store.load().pins);
    store.commit(
      commitOf({
        putEntities: [entity('policy', 1), entity('policy', 2), entity('policy', 3)],
        putPins: [pin(2, 2), pin(1, 1), pin(3, 3)],
      }),
    );
    store.commit(commitOf({ deletePins: [3], putPins: [pin(1, 9)] }));
    expect(pins()).toEqual([
      { policyId: 1, bytes: 'bytes 9' },
      { policyId: 2, bytes: 'bytes 2' },
    ]);
    store.commit(commitOf({ deleteEntities: [{ kind: 'policy', id: 1 }] }));
    expect(pins()).toEqual([{ policyId: 2, bytes: 'bytes 2' }]);
    expect(await codeOf(() => store.commit(commitOf({ putPins: [pin(7, 7)] })))).toBe(
      'SQLITE_CONSTRAINT_FOREIGNKEY',
    );
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
        history: [history(1), history(2, { holder: { kind: 'target', id: 2 } })],
        zones: [zone('a.example.', 2)],
        diffs,
        revisions: [revision('a.example.', 1)],
      }),
    );
    return store;
  };

  it('replaces owners, members and history, and forgets revisions but no zone', () => {
    const store = filled();
    store.compact({
      owners: [
        { firstId: 0, count: 1, bytes: bytes(8) },
        { firstId: 1, count: 1, bytes: bytes(9) },
      ],
      members: [{ holder, base: bytes(7) }],
      history: [history(2, { delta: bytes(6) })],
      pins: [],
    });
    const { owners, members, diffs: kept, revisions, zones } = store.load();
    expect(plain({ owners, members, diffs: kept, revisions, zones })).toEqual({
      owners: [
        { firstId: 0, count: 1, bytes: 'bytes 8' },
        { firstId: 1, count: 1, bytes: 'bytes 9' },
      ],
      members: [{ holder, base: 'bytes 7', deltas: [] }],
      diffs: [],
      revisions: [],
      zones: [zone('a.example.', 2)],
    });
    expect(plain(store.allHistory())).toEqual([plain(asBuffers(history(2, { delta: bytes(6) })))]);
  });

  it('that fails leaves all as it was', async () => {
    const store = filled();
    const before = plain([store.load(), store.allHistory()]);
    const broken = {
      owners: [
        { firstId: 0, count: 1, bytes: bytes(8) },
        { firstId: 2, count: 1, bytes: bytes(9) },
      ],
      members: [],
      history: [],
      pins: [],
    };
    expect(await codeOf(() => store.compact(broken))).toBe('owners-out-of-order');
    expect(plain([store.load(), store.allHistory()])).toEqual(before);
  });
});

describe('the audit trail', () => {
  const logged = (store: SqliteStore, query: Partial<ChangeQuery> = {}) =>
    store.changes({ limit: 10, ...query }).map(({ sequence }) => sequence);
  const trail = (...changes: Partial<StoredChange>[]) => {
    const { store } = openTemporaryStore();
    for (const change of changes) store.commit(commitOf({ change: changeOf(change) }));
    return store;
  };

  it('is read newest first by commit, even when the clock went back', () => {
    const store = trail({ at: 500 }, { at: 400, accountId: 7, body: '{"n":2}' }, { at: 450 });
    const { subjects, accountIds, ...second } = changeOf({
      at: 400,
      accountId: 7,
      body: '{"n":2}',
    });
    expect(store.changes({ limit: 2 })[1]).toEqual({ ...second, sequence: 2 });
    expect(logged(store)).toEqual([3, 2, 1]);
    expect(logged(store, { limit: 0 })).toEqual([]);
    expect(logged(store, { limit: -1 })).toEqual([]);
  });

  it('is read on from a sequence', () => {
    const store = trail({}, {}, {}, {});
    expect(logged(store, { limit: 2, before: 4 })).toEqual([3, 2]);
    expect(logged(store, { limit: 2, before: 2 })).toEqual([1]);
    expect(logged(store, { before: 1 })).toEqual([]);
  });

  it('gives an account its own rows and those of the server itself', () => {
    const store = trail({ accountId: 1 }, { accountId: 2 }, { accountId: null });
    expect(logged(store, { accountId: 2 })).toEqual([3, 2]);
    expect(logged(store, { accountId: 3 })).toEqual([3]);
  });

  it('gives an account what others did to it, where neither actor nor object can be searched', () => {
    const store = trail(
      { accountId: 1, actor: 'ada', action: 'list.update 12', accountIds: [1, 2, 2] },
      { accountId: 1, actor: 'ada', action: 'list.update 13', accountIds: [1] },
      { accountId: 2, actor: 'ada', action: 'list.update 14', accountIds: [2] },
    );
    expect(logged(store, { accountId: 2 })).toEqual([3, 1]);
    expect(logged(store, { accountId: 3 })).toEqual([]);
    expect(logged(store, { accountId: 2, actor: 'ada' })).toEqual([3]);
    expect(logged(store, { accountId: 2, action: 'list.up' })).toEqual([3, 1]);
    expect(logged(store, { accountId: 2, action: 'list.update 1' })).toEqual([3]);
    expect(logged(store, { actor: 'ada', action: 'list.update 1' })).toEqual([3, 2, 1]);
  });

  it('ends where the bodies are as long as was asked for, but not before its first row', () => {
    const store = trail({ body: 'x'.repeat(90) }, { body: 'x'.repeat(10) }, { body: 'x' });
    expect(logged(store, { bodyCharacters: 11 })).toEqual([3, 2]);
    expect(logged(store, { bodyCharacters: 12 })).toEqual([3, 2, 1]);
    expect(logged(store, { bodyCharacters: 1, before: 2 })).toEqual([1]);
  });

  it('is searched by actor, by the beginning of the action, and by time, both ends included', () => {
    const store = trail(
      { at: 10, actor: 'user 1', action: 'policy.create 3' },
      { at: 20, actor: 'user 2', action: 'policy.update 3' },
      { at: 30, actor: 'user 1', action: 'target.update 1' },
    );
    expect(logged(store, { actor: 'user 1' })).toEqual([3, 1]);
    expect(logged(store, { actor: 'user' })).toEqual([]);
    expect(logged(store, { action: 'policy.' })).toEqual([2, 1]);
    expect(logged(store, { action: 'Policy.' })).toEqual([]);
    expect(logged(store, { action: '%' })).toEqual([]);
    expect(logged(store, { from: 20 })).toEqual([3, 2]);
    expect(logged(store, { to: 20 })).toEqual([2, 1]);
    expect(logged(store, { from: 20, to: 20 })).toEqual([2]);
    expect(logged(store, { actor: 'user 1', action: 'policy.', from: 1, to: 99 })).toEqual([1]);
  });

  it('is searched by what was touched, together with all else', () => {
    const policy = (id: number) => ({ kind: 'policy', id });
    const store = trail(
      { accountId: 1, subjects: [policy(1), policy(2), policy(2)] },
      { accountId: 1, subjects: [{ kind: 'target', id: 1 }] },
      { accountId: 2, subjects: [policy(1)] },
      { accountId: 1, subjects: [policy(1)], action: 'policy.delete 1' },
    );
    expect(logged(store, { subject: policy(1) })).toEqual([4, 3, 1]);
    expect(logged(store, { subject: policy(2) })).toEqual([1]);
    expect(logged(store, { subject: policy(1), accountId: 1, before: 4 })).toEqual([1]);
    expect(logged(store, { subject: policy(1), action: 'policy.' })).toEqual([4]);
    expect(logged(store, { subject: policy(9) })).toEqual([]);
  });

  it('keeps its newest rows only, and with them what they touched', () => {
    const { store } = openTemporaryStore({ changesKept: 3 });
    const subject = { kind: 'policy', id: 1 };
    for (let at = 1; at <= 5; at++) {
      store.commit(commitOf({ change: changeOf({ at, subjects: [subject], accountIds: [4] }) }));
    }
    expect(store.changes({ limit: 10 }).map(({ at }) => at)).toEqual([5, 4, 3]);
    expect(logged(store, { subject })).toEqual([5, 4, 3]);
  });

  it('is searched by indexes alone, however large its bodies are', () => {
    const { options, store } = openTemporaryStore();
    store.close();
    const database = openDatabase(options);
    const planOf = (sql: string) =>
      database
        .prepare<[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql.replaceAll(/@\w+/g, '1')}`)
        .all()
        .map(({ detail }) => detail)
        .join('; ');
    const plans = Object.values(CHANGE_SEARCHES).map(planOf);
    database.close();
    for (const plan of plans) expect(plan).not.toMatch(/SCAN|TEMP B-TREE/);
    expect(plans[0]).toContain('change_log_search');
  });
});

describe('secrets', () => {
  it('are in no file of the store in clear, neither before nor after the log is merged', () => {
    const { options, store } = openTemporaryStore();
    const secret = 'K7gNU3sdo+OL0wNhqoVWhr3g6s1xYv72';
    const contents = () =>
      readdirSync(options.folder).map((name) => readFileSync(join(options.folder, name), 'latin1'));
    store.commit(
      commitOf({
        putEntities: [
          entity('key', 1, secret),
          entity('user', 1, secret),
          entity('device', 1, 'clear text'),
        ],
      }),
    );
    expect(contents().some((text) => text.includes('clear text'))).toBe(true);
    expect(contents().some((text) => text.includes(secret))).toBe(false);
    store.close();
    expect(contents().some((text) => text.includes('clear text'))).toBe(true);
    expect(contents().some((text) => text.includes(secret))).toBe(false);
  });

  it('of keys and users have no place in clear in the table, whatever the program does', () => {
    const { options, store } = openTemporaryStore();
    store.close();
    const database = openDatabase(options);
    const insert = database.prepare('INSERT INTO entity (kind, id, body) VALUES (?, 1, ?)');
    for (const kind of ['key', 'user']) {
      expect(() => insert.run(kind, 'in clear')).toThrow('CHECK constraint failed');
    }
    insert.run('token', 'a hash');
    database.close();
  });
});
