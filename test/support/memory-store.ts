import {
  type ChangeQuery,
  type Commit,
  type DeviceZoneStatus,
  HISTORY_ROWS_MAX,
  type Holder,
  type KeyUse,
  type LoggedChange,
  type OutboxRow,
  type OwedNotify,
  type Store,
  type StoredChange,
  type StoredDiff,
  type StoredEntity,
  type StoredFeedState,
  type StoredHistory,
  type StoredListEntry,
  type StoredMembers,
  type StoredOwners,
  type StoredPin,
  type StoredRevision,
  type StoredZone,
} from '../../src/publish/store-port.ts';
import { inTurn } from './in-turn.ts';

/** The store's interface over maps, for tests that publish thousands of times. */
export interface MemoryStore extends Store {
  /** Everything that was committed, in order. */
  readonly commits: readonly Commit[];
  /** Lets the next commit reject, as a full disk does, with nothing of it kept. */
  failNextCommit(error: Error): void;
}

/** Keeps to the words of store-port.ts; blobs are copied in and out, as they are through a file. */
export function memoryStore(): MemoryStore {
  const commits: Commit[] = [];
  const entities = new Map<string, StoredEntity>();
  const nextIds = new Map<Commit['nextIds'][number]['kind'], number>();
  const members = new Map<string, StoredMembers>();
  const entries = new Map<string, StoredListEntry>();
  const zones = new Map<string, StoredZone>();
  const outbox = new Map<string, OutboxRow>();
  const statuses = new Map<string, DeviceZoneStatus>();
  const keyUses = new Map<number, KeyUse>();
  let owners: StoredOwners[] = [];
  const pins = new Map<number, StoredPin>();
  const notes = new Map<string, Uint8Array>();
  const feedStates = new Map<number, StoredFeedState>();
  let history: StoredHistory[] = [];
  let revisions: StoredRevision[] = [];
  let diffs: StoredDiff[] = [];
  let diffsMade = 0;
  let failure: Error | null = null;

  const writeMembers = (given: Commit['members'][number]): void => {
    const key = holderKey(given.holder);
    const held = members.get(key) ?? { holder: given.holder, base: null, deltas: [] };
    members.set(
      key,
      'base' in given
        ? { ...held, base: given.base, deltas: [] }
        : { ...held, deltas: [...held.deltas, given.delta] },
    );
  };
  const writeHistory = (rows: readonly StoredHistory[]): void => {
    history.push(...rows);
    for (const { holder } of rows) {
      const own = history.filter((row) => isSameHolder(row.holder, holder));
      const gone = new Set(own.slice(0, Math.max(0, own.length - HISTORY_ROWS_MAX)));
      if (gone.size > 0) history = history.filter((row) => !gone.has(row));
    }
  };
  const writeRevisions = ({ diffs: added, revisions: steps }: Commit): void => {
    const first = diffsMade + 1;
    diffsMade += added.length;
    diffs.push(...added.map((bytes, place) => ({ id: first + place, bytes })));
    revisions.push(...steps.map((step) => ({ ...step, diff: first + step.diff })));
  };
  const dropUnusedDiffs = (): void => {
    const used = new Set(revisions.map(({ diff }) => diff));
    diffs = diffs.filter(({ id }) => used.has(id));
  };
  /** What belongs to an entity goes with it. */
  const drop = ({ kind, id }: Commit['deleteEntities'][number]): void => {
    entities.delete(`${kind} ${id}`);
    members.delete(`${kind} ${id}`);
    history = history.filter(({ holder }) => holder.kind !== kind || holder.id !== id);
    if (kind === 'policy') pins.delete(id);
    if (kind === 'feed') feedStates.delete(id);
    if (kind === 'key') keyUses.delete(id);
    notes.delete(`${kind} ${id}`);
  };
  const prune = (origin: string, keep: number): void => {
    const own = revisions.filter((revision) => revision.origin === origin);
    const gone = new Set(own.slice(0, Math.max(0, own.length - keep)));
    revisions = revisions.filter((revision) => !gone.has(revision));
  };
  const apply = (commit: Commit): void => {
    commit.deleteEntities.forEach(drop);
    for (const entity of commit.putEntities) entities.set(`${entity.kind} ${entity.id}`, entity);
    for (const { kind, nextId } of commit.nextIds) nextIds.set(kind, nextId);
    if (commit.owners !== null) owners.push(commit.owners);
    for (const holder of commit.deleteMembers) members.delete(holderKey(holder));
    commit.members.forEach(writeMembers);
    for (const [key, { listId }] of entries)
      if (commit.clearLists.includes(listId)) entries.delete(key);
    for (const { listId, value } of commit.deleteListEntries) entries.delete(`${listId} ${value}`);
    for (const entry of commit.putListEntries) entries.set(`${entry.listId} ${entry.value}`, entry);
    for (const zone of commit.zones) zones.set(zone.origin, zone);
    writeHistory(commit.history);
    for (const { holder, bytes } of commit.putNotes) notes.set(holderKey(holder), bytes);
    for (const policyId of commit.deletePins) pins.delete(policyId);
    for (const pin of commit.putPins) pins.set(pin.policyId, pin);
    writeRevisions(commit);
    for (const { origin, keep } of commit.pruneRevisions) prune(origin, keep);
    dropUnusedDiffs();
    for (const { deviceId, origin } of commit.forgetNotifies) {
      for (const [key, row] of outbox) {
        if (row.deviceId === deviceId && (origin ?? row.origin) === row.origin) outbox.delete(key);
      }
    }
    for (const { urgency: _, ...owed } of commit.notifies) {
      outbox.set(outboxKey(owed), { ...owed, attempts: 0, nextAttemptAt: commit.change.at });
    }
  };

  return {
    commits,
    failNextCommit: (error) => {
      failure = error;
    },
    load: async () =>
      structuredClone({
        entities: [...entities.values()],
        nextIds: [...nextIds].map(([kind, nextId]) => ({ kind, nextId })),
        owners,
        members: [...members.values()],
        listEntries: [...entries.values()],
        pins: [...pins.values()],
        zones: [...zones.values()],
        diffs,
        revisions,
      }),
    async commit(commit) {
      const error = failure;
      failure = null;
      if (error !== null) throw error;
      const copy = structuredClone(commit);
      commits.push(copy);
      apply(copy);
    },
    // What is in memory need not be made quick to load.
    saveImage: async () => undefined,
    async putOwners(segment) {
      owners.push(structuredClone(segment));
    },
    async compact(compaction) {
      owners = structuredClone([...compaction.owners]);
      revisions = [];
      diffs = [];
      history = [];
      writeHistory(structuredClone([...compaction.history]));
      structuredClone([...compaction.members]).forEach(writeMembers);
      for (const pin of structuredClone([...compaction.pins])) pins.set(pin.policyId, pin);
    },
    dueNotifies: async (now, limit) =>
      inTurn([...outbox.values()].filter(({ nextAttemptAt }) => nextAttemptAt <= now)).slice(
        0,
        limit,
      ),
    nextNotifyAt: async () =>
      outbox.size === 0 ? null : Math.min(...[...outbox.values()].map((row) => row.nextAttemptAt)),
    async settleNotifies({ acknowledged, failed }) {
      for (const row of acknowledged)
        if (outbox.get(outboxKey(row))?.serial === row.serial) outbox.delete(outboxKey(row));
      for (const row of failed)
        if (outbox.get(outboxKey(row))?.serial === row.serial) outbox.set(outboxKey(row), row);
    },
    owedNotifies: async () => [...outbox.values()],
    async putDeviceZoneStatus(rows) {
      for (const row of rows) statuses.set(`${row.deviceId} ${row.origin}`, row);
    },
    async dropDeviceZoneStatus(rows) {
      for (const row of rows) statuses.delete(`${row.deviceId} ${row.origin}`);
    },
    deviceZoneStatus: async () => [...statuses.values()],
    async putKeyUses(rows) {
      for (const row of rows) if (entities.has(`key ${row.keyId}`)) keyUses.set(row.keyId, row);
    },
    keyUses: async () => [...keyUses.values()],
    changes: async (query) =>
      commits
        .flatMap(({ change: { subjects, accountIds, ...change } }, place) => {
          const logged = { ...change, sequence: place + 1 };
          return isAskedFor(logged, { subjects, accountIds }, query) ? [logged] : [];
        })
        .reverse()
        .slice(0, query.limit)
        .filter(isBeforeFull(query.bodyCharacters)),
    allHistory: async () => structuredClone(history),
    memberHistory: async (holder) =>
      structuredClone(history.filter((row) => isSameHolder(row.holder, holder))),
    memberSizes: async (holder, limit) =>
      history
        .filter((row) => isSameHolder(row.holder, holder))
        .slice(limit > 0 ? -limit : history.length)
        .map(({ at, whole, added, removed, size }) => ({ at, whole, added, removed, size })),
    memberNotes: async (holder) => structuredClone(notes.get(holderKey(holder)) ?? null),
    async putFeedState(row) {
      if (entities.has(`feed ${row.feedId}`)) feedStates.set(row.feedId, structuredClone(row));
    },
    feedStates: async () => structuredClone([...feedStates.values()]),
    close: async () => {},
  };
}

