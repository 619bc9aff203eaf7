/**
 * What the middle of the house needs from a store. Everything here is plain data, so that it can
 * cross a thread boundary; blobs are opaque to the store.
 */

import type { ImagePart } from '../indicators/memory-image.ts';

/** One editable thing of the model, without its members: `body` is its JSON. */
export interface StoredEntity {
  readonly kind: StoredKind;
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
  | 'token'
  | 'user'
  | 'session'
  | 'behaviour'
  | 'entitlement'
  | 'held'
  | 'feed';
/** Actions of RPZ zones by number are kept beside the model; they only come. */
export type StoredKind = EntityKind | 'rpz-action';

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
  /** Unix milliseconds. */
  readonly createdAt: number;
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

/**
 * One committed step of a zone. Zones that carry the same content share its difference: `diff` is
 * its place in the commit's `diffs`, and in a loaded state the id of one of its `diffs`.
 */
export interface StoredRevision {
  readonly origin: string;
  readonly fromSerial: number;
  readonly toSerial: number;
  /** Unix milliseconds. */
  readonly at: number;
  readonly diff: number;
  /** Rdata of the ZONEMD that the zone had at `fromSerial`, or null. */
  readonly fromDigest: Uint8Array | null;
}

/** A difference in publish's own encoding; kept as long as a revision of any zone refers to it. */
export interface StoredDiff {
  readonly id: number;
  readonly bytes: Uint8Array;
}

/**
 * What one change did to the members of a holder, and what it saw of them: first and last seen, size
 * then, and who was a member at a time follow from these rows. Ids are publish's own encoding.
 */
export interface StoredHistory {
  readonly holder: Holder;
  /** Unix milliseconds. */
  readonly at: number;
  /** Whether the source told everything it holds: then every member was seen at this time. */
  readonly whole: boolean;
  readonly added: number;
  readonly removed: number;
  /** Members after it. */
  readonly size: number;
  /** Ids added and removed, in the form of a member delta. */
  readonly delta: Uint8Array;
  /** Ids named again although they were members already, as a member base; null when `whole` or none. */
  readonly seen: Uint8Array | null;
  /** When `whole`: members that the source did not tell any more and that stay for a while; null for none. */
  readonly absent: Uint8Array | null;
}

/** What single members say of themselves (comment, expiry, confidence), one blob for all of a holder. */
export interface StoredNotes {
  readonly holder: Holder;
  readonly bytes: Uint8Array;
}

/** How the runs of a feed stand; `body` is JSON of its owner, `held` a content that waits to be released. */
export interface StoredFeedState {
  readonly feedId: number;
  readonly body: string;
  readonly held: Uint8Array | null;
}

/** The content that a policy was rolled back to, one blob for all its zones. */
export interface StoredPin {
  readonly policyId: number;
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

/** A NOTIFY that an edit owes. */
export interface NewNotify extends OwedNotify {
  /** From 0, the default, to 5: those that are more urgent go out first. */
  readonly urgency?: number;
}

/** One row of who changed what; `body` is JSON. */
export interface StoredChange {
  /** Unix milliseconds. */
  readonly at: number;
  readonly actor: string;
  readonly action: string;
  /** On whose behalf; null for the server itself. */
  readonly accountId: number | null;
  /** What was touched, for searching. */
  readonly subjects: readonly { readonly kind: string; readonly id: number }[];
  /** Whose things and zones it touched, each once. */
  readonly accountIds: readonly number[];
  readonly body: string;
}

/** A row of the audit trail as it is read: numbered in the order of the commits. */
export interface LoggedChange extends Omit<StoredChange, 'subjects' | 'accountIds'> {
  readonly sequence: number;
}

/** Which rows of the audit trail are wanted; every given condition must hold. Newest first. */
export interface ChangeQuery {
  readonly limit: number;
  /** The row with which the bodies reach this length together is the last one; no limit when absent. */
  readonly bodyCharacters?: number;
  /** Only rows with a lower sequence: the next page. */
  readonly before?: number;
  /**
   * Rows of this account and of the server itself, and of what others did to the account; all rows
   * when absent. Who the others are and what their actions were done to is none of its business: their
   * rows have no actor for the search, and of the action the first word.
   */
  readonly accountId?: number;
  readonly actor?: string;
  /** The beginning of the action: `policy.` finds `policy.update 3`. */
  readonly action?: string;
  readonly subject?: { readonly kind: string; readonly id: number };
  /** Unix milliseconds, both inclusive. */
  readonly from?: number;
  readonly to?: number;
}

/** Rows of history that are kept of one target or list. */
export const HISTORY_ROWS_MAX = 10_000;

/** Everything of one change. It is committed whole or not at all. */
export interface Commit {
  readonly change: StoredChange;
  readonly putEntities: readonly StoredEntity[];
  readonly deleteEntities: readonly { readonly kind: StoredKind; readonly id: number }[];
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
  /** Appended; of one holder no more than HISTORY_ROWS_MAX rows stay, the oldest go. */
  readonly history: readonly StoredHistory[];
  readonly putNotes: readonly StoredNotes[];
  readonly putPins: readonly StoredPin[];
  /** Policies whose pinned content goes. */
  readonly deletePins: readonly number[];
  readonly zones: readonly StoredZone[];
  /** Differences that the revisions of this commit refer to by their place in this list. */
  readonly diffs: readonly Uint8Array[];
  readonly revisions: readonly StoredRevision[];
  /** Forget all but the newest revisions of a zone. */
  readonly pruneRevisions: readonly {
    readonly origin: string;
    /** Number of newest revisions that stay. */
    readonly keep: number;
  }[];
  readonly notifies: readonly NewNotify[];
  /** Endpoints that are owed nothing any more (device or zone gone). */
  readonly forgetNotifies: readonly { readonly deviceId: number; readonly origin: string | null }[];
}

/** Rewrites the catalogue after it dropped unused owners; one transaction. Revisions and differences are forgotten. */
export interface Compaction {
  readonly owners: readonly StoredOwners[];
  readonly members: readonly { readonly holder: Holder; readonly base: Uint8Array }[];
  /** All of it, in the order of its rows, with the new ids. */
  readonly history: readonly StoredHistory[];
  /** All of them, with the new ids. */
  readonly pins: readonly StoredPin[];
}

/**
 * What publish made of the first owners of the database, kept beside it as it lies in memory. It is
 * nothing but a cache: the store gives it back only when the database still begins with these owners,
 * octet for octet, and the file is whole.
 */
export interface StateImage {
  /** Of the way in which publish writes it. */
  readonly version: number;
  /** How many owners went into it. */
  readonly owners: number;
  /** What publish has to say besides its parts. */
  readonly head: string;
  readonly parts: readonly ImagePart[];
}

/** An image as it is read: each part in a buffer of its own, with its room behind it. */
export interface StoredImage extends Omit<StateImage, 'parts'> {
  readonly parts: readonly { readonly buffer: ArrayBuffer; readonly octets: number }[];
}

export interface StoredState {
  readonly entities: readonly StoredEntity[];
  readonly nextIds: readonly { readonly kind: EntityKind; readonly nextId: number }[];
  /** What the first owners were made into, where one was asked for and there is one that fits. */
  readonly image?: StoredImage;
  /** Those that are not in the image; all of them without one. */
  readonly owners: readonly StoredOwners[];
  readonly members: readonly StoredMembers[];
  readonly listEntries: readonly StoredListEntry[];
  readonly pins: readonly StoredPin[];
  readonly zones: readonly StoredZone[];
  /** Those that `revisions` refer to. */
  readonly diffs: readonly StoredDiff[];
  /** Oldest first within a zone. */
  readonly revisions: readonly StoredRevision[];
}

/** A row of the outbox as the drainer sees it. */
export interface OutboxRow extends OwedNotify {
  readonly attempts: number;
  /** Unix milliseconds. */
  readonly nextAttemptAt: number;
}

/** What became of rows of the outbox that were sent. */
export interface NotifyOutcome {
  /** Owed no more; a row stays when a newer serial has replaced the acknowledged one meanwhile. */
  readonly acknowledged: readonly OwedNotify[];
  /** With the plan of their next attempts; a row that was replaced meanwhile keeps its own plan. */
  readonly failed: readonly OutboxRow[];
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
  /** What came of the last NOTIFY instead of an acknowledgement; null since one was acknowledged. */
  readonly notifyProblem: string | null;
  readonly notifyProblemAt: number | null;
  /** The endpoint that it went to: `192.0.2.53 port 53`. */
  readonly notifyProblemAddress: string | null;
  /** The last transfer that ended before all of it was sent; null since one was completed. */
  readonly cutSerial: number | null;
  readonly cutAt: number | null;
  readonly cutAddress: string | null;
  /**
   * What it proved last to hold: what a completed transfer gave it, or the serial in its own IXFR
   * question, which counts also when it is the older one.
   */
  readonly heldSerial: number | null;
  readonly heldAt: number | null;
}

/** When and from where a TSIG key was used. Times in Unix milliseconds. */
export interface KeyUse {
  readonly keyId: number;
  readonly firstUsedAt: number;
  readonly lastUsedAt: number;
  /** An address; of an acknowledged NOTIFY the endpoint that it went to, which may be a host name. */
  readonly lastUsedFrom: string;
  /** How often, roughly: what was not written before a crash is not counted. */
  readonly uses: number;
}

export interface Store {
  /** With an image of this version if there is one that fits. */
  load(imageVersion?: number): Promise<StoredState>;
  /**
   * Replaces the image. Its parts are read while this runs, and must not change meanwhile. Rejects when
   * it could not be written; then there is the one from before, or none.
   */
  saveImage(image: StateImage): Promise<void>;
  commit(commit: Commit): Promise<void>;
  /** Owners alone, ahead of the commit whose members name them: an unused owner does no harm. */
  putOwners(owners: StoredOwners): Promise<void>;
  compact(compaction: Compaction): Promise<void>;

