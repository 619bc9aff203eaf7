import { withoutSecrets } from '../policy/feed-source.ts';
import { memberCount } from '../policy/member-sets.ts';
import type { AccountId, ListEntry, ListId, Model, Target, UserList } from '../policy/model.ts';
import {
  type AuditedEntity,
  type AuditedEntries,
  type AuditedEntry,
  type AuditedMembers,
  type AuditedZone,
  type AuditRecord,
  ENTITIES_MAX,
  ENTRIES_SHOWN_MAX,
  HOLDERS_MAX,
  SUBJECTS_MAX,
  shortened,
  TEXT_CHARACTERS_MAX,
  ZONES_MAX,
} from './audit-record.ts';
import { COLLECTION } from './entity-codec.ts';
import type { EntityTypes, ZoneChange } from './publisher.ts';
import type { EntityKind, Holder, StoredChange } from './store-port.ts';

interface Touched {
  readonly kind: EntityKind;
  readonly id: number;
}

export interface AuditOptions {
  readonly before: Model;
  readonly after: Model;
  /** Everything that was written to, whether it is there now or gone. */
  readonly touched: readonly Touched[];
  /** What came and went; a holder may be there several times. */
  readonly members: readonly {
    readonly holder: Holder;
    readonly added: number;
    readonly removed: number;
  }[];
  /** Values of list entries that were put and deleted. */
  readonly entries: readonly {
    readonly listId: number;
    readonly added: readonly string[];
    readonly removed: readonly string[];
  }[];
  readonly zones: readonly ZoneChange[];
}

/**
 * What the audit trail keeps of a change: of everything that was touched the fields that differ, how
 * many members came and went, the first list entries, and which zones got which serial; what a
 * search finds the row by; and whom it concerns. Secrets are never in it, only that they changed.
 */
export function auditBody(options: AuditOptions): {
  readonly body: string;
  readonly subjects: StoredChange['subjects'];
  readonly accountIds: StoredChange['accountIds'];
} {
  const { before, after } = options;
  const all = {
    entities: options.touched.flatMap((entity) => auditedEntity(before, after, entity) ?? []),
    members: sumByHolder(options.members).map((sum) => auditedMembers(before, after, sum)),
    entries: options.entries.flatMap((edit) => auditedEntries(before, after, edit) ?? []),
    zones: options.zones.map((zone) => auditedZone(zone)),
  };
  const kept = {
    entities: withinBounds(all.entities, ENTITIES_MAX),
    members: withinBounds(all.members, HOLDERS_MAX),
    entries: withinBounds(all.entries, HOLDERS_MAX),
    zones: withinBounds(all.zones, ZONES_MAX),
  };
  const omitted = {
    entities: all.entities.length - kept.entities.length,
    members: all.members.length - kept.members.length,
    entries: all.entries.length - kept.entries.length,
    zones: all.zones.length - kept.zones.length,
  };
  const record: AuditRecord = { ...kept, omitted };
  return {
    body: JSON.stringify(record),
    subjects: subjectsOf(options),
    accountIds: accountsOf(options, all),
  };
}

/** Fields that are kept sealed or hashed; what the trail tells of them is whether they changed. */
const SECRET_FIELDS: Partial<Record<EntityKind, string>> = {
  key: 'secret',
  token: 'sha256',
  user: 'passwordHash',
  session: 'sha256',
};
const HIDDEN = '***';
/** The id stands beside the fields, the row has its own time, and the others are told by counts. */
const FIELDS_LEFT_OUT: ReadonlySet<string> = new Set(['id', 'updatedAt', 'members', 'entries']);

type Fields = Record<string, unknown>;

function auditedEntity(before: Model, after: Model, { kind, id }: Touched): AuditedEntity | null {
  const old = find(before, kind, id);
  const now = find(after, kind, id);
  const known = now ?? old;
  if (known === undefined) return null; // Made and deleted by the same change.
  const model = now === undefined ? before : after;
  return {
    kind,
    id,
    name: nameOf(model, kind, known),
    accountId: accountOf(model, kind, known),
    ...differences(kind, old, now),
  };
}

function find(model: Model, kind: EntityKind, id: number): EntityTypes[EntityKind] | undefined {
  return (model[COLLECTION[kind]] as ReadonlyMap<number, EntityTypes[EntityKind]>).get(id);
}

