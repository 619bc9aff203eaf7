import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Migration, migrate } from '../../src/store/migrations.ts';
import { openDatabase } from '../../src/store/open-database.ts';
import { StoreError } from '../../src/store/store-error.ts';
import { codeOf, temporaryStore } from './fixtures.ts';

function opened(options = temporaryStore()) {
  const database = openDatabase(options);
  onTestFinished(() => void database.close());
  return database;
}

describe('opening a database', () => {
  it('makes the folder and the file for their owner alone, the log included', () => {
    const options = temporaryStore();
    const path = join(options.folder, 'deep', 'er', 'sluice.db');
    opened({ ...options, path });
    const mode = (file: string) => (statSync(file).mode & 0o777).toString(8);
    expect(mode(join(options.folder, 'deep', 'er'))).toBe('700');
    expect([path, `${path}-wal`].map(mode)).toEqual(['600', '600']);
  });

  it('flushes the log with every commit, because a serial that was seen must survive', () => {
    const database = opened();
    const setting = (name: string) => database.pragma(name, { simple: true });
    expect(setting('journal_mode')).toBe('wal');
    expect(setting('synchronous')).toBe(2); // FULL
    expect(setting('foreign_keys')).toBe(1);
    expect(setting('busy_timeout')).toBe(0); // lockWaitMs of the fixture
    expect(setting('locking_mode')).toBe('exclusive');
  });

  it('has nothing but STRICT tables', () => {
    const tables = opened()
      .prepare<[], { name: string; strict: number }>(
        "SELECT name, strict FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite_%'",
      )
      .all();
    expect(tables.length).toBeGreaterThan(8);
    expect(tables.filter(({ strict }) => strict !== 1)).toEqual([]);
  });

  it('is refused while someone else has it open, in the same process too', async () => {
    const options = temporaryStore();
    const first = openDatabase(options);
    expect(await codeOf(() => openDatabase(options))).toBe('store-locked');
    first.close();
    opened(options);
  });

  it('refuses a database of another program and leaves it as it is', async () => {
    const options = temporaryStore();
    const other = new Database(options.path);
    other.exec('CREATE TABLE bookmark (url TEXT)');
    other.close();
    expect(await codeOf(() => openDatabase(options))).toBe('store-foreign');
    const again = new Database(options.path);
    expect(again.pragma('journal_mode', { simple: true })).toBe('delete');
    again.close();
  });

  it('refuses a file that is no database', async () => {
    const options = temporaryStore();
    writeFileSync(options.path, 'listen: 127.0.0.1\n'.repeat(100));
    expect(await codeOf(() => openDatabase(options))).toBe('store-corrupt');
  });

  it('says when the folder cannot be written', async () => {
    const options = temporaryStore();
    // Root may write everywhere, so a file stands where the folder should be.
    const file = join(options.folder, 'file');
    writeFileSync(file, '');
    const attempt = () => openDatabase({ ...options, path: join(file, 'sluice.db') });
    expect(await codeOf(attempt)).toBe('store-io');
    expect(attempt).toThrow(file);
  });
});

describe('migrations', () => {
  const step = (what: string): Migration => ({ what, sql: `CREATE TABLE ${what} (n) ` });

  it('are taken once each, in their order', () => {
    const database = opened();
    const known = Number(database.pragma('user_version', { simple: true }));
    const none = Array.from({ length: known }, () => step('never_run'));
    migrate(database, [...none, step('a')]);
    migrate(database, [...none, step('a'), step('b'), step('c')]);
    const tables = database
      .prepare("SELECT name FROM sqlite_schema WHERE name IN ('a', 'b', 'c', 'never_run')")
      .pluck()
      .all();
    expect(tables.sort()).toEqual(['a', 'b', 'c']);
    expect(database.pragma('user_version', { simple: true })).toBe(known + 3);
  });

  it('that fail leave the last good version and nothing of their own, and say which failed', () => {
    const database = opened();
    const known = Number(database.pragma('user_version', { simple: true }));
    const none = Array.from({ length: known }, () => step('never_run'));
    const broken = { what: 'the broken one', sql: 'CREATE TABLE half (n); CREATE TABLE half (n);' };
    expect(() => migrate(database, [...none, step('a'), broken])).toThrow('the broken one');
    const tables = database
      .prepare("SELECT name FROM sqlite_schema WHERE name IN ('a', 'half')")
      .pluck()
      .all();
    expect(tables).toEqual(['a']);
    expect(database.pragma('user_version', { simple: true })).toBe(known + 1);
  });

  it('refuse a database that a newer version wrote, and say both versions', () => {
    const options = temporaryStore();
    const database = openDatabase(options);
    database.pragma('user_version = 4711');
    database.close();
    expect(() => openDatabase(options)).toThrow(StoreError);
    expect(() => openDatabase(options)).toThrow(/newer version.*4711.*up to \d/);
  });
});
