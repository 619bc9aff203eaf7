import type {
  Commit,
  DeviceZoneStatus,
  Holder,
  OutboxRow,
  OwedNotify,
  Store,
  StoredEntity,
  StoredListEntry,
  StoredMembers,
  StoredOwners,
  StoredRevision,
  StoredZone,
} from '../../src/publish/store-port.ts';

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
  const nextIds = new Map<StoredEntity['kind'], number>();
  const members = new Map<string, StoredMembers>();
  const entries = new Map<string, StoredListEntry>();
  const zones = new Map<string, StoredZone>();
  const outbox = new Map<string, OutboxRow>();
  const statuses = new Map<string, DeviceZoneStatus>();
  let owners: StoredOwners[] = [];
  let revisions: StoredRevision[] = [];
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
  const prune = (origin: string, keep: number): void => {
    const own = revisions.filter((revision) => revision.origin === origin);
    const gone = new Set(own.slice(0, Math.max(0, own.length - keep)));
    revisions = revisions.filter((revision) => !gone.has(revision));
  };
  const apply = (commit: Commit): void => {
    for (const { kind, id } of commit.deleteEntities) entities.delete(`${kind} ${id}`);
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
    revisions.push(...commit.revisions);
    for (const { origin, keep } of commit.pruneRevisions) prune(origin, keep);
    for (const { deviceId, origin } of commit.forgetNotifies) {
      for (const [key, row] of outbox) {
        if (row.deviceId === deviceId && (origin ?? row.origin) === row.origin) outbox.delete(key);
      }
    }
    for (const owed of commit.notifies) {
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
        zones: [...zones.values()],
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
    async compact(compaction) {
      owners = structuredClone([...compaction.owners]);
      revisions = [];
      structuredClone([...compaction.members]).forEach(writeMembers);
    },
    dueNotifies: async (now, limit) =>
      [...outbox.values()].filter(({ nextAttemptAt }) => nextAttemptAt <= now).slice(0, limit),
    nextNotifyAt: async () =>
      outbox.size === 0 ? null : Math.min(...[...outbox.values()].map((row) => row.nextAttemptAt)),
    async notifyAcknowledged(row) {
      if (outbox.get(outboxKey(row))?.serial === row.serial) outbox.delete(outboxKey(row));
    },
    async notifyFailed(row, attempts, nextAttemptAt) {
      const held = outbox.get(outboxKey(row));
      if (held?.serial === row.serial)
        outbox.set(outboxKey(row), { ...held, attempts, nextAttemptAt });
    },
    owedNotifies: async () => [...outbox.values()],
    async putDeviceZoneStatus(rows) {
      for (const row of rows) statuses.set(`${row.deviceId} ${row.origin}`, row);
    },
    deviceZoneStatus: async () => [...statuses.values()],
    changes: async (limit) =>
      commits
        .map(({ change }) => change)
        .reverse()
        .slice(0, limit),
    close: async () => {},
  };
}

function holderKey({ kind, id }: Holder): string {
  return `${kind} ${id}`;
}

function outboxKey({ deviceId, origin, address, port }: OwedNotify): string {
  return [deviceId, origin, address, port].join(' ');
}
