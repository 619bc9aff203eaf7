import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { loadKeyFile } from '../../src/store/key-file.ts';
import { openSqliteStore } from '../../src/store/sqlite-store.ts';
import { codeOf, commitOf, entity, temporaryStore } from './fixtures.ts';

describe('the key file', () => {
  it('is made with 32 octets for its owner alone, and found again', () => {
    const keyFile = join(temporaryStore().folder, 'keys', 'sluice.key');
    const made = loadKeyFile(keyFile, true);
    expect(statSync(keyFile).mode & 0o777).toBe(0o600);
    expect(readFileSync(keyFile)).toEqual(Buffer.from(made));
    expect(made.length).toBe(32);
    expect(new Set(made).size).toBeGreaterThan(8);
    expect(loadKeyFile(keyFile, true)).toEqual(made);
    expect(readdirSync(dirname(keyFile))).toEqual(['sluice.key']);
  });

  it('is made although an earlier attempt was cut off half-way', () => {
    const { keyFile } = temporaryStore();
    writeFileSync(`${keyFile}.new`, 'half', { mode: 0o644 });
    expect(loadKeyFile(keyFile, true).length).toBe(32);
    expect(statSync(keyFile).mode & 0o777).toBe(0o600);
  });

  it('is refused when its group or others may do anything with it', () => {
    const { keyFile } = temporaryStore();
    loadKeyFile(keyFile, true);
    for (const mode of [0o640, 0o604, 0o620, 0o601]) {
      chmodSync(keyFile, mode);
      const rule = new RegExp(`${keyFile} has mode 0${mode.toString(8)}; .*0600`);
      expect(() => loadKeyFile(keyFile, true)).toThrow(rule);
    }
    chmodSync(keyFile, 0o400);
    expect(loadKeyFile(keyFile, true).length).toBe(32);
  });

  it('is refused with any size but 32 octets', () => {
    const { keyFile } = temporaryStore();
    for (const size of [0, 31, 33]) {
      writeFileSync(keyFile, Buffer.alloc(size), { mode: 0o600 });
      expect(() => loadKeyFile(keyFile, true)).toThrow(`${keyFile} has ${size} octets`);
    }
  });

  it('is refused when it is no file', async () => {
    const { keyFile } = temporaryStore();
    mkdirSync(keyFile);
    expect(await codeOf(() => loadKeyFile(keyFile, true))).toBe('key-file-unusable');
  });
});

describe('a database and its key file', () => {
  function closedStore() {
    const options = temporaryStore();
    const store = openSqliteStore(options);
    store.commit(commitOf({ putEntities: [entity('key', 1, 'one'), entity('key', 2, 'two')] }));
    store.close();
    return options;
  }

  it('belong together: another key file is refused before anything is read', async () => {
    const options = closedStore();
    const right = readFileSync(options.keyFile);
    writeFileSync(options.keyFile, Buffer.alloc(32, 7));
    expect(await codeOf(() => openSqliteStore(options))).toBe('key-file-mismatch');
    writeFileSync(options.keyFile, right);
    openSqliteStore(options).close();
  });

  it('is refused without its key file, and no new one is made', async () => {
    const options = closedStore();
    rmSync(options.keyFile);
    expect(await codeOf(() => openSqliteStore(options))).toBe('key-file-missing');
    expect(() => statSync(options.keyFile)).toThrow('ENOENT');
  });

  it('is free again after a refusal', async () => {
    const options = closedStore();
    chmodSync(options.keyFile, 0o644);
    expect(await codeOf(() => openSqliteStore(options))).toBe('key-file-permissions');
    chmodSync(options.keyFile, 0o600);
    openSqliteStore(options).close();
  });

  it('notice a sealed row that was copied over another one', async () => {
    const options = closedStore();
    const database = new Database(options.path);
    database.exec(
      "UPDATE entity SET sealed = (SELECT sealed FROM entity WHERE kind = 'key' AND id = 1) WHERE id = 2",
    );
    database.close();
    const store = openSqliteStore(options);
    expect(() => store.load()).toThrow('key 2 was altered');
    store.close();
  });

  it('refuse a secret in clear by a rule of the table itself', () => {
    const options = closedStore();
    const database = new Database(options.path);
    expect(() =>
      database.exec("INSERT INTO entity (kind, id, body) VALUES ('key', 9, 'clear')"),
    ).toThrow('CHECK');
    database.close();
  });
});
