import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { migrate } from '../../src/store/migrations.ts';
import { openVault } from '../../src/store/open-vault.ts';
import { FIRST_TABLES } from '../../src/store/schema.ts';
import { openSqliteStore } from '../../src/store/sqlite-store.ts';
import type { StoreOptions } from '../../src/store/store-options.ts';
import { codeOf, commitOf, entity, temporaryStore } from './fixtures.ts';

/** A database as version 1 left it, with rows in every table. */
function versionOne(options: StoreOptions): void {
  const database = new Database(options.path);
  database.pragma('journal_mode = WAL');
  migrate(database, [{ what: 'first tables', sql: FIRST_TABLES }]);
  const vault = openVault(database, options.keyFile);
  database.exec(`
    INSERT INTO entity (kind, id, body) VALUES ('target', 1, '{"name":"t"}'), ('list', 2, '{}');
    INSERT INTO next_id VALUES ('target', 2);
    INSERT INTO owner_segment VALUES (0, 1, x'0161');
    INSERT INTO member_base VALUES ('target', 1, x'01');
    INSERT INTO member_delta (holder_kind, holder_id, bytes) VALUES ('target', 1, x'02');
    INSERT INTO list_entry (list_id, value, comment, expires_at)
      VALUES (2, 'a.example', 'why', 77), (2, 'b.example', '', NULL);
    INSERT INTO zone (origin, live, serial, state)
      VALUES ('a.example.', 1, 12, '{}'), ('b.example.', 1, 8, '{}');
    INSERT INTO revision (zone_id, from_serial, to_serial, at, bytes)
      VALUES (1, 10, 11, 1, x'0A'), (2, 7, 8, 2, x'0B'), (1, 11, 12, 3, x'0A');
    INSERT INTO outbox VALUES (1, 'a.example.', '192.0.2.1', 53, 12, 0, 5, 5);
    INSERT INTO device_zone_status (device_id, origin, polled_serial, transferred_serial, transferred_at)
      VALUES (1, 'a.example.', 11, 10, 4);
    INSERT INTO change_log (at, actor, action, body) VALUES (1, 'token 1', 'target.create', '{"n":1}');
  `);
  database
    .prepare("INSERT INTO entity (kind, id, sealed) VALUES ('key', 3, ?)")
    .run(vault.seal('key', 3, 'secret'));
  database.close();
}

function migrated() {
  const options = temporaryStore();
  versionOne(options);
  const store = openSqliteStore(options);
  onTestFinished(() => store.close());
  return store;
}

const octets = (...values: number[]) => Buffer.from(values);

describe('a database that version 1 made', () => {
  it('keeps all that it holds', () => {
    const store = migrated();
    expect(store.load()).toEqual({
      entities: [
        entity('key', 3, 'secret'),
        entity('list', 2),
        entity('target', 1, '{"name":"t"}'),
      ],
      nextIds: [{ kind: 'target', nextId: 2 }],
      owners: [{ firstId: 0, count: 1, bytes: octets(1, 97) }],
      members: [{ holder: { kind: 'target', id: 1 }, base: octets(1), deltas: [octets(2)] }],
      listEntries: [
        { listId: 2, value: 'a.example', comment: 'why', expiresAt: 77, createdAt: 0 },
        { listId: 2, value: 'b.example', comment: '', expiresAt: null, createdAt: 0 },
      ],
      pins: [],
      zones: [
        { origin: 'a.example.', live: true, serial: 12, state: '{}' },
        { origin: 'b.example.', live: true, serial: 8, state: '{}' },
      ],
      diffs: [
        { id: 1, bytes: octets(10) },
        { id: 2, bytes: octets(11) },
        { id: 3, bytes: octets(10) },
      ],
      revisions: [
        { origin: 'a.example.', fromSerial: 10, toSerial: 11, at: 1, diff: 1, fromDigest: null },
        { origin: 'a.example.', fromSerial: 11, toSerial: 12, at: 3, diff: 3, fromDigest: null },
        { origin: 'b.example.', fromSerial: 7, toSerial: 8, at: 2, diff: 2, fromDigest: null },
      ],
    });
    expect(store.changes({ limit: 5 })).toEqual([
      {
        sequence: 1,
        at: 1,
        actor: 'token 1',
        action: 'target.create',
        accountId: null,
        body: '{"n":1}',
      },
    ]);
    expect(store.allHistory()).toEqual([]);
    expect(store.owedNotifies()).toHaveLength(1);
    expect(store.deviceZoneStatus()[0]).toMatchObject({
      deviceId: 1,
      polledSerial: 11,
      // What it transferred is what it holds, as long as nothing else is known.
      heldSerial: 10,
      heldAt: 4,
    });
  });

  it('goes on from there: differences are pruned, and what goes with an entity still goes', async () => {
    const store = migrated();
    store.commit(
      commitOf({
        diffs: [Uint8Array.of(12)],
        revisions: [
          { origin: 'a.example.', fromSerial: 12, toSerial: 13, at: 4, diff: 0, fromDigest: null },
          { origin: 'b.example.', fromSerial: 8, toSerial: 9, at: 4, diff: 0, fromDigest: null },
        ],
        pruneRevisions: [{ origin: 'a.example.', keep: 1 }],
      }),
    );
    expect(store.load().diffs).toEqual([
      { id: 2, bytes: octets(11) },
      { id: 4, bytes: octets(12) },
    ]);
    store.commit(
      commitOf({
        deleteEntities: [
          { kind: 'target', id: 1 },
          { kind: 'list', id: 2 },
        ],
      }),
    );
    const { members, listEntries } = store.load();
    expect({ members, listEntries }).toEqual({ members: [], listEntries: [] });
    const orphan = { holder: { kind: 'target', id: 1 }, base: Uint8Array.of(1) } as const;
    expect(await codeOf(() => store.commit(commitOf({ members: [orphan] })))).toBe(
      'SQLITE_CONSTRAINT_FOREIGNKEY',
    );
  });
});
