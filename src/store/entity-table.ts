import type Database from 'better-sqlite3';
import type { Commit, StoredEntity, StoredKind } from '../publish/store-port.ts';
import { StoreError } from './store-error.ts';
import type { Vault } from './vault.ts';

/** Kinds whose bodies hold secrets, and are sealed as a whole. */
const SEALED_KINDS: ReadonlySet<StoredKind> = new Set<StoredKind>(['key', 'user', 'feed']);

interface EntityRow {
  readonly kind: StoredKind;
  readonly id: number;
  readonly body: string | null;
  readonly sealed: Uint8Array | null;
}

type NextId = Commit['nextIds'][number];

export function prepareEntityTable(database: Database.Database, vault: Vault) {
  const put = database.prepare<EntityRow>(`
    INSERT INTO entity (kind, id, body, sealed) VALUES (@kind, @id, @body, @sealed)
    ON CONFLICT DO UPDATE SET body = excluded.body, sealed = excluded.sealed`);
  const remove = database.prepare<Commit['deleteEntities'][number]>(
    'DELETE FROM entity WHERE kind = @kind AND id = @id',
  );
  // An id is never handed out twice, so the next one never goes back.
  const putNextId = database.prepare<NextId>(`
    INSERT INTO next_id (kind, next_id) VALUES (@kind, @nextId)
    ON CONFLICT DO UPDATE SET next_id = max(next_id, excluded.next_id)`);
  const all = database.prepare<[], EntityRow>(
    'SELECT kind, id, body, sealed FROM entity ORDER BY kind, id',
  );
  const allNextIds = database.prepare<[], NextId>(
    'SELECT kind, next_id AS nextId FROM next_id ORDER BY kind',
  );

  return {
    write({ putEntities, deleteEntities, nextIds }: Commit): void {
      for (const entity of deleteEntities) remove.run(entity);
      for (const entity of putEntities) put.run(toRow(entity, vault));
      for (const next of nextIds) putNextId.run(next);
    },
    readEntities: (): StoredEntity[] => all.all().map((row) => fromRow(row, vault)),
    readNextIds: (): NextId[] => allNextIds.all(),
  };
}

function toRow({ kind, id, body }: StoredEntity, vault: Vault): EntityRow {
  if (!SEALED_KINDS.has(kind)) return { kind, id, body, sealed: null };
  return { kind, id, body: null, sealed: vault.seal(kind, id, body) };
}

function fromRow({ kind, id, body, sealed }: EntityRow, vault: Vault): StoredEntity {
  const clear = sealed === null ? body : vault.unseal(kind, id, sealed);
  // The right key file was proven at the start (open-vault.ts), so it is the row that was altered.
  if (clear === null) throw new StoreError('sealed-row-damaged', `${kind} ${id} was altered`);
  return { kind, id, body: clear };
}