function holderKey({ kind, id }: Holder): string {
  return `${kind} ${id}`;
}

function isSameHolder(one: Holder, other: Holder): boolean {
  return one.kind === other.kind && one.id === other.id;
}

function isAskedFor(
  change: LoggedChange,
  { subjects, accountIds }: Pick<StoredChange, 'subjects' | 'accountIds'>,
  { before = Infinity, from = -Infinity, to = Infinity, ...query }: ChangeQuery,
): boolean {
  const { accountId, actor, action, subject } = query;
  const isOwn =
    accountId === undefined || change.accountId === null || change.accountId === accountId;
  return (
    change.sequence < before &&
    change.at >= from &&
    change.at <= to &&
    (isOwn || accountIds.includes(accountId)) &&
    (actor === undefined || (isOwn && change.actor === actor)) &&
    (action === undefined ||
      (change.action.startsWith(action) && (isOwn || !action.includes(' ')))) &&
    (subject === undefined ||
      subjects.some(({ kind, id }) => kind === subject.kind && id === subject.id))
  );
}

function isBeforeFull(bodyCharacters = Infinity): (change: LoggedChange) => boolean {
  let before = 0;
  return ({ body }) => {
    const isWanted = before < bodyCharacters;
    before += body.length;
    return isWanted;
  };
}

function outboxKey({ deviceId, origin, address, port }: OwedNotify): string {
  return [deviceId, origin, address, port].join(' ');
}
