import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { User } from '../../policy/model.ts';
import {
  changeOwnPassword,
  checkNewPassword,
  endSession,
  wrongPassword,
} from '../../publish/edits/index.ts';
import { ACCOUNT_HEADER } from '../acting-account.ts';
import type { ApiContext } from '../api-context.ts';
import { type Identity, identityOf } from '../authenticate.ts';
import { changeRoute } from '../change-route.ts';
import type { Login } from '../login.ts';
import { refuseForeignLogin } from '../own-origin.ts';
import type { PasswordDesk } from '../password-desk.ts';
import { HttpProblem } from '../problem.ts';
import type { SessionBook } from '../session-book.ts';
import { clearSessionCookie, setSessionCookie } from '../session-cookie.ts';
import { answers } from '../views/common.ts';
import {
  LoginMethodsSchema,
  LoginSchema,
  OwnPasswordSchema,
  SessionSchema,
  sessionView,
} from '../views/session-view.ts';
import { UserSchema, userView } from '../views/user-view.ts';
import type { ApiApp } from './app-type.ts';

const tags = ['session'];

export function registerSession(
  app: ApiApp,
  context: ApiContext,
  people: {
    readonly sessions: SessionBook;
    readonly login: Login;
    readonly passwords: PasswordDesk;
  },
): void {
  const { sessions, login, passwords } = people;
  const { publisher, openId } = context.options;
  const { lifetimeMs, secureCookie } = sessions.settings;

  app.get(
    '/session/methods',
    {
      config: { access: 'open' },
      schema: {
        tags,
        summary: 'Tell how people can log in',
        response: answers(200, LoginMethodsSchema),
      },
    },
    () => ({ password: true, openId: openId !== undefined }),
  );

  app.get(
    '/session',
    {
      config: { access: 'any' },
      schema: {
        tags,
        summary: 'Get who sends this request, and what it may do',
        response: answers(200, SessionSchema),
      },
    },
    (request) => sessionView(publisher.model, identityOf(request)),
  );

  app.post(
    '/session',
    {
      config: { access: 'open' },
      schema: {
        tags,
        summary: 'Log in with name and password',
        description:
          'Sets the cookie sluice_session, which later requests are known by; those that change something must then come from a page of this server. Too many failures of one name or one client are answered 429 for some minutes.',
        body: LoginSchema,
        response: answers(201, SessionSchema),
      },
    },
    async (request, reply) => {
      refuseForeignLogin(request);
      const user = await login.byPassword(request, request.body);
      const { session, secret } = await sessions.begin(user, 'session.create');
      setSessionCookie(reply, { secret, maxAgeMs: lifetimeMs, secure: secureCookie });
      const { id, role, accountId } = user;
      const sender = { kind: 'session', id, role, accountId } as const;
      const identity = { ...sender, ownAccountId: accountId, sessionId: session.id };
      return reply
        .code(201)
        .header('cache-control', 'no-store')
        .send(sessionView(publisher.model, identity));
    },
  );

  app.delete(
    '/session',
    {
      config: { access: 'any' },
      schema: {
        tags,
        summary: 'Log out',
        description: 'Ends the session that the cookie of this request belongs to.',
        response: answers(
          200,
          Type.Object({ ended: Type.Literal(true) }, { examples: [{ ended: true }] }),
        ),
      },
    },
    async (request, reply) => {
      const { sessionId } = userOf(request);
      await context.change(request, 'session.delete', (edit) => endSession(edit, sessionId));
      clearSessionCookie(reply, secureCookie);
      return { ended: true as const };
    },
  );

  changeRoute(app, context, {
    method: 'PUT',
    url: '/session/password',
    access: 'any',
    action: 'user.password.own',
    tag: 'session',
    summary: 'Change the own password',
    description: 'All sessions of the user end, this one too: log in with the new password.',
    body: OwnPasswordSchema,
    // Passwords must not be kept with a change that is held.
    tellsSecret: true,
    prepare: async ({ body: { currentPassword, newPassword } }, request) => {
      const user = publisher.model.users.get(userOf(request).id as User['id']);
      if (user === undefined || user.passwordHash === null) throw wrongPassword();
      const { passwordHash: provedHash, name } = user;
      const checked = checkNewPassword(newPassword, 'newPassword', name);
      if (!(await login.proves(request, user, String(currentPassword)))) throw wrongPassword();
      return { provedHash, passwordHash: await passwords.hash(checked) };
    },
    edit: (edit, { prepared }, request) =>
      changeOwnPassword(edit, userOf(request).id as User['id'], prepared),
    answer: { user: UserSchema },
    view: (user) => ({ user: userView(user) }),
  });
}

type Person = Identity & { readonly sessionId: NonNullable<Identity['sessionId']> };

/** The user of a request who is logged in and acts for its own account. */
function userOf(request: FastifyRequest): Person {
  const identity = identityOf(request);
  const { sessionId, accountId, ownAccountId } = identity;
  if (sessionId === null) {
    const detail = 'This is for a user who is logged in, not for a token.';
    throw new HttpProblem('forbidden', detail, { field: 'Authorization', value: null });
  }
  if (accountId !== ownAccountId) {
    const value = String(request.headers[ACCOUNT_HEADER]);
    const detail = 'This is done for oneself, without Sluice-Account.';
    throw new HttpProblem('forbidden', detail, { field: 'Sluice-Account', value });
  }
  return { ...identity, sessionId };
}
