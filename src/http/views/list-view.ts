import { type Static, Type } from 'typebox';
import { memberCount } from '../../policy/member-sets.ts';
import type { ListEntry, UserList } from '../../policy/model.ts';
import { COMMENT_LENGTH_MAX, LIST_ACTIONS, LIST_ENTRIES_MAX } from '../../publish/edits/index.ts';
import { addressRange } from './address-range.ts';
import { IdSchema, isoTime, nullable, Times, timesView } from './common.ts';
import { DescriptionSchema, NameSchema } from './target-view.ts';

const ListActionSchema = Type.Enum([...LIST_ACTIONS], {
  description: 'What the list does in IP policies; in DNS policies its attachment says it.',
});

export const ListSchema = Type.Object({
  id: IdSchema,
  name: NameSchema,
  description: DescriptionSchema,
  action: ListActionSchema,
  entryCount: Type.Integer(),
  size: Type.Integer({
    description: 'Indicators that the entries stand for: a range may be several.',
  }),
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

export function listView(list: UserList): Static<typeof ListSchema> {
  const { id, name, description, action } = list;
  const size = memberCount(list.members);
  return { id, name, description, action, entryCount: list.entries.size, size, ...timesView(list) };
}

export const EntrySchema = Type.Object({
  value: Type.String({ description: 'Address, prefix, range or name, in its normal form.' }),
  comment: Type.String(),
  expiresAt: nullable(Type.String({ format: 'date-time' })),
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
  const { value, comment, expiresAt } = entry;
  return {
    value,
    comment,
    expiresAt: expiresAt === null ? null : isoTime(expiresAt),
    range: addressRange(value),
  };
}
