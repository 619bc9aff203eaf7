import { Type } from 'typebox';
import type { Bundle, Target } from '../../policy/model.ts';
import {
  createBundle,
  deleteBundle,
  findBundle,
  targetsOfBundle,
  updateBundle,
} from '../../publish/edits/index.ts';
import type { ApiContext } from '../api-context.ts';
import { type Columns, listQuery, pageOf, pageSchema } from '../page.ts';
import {
  BundlePatchSchema,
  BundleSchema,
  BundleWithTargetsSchema,
  bundleView,
  bundleWithTargetsView,
  NewBundleSchema,
} from '../views/bundle-view.ts';
import { answers, IdParams, NamedSchema } from '../views/common.ts';
import { TargetSchema, targetView } from '../views/target-view.ts';
import { ZoneChangesSchema } from '../views/zone-view.ts';
import type { ApiApp } from './app-type.ts';

const tags = ['bundles'];
const COLUMNS: Columns<Bundle> = {
  id: ({ id }) => id,
  name: ({ name }) => name,
  createdAt: ({ createdAt }) => createdAt,
  updatedAt: ({ updatedAt }) => updatedAt,
};
const TARGET_COLUMNS: Columns<Target> = {
  id: ({ id }) => id,
  name: ({ name }) => name,
};
const ChangedBundle = Type.Object({ bundle: BundleWithTargetsSchema, zones: ZoneChangesSchema });

export function registerBundles(app: ApiApp, context: ApiContext): void {
  const { publisher } = context.options;
  const withTargets = (bundle: Bundle) =>
    bundleWithTargetsView(bundle, targetsOfBundle(bundle, publisher.model));

  app.get(
    '/bundles',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'List bundles',
        querystring: Type.Object(listQuery(COLUMNS), { additionalProperties: false }),
        response: answers(200, pageSchema(BundleSchema)),
      },
    },
    (request) =>
      pageOf(publisher.model.bundles.values(), request.query, {
        columns: COLUMNS,
        searched: ({ name, description }) => [name, description],
        view: (bundle) => bundleView(bundle, targetsOfBundle(bundle, publisher.model)),
      }),
  );

  app.post(
    '/bundles',
    {
      config: { access: 'editor' },
      schema: {
        tags,
        summary: 'Create a bundle',
        description: 'An empty filter holds every target but the built-in one.',
        body: NewBundleSchema,
        response: answers(201, ChangedBundle),
      },
    },
    async (request, reply) => {
      const { value, zones } = await context.change(request, 'bundle.create', (edit) =>
        createBundle(edit, request.body),
      );
      return reply.code(201).send({ bundle: withTargets(value), zones });
    },
  );

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
    (request) => withTargets(findBundle(context.viewer(request), request.params.id)),
  );

  app.get(
    '/bundles/:id/targets',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'List the targets that a bundle holds now',
        params: IdParams,
        querystring: Type.Object(listQuery(TARGET_COLUMNS), { additionalProperties: false }),
        response: answers(200, pageSchema(TargetSchema)),
      },
    },
    (request) => {
      const bundle = findBundle(context.viewer(request), request.params.id);
      return pageOf(targetsOfBundle(bundle, publisher.model), request.query, {
        columns: TARGET_COLUMNS,
        view: targetView,
      });
    },
  );

  app.patch(
    '/bundles/:id',
    {
      config: { access: 'editor' },
      schema: {
        tags,
        summary: 'Change a bundle',
        description: 'A given filter replaces the whole filter.',
        params: IdParams,
        body: BundlePatchSchema,
        response: answers(200, ChangedBundle),
      },
    },
    async (request) => {
      const { value, zones } = await context.change(request, 'bundle.update', (edit) =>
        updateBundle(edit, request.params.id, request.body),
      );
      return { bundle: withTargets(value), zones };
    },
  );

  app.delete(
    '/bundles/:id',
    {
      config: { access: 'editor' },
      schema: {
        tags,
        summary: 'Delete a bundle',
        description: 'Refused while a policy attaches it.',
        params: IdParams,
        response: answers(200, Type.Object({ deleted: NamedSchema, zones: ZoneChangesSchema })),
      },
    },
    async (request) => {
      const { value, zones } = await context.change(request, 'bundle.delete', (edit) =>
        deleteBundle(edit, request.params.id),
      );
      return { deleted: { id: value.id, name: value.name }, zones };
    },
  );
}
