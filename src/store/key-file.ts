import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fstatSync,
  linkSync,
  openSync,
  readSync,
  rmSync,
  type Stats,
} from 'node:fs';
import { dirname } from 'node:path';
import { makeFolder, syncFolder, writeNewFile } from './durable-files.ts';
import { StoreError } from './store-error.ts';
import { VAULT_KEY_OCTETS } from './vault.ts';

/**
 * Reads the key, after making the file when it is absent and `mayCreate`. Refuses a file that
 * anyone but its owner can use, or that does not hold exactly one key.
 */
export function loadKeyFile(keyFile: string, mayCreate: boolean): Uint8Array {
  try {
    if (!existsSync(keyFile)) {
      if (!mayCreate) throw missingKey(keyFile);
      createKeyFile(keyFile);
    }
    return readKeyFile(keyFile);
  } catch (thrown) {
    if (thrown instanceof StoreError) throw thrown;
    throw new StoreError('key-file-unusable', `${keyFile}: ${String(thrown)}`);
  }
}

function missingKey(keyFile: string): StoreError {
  return new StoreError(
    'key-file-missing',
    `${keyFile} is absent, but the database holds rows that were sealed with it; bring it back from a backup`,
  );
}

/** The key gets its final name only when it is whole and on disk, so that no crash leaves half a key. */
function createKeyFile(keyFile: string): void {
  const folder = dirname(keyFile);
  const draft = `${keyFile}.new`;
  makeFolder(folder);
  rmSync(draft, { force: true });
  writeNewFile(draft, randomBytes(VAULT_KEY_OCTETS));
  // A link, not a rename: it fails when the key file has appeared meanwhile, and never replaces it.
  linkSync(draft, keyFile);
  rmSync(draft);
  syncFolder(folder);
}

function readKeyFile(keyFile: string): Uint8Array {
  const file = openSync(keyFile, 'r');
  try {
    checkKeyFile(keyFile, fstatSync(file));
    const key = new Uint8Array(VAULT_KEY_OCTETS);
    readSync(file, key, 0, VAULT_KEY_OCTETS, 0);
    return key;
  } finally {
    closeSync(file);
  }
}

function checkKeyFile(keyFile: string, stats: Stats): void {
  if (!stats.isFile()) throw new StoreError('key-file-unusable', `${keyFile} must be a file`);
  // Windows has no such mode bits; Node reports made-up ones there.
  const othersMay = process.platform === 'win32' ? 0 : stats.mode & 0o077;
  if (othersMay !== 0) {
    const mode = (stats.mode & 0o777).toString(8).padStart(4, '0');
    throw new StoreError(
      'key-file-permissions',
      `${keyFile} has mode ${mode}; it must be for its owner alone (0600 or 0400)`,
    );
  }
  if (stats.size !== VAULT_KEY_OCTETS) {
    throw new StoreError(
      'key-file-size',
      `${keyFile} has ${stats.size} octets; it must have exactly ${VAULT_KEY_OCTETS}`,
    );
  }
}
