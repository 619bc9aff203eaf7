import { Type } from 'typebox';
import type { Bundle, Model } from '../../policy/model.ts';
import {
  createBundle,
  deleteBundle,
  findBundle,
  targetsOfBundle,
  updateBundle,
} from '../../publish/edits/index.ts';
import type { ApiContext } from '../api-context.ts';
import { changeRoute } from '../change-route.ts';
import { etagOf } from '../etag.ts';
import { idQuery, listQuery, pageOf, pageSchema } from '../page.ts';
import {
  BundlePatchSchema,
  BundleSchema,
  BundleWithTargetsSchema,
  bundleView,
  bundleWithTargetsView,
  NewBundleSchema,
} from '../views/bundle-view.ts';
import { answers, IdParams, NamedSchema } from '../views/common.ts';
import { attachedIds, heldTargets } from '../views/model-index.ts';
import { TargetSchema } from '../views/target-view.ts';
import type { ApiApp } from './app-type.ts';
import { InPolicyQuery, inPolicyFilter } from './in-policy.ts';
import { TargetsQuery, targetPage } from './target-pages.ts';

const tags = ['bundles'];
const COLUMNS = ['id', 'name', 'description', 'targetCount', 'createdAt', 'updatedAt'] as const;
const count = Type.Optional(Type.Integer({ minimum: 0 }));
const ListBundlesQuery = Type.Object(
  {
    ...listQuery(COLUMNS),
    target: idQuery('Only bundles that hold this target now.'),
    targetCountMin: count,
    targetCountMax: count,
    ...InPolicyQuery,
  },
  { additionalProperties: false },
);

export function registerBundles(app: ApiApp, context: ApiContext): void {
  const { publisher } = context.options;
  const common = {
    access: 'editor',
    tag: 'bundles',
    answer: { bundle: BundleWithTargetsSchema },
  } as const;
  const withTargets = (bundle: Bundle) =>
    bundleWithTargetsView(bundle, targetsOfBundle(bundle, publisher.model));
  const view = (bundle: Bundle) => ({ bundle: withTargets(bundle) });

  app.get(
    '/bundles',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'List bundles',
        querystring: ListBundlesQuery,
        response: answers(200, pageSchema(BundleSchema)),
      },
    },
    (request) => {
      const viewer = context.viewer(request);
      const { model } = viewer;
      const { target, targetCountMin = 0, targetCountMax = model.targets.size } = request.query;
      const isWanted = inPolicyFilter(viewer, request.query, (policy) =>
        attachedIds(policy, 'bundle'),
      );
      const found = model.bundles.values().filter((bundle) => {
        const held = heldTargets(model, bundle);
        return (
          held.length >= targetCountMin &&
          held.length <= targetCountMax &&
          (target === undefined || held.some(({ id }) => id === target)) &&
          isWanted(bundle.id)
        );
      });
      return pageOf(found, request.query, {
        columns: columnsOf(model),
        searched: ({ name, description }) => [name, description],
        view: (bundle) => bundleView(bundle, heldTargets(model, bundle)),
      });
    },
  );

  changeRoute(app, context, {
    ...common,
    method: 'POST',
    url: '/bundles',
    action: 'bundle.create',
    summary: 'Create a bundle',
    description:
      'An empty filter holds every target but the built-in one. The catalogue is kept by the account that runs the server.',
    status: 201,
    body: NewBundleSchema,
    edit: (edit, { body }) => createBundle(edit, body),
    view,
  });

  app.get(
    '/bundles/:id',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Get a bundle with the targets that it holds now',
        params: IdParams,
        response: answers(200, BundleWithTargetsSchema),
      },
    },
    (request, reply) => {
      const bundle = findBundle(context.viewer(request), request.params.id);
      reply.header('etag', etagOf(publisher.model, 'bundle', request.params));
      return withTargets(bundle);
    },
  );

  app.get(
    '/bundles/:id/targets',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'List the targets that a bundle holds now',
        params: IdParams,
        querystring: TargetsQuery,
        response: answers(200, pageSchema(TargetSchema)),
      },
    },
    (request) => {
      const viewer = context.viewer(request);
      const held = targetsOfBundle(findBundle(viewer, request.params.id), viewer.model);
      return targetPage(held, request.query, viewer);
    },
  );

  changeRoute(app, context, {
    ...common,
    locks: 'bundle',
    method: 'PATCH',
    url: '/bundles/:id',
    action: 'bundle.update',
    summary: 'Change a bundle',
    description: 'A given filter replaces the whole filter.',
    params: IdParams,
    body: BundlePatchSchema,
    edit: (edit, { params, body }) => updateBundle(edit, params.id, body),
    view,
  });

  changeRoute(app, context, {
    ...common,
    locks: 'bundle',
    answer: { deleted: NamedSchema },
    method: 'DELETE',
    url: '/bundles/:id',
    action: 'bundle.delete',
    summary: 'Delete a bundle',
    description: 'Refused while a policy attaches it.',
    params: IdParams,
    edit: (edit, { params }) => deleteBundle(edit, params.id),
    view: ({ id, name }) => ({ deleted: { id, name } }),
  });
}

function columnsOf(
  model: Model,
): Readonly<Record<(typeof COLUMNS)[number], (bundle: Bundle) => string | number>> {
  return {
    id: ({ id }) => id,
    name: ({ name }) => name,
    description: ({ description }) => description,
    targetCount: (bundle) => heldTargets(model, bundle).length,
    createdAt: ({ createdAt }) => createdAt,
    updatedAt: ({ updatedAt }) => updatedAt,
  };
}
