import type Database from 'better-sqlite3';
import { chainStoredOwners } from './owner-chain.ts';
import {
  APPLICATION_ID,
  CONVERGENCE_COLUMNS,
  DIGEST_COLUMN,
  FIRST_TABLES,
  KEY_USE_TABLE,
  OWNER_CHAIN_COLUMN,
  SECOND_TABLES,
  URGENCY_COLUMN,
} from './schema.ts';
import { StoreError, toStoreError } from './store-error.ts';

export interface Migration {
  readonly what: string;
  readonly sql: string;
  /** What SQL cannot do, behind it in the same transaction. */
  readonly complete?: (database: Database.Database) => void;
}

/**
 * Step n (from 1) leads from user_version n - 1 to n. A step that was released is never edited:
 * a new one is appended.
 */
const MIGRATIONS: readonly Migration[] = [
  { what: 'first tables', sql: FIRST_TABLES },
  { what: 'shared differences, history of members, searchable audit trail', sql: SECOND_TABLES },
  { what: 'use of keys', sql: KEY_USE_TABLE },
  { what: 'digests of zones', sql: DIGEST_COLUMN },
  { what: 'what devices hold, and what went wrong', sql: CONVERGENCE_COLUMNS },
  { what: 'hashes over owners', sql: OWNER_CHAIN_COLUMN, complete: chainStoredOwners },
  { what: 'urgency of NOTIFYs', sql: URGENCY_COLUMN },
];

/**
 * Brings the tables up to date, each step in a transaction of its own with its version, so that a
 * crash leaves a version that the next start goes on from.
 */
export function migrate(
  database: Database.Database,
  steps: readonly Migration[] = MIGRATIONS,
): void {
  const found = Number(database.pragma('user_version', { simple: true }));
  if (found > steps.length) {
    throw new StoreError(
      'store-newer',
      `${database.name} has version ${found}, this program knows versions up to ${steps.length}`,
    );
  }
  for (let version = found + 1; version <= steps.length; version++) {
    takeStep(database, version, steps[version - 1]);
  }
}

function takeStep(
  database: Database.Database,
  version: number,
  { what, sql, complete }: Migration,
): void {
  const step = database.transaction(() => {
    database.exec(sql);
    complete?.(database);
    // Both are part of the file's first page and so of the transaction.
    database.pragma(`application_id = ${APPLICATION_ID}`);
    database.pragma(`user_version = ${version}`);
  });
  try {
    step.immediate();
  } catch (thrown) {
    throw toStoreError(thrown, `${database.name}, migration ${version} (${what})`);
  }
}
