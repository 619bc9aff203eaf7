import { closeSync, existsSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { makeFolder, syncFolder } from './durable-files.ts';
import { migrate } from './migrations.ts';
import { APPLICATION_ID } from './schema.ts';
import { StoreError, toStoreError } from './store-error.ts';
import type { StoreOptions } from './store-options.ts';

export const LOCK_WAIT_MS = 3_000;
/** Size to which the log shrinks again after a large transaction. */
const LOG_OCTETS_KEPT = 16 * 1024 * 1024;

/**
 * Opens the database for this process alone and brings its tables up to date. Fails with a
 * StoreError when it is in use, foreign, damaged or newer than this program.
 */
export function openDatabase(options: StoreOptions): Database.Database {
  try {
    prepareFile(options.path);
    const database = new Database(options.path, { timeout: options.lockWaitMs ?? LOCK_WAIT_MS });
    try {
      lockForUs(database);
      checkApplication(database, options.path);
      configure(database, options);
      migrate(database);
      return database;
    } catch (thrown) {
      database.close();
      throw thrown;
    }
  } catch (thrown) {
    throw toStoreError(thrown, options.path);
  }
}

/** SQLite would make the file readable by all; its log takes over the file's mode. */
function prepareFile(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  closeSync(openSync(path, 'a', 0o600));
  syncFolder(dirname(path));
}

/**
 * Takes the exclusive lock and keeps it until the connection closes: in this locking mode SQLite
 * does not give up a lock that a transaction took. The operating system holds it, so it ends with
 * the process, however that ends; no stale lock is left behind.
 */
function lockForUs(database: Database.Database): void {
  database.pragma('locking_mode = EXCLUSIVE');
  database.exec('BEGIN EXCLUSIVE; COMMIT');
}

function checkApplication(database: Database.Database, path: string): void {
  const applicationId = database.pragma('application_id', { simple: true });
  if (applicationId === APPLICATION_ID) return;
  const tables = database.prepare('SELECT count(*) FROM sqlite_schema').pluck().get();
  if (tables !== 0 || applicationId !== 0) {
    throw new StoreError('store-foreign', `${path} must be a database of Sluice or absent`);
  }
}

function configure(database: Database.Database, options: StoreOptions): void {
  const mode = database.pragma('journal_mode = WAL', { simple: true });
  if (mode !== 'wal')
    throw new StoreError('store-io', `${options.path} does not take a log: ${mode}`);
  // Flush the log with every commit: a serial that anyone saw must survive a power cut. (The
  // library's own default for WAL is NORMAL, which flushes at checkpoints only.)
  database.pragma('synchronous = FULL');
  database.pragma('foreign_keys = ON');
  database.pragma('trusted_schema = OFF');
  database.pragma(`journal_size_limit = ${LOG_OCTETS_KEPT}`);
  if (options.pagesMax !== undefined) database.pragma(`max_page_count = ${options.pagesMax}`);
}
