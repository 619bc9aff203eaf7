import { createHash } from 'node:crypto';
import type Database from 'better-sqlite3';
import type { StoredOwners } from '../publish/store-port.ts';

/** SHA-256 of the hash before it, if there is one, the number of owners and their octets. */
export function chainOwners(
  before: Uint8Array | null,
  { count, bytes }: Pick<StoredOwners, 'count' | 'bytes'>,
): Uint8Array {
  const number = Buffer.alloc(4);
  number.writeUInt32BE(count);
  return createHash('sha256')
    .update(before ?? '')
    .update(number)
    .update(bytes)
    .digest();
}

/** Gives the rows of a database of an older version their hashes. */
export function chainStoredOwners(database: Database.Database): void {
  const ids = database.prepare<[], number>('SELECT first_id FROM owner_segment ORDER BY 1').pluck();
  const read = database.prepare<[number], Pick<StoredOwners, 'count' | 'bytes'>>(
    'SELECT count, bytes FROM owner_segment WHERE first_id = ?',
  );
  const put = database.prepare<[Uint8Array, number]>(
    'UPDATE owner_segment SET chain = ? WHERE first_id = ?',
  );
  let chain: Uint8Array | null = null;
  for (const firstId of ids.all() as number[]) {
    chain = chainOwners(chain, read.get(firstId)!);
    put.run(chain, firstId);
  }
}