function differences(
  kind: EntityKind,
  old: EntityTypes[EntityKind] | undefined,
  now: EntityTypes[EntityKind] | undefined,
): Pick<AuditedEntity, 'before' | 'after'> {
  if (old === undefined || now === undefined) {
    const [before, after] = [old, now].map((entity) => entity && wholeOf(kind, entity));
    return { before: before ?? null, after: after ?? null };
  }
  const [oldFields, newFields] = [old as unknown as Fields, now as unknown as Fields];
  const before: Fields = {};
  const after: Fields = {};
  for (const field of new Set([...Object.keys(oldFields), ...Object.keys(newFields)])) {
    const [from, to] = [oldFields[field], newFields[field]];
    if (FIELDS_LEFT_OUT.has(field) || isSame(from, to)) continue;
    [before[field], after[field]] = shortened(
      shownValue(kind, field, from),
      shownValue(kind, field, to),
    );
  }
  return { before, after };
}

/** All fields of what came or went, and how much it held. */
function wholeOf(kind: EntityKind, entity: EntityTypes[EntityKind]): Fields {
  const shown = Object.entries(entity)
    .filter(([field]) => !FIELDS_LEFT_OUT.has(field))
    .map(([field, value]) => [field, shortened(shownValue(kind, field, value), undefined)[0]]);
  return { ...Object.fromEntries(shown), ...sizesOf(kind, entity) };
}

function sizesOf(kind: EntityKind, entity: EntityTypes[EntityKind]): Fields {
  if (kind === 'target') return { members: memberCount((entity as Target).members) };
  if (kind === 'list') return { entries: (entity as UserList).entries.size };
  return {};
}

function isSame(one: unknown, other: unknown): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}

function shownValue(kind: EntityKind, field: string, value: unknown): unknown {
  if (field === SECRET_FIELDS[kind]) return value === null ? null : HIDDEN;
  if (kind === 'feed' && field === 'source') {
    return withoutSecrets(value as EntityTypes['feed']['source']);
  }
  // A request that waits may carry a password in its body, and is told when it is carried out.
  if (kind === 'held' && field === 'request') {
    const { method, path } = value as EntityTypes['held']['request'];
    return { method, path };
  }
  return value ?? null;
}

/** How a person knows it; what has no name of its own goes by the name of what it belongs to. */
function nameOf(model: Model, kind: EntityKind, entity: EntityTypes[EntityKind]): string {
  switch (kind) {
    case 'session':
      return model.users.get((entity as EntityTypes['session']).userId)?.name ?? '';
    case 'entitlement':
      return model.targets.get((entity as EntityTypes['entitlement']).targetId)?.name ?? '';
    case 'feed':
      return model.targets.get((entity as EntityTypes['feed']).targetId)?.name ?? '';
    case 'held':
      return (entity as EntityTypes['held']).action;
    default:
      return 'name' in entity ? entity.name : '';
  }
}

/** Whom it belongs to; null for the catalogue, which all accounts read. */
function accountOf(
  model: Model,
  kind: EntityKind,
  entity: EntityTypes[EntityKind],
): AccountId | null {
  switch (kind) {
    case 'account':
      return (entity as EntityTypes['account']).id;
    case 'target':
    case 'bundle':
      return null;
    case 'key':
      return model.devices.get((entity as EntityTypes['key']).deviceId)?.accountId ?? NO_ACCOUNT;
    case 'session':
      return model.users.get((entity as EntityTypes['session']).userId)?.accountId ?? NO_ACCOUNT;
    default:
      return 'accountId' in entity ? entity.accountId : NO_ACCOUNT;
  }
}

/** Of no account that is known: seen by the account that runs the server only. */
const NO_ACCOUNT = 0 as AccountId;

/** One row of a batch may change the same members again and again. */
function sumByHolder(changes: AuditOptions['members']): AuditOptions['members'] {
  const byHolder = Map.groupBy(changes, ({ holder }) => `${holder.kind} ${holder.id}`);
  return [...byHolder.values()].map((ofOne) => ({
    holder: ofOne[0]!.holder,
    added: ofOne.reduce((sum, { added }) => sum + added, 0),
    removed: ofOne.reduce((sum, { removed }) => sum + removed, 0),
  }));
}

function auditedMembers(
  before: Model,
  after: Model,
  { holder, added, removed }: AuditOptions['members'][number],
): AuditedMembers {
  const { kind, id } = holder;
  return { kind, id, ...holderFacts(before, after, holder), added, removed };
}

