import { Type } from 'typebox';
import type { Entitlement } from '../../policy/model.ts';
import {
  findEntitlement,
  grantEntitlement,
  revokeEntitlement,
  updateEntitlement,
} from '../../publish/edits/index.ts';
import type { ApiContext } from '../api-context.ts';
import { changeRoute } from '../change-route.ts';
import { etagOf } from '../etag.ts';
import { type Columns, listQuery, pageOf, pageSchema } from '../page.ts';
import { answers, IdParams, IdSchema } from '../views/common.ts';
import {
  EntitlementPatchSchema,
  EntitlementSchema,
  entitlementView,
  NewEntitlementSchema,
} from '../views/entitlement-view.ts';
import type { ApiApp } from './app-type.ts';

const tags = ['entitlements'];

/** An entitlement with the names that it is searched and sorted by. */
interface NamedEntitlement {
  readonly id: number;
  /** Of the target. */
  readonly name: string;
  readonly label: string;
  readonly entitlement: Entitlement;
}

const COLUMNS: Columns<NamedEntitlement> = {
  id: ({ id }) => id,
  account: ({ label }) => label,
  target: ({ name }) => name,
  expiresAt: ({ entitlement }) => entitlement.expiresAt ?? Number.MAX_SAFE_INTEGER,
  createdAt: ({ entitlement }) => entitlement.createdAt,
};

export function registerEntitlements(app: ApiApp, context: ApiContext): void {
  const common = { access: 'admin', tag: 'entitlements' } as const;
  const view = (entitlement: Entitlement) =>
    entitlementView(entitlement, context.options.publisher.model);
  const shown = {
    answer: { entitlement: EntitlementSchema },
    view: (entitlement: Entitlement) => ({ entitlement: view(entitlement) }),
  } as const;

  app.get(
    '/entitlements',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'List entitlements to partner targets',
        description: 'The account that runs the server sees all of them, others their own.',
        querystring: Type.Object(
          {
            ...listQuery(COLUMNS),
            accountId: Type.Optional(IdSchema),
            targetId: Type.Optional(IdSchema),
          },
          { additionalProperties: false },
        ),
        response: answers(200, pageSchema(EntitlementSchema)),
      },
    },
    (request) => {
      const { model, accountId } = context.viewer(request);
      const isOperator = model.accounts.get(accountId)?.operator === true;
      const { query } = request;
      const found: NamedEntitlement[] = [];
      for (const entitlement of model.entitlements.values()) {
        if (!isOperator && entitlement.accountId !== accountId) continue;
        if ((query.accountId ?? entitlement.accountId) !== entitlement.accountId) continue;
        if ((query.targetId ?? entitlement.targetId) !== entitlement.targetId) continue;
        const name = model.targets.get(entitlement.targetId)?.name ?? '';
        const label = model.accounts.get(entitlement.accountId)?.label ?? '';
        found.push({ id: entitlement.id, name, label, entitlement });
      }
      return pageOf(found, query, {
        columns: COLUMNS,
        searched: ({ name, label, entitlement }) => [name, label, entitlement.note],
        view: ({ entitlement }) => entitlementView(entitlement, model),
      });
    },
  );

  app.get(
    '/entitlements/:id',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Get an entitlement',
        params: IdParams,
        response: answers(200, EntitlementSchema),
      },
    },
    (request, reply) => {
      const viewer = context.viewer(request);
      const entitlement = findEntitlement(viewer, request.params.id);
      reply.header('etag', etagOf(viewer.model, 'entitlement', request.params));
      return entitlementView(entitlement, viewer.model);
    },
  );

  changeRoute(app, context, {
    ...common,
    ...shown,
    method: 'POST',
    url: '/entitlements',
    action: 'entitlement.grant',
    summary: 'Let an account use a partner target',
    description: 'For the account that runs the server.',
    status: 201,
    body: NewEntitlementSchema,
    edit: (edit, { body }) => grantEntitlement(edit, body),
  });

  changeRoute(app, context, {
    ...common,
    ...shown,
    method: 'PATCH',
    url: '/entitlements/:id',
    action: 'entitlement.update',
    summary: 'Change the note or the expiry of an entitlement',
    description: 'For the account that runs the server.',
    params: IdParams,
    body: EntitlementPatchSchema,
    locks: 'entitlement',
    edit: (edit, { params, body }) => updateEntitlement(edit, params.id, body),
  });

  changeRoute(app, context, {
    ...common,
    method: 'DELETE',
    url: '/entitlements/:id',
    action: 'entitlement.revoke',
    summary: 'Take an entitlement back',
    description:
      'For the account that runs the server. The target leaves the zones of the account at once; attachments of it stay and bring nothing.',
    params: IdParams,
    locks: 'entitlement',
    edit: (edit, { params }) => revokeEntitlement(edit, params.id),
    answer: { revoked: EntitlementSchema },
    view: (entitlement) => ({ revoked: view(entitlement) }),
  });
}
