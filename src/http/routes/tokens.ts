import { Type } from 'typebox';
import type { ApiToken } from '../../policy/model.ts';
import { createToken, deleteToken } from '../../publish/edits/index.ts';
import type { ApiContext } from '../api-context.ts';
import { changeRoute } from '../change-route.ts';
import { type Columns, listQuery, pageOf, pageSchema } from '../page.ts';
import { answers, IdParams } from '../views/common.ts';
import { NewTokenSchema, TokenSchema, tokenView } from '../views/token-view.ts';
import type { ApiApp } from './app-type.ts';

const tags = ['tokens'];
const COLUMNS: Columns<ApiToken> = {
  id: ({ id }) => id,
  name: ({ name }) => name,
  role: ({ role }) => role,
  createdAt: ({ createdAt }) => createdAt,
};

export function registerTokens(app: ApiApp, context: ApiContext): void {
  app.get(
    '/tokens',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'List API tokens',
        querystring: Type.Object(listQuery(COLUMNS), { additionalProperties: false }),
        response: answers(200, pageSchema(TokenSchema)),
      },
    },
    (request) => {
      const { model, accountId } = context.viewer(request);
      const own = model.tokens.values().filter((token) => token.accountId === accountId);
      return pageOf(own, request.query, { columns: COLUMNS, view: tokenView });
    },
  );

  changeRoute(app, context, {
    access: 'admin',
    tag: 'tokens',
    method: 'POST',
    url: '/tokens',
    action: 'token.create',
    summary: 'Make an API token',
    description:
      'Roles: viewer reads; editor also edits targets, bundles, lists and policies; admin also devices, keys, users and tokens; sensor only reports.',
    status: 201,
    body: NewTokenSchema,
    tellsSecret: true,
    edit: (edit, { body }) => createToken(edit, body),
    answer: {
      token: TokenSchema,
      secret: Type.String({
        description: 'The token itself. Told this once; only its hash is kept.',
      }),
    },
    view: ({ token, secret }) => ({ token: tokenView(token), secret }),
  });

  changeRoute(app, context, {
    access: 'admin',
    tag: 'tokens',
    method: 'DELETE',
    url: '/tokens/:id',
    action: 'token.delete',
    summary: 'Revoke an API token',
    description: 'At once. The last admin of an account stays, be it a user or a token.',
    params: IdParams,
    locks: 'token',
    edit: (edit, { params }) => deleteToken(edit, params.id),
    answer: { deleted: TokenSchema },
    view: (token) => ({ deleted: tokenView(token) }),
  });
}
