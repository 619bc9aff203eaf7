import { type Static, Type } from 'typebox';
import type { Entitlement, Model } from '../../policy/model.ts';
import { accountById, NOTE_LENGTH_MAX } from '../../publish/edits/index.ts';
import { AccountRefSchema, accountRefView } from './account-view.ts';
import { IdSchema, isoTime, NamedSchema, nullable } from './common.ts';

const NoteSchema = Type.String({
  maxLength: NOTE_LENGTH_MAX,
  description: "Why: a contract's number, for example.",
});
const ExpirySchema = nullable(
  Type.String({
    format: 'date-time',
    description: 'When it ends by itself; null for never.',
    examples: ['2040-01-31T12:00:00Z'],
  }),
);

export const EntitlementSchema = Type.Object({
  id: IdSchema,
  account: AccountRefSchema,
  target: NamedSchema,
  note: NoteSchema,
  expiresAt: ExpirySchema,
  createdAt: Type.String({ format: 'date-time' }),
});
export const NewEntitlementSchema = Type.Object(
  {
    accountId: IdSchema,
    targetId: IdSchema,
    note: Type.Optional(NoteSchema),
    expiresAt: Type.Optional(ExpirySchema),
  },
  {
    additionalProperties: false,
    examples: [{ accountId: 1, targetId: 3, note: 'Contract 2030-17' }],
  },
);
export const EntitlementPatchSchema = Type.Object(
  { note: Type.Optional(NoteSchema), expiresAt: Type.Optional(ExpirySchema) },
  { additionalProperties: false, examples: [{ expiresAt: '2040-12-31T00:00:00Z' }] },
);

export function entitlementView(
  entitlement: Entitlement,
  model: Model,
): Static<typeof EntitlementSchema> {
  const { id, note, expiresAt, targetId } = entitlement;
  return {
    id,
    account: accountRefView(accountById(model, entitlement.accountId)),
    target: { id: targetId, name: model.targets.get(targetId)?.name ?? '' },
    note,
    expiresAt: expiresAt === null ? null : isoTime(expiresAt),
    createdAt: isoTime(entitlement.createdAt),
  };
}
