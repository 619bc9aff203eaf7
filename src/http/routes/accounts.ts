import { Type } from 'typebox';
import type { Account } from '../../policy/model.ts';
import type { Viewer } from '../../publish/edits/index.ts';
import {
  accountById,
  deleteAccount,
  notFound,
  openAccount,
  updateAccount,
} from '../../publish/edits/index.ts';
import type { ApiContext } from '../api-context.ts';
import { changeRoute } from '../change-route.ts';
import { etagOf } from '../etag.ts';
import { type Columns, listQuery, pageOf, pageSchema } from '../page.ts';
import { HttpProblem } from '../problem.ts';
import {
  AccountParams,
  AccountPatchSchema,
  AccountSchema,
  accountView,
  countOwned,
  NewAccountSchema,
} from '../views/account-view.ts';
import { answers } from '../views/common.ts';
import { TokenSchema, tokenView } from '../views/token-view.ts';
import type { ApiApp } from './app-type.ts';

const tags = ['accounts'];
const COLUMNS: Columns<Account> = {
  id: ({ id }) => id,
  label: ({ label }) => label,
  name: ({ name }) => name,
  createdAt: ({ createdAt }) => createdAt,
  updatedAt: ({ updatedAt }) => updatedAt,
};

export function registerAccounts(app: ApiApp, context: ApiContext): void {
  const common = { access: 'admin', tag: 'accounts' } as const;
  const view = (account: Account) =>
    accountView(account, countOwned(context.options.publisher.model));

  app.get(
    '/account',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Get the own account',
        response: answers(200, AccountSchema),
      },
    },
    (request) => {
      const { model, accountId } = context.viewer(request);
      return view(accountById(model, accountId));
    },
  );

  app.get(
    '/accounts',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'List accounts',
        description: 'For the account that runs the server.',
        querystring: Type.Object(listQuery(COLUMNS), { additionalProperties: false }),
        response: answers(200, pageSchema(AccountSchema)),
      },
    },
    (request) => {
      const viewer = context.viewer(request);
      refuseOthers(viewer);
      const counts = countOwned(viewer.model);
      return pageOf(viewer.model.accounts.values(), request.query, {
        columns: COLUMNS,
        searched: ({ label, name }) => [label, name],
        view: (account) => accountView(account, counts),
      });
    },
  );

  app.get(
    '/accounts/:id',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Get an account',
        description: 'For the account that runs the server; others see their own.',
        params: AccountParams,
        response: answers(200, AccountSchema),
      },
    },
    (request, reply) => {
      const viewer = context.viewer(request);
      const { id } = request.params;
      if (!isOperator(viewer) && id !== viewer.accountId) throw notFound('account', id);
      const account = accountById(viewer.model, id);
      reply.header('etag', etagOf(viewer.model, 'account', request.params));
      return view(account);
    },
  );

  changeRoute(app, context, {
    ...common,
    method: 'POST',
    url: '/accounts',
    action: 'account.create',
    summary: 'Make an account',
    description:
      'For the account that runs the server. The answer tells the token of its first admin, this once. An admin of the account that runs the server can also act for it with the header Sluice-Account.',
    status: 201,
    body: NewAccountSchema,
    tellsSecret: true,
    edit: (edit, { body }) => openAccount(edit, body),
    answer: {
      account: AccountSchema,
      token: TokenSchema,
      secret: Type.String({
        description: 'The token itself. Told this once; only its hash is kept.',
      }),
    },
    view: ({ account, token, secret }) => ({
      account: view(account),
      token: tokenView(token),
      secret,
    }),
  });

  changeRoute(app, context, {
    ...common,
    method: 'PATCH',
    url: '/accounts/:id',
    action: 'account.update',
    summary: 'Change the name of an account',
    description: 'For the account that runs the server. The label stays for life.',
    params: AccountParams,
    body: AccountPatchSchema,
    locks: 'account',
    edit: (edit, { params, body }) => updateAccount(edit, params.id, body),
    answer: { account: AccountSchema },
    view: (account) => ({ account: view(account) }),
  });

  changeRoute(app, context, {
    ...common,
    method: 'DELETE',
    url: '/accounts/:id',
    action: 'account.delete',
    summary: 'Delete an account',
    description:
      'For the account that runs the server. Refused while it owns policies, devices, lists or behaviours; its users, tokens and entitlements go with it.',
    params: AccountParams,
    locks: 'account',
    edit: (edit, { params }) => deleteAccount(edit, params.id),
    answer: { deleted: AccountSchema },
    view: (account) => ({ deleted: view(account) }),
  });
}

function isOperator({ model, accountId }: Viewer): boolean {
  return model.accounts.get(accountId)?.operator === true;
}

function refuseOthers(viewer: Viewer): void {
  if (isOperator(viewer)) return;
  const value = viewer.model.accounts.get(viewer.accountId)?.label ?? null;
  const detail = 'Only the account that runs the server sees all accounts.';
  throw new HttpProblem('forbidden', detail, { field: 'account', value });
}
