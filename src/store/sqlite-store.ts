import type { Store, StoredState } from '../publish/store-port.ts';
import { prepareCatalogueTables } from './catalogue-tables.ts';
import { prepareChangeLogTable } from './change-log-table.ts';
import { prepareDeviceZoneStatusTable } from './device-zone-status-table.ts';
import { prepareEntityTable } from './entity-table.ts';
import { prepareFeedStateTable } from './feed-state-table.ts';
import { prepareKeyUseTable } from './key-use-table.ts';
import { prepareListEntryTable } from './list-entry-table.ts';
import { prepareMemberHistoryTable } from './member-history-table.ts';
import { prepareMemberNotesTable } from './member-notes-table.ts';
import { openDatabase } from './open-database.ts';
import { openVault } from './open-vault.ts';
import { prepareOutboxTable } from './outbox-table.ts';
import { preparePinTable } from './pin-table.ts';
import { toStoreError } from './store-error.ts';
import type { StoreOptions } from './store-options.ts';
import { prepareZoneTables } from './zone-tables.ts';

/** The store's interface without promises: what runs in the thread of the database. */
export type SqliteStore = {
  readonly [Method in Exclude<keyof Store, 'load' | 'saveImage'>]: (
    ...args: Parameters<Store[Method]>
  ) => Awaited<ReturnType<Store[Method]>>;
} & {
  /** Everything but the owners below this id. */
  load(ownersFrom?: number): StoredState;
  /** The hash over the first so many owners, which an image of them is known by; null when no segment ends there. */
  ownersChain(owners: number): string | null;
};

const CHANGES_KEPT = 100_000;

/** Opens the database with its vault; every statement is prepared once, here. */
export function openSqliteStore(options: StoreOptions): SqliteStore {
  const database = openDatabase(options);
  try {
    return assembleStore(database, options);
  } catch (thrown) {
    database.close();
    throw toStoreError(thrown, options.path);
  }
}

function assembleStore(
  database: ReturnType<typeof openDatabase>,
  options: StoreOptions,
): SqliteStore {
  const entities = prepareEntityTable(database, openVault(database, options.keyFile));
  const catalogue = prepareCatalogueTables(database);
  const history = prepareMemberHistoryTable(database);
  const listEntries = prepareListEntryTable(database);
  const notes = prepareMemberNotesTable(database);
  const feedStates = prepareFeedStateTable(database);
  const pins = preparePinTable(database);
  const zones = prepareZoneTables(database);
  const outbox = prepareOutboxTable(database);
  const statuses = prepareDeviceZoneStatusTable(database);
  const keyUses = prepareKeyUseTable(database);
  const changes = prepareChangeLogTable(database, options.changesKept ?? CHANGES_KEPT);
  const whole = inTransaction(database);

  return {
    load: (ownersFrom = 0) => ({
      entities: entities.readEntities(),
      nextIds: entities.readNextIds(),
      owners: catalogue.readOwners(ownersFrom),
      members: catalogue.readMembers(),
      listEntries: listEntries.read(),
      pins: pins.read(),
      zones: zones.readZones(),
      diffs: zones.readDiffs(),
      revisions: zones.readRevisions(),
    }),
    ownersChain: catalogue.ownersChain,

    // In each table what goes, goes before what comes, so that one commit can replace.
    commit: whole((commit) => {
      entities.write(commit);
      statuses.forgetDeleted(commit);
      catalogue.write(commit);
      history.write(commit);
      notes.write(commit);
      listEntries.write(commit);
      pins.write(commit);
      zones.write(commit);
      outbox.write(commit);
      changes.add(commit.change);
    }),

    putOwners: whole(catalogue.appendOwners),

    // Differences name owners by the ids that the compaction gave away.
    compact: whole((compaction) => {
      catalogue.rewrite(compaction);
      history.rewrite(compaction);
      pins.write({ putPins: compaction.pins, deletePins: [] });
      zones.forgetRevisions();
    }),

    dueNotifies: outbox.due,
    nextNotifyAt: outbox.nextAt,
    settleNotifies: whole(outbox.settle),
    owedNotifies: outbox.read,
    putDeviceZoneStatus: whole(statuses.put),
    dropDeviceZoneStatus: whole(statuses.drop),
    deviceZoneStatus: statuses.read,
    putKeyUses: whole(keyUses.put),
    keyUses: keyUses.read,
    changes: changes.search,
    allHistory: history.read,
    memberHistory: history.ofHolder,
    memberSizes: history.sizes,
    memberNotes: notes.ofHolder,
    putFeedState: whole(feedStates.put),
    feedStates: feedStates.read,
    close: () => void database.close(),
  };
}

/** All of `write` or nothing: when it throws, or the disk does, the transaction is rolled back. */
function inTransaction(database: ReturnType<typeof openDatabase>) {
  return <Input>(write: (input: Input) => void): ((input: Input) => void) =>
    database.transaction((input: Input) => write(input)).immediate;
}
