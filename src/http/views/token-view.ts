import { type Static, Type } from 'typebox';
import type { ApiToken } from '../../policy/model.ts';
import { ROLES } from '../../publish/edits/index.ts';
import { IdSchema, isoTime } from './common.ts';
import { NameSchema } from './target-view.ts';

export const TokenSchema = Type.Object({
  id: IdSchema,
  name: NameSchema,
  role: Type.Enum([...ROLES]),
  createdAt: Type.String({ format: 'date-time' }),
});
export const NewTokenSchema = Type.Object(
  { name: NameSchema, role: Type.Enum([...ROLES]) },
  { additionalProperties: false, examples: [{ name: 'console of the mail team', role: 'editor' }] },
);

/** Neither the token nor its hash. */
export function tokenView(token: ApiToken): Static<typeof TokenSchema> {
  const { id, name, role } = token;
  return { id, name, role, createdAt: isoTime(token.createdAt) };
}
