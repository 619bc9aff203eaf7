import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type {
  Commit,
  DeviceZoneStatus,
  StoredChange,
  StoredEntity,
} from '../../src/publish/store-port.ts';
import { openSqliteStore, type SqliteStore } from '../../src/store/sqlite-store.ts';
import type { StoreOptions } from '../../src/store/store-options.ts';

/** A commit that changes nothing but what is given, and its row in the audit trail. */
export function commitOf(parts: Partial<Commit>): Commit {
  return {
    change: changeOf({}),
    putEntities: [],
    deleteEntities: [],
    nextIds: [],
    owners: null,
    members: [],
    deleteMembers: [],
    putListEntries: [],
    deleteListEntries: [],
    clearLists: [],
    history: [],
    putNotes: [],
    putPins: [],
    deletePins: [],
    zones: [],
    diffs: [],
    revisions: [],
    pruneRevisions: [],
    notifies: [],
    forgetNotifies: [],
    ...parts,
  };
}

/** A row of the audit trail. */
export function changeOf(parts: Partial<StoredChange>): StoredChange {
  return {
    at: 1_000,
    actor: 'test',
    action: 'test',
    accountId: null,
    subjects: [],
    accountIds: [],
    body: '{}',
    ...parts,
  };
}

export function entity(kind: StoredEntity['kind'], id: number, body = '{}'): StoredEntity {
  return { kind, id, body };
}

/** A status of which nothing has happened yet but what is given. */
export function statusOf(
  parts: Pick<DeviceZoneStatus, 'deviceId' | 'origin'> & Partial<DeviceZoneStatus>,
): DeviceZoneStatus {
  return {
    notifiedSerial: null,
    notifiedAt: null,
    notifiedAddress: null,
    polledSerial: null,
    polledAt: null,
    polledAddress: null,
    transferredSerial: null,
    transferredAt: null,
    transferredAddress: null,
    transferKind: null,
    transferBytes: null,
    notifyProblem: null,
    notifyProblemAt: null,
    notifyProblemAddress: null,
    cutSerial: null,
    cutAt: null,
    cutAddress: null,
    heldSerial: null,
    heldAt: null,
    ...parts,
  };
}

/** A folder that is gone after the test, and options for a store in it. */
export function temporaryStore(): StoreOptions & { readonly folder: string } {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-store-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return {
    folder,
    path: join(folder, 'sluice.db'),
    keyFile: join(folder, 'sluice.key'),
    lockWaitMs: 0,
  };
}

/** An open store in a temporary folder. `reopen` closes it and opens it anew from disk. */
export function openTemporaryStore(more: Partial<StoreOptions> = {}) {
  const options = { ...temporaryStore(), ...more };
  let store = openSqliteStore(options);
  onTestFinished(() => store.close());
  return {
    options,
    get store(): SqliteStore {
      return store;
    },
    reopen(): SqliteStore {
      store.close();
      store = openSqliteStore(options);
      return store;
    },
  };
}

/** The code that a call fails with; null when it does not fail. */
export async function codeOf(call: () => unknown): Promise<string | null> {
  try {
    await call();
    return null;
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  }
}
