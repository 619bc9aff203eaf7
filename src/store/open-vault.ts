import type Database from 'better-sqlite3';
import { loadKeyFile } from './key-file.ts';
import { StoreError } from './store-error.ts';
import { createVault, type Vault } from './vault.ts';

const PROOF = 'sealed with the right key file';

/**
 * The vault of this database. The database keeps one sealed row as proof of its key file: another
 * file is refused before anything is read or, worse, sealed with it.
 */
export function openVault(database: Database.Database, keyFile: string): Vault {
  const proof = database.prepare<[], Uint8Array>('SELECT sealed FROM vault').pluck().get() as
    | Uint8Array
    | undefined;
  const vault = createVault(loadKeyFile(keyFile, proof === undefined));
  if (proof === undefined) {
    database
      .prepare('INSERT INTO vault (id, sealed) VALUES (1, ?)')
      .run(vault.seal('vault', 1, PROOF));
  } else if (vault.unseal('vault', 1, proof) !== PROOF) {
    throw new StoreError(
      'key-file-mismatch',
      `${keyFile} does not open the sealed rows of ${database.name}; both come from one backup or not at all`,
    );
  }
  return vault;
}
