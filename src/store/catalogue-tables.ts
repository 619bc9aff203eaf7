import type Database from 'better-sqlite3';
import type {
  Commit,
  Compaction,
  Holder,
  StoredMembers,
  StoredOwners,
} from '../publish/store-port.ts';
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
    readOwners: owners.read,
    readMembers: members.read,
  };
}

function prepareOwners(database: Database.Database) {
  const insert = database.prepare<StoredOwners>(
    'INSERT INTO owner_segment (first_id, count, bytes) VALUES (@firstId, @count, @bytes)',
  );
  const end = database
    .prepare<[], number>(
      'SELECT first_id + count FROM owner_segment ORDER BY first_id DESC LIMIT 1',
    )
    .pluck();
  const all = database.prepare<[], StoredOwners>(
    'SELECT first_id AS firstId, count, bytes FROM owner_segment ORDER BY first_id',
  );

  return {
    append(segment: StoredOwners): void {
      if (segment.count === 0) return;
      const expected = (end.get() as number | undefined) ?? segment.firstId;
      // Ids are dense: a gap or an overlap here would give every later owner another's id.
      if (segment.firstId !== expected) {
        const got = `firstId is ${segment.firstId}`;
        throw new StoreError('owners-out-of-order', `${got}, it must be ${expected}`);
      }
      insert.run(segment);
    },
    read: (): StoredOwners[] => all.all(),
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
