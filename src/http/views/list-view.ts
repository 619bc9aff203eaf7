import { type Static, Type } from 'typebox';
import type { Catalogue } from '../../indicators/catalogue.ts';
import { memberCount } from '../../policy/member-sets.ts';
import type { AccountId, ListEntry, Model, UserList } from '../../policy/model.ts';
import {
  COMMENT_LENGTH_MAX,
  firstExpiry,
  LIST_ACTIONS,
  LIST_ENTRIES_MAX,
} from '../../publish/edits/index.ts';
import { countMemberAddresses } from './address-count.ts';
import { addressRange } from './address-range.ts';
import { CountSchema, countView, IdSchema, isoTime, nullable, Times, timesView } from './common.ts';
import { sharedLabels } from './model-index.ts';
import { DescriptionSchema, NameSchema } from './target-view.ts';

const ListActionSchema = Type.Enum([...LIST_ACTIONS], {
  description: 'What the list does in IP policies; in DNS policies its attachment says it.',
});

export const ListSchema = Type.Object({
  id: IdSchema,
  name: NameSchema,
  description: DescriptionSchema,
  action: ListActionSchema,
  owner: Type.String({ description: 'Label of the account that it belongs to.' }),
  readOnly: Type.Boolean({ description: 'Whether another account shares it with yours.' }),
  sharedWith: Type.Array(Type.String(), {
    description: 'Labels of the accounts that may read and attach it; told to its owner only.',
  }),
  counts: Type.Object({
    entries: Type.Integer(),
    records: Type.Integer({
      description: 'Indicators that the entries stand for: a range may be several.',
    }),
    addresses4: CountSchema,
    addresses6: CountSchema,
  }),
  nextExpiry: nullable(Type.String({ format: 'date-time' })),
  ...Times,
});

const writable = {
  description: Type.Optional(DescriptionSchema),
  action: Type.Optional(ListActionSchema),
};
export const NewListSchema = Type.Object(
  { name: NameSchema, ...writable },
  { additionalProperties: false, examples: [{ name: 'Own servers', action: 'allow' }] },
);
export const ListPatchSchema = Type.Object(
  { name: Type.Optional(NameSchema), ...writable },
  { additionalProperties: false, examples: [{ description: 'Reviewed in January' }] },
);

/** Who looks at lists, and with what. */
export interface ListViewer {
  readonly model: Pick<Model, 'accounts'>;
  readonly accountId: AccountId;
  readonly catalogue: Catalogue;
}

export function listView(list: UserList, viewer: ListViewer): Static<typeof ListSchema> {
  const { id, name, description, action, members } = list;
  const isOwn = list.accountId === viewer.accountId;
  const expiry = firstExpiry(list.entries);
  return {
    id,
    name,
    description,
    action,
    owner: viewer.model.accounts.get(list.accountId)?.label ?? '',
    readOnly: !isOwn,
    sharedWith: isOwn ? sharedLabels(list, viewer.model) : [],
    counts: {
      entries: list.entries.size,
      records: memberCount(members),
      addresses4: countView(countMemberAddresses(viewer.catalogue, members, 4)),
      addresses6: countView(countMemberAddresses(viewer.catalogue, members, 6)),
    },
    nextExpiry: expiry === null ? null : isoTime(expiry),
    ...timesView(list),
  };
}

export const EntrySchema = Type.Object({
  value: Type.String({ description: 'Address, prefix, range or name, in its normal form.' }),
  comment: Type.String(),
  expiresAt: nullable(Type.String({ format: 'date-time' })),
  createdAt: Type.String({ format: 'date-time' }),
  range: nullable(
    Type.Object({
      first: Type.String(),
      last: Type.String(),
      addresses: Type.String({ description: 'How many: a decimal number as text.' }),
    }),
  ),
});

const NewEntrySchema = Type.Union([
  Type.String(),
  Type.Object(
    {
      value: Type.String(),
      comment: Type.Optional(Type.String({ maxLength: COMMENT_LENGTH_MAX })),
      expiresAt: Type.Optional(nullable(Type.String())),
    },
    { additionalProperties: false },
  ),
]);
const NewEntriesSchema = Type.Array(NewEntrySchema, { maxItems: LIST_ENTRIES_MAX });

export const EntriesPatchSchema = Type.Object(
  {
    add: Type.Optional(NewEntriesSchema),
    remove: Type.Optional(Type.Array(Type.String(), { maxItems: LIST_ENTRIES_MAX })),
  },
  {
    additionalProperties: false,
    examples: [
      {
        add: [
          { value: '192.0.2.10-192.0.2.20', comment: 'mail servers' },
          { value: 'shop.example', expiresAt: '2099-01-31T12:00:00Z' },
        ],
        remove: ['198.51.100.0/24'],
      },
    ],
  },
);
export const EntriesReplaceSchema = Type.Object(
  { entries: NewEntriesSchema },
  { additionalProperties: false, examples: [{ entries: ['192.0.2.0/24', 'shop.example'] }] },
);

export function entryView(entry: ListEntry): Static<typeof EntrySchema> {
  const { value, comment, expiresAt, createdAt } = entry;
  return {
    value,
    comment,
    expiresAt: expiresAt === null ? null : isoTime(expiresAt),
    createdAt: isoTime(createdAt),
    range: addressRange(value),
  };
}