function holderFacts(
  before: Model,
  after: Model,
  { kind, id }: Holder,
): Pick<AuditedMembers, 'name' | 'accountId'> {
  const found = find(after, kind, id) ?? find(before, kind, id);
  if (found === undefined) return { name: '', accountId: NO_ACCOUNT };
  return { name: nameOf(after, kind, found), accountId: accountOf(after, kind, found) };
}

/** Entries by what really happened to them: an edit may put what was there already, or nothing new. */
function auditedEntries(
  before: Model,
  after: Model,
  edit: AuditOptions['entries'][number],
): AuditedEntries | null {
  const held = before.lists.get(edit.listId as ListId)?.entries ?? NO_ENTRIES;
  const holds = after.lists.get(edit.listId as ListId)?.entries ?? NO_ENTRIES;
  const put = edit.added.filter((value) => holds.has(value));
  const added = put.filter((value) => !held.has(value));
  const changed = put.filter(
    (value) => held.has(value) && !isSame(toldOf(value, held), toldOf(value, holds)),
  );
  const removed = edit.removed.filter((value) => held.has(value) && !holds.has(value));
  if (added.length + changed.length + removed.length === 0) return null;
  return {
    listId: edit.listId,
    ...holderFacts(before, after, { kind: 'list', id: edit.listId }),
    added: firstEntries(added, holds),
    changed: firstEntries(changed, holds),
    removed: firstEntries(removed, held),
  };
}

const NO_ENTRIES: ReadonlyMap<string, ListEntry> = new Map();

function firstEntries(
  values: readonly string[],
  entries: ReadonlyMap<string, ListEntry>,
): AuditedEntries['added'] {
  const first = values.slice(0, ENTRIES_SHOWN_MAX).map((value) => toldOf(value, entries));
  return { count: values.length, first };
}

function toldOf(value: string, entries: ReadonlyMap<string, ListEntry>): AuditedEntry {
  const { comment = '', expiresAt = null } = entries.get(value) ?? {};
  return { value, comment: comment.slice(0, TEXT_CHARACTERS_MAX), expiresAt };
}

function auditedZone(change: ZoneChange): AuditedZone {
  const { origin, accountId, fromSerial, toSerial, recordsRemoved, recordsAdded } = change;
  return [origin, accountId ?? NO_ACCOUNT, fromSerial, toSerial, recordsRemoved, recordsAdded];
}

/** The first of them, as many as are allowed by number and by the length of their text. */
function withinBounds<Item>(
  items: readonly Item[],
  max: { readonly count: number; readonly characters: number },
): readonly Item[] {
  let characters = 0;
  const kept: Item[] = [];
  for (const item of items.slice(0, max.count)) {
    characters += JSON.stringify(item).length;
    if (characters > max.characters) break;
    kept.push(item);
  }
  return kept;
}

/** Whose things were touched, also where the row has no room to tell of them; nobody's is nobody. */
function accountsOf(
  { before, after, touched }: AuditOptions,
  { members, entries, zones }: Pick<AuditRecord, 'members' | 'entries' | 'zones'>,
): StoredChange['accountIds'] {
  const found = new Set<number | null>();
  for (const { kind, id } of touched) {
    for (const model of [before, after]) {
      const entity = find(model, kind, id);
      if (entity !== undefined) found.add(accountOf(model, kind, entity));
    }
  }
  for (const { accountId } of [...members, ...entries]) found.add(accountId);
  for (const [, accountId] of zones) found.add(accountId);
  return [...found].filter((id) => id !== null && id !== NO_ACCOUNT) as number[];
}

/** What was touched, and what that belongs to: a new key is found under its device, too. */
function subjectsOf({ before, after, ...changed }: AuditOptions): StoredChange['subjects'] {
  const subjects = new Map<string, { kind: string; id: number }>();
  const add = (kind: EntityKind, id: number): void => {
    if (subjects.size < SUBJECTS_MAX) subjects.set(`${kind} ${id}`, { kind, id });
  };
  for (const { kind, id } of changed.touched) {
    add(kind, id);
    const entity = find(after, kind, id) ?? find(before, kind, id);
    if (kind === 'key' && entity) add('device', (entity as EntityTypes['key']).deviceId);
    if (kind === 'feed' && entity) add('target', (entity as EntityTypes['feed']).targetId);
    if (kind === 'session' && entity) add('user', (entity as EntityTypes['session']).userId);
  }
  for (const { holder } of changed.members) add(holder.kind, holder.id);
  for (const { listId } of changed.entries) add('list', listId);
  return [...subjects.values()];
}
