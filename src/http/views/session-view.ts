import { type Static, Type } from 'typebox';
import type { Model, Session, TokenId, UserId } from '../../policy/model.ts';
import { accountById, ROLES } from '../../publish/edits/index.ts';
import type { Identity } from '../authenticate.ts';
import { AccountRefSchema, accountRefView } from './account-view.ts';
import { isoTime, nullable } from './common.ts';
import { TokenSchema, tokenView } from './token-view.ts';
import {
  LoginNameSchema,
  NewPasswordSchema,
  PasswordSchema,
  UserSchema,
  userView,
} from './user-view.ts';

/** Who a request comes from, and what it may do. */
export const SessionSchema = Type.Object({
  kind: Type.Enum(['token', 'session']),
  role: Type.Enum([...ROLES]),
  token: nullable(TokenSchema),
  user: nullable(UserSchema),
  account: Type.Object(AccountRefSchema.properties, {
    description:
      'What is read and edited: the own account, or the one of the header Sluice-Account.',
  }),
  ownAccount: AccountRefSchema,
  expiresAt: nullable(
    Type.String({ format: 'date-time', description: 'When the user has to log in again.' }),
  ),
});

export const LoginSchema = Type.Object(
  { name: LoginNameSchema, password: PasswordSchema },
  {
    additionalProperties: false,
    examples: [{ name: 'ada', password: 'correct horse battery staple' }],
  },
);
export const OwnPasswordSchema = Type.Object(
  { currentPassword: PasswordSchema, newPassword: NewPasswordSchema },
  {
    additionalProperties: false,
    examples: [
      {
        currentPassword: 'correct horse battery staple',
        newPassword: 'a better horse, a newer battery',
      },
    ],
  },
);
export const LoginMethodsSchema = Type.Object(
  {
    password: Type.Boolean(),
    openId: Type.Boolean({ description: 'Whether GET /session/openid/login leads to a provider.' }),
  },
  { examples: [{ password: true, openId: false }] },
);

export function sessionView(
  model: Model,
  identity: Omit<Identity, 'actor'>,
): Static<typeof SessionSchema> {
  const { kind, id, role, accountId, ownAccountId, sessionId } = identity;
  const token = kind === 'token' ? model.tokens.get(id as TokenId) : undefined;
  const user = kind === 'session' ? model.users.get(id as UserId) : undefined;
  const session: Session | undefined =
    sessionId === null ? undefined : model.sessions.get(sessionId);
  return {
    kind,
    role,
    token: token === undefined ? null : tokenView(token),
    user: user === undefined ? null : userView(user),
    account: accountRefView(accountById(model, accountId)),
    ownAccount: accountRefView(accountById(model, ownAccountId)),
    expiresAt: session === undefined ? null : isoTime(session.expiresAt),
  };
}
