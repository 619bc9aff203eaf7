import type Database from 'better-sqlite3';
import type {
  Commit,
  Compaction,
  Holder,
  StoredMembers,
  StoredOwners,
} from '../publish/store-port.ts';
import { chainOwners } from './owner-chain.ts';
import { StoreError } from './store-error.ts';

interface HolderBytes {
  readonly kind: Holder['kind'];
  readonly id: number;
  readonly bytes: Uint8Array;
}

/** Owners, and the members of targets and lists, which are sets of the owners' ids. */
export function prepareCatalogueTables(database: Database.Database) {
  const owners = prepareOwners(database);
  const members = prepareMembers(database);

  return {
    write(commit: Commit): void {
      if (commit.owners !== null) owners.append(commit.owners);
      for (const holder of commit.deleteMembers) members.clear(holder);
      for (const change of commit.members) {
        if ('base' in change) members.replace(change.holder, change.base);
        else members.append(change.holder, change.delta);
      }
    },
    rewrite(compaction: Compaction): void {
      database.exec('DELETE FROM owner_segment; DELETE FROM member_base; DELETE FROM member_delta');
      for (const segment of compaction.owners) owners.append(segment);
      for (const { holder, base } of compaction.members) members.replace(holder, base);
    },
    appendOwners: owners.append,
    readOwners: owners.readFrom,
    ownersChain: owners.chainOf,
    readMembers: members.read,
  };
}

/**
 * Owners in segments. Each row has a hash of its owners and of the hash before it, so that two
 * databases with the same hash at some owner have the same owners up to there.
 */
function prepareOwners(database: Database.Database) {
  const insert = database.prepare<StoredOwners & { readonly chain: Uint8Array }>(
    `INSERT INTO owner_segment (first_id, count, bytes, chain)
    VALUES (@firstId, @count, @bytes, @chain)`,
  );
  const last = database.prepare<[], { readonly end: number; readonly chain: Uint8Array }>(
    'SELECT first_id + count AS end, chain FROM owner_segment ORDER BY first_id DESC LIMIT 1',
  );
  const allFrom = database.prepare<[number], StoredOwners>(
    `SELECT first_id AS firstId, count, bytes FROM owner_segment
    WHERE first_id >= ? ORDER BY first_id`,
  );
  const chainAt = database
    .prepare<{ readonly owners: number }, Uint8Array>(
      `SELECT chain FROM owner_segment
      WHERE first_id = (SELECT max(first_id) FROM owner_segment WHERE first_id < @owners)
        AND first_id + count = @owners`,
    )
    .pluck();

  return {
    append(segment: StoredOwners): void {
      if (segment.count === 0) return;
      const end = last.get();
      const expected = end?.end ?? segment.firstId;
      // Ids are dense: a gap or an overlap here would give every later owner another's id.
      if (segment.firstId !== expected) {
        const got = `firstId is ${segment.firstId}`;
        throw new StoreError('owners-out-of-order', `${got}, it must be ${expected}`);
      }
      insert.run({ ...segment, chain: chainOwners(end?.chain ?? null, segment) });
    },
    /** All owners from this id on, with which a segment begins. */
    readFrom: (firstId: number): StoredOwners[] => allFrom.all(firstId),
    /** The hash over the first so many owners, in hexadecimal; null when no segment ends there. */
    chainOf(owners: number): string | null {
      const chain = chainAt.get({ owners }) as Uint8Array | undefined;
      return chain === undefined ? null : Buffer.from(chain).toString('hex');
    },
  };
}

function prepareMembers(database: Database.Database) {
  const putBase = database.prepare<HolderBytes>(`
    INSERT INTO member_base (holder_kind, holder_id, bytes) VALUES (@kind, @id, @bytes)
    ON CONFLICT DO UPDATE SET bytes = excluded.bytes`);
  const putDelta = database.prepare<HolderBytes>(
    'INSERT INTO member_delta (holder_kind, holder_id, bytes) VALUES (@kind, @id, @bytes)',
  );
  const dropBase = database.prepare<Holder>(
    'DELETE FROM member_base WHERE holder_kind = @kind AND holder_id = @id',
  );
  const dropDeltas = database.prepare<Holder>(
    'DELETE FROM member_delta WHERE holder_kind = @kind AND holder_id = @id',
  );
  const bases = database.prepare<[], HolderBytes>(
    'SELECT holder_kind AS kind, holder_id AS id, bytes FROM member_base ORDER BY 1, 2',
  );
  const deltas = database.prepare<[], HolderBytes>(
    'SELECT holder_kind AS kind, holder_id AS id, bytes FROM member_delta ORDER BY sequence',
  );

  return {
    clear(holder: Holder): void {
      dropBase.run(holder);
      dropDeltas.run(holder);
    },
    replace(holder: Holder, bytes: Uint8Array): void {
      dropDeltas.run(holder);
      putBase.run({ ...holder, bytes });
    },
    append: (holder: Holder, bytes: Uint8Array): void => void putDelta.run({ ...holder, bytes }),
    read: (): StoredMembers[] => joinMembers(bases.all(), deltas.all()),
  };
}

/** One value per holder: those with a base first, then those that have only changes so far. */
function joinMembers(
  bases: readonly HolderBytes[],
  deltas: readonly HolderBytes[],
): StoredMembers[] {
  const byHolder = new Map<string, StoredMembers & { readonly deltas: Uint8Array[] }>();
  for (const { kind, id, bytes } of bases) {
    byHolder.set(`${kind} ${id}`, { holder: { kind, id }, base: bytes, deltas: [] });
  }
  for (const { kind, id, bytes } of deltas) {
    const known = byHolder.get(`${kind} ${id}`);
    if (known === undefined) {
      byHolder.set(`${kind} ${id}`, { holder: { kind, id }, base: null, deltas: [bytes] });
    } else {
      known.deltas.push(bytes);
    }
  }
  return [...byHolder.values()];
}
