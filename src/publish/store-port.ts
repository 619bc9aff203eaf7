/**
 * What the middle of the house needs from a store. Everything here is plain data, so that it can
 * cross a thread boundary; blobs are opaque to the store.
 */

/** One editable thing of the model, without its members: `body` is its JSON. */
export interface StoredEntity {
  readonly kind: EntityKind;
  readonly id: number;
  readonly body: string;
}
export type EntityKind =
  | 'account'
  | 'target'
  | 'bundle'
  | 'list'
  | 'policy'
  | 'device'
  | 'key'
  | 'token';

/** Owners in the order of their ids, from `firstId` on, as the catalogue packs them. */
export interface StoredOwners {
  readonly firstId: number;
  readonly count: number;
  readonly bytes: Uint8Array;
}

/** Who holds members: a target or a user-defined list. */
export interface Holder {
  readonly kind: 'target' | 'list';
  readonly id: number;
}

/** The members of one holder: a base and the changes since, in order. */
export interface StoredMembers {
  readonly holder: Holder;
  readonly base: Uint8Array | null;
  readonly deltas: readonly Uint8Array[];
}

export interface StoredListEntry {
  readonly listId: number;
  readonly value: string;
  readonly comment: string;
  /** Unix milliseconds, or null for never. */
  readonly expiresAt: number | null;
}

/**
 * A zone as last committed. A deleted zone stays as a tombstone (`live` false), so that a zone
 * made anew under its name starts above every serial that was ever served.
 */
export interface StoredZone {
  /** Absolute name, lower case, in presentation form: the primary key. */
  readonly origin: string;
  readonly live: boolean;
  readonly serial: number;
  /** JSON owned by publish: what the content depends on besides members (TTL, rendering version, counts). */
  readonly state: string;
}

/** One committed step of a zone; `bytes` is publish's own encoding of the difference. */
export interface StoredRevision {
  readonly origin: string;
  readonly fromSerial: number;
  readonly toSerial: number;
  /** Unix milliseconds. */
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** One NOTIFY that is owed to one endpoint; a newer serial of the same zone replaces an older one. */
export interface OwedNotify {
  readonly deviceId: number;
  readonly origin: string;
  readonly address: string;
  readonly port: number;
  readonly serial: number;
}

/** One row of who changed what; `body` is JSON. */
export interface StoredChange {
  /** Unix milliseconds. */
  readonly at: number;
  readonly actor: string;
  readonly action: string;
  readonly body: string;
}

/** Everything of one change. It is committed whole or not at all. */
export interface Commit {
  readonly change: StoredChange;
  readonly putEntities: readonly StoredEntity[];
  readonly deleteEntities: readonly { readonly kind: EntityKind; readonly id: number }[];
  /** The next id per kind, for kinds that handed one out. */
  readonly nextIds: readonly { readonly kind: EntityKind; readonly nextId: number }[];
  readonly owners: StoredOwners | null;
  /** A `base` replaces all that is stored of the holder; a `delta` is appended. */
  readonly members: readonly (
    | { readonly holder: Holder; readonly base: Uint8Array }
    | { readonly holder: Holder; readonly delta: Uint8Array }
  )[];
  readonly deleteMembers: readonly Holder[];
  readonly putListEntries: readonly StoredListEntry[];
  readonly deleteListEntries: readonly { readonly listId: number; readonly value: string }[];
  /** Lists whose entries all go (deleted or replaced), before `putListEntries` is applied. */
  readonly clearLists: readonly number[];
  readonly zones: readonly StoredZone[];
  readonly revisions: readonly StoredRevision[];
  /** Forget all but the newest revisions of a zone. */
  readonly pruneRevisions: readonly {
    readonly origin: string;
    /** Number of newest revisions that stay. */
    readonly keep: number;
  }[];
  readonly notifies: readonly OwedNotify[];
  /** Endpoints that are owed nothing any more (device or zone gone). */
  readonly forgetNotifies: readonly { readonly deviceId: number; readonly origin: string | null }[];
}

/** Rewrites the catalogue after it dropped unused owners; one transaction. Revisions are forgotten. */
export interface Compaction {
  readonly owners: readonly StoredOwners[];
  readonly members: readonly { readonly holder: Holder; readonly base: Uint8Array }[];
}

export interface StoredState {
  readonly entities: readonly StoredEntity[];
  readonly nextIds: readonly { readonly kind: EntityKind; readonly nextId: number }[];
  readonly owners: readonly StoredOwners[];
  readonly members: readonly StoredMembers[];
  readonly listEntries: readonly StoredListEntry[];
  readonly zones: readonly StoredZone[];
  /** Oldest first within a zone. */
  readonly revisions: readonly StoredRevision[];
}

/** A row of the outbox as the drainer sees it. */
export interface OutboxRow extends OwedNotify {
  readonly attempts: number;
  /** Unix milliseconds. */
  readonly nextAttemptAt: number;
}

/** What is known of one device and one zone. Serials are null until the event happened; times in Unix ms. */
export interface DeviceZoneStatus {
  readonly deviceId: number;
  readonly origin: string;
  readonly notifiedSerial: number | null;
  readonly notifiedAt: number | null;
  readonly notifiedAddress: string | null;
  readonly polledSerial: number | null;
  readonly polledAt: number | null;
  readonly polledAddress: string | null;
  readonly transferredSerial: number | null;
  readonly transferredAt: number | null;
  readonly transferredAddress: string | null;
  readonly transferKind: 'AXFR' | 'IXFR' | null;
  readonly transferBytes: number | null;
}

export interface Store {
  load(): Promise<StoredState>;
  commit(commit: Commit): Promise<void>;
  compact(compaction: Compaction): Promise<void>;

  /** Rows due at `now` (Unix ms), those owed longest first. */
  dueNotifies(now: number, limit: number): Promise<readonly OutboxRow[]>;
  /** When the next row is due (Unix ms), or null when nothing is owed. */
  nextNotifyAt(): Promise<number | null>;
  /** Removes the row unless a newer serial has replaced the acknowledged one meanwhile. */
  notifyAcknowledged(row: OwedNotify): Promise<void>;
  /** Plans the next attempt; a row replaced meanwhile keeps its own plan. */
  notifyFailed(row: OwedNotify, attempts: number, nextAttemptAt: number): Promise<void>;
  owedNotifies(): Promise<readonly OutboxRow[]>;

  putDeviceZoneStatus(rows: readonly DeviceZoneStatus[]): Promise<void>;
  deviceZoneStatus(): Promise<readonly DeviceZoneStatus[]>;

  /** Newest first. */
  changes(limit: number): Promise<readonly StoredChange[]>;

  close(): Promise<void>;
}
