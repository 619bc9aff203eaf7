import { Type } from 'typebox';
import type { User } from '../../policy/model.ts';
import {
  checkNewPassword,
  createUser,
  deleteUser,
  findUser,
  logOutUser,
  setPassword,
  updateUser,
} from '../../publish/edits/index.ts';
import type { ApiContext } from '../api-context.ts';
import { changeRoute } from '../change-route.ts';
import { etagOf } from '../etag.ts';
import { type Columns, listQuery, pageOf, pageSchema } from '../page.ts';
import type { PasswordDesk } from '../password-desk.ts';
import { answers, IdParams } from '../views/common.ts';
import {
  NewUserSchema,
  PasswordChangeSchema,
  UserPatchSchema,
  UserSchema,
  userView,
} from '../views/user-view.ts';
import type { ApiApp } from './app-type.ts';

const tags = ['users'];
const COLUMNS: Columns<User> = {
  id: ({ id }) => id,
  name: ({ name }) => name,
  displayName: ({ displayName }) => displayName,
  role: ({ role }) => role,
  disabled: ({ disabled }) => Number(disabled),
  createdAt: ({ createdAt }) => createdAt,
  updatedAt: ({ updatedAt }) => updatedAt,
};

export function registerUsers(app: ApiApp, context: ApiContext, passwords: PasswordDesk): void {
  const common = { access: 'admin', tag: 'users' } as const;
  const shown = {
    answer: { user: UserSchema },
    view: (user: User) => ({ user: userView(user) }),
  } as const;

  app.get(
    '/users',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'List users',
        querystring: Type.Object(listQuery(COLUMNS), { additionalProperties: false }),
        response: answers(200, pageSchema(UserSchema)),
      },
    },
    (request) => {
      const { model, accountId } = context.viewer(request);
      const own = model.users.values().filter((user) => user.accountId === accountId);
      return pageOf(own, request.query, {
        columns: COLUMNS,
        searched: ({ name, displayName }) => [name, displayName],
        view: userView,
      });
    },
  );

  app.get(
    '/users/:id',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Get a user',
        params: IdParams,
        response: answers(200, UserSchema),
      },
    },
    (request, reply) => {
      const viewer = context.viewer(request);
      const user = findUser(viewer, request.params.id);
      reply.header('etag', etagOf(viewer.model, 'user', request.params));
      return userView(user);
    },
  );

  changeRoute(app, context, {
    ...common,
    ...shown,
    method: 'POST',
    url: '/users',
    action: 'user.create',
    summary: 'Make a user',
    description:
      'Without a password the user comes by OpenID Connect only. Roles: viewer reads; editor also edits targets, bundles, lists and policies; admin also devices, keys, users and tokens.',
    status: 201,
    body: NewUserSchema,
    // A password must not be kept with a change that is held.
    tellsSecret: true,
    prepare: ({ body: { name, password } }) => {
      if (password === undefined || password === null) return Promise.resolve(null);
      return passwords.hash(checkNewPassword(password, 'password', String(name)));
    },
    edit: (edit, { body: { password: _, ...user }, prepared }) => createUser(edit, user, prepared),
  });

  changeRoute(app, context, {
    ...common,
    ...shown,
    method: 'PATCH',
    url: '/users/:id',
    action: 'user.update',
    summary: 'Change a user',
    description:
      'Who is disabled is logged out at once. The last admin of an account stays one, be it a user or a token.',
    params: IdParams,
    body: UserPatchSchema,
    locks: 'user',
    edit: (edit, { params, body }) => updateUser(edit, params.id, body),
  });

  changeRoute(app, context, {
    ...common,
    ...shown,
    method: 'PUT',
    url: '/users/:id/password',
    action: 'user.password',
    summary: "Set a user's password",
    description: 'All sessions of the user end.',
    params: IdParams,
    body: PasswordChangeSchema,
    locks: 'user',
    tellsSecret: true,
    prepare: ({ params, body }, request) => {
      const { name } = findUser(context.viewer(request), params.id);
      return passwords.hash(checkNewPassword(body.password, 'password', name));
    },
    edit: (edit, { params, prepared }) => setPassword(edit, params.id, prepared),
  });

  changeRoute(app, context, {
    ...common,
    method: 'DELETE',
    url: '/users/:id/sessions',
    action: 'user.logout',
    summary: 'End all sessions of a user',
    params: IdParams,
    locks: 'user',
    edit: (edit, { params }) => logOutUser(edit, params.id),
    answer: { ended: Type.Integer({ minimum: 0, description: 'How many there were.' }) },
    view: (ended) => ({ ended }),
  });

  changeRoute(app, context, {
    ...common,
    method: 'DELETE',
    url: '/users/:id',
    action: 'user.delete',
    summary: 'Delete a user',
    description: 'Its sessions end at once. The last admin of an account stays.',
    params: IdParams,
    locks: 'user',
    edit: (edit, { params }) => deleteUser(edit, params.id),
    answer: { deleted: UserSchema },
    view: (user) => ({ deleted: userView(user) }),
  });
}
