import { Type } from 'typebox';
import type { ApiToken } from '../../policy/model.ts';
import { createToken, deleteToken } from '../../publish/edits/index.ts';
import type { ApiContext } from '../api-context.ts';
import { tokenOf } from '../authenticate.ts';
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
const CreatedToken = Type.Object({
  token: TokenSchema,
  secret: Type.String({ description: 'The token itself. Told this once; only its hash is kept.' }),
});

export function registerTokens(app: ApiApp, context: ApiContext): void {
  app.get(
    '/session',
    {
      config: { access: 'any' },
      schema: {
        tags,
        summary: 'Get what the token of this request may do',
        response: answers(200, Type.Object({ token: TokenSchema })),
      },
    },
    (request) => ({ token: tokenView(tokenOf(request)) }),
  );

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

  app.post(
    '/tokens',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Make an API token',
        description:
          'Roles: viewer reads; editor also edits targets, bundles, lists and policies; admin also devices, keys and tokens; sensor only reports.',
        body: NewTokenSchema,
        response: answers(201, CreatedToken),
      },
    },
    async (request, reply) => {
      const { value } = await context.change(request, 'token.create', (edit) =>
        createToken(edit, request.body),
      );
      const { token, secret } = value;
      return reply
        .code(201)
        .header('cache-control', 'no-store')
        .send({ token: tokenView(token), secret });
    },
  );

  app.delete(
    '/tokens/:id',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Revoke an API token',
        description: 'At once. The last admin token stays.',
        params: IdParams,
        response: answers(200, Type.Object({ deleted: TokenSchema })),
      },
    },
    async (request) => {
      const { value } = await context.change(request, 'token.delete', (edit) =>
        deleteToken(edit, request.params.id),
      );
      return { deleted: tokenView(value) };
    },
  );
}
