import { type Static, Type } from 'typebox';
import type { AccountId, Model } from '../../policy/model.ts';
import {
  type AuditedEntity,
  type AuditedEntries,
  type AuditedMembers,
  type AuditRecord,
  ENTRIES_SHOWN_MAX,
  readAuditRecord,
} from '../../publish/audit-record.ts';
import type { Viewer } from '../../publish/edits/index.ts';
import { COLLECTION } from '../../publish/entity-codec.ts';
import type { EntityKind, LoggedChange } from '../../publish/store-port.ts';
import { IdSchema, isoTime, NamedSchema, nullable } from './common.ts';
import { ZoneChangeSchema } from './zone-view.ts';

export const AUDITED_KINDS = Object.keys(COLLECTION) as EntityKind[];

const FieldsSchema = Type.Record(Type.String(), Type.Unknown());
const EntryListSchema = Type.Object({
  count: Type.Integer(),
  first: Type.Array(
    Type.Object({
      value: Type.String(),
      comment: Type.String(),
      expiresAt: nullable(Type.String({ format: 'date-time' })),
    }),
    { description: `The first ${ENTRIES_SHOWN_MAX} of them.` },
  ),
});

export const AuditRowSchema = Type.Object({
  sequence: Type.Integer({ description: 'Rises with every change.', examples: [42] }),
  at: Type.String({ format: 'date-time', examples: ['2030-01-31T12:00:00.000Z'] }),
  actor: Type.String({
    description:
      'The token, the user (both with the account that they belong to, if they act for another), or a part of the server itself. Of another account only that it was one.',
    examples: ['token admin', 'user jane (main)', 'sluice'],
  }),
  action: Type.String({
    description:
      'What was done, then the ids of what it was done to, which are left out where another account did it.',
    examples: ['policy.update 3'],
  }),
  account: nullable(NamedSchema),
  entities: Type.Array(
    Type.Object({
      kind: Type.Enum([...AUDITED_KINDS]),
      id: IdSchema,
      name: Type.String(),
      before: nullable(FieldsSchema),
      after: nullable(FieldsSchema),
    }),
    {
      description:
        'What was touched, with the fields that differ. Made: no before; deleted: no after. A secret is told as "***".',
    },
  ),
  members: Type.Array(
    Type.Object({
      kind: Type.Enum(['target', 'list']),
      id: IdSchema,
      name: Type.String(),
      added: Type.Integer(),
      removed: Type.Integer(),
    }),
    { description: 'Indicators that came to targets and lists, and went.' },
  ),
  entries: Type.Array(
    Type.Object({
      listId: IdSchema,
      name: Type.String(),
      added: EntryListSchema,
      changed: EntryListSchema,
      removed: EntryListSchema,
    }),
    { description: 'Entries of lists: those changed as they became, those removed as they were.' },
  ),
  zones: Type.Array(ZoneChangeSchema, {
    description: 'Every zone that the change gave a new serial.',
  }),
  omitted: Type.Object(
    {
      entities: Type.Integer(),
      members: Type.Integer(),
      entries: Type.Integer(),
      zones: Type.Integer(),
    },
    { description: 'How many more there were, of a change that was too large to be kept whole.' },
  ),
});
type AuditRowView = Static<typeof AuditRowSchema>;

/**
 * A row as this account may see it: without what belongs to others, and of a row of another account
 * without who that was. The account that runs the server sees all of its own rows and of those of the
 * server itself; of what other accounts did it sees, as they do, its own part. Null when nothing of
 * what others or the server did concerns the account, or nothing of it is what was searched for.
 */
export function auditRowView(
  change: LoggedChange,
  { model, accountId }: Viewer,
  subject?: { readonly kind: string; readonly id: number },
): AuditRowView | null {
  const isOwn = change.accountId === accountId;
  const isOthers = !isOwn && change.accountId !== null;
  const seesAll = !isOthers && model.accounts.get(accountId)?.operator === true;
  const record = readAuditRecord(change.body);
  const shown = seesAll ? record : visibleTo(record, accountId);
  if (!seesAll && !isOwn && !concerns(shown, subject)) {
    // The row of another account is here because it touched this one: its part may be left out.
    if (!isOthers || subject !== undefined || !isCut(record)) return null;
  }
  return {
    sequence: change.sequence,
    at: isoTime(change.at),
    ...(isOthers ? strangerOf(change, model) : authorOf(change, model)),
    entities: shown.entities.map(entityView),
    members: shown.members.map(membersView),
    entries: shown.entries.map(entriesView),
    zones: shown.zones.map(([zone, , fromSerial, serial, recordsRemoved, recordsAdded]) => ({
      zone,
      serial,
      fromSerial,
      recordsAdded,
      recordsRemoved,
    })),
    omitted: seesAll || isOwn ? record.omitted : NOTHING_OMITTED,
  };
}

type AuthorView = Pick<AuditRowView, 'actor' | 'action' | 'account'>;

function authorOf({ actor, action, accountId }: LoggedChange, model: Model): AuthorView {
  const account = model.accounts.get(accountId as AccountId);
  return {
    actor,
    action,
    account: account === undefined ? null : { id: account.id, name: account.name },
  };
}

/** What an account is told of who else did something to it: what was done, not by whom and to what else. */
function strangerOf({ action, accountId }: LoggedChange, model: Model): AuthorView {
  const { operator = false } = model.accounts.get(accountId as AccountId) ?? {};
  return {
    actor: operator ? 'the account that runs the server' : 'another account',
    action: action.split(' ', 1)[0]!,
    account: null,
  };
}

function isCut({ omitted }: AuditRecord): boolean {
  return Object.values(omitted).some((count) => count > 0);
}

/** How much of others was left out is not told either. */
const NOTHING_OMITTED: AuditRecord['omitted'] = { entities: 0, members: 0, entries: 0, zones: 0 };

function visibleTo(record: AuditRecord, asking: AccountId): AuditRecord {
  const isVisible = ({ accountId }: { readonly accountId: number | null }): boolean =>
    accountId === null || accountId === asking;
  return {
    ...record,
    entities: record.entities.filter(isVisible),
    members: record.members.filter(isVisible),
    entries: record.entries.filter(isVisible),
    zones: record.zones.filter(([, accountId]) => accountId === asking),
  };
}

function concerns(
  { entities, members, entries, zones }: AuditRecord,
  subject: { readonly kind: string; readonly id: number } | undefined,
): boolean {
  if (subject === undefined)
    return [entities, members, entries, zones].some(({ length }) => length);
  const { kind, id } = subject;
  return (
    [...entities, ...members].some((thing) => thing.kind === kind && thing.id === id) ||
    (kind === 'list' && entries.some(({ listId }) => listId === id))
  );
}

function entityView(entity: AuditedEntity): AuditRowView['entities'][number] {
  const { kind, id, name, before, after } = entity;
  return { kind, id, name, before, after };
}

function membersView(members: AuditedMembers): AuditRowView['members'][number] {
  const { kind, id, name, added, removed } = members;
  return { kind, id, name, added, removed };
}

function entriesView(entries: AuditedEntries): AuditRowView['entries'][number] {
  const { listId, name, added, changed, removed } = entries;
  const [addedView, changedView, removedView] = [added, changed, removed].map(firstEntriesView);
  return { listId, name, added: addedView!, changed: changedView!, removed: removedView! };
}

function firstEntriesView({ count, first }: AuditedEntries['added']) {
  const views = first.map(({ value, comment, expiresAt }) => ({
    value,
    comment,
    expiresAt: expiresAt === null ? null : isoTime(expiresAt),
  }));
  return { count, first: views };
}