  /**
   * Rows due at `now` (Unix ms): one of each address and port in turn, of each and among those the most
   * urgent first, then those owed longest. A step of urgency counts as much as ten seconds of waiting,
   * so that nothing waits for ever.
   */
  dueNotifies(now: number, limit: number): Promise<readonly OutboxRow[]>;
  /** When the next row is due (Unix ms), or null when nothing is owed. */
  nextNotifyAt(): Promise<number | null>;
  /** One transaction for what became of any number of rows. */
  settleNotifies(outcome: NotifyOutcome): Promise<void>;
  owedNotifies(): Promise<readonly OutboxRow[]>;

  putDeviceZoneStatus(rows: readonly DeviceZoneStatus[]): Promise<void>;
  dropDeviceZoneStatus(
    rows: readonly Pick<DeviceZoneStatus, 'deviceId' | 'origin'>[],
  ): Promise<void>;
  deviceZoneStatus(): Promise<readonly DeviceZoneStatus[]>;

  /** Rows of keys that are gone are passed over; a row goes with its key. */
  putKeyUses(rows: readonly KeyUse[]): Promise<void>;
  keyUses(): Promise<readonly KeyUse[]>;

  /** What was last put for the holder, or null. */
  memberNotes(holder: Holder): Promise<Uint8Array | null>;

  /** Rows of feeds that are gone are passed over. */
  putFeedState(row: StoredFeedState): Promise<void>;
  feedStates(): Promise<readonly StoredFeedState[]>;

  changes(query: ChangeQuery): Promise<readonly LoggedChange[]>;

  /** Oldest first. */
  allHistory(): Promise<readonly StoredHistory[]>;
  /** Of one holder, oldest first. */
  memberHistory(holder: Holder): Promise<readonly StoredHistory[]>;
  /** As memberHistory, but without the ids. The newest `limit` rows, oldest first. */
  memberSizes(
    holder: Holder,
    limit: number,
  ): Promise<readonly Pick<StoredHistory, 'at' | 'whole' | 'added' | 'removed' | 'size'>[]>;

  close(): Promise<void>;
}
