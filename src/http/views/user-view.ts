import { type Static, Type } from 'typebox';
import type { User } from '../../policy/model.ts';
import {
  LOGIN_NAME_LENGTH_MAX,
  NAME_LENGTH_MAX,
  PASSWORD_LENGTH_MAX,
  PASSWORD_LENGTH_MIN,
  ROLES,
} from '../../publish/edits/index.ts';
import { IdSchema, nullable, Times, timesView } from './common.ts';

export const LoginNameSchema = Type.String({
  minLength: 1,
  maxLength: LOGIN_NAME_LENGTH_MAX,
  description:
    'What is typed at the login: letters (a to z), digits, and ". _ @ + -"; compared without case, and the only one on the server.',
  examples: ['ada'],
});
const DisplayNameSchema = Type.String({ maxLength: NAME_LENGTH_MAX, examples: ['Ada Lovelace'] });
const RoleSchema = Type.Enum([...ROLES]);
/** The rule is checked by the edit, which does not quote what it refuses. */
export const NewPasswordSchema = Type.String({
  format: 'password',
  description: `${PASSWORD_LENGTH_MIN} to ${PASSWORD_LENGTH_MAX} characters, and not the login name.`,
});
/** Longer than any password is; so that nobody has much hashed for nothing. */
export const PasswordSchema = Type.String({ format: 'password', maxLength: 1_024 });

export const UserSchema = Type.Object({
  id: IdSchema,
  name: LoginNameSchema,
  displayName: DisplayNameSchema,
  role: RoleSchema,
  disabled: Type.Boolean({ description: 'Cannot log in.' }),
  hasPassword: Type.Boolean({ description: 'False for who comes by OpenID Connect only.' }),
  oidcSubject: nullable(
    Type.String({ description: 'Issuer and subject of the OpenID Connect identity.' }),
  ),
  ...Times,
});

export const NewUserSchema = Type.Object(
  {
    name: LoginNameSchema,
    role: RoleSchema,
    displayName: Type.Optional(DisplayNameSchema),
    disabled: Type.Optional(Type.Boolean()),
    password: Type.Optional(nullable(NewPasswordSchema)),
  },
  {
    additionalProperties: false,
    examples: [
      {
        name: 'grace',
        displayName: 'Grace Hopper',
        role: 'editor',
        password: 'a tide of nine kettles',
      },
    ],
  },
);
export const UserPatchSchema = Type.Object(
  {
    displayName: Type.Optional(DisplayNameSchema),
    role: Type.Optional(RoleSchema),
    disabled: Type.Optional(Type.Boolean()),
    oidcSubject: Type.Optional(
      Type.Null({ description: 'Takes the OpenID Connect identity off the user.' }),
    ),
  },
  { additionalProperties: false, examples: [{ displayName: 'Ada King' }] },
);
export const PasswordChangeSchema = Type.Object(
  { password: NewPasswordSchema },
  { additionalProperties: false, examples: [{ password: 'seven lamps over the weir' }] },
);

/** Nothing of the password but whether there is one. */
export function userView(user: User): Static<typeof UserSchema> {
  const { id, name, displayName, role, disabled, oidcSubject } = user;
  const hasPassword = user.passwordHash !== null;
  return { id, name, displayName, role, disabled, hasPassword, oidcSubject, ...timesView(user) };
}
