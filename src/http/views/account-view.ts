import { type Static, Type } from 'typebox';
import type { Account, AccountId, Model } from '../../policy/model.ts';
import { CATALOG_CHOICES } from '../../publish/edits/index.ts';
import { IdSchema, isoTime, nullable, Times, timesView } from './common.ts';
import { NameSchema } from './target-view.ts';

const LabelSchema = Type.String({
  description: '1 to 16 letters, digits and inner hyphens: a label of the zone names.',
  examples: ['branch'],
});

/** What another thing says of the account that it belongs to. */
export const AccountRefSchema = Type.Object({
  id: IdSchema,
  label: LabelSchema,
  name: Type.String(),
  operator: Type.Boolean({ description: 'Whether it runs the server: it keeps the catalogue.' }),
});

const CountSchema = Type.Integer({ minimum: 0 });
const CatalogsSchema = Type.Enum([...CATALOG_CHOICES], {
  description:
    'Which catalog zones list its zones: its own, that of the server, or both. From one to the other they change over in two steps (RFC 9432, change of ownership), so that secondaries that follow both go on serving them.',
});
const HandoverSchema = nullable(
  Type.Object(
    {
      phase: Type.Enum(['announced', 'listed']),
      until: Type.String({ format: 'date-time', description: 'When the phase ends.' }),
    },
    {
      description:
        'While its zones change over: announced in the old catalog, then listed in the new one too.',
    },
  ),
);
export const AccountSchema = Type.Object({
  ...AccountRefSchema.properties,
  counts: Type.Object({
    policies: CountSchema,
    devices: CountSchema,
    lists: CountSchema,
    users: CountSchema,
  }),
  catalogs: CatalogsSchema,
  handover: HandoverSchema,
  ...Times,
});

export const NewAccountSchema = Type.Object(
  { label: LabelSchema, name: NameSchema },
  { additionalProperties: false, examples: [{ label: 'branch', name: 'Branch offices' }] },
);
export const AccountPatchSchema = Type.Object(
  {
    name: Type.Optional(NameSchema),
    catalogs: Type.Optional(CatalogsSchema),
    label: Type.Optional(
      Type.String({ description: 'It stays for life: another one is refused.' }),
    ),
  },
  { additionalProperties: false, examples: [{ name: 'Branches and shops' }] },
);

/** The first account runs the server, so the example is another one. */
export const AccountParams = Type.Object({ id: Type.Integer({ minimum: 1, examples: [2] }) });

/** How many of each kind an account owns. */
export interface AccountCounts {
  of(id: AccountId): Static<typeof AccountSchema>['counts'];
}

/** Counts once for all accounts that are shown together. */
export function countOwned(model: Model): AccountCounts {
  const policies = countByAccount(model.policies);
  const devices = countByAccount(model.devices);
  const lists = countByAccount(model.lists);
  const users = countByAccount(model.users);
  return {
    of: (id) => ({
      policies: policies.get(id) ?? 0,
      devices: devices.get(id) ?? 0,
      lists: lists.get(id) ?? 0,
      users: users.get(id) ?? 0,
    }),
  };
}

export function accountView(account: Account, counts: AccountCounts): Static<typeof AccountSchema> {
  const { catalogs, handover } = account;
  return {
    ...accountRefView(account),
    counts: counts.of(account.id),
    catalogs,
    handover: handover && { phase: handover.phase, until: isoTime(handover.until) },
    ...timesView(account),
  };
}

export function accountRefView(account: Account): Static<typeof AccountRefSchema> {
  const { id, label, name, operator } = account;
  return { id, label, name, operator };
}

function countByAccount(
  entities: ReadonlyMap<unknown, { readonly accountId: AccountId }>,
): ReadonlyMap<AccountId, number> {
  const counts = new Map<AccountId, number>();
  for (const { accountId } of entities.values()) {
    counts.set(accountId, (counts.get(accountId) ?? 0) + 1);
  }
  return counts;
}
