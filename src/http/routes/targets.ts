import type { Target } from '../../policy/model.ts';
import { createTarget, deleteTarget, findTarget, updateTarget } from '../../publish/edits/index.ts';
import type { ApiContext } from '../api-context.ts';
import { changeRoute } from '../change-route.ts';
import { etagOf } from '../etag.ts';
import { pageSchema } from '../page.ts';
import { answers, IdParams, NamedSchema } from '../views/common.ts';
import {
  NewTargetSchema,
  TargetPatchSchema,
  TargetSchema,
  targetView,
} from '../views/target-view.ts';
import type { ApiApp } from './app-type.ts';
import { TargetsQuery, targetPage } from './target-pages.ts';

const tags = ['targets'];

export function registerTargets(app: ApiApp, context: ApiContext): void {
  const common = { access: 'editor', tag: 'targets', answer: { target: TargetSchema } } as const;
  const view = (target: Target, request: Parameters<ApiContext['viewer']>[0]) => ({
    target: targetView(target, context.viewer(request)),
  });

  app.get(
    '/targets',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'List targets',
        description: 'Targets of the catalogue, filtered by attributes.',
        querystring: TargetsQuery,
        response: answers(200, pageSchema(TargetSchema)),
      },
    },
    (request) => {
      const viewer = context.viewer(request);
      return targetPage(viewer.model.targets.values(), request.query, viewer);
    },
  );

  changeRoute(app, context, {
    ...common,
    method: 'POST',
    url: '/targets',
    action: 'target.create',
    summary: 'Create a target',
    description:
      'It holds no indicators yet; they are added with a request of their own. The catalogue is kept by the account that runs the server.',
    status: 201,
    body: NewTargetSchema,
    edit: (edit, { body }) => createTarget(edit, body),
    view,
  });

  app.get(
    '/targets/:id',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Get a target',
        params: IdParams,
        response: answers(200, TargetSchema),
      },
    },
    (request, reply) => {
      const viewer = context.viewer(request);
      const target = findTarget(viewer, request.params.id);
      reply.header('etag', etagOf(viewer.model, 'target', request.params));
      return targetView(target, viewer);
    },
  );

  changeRoute(app, context, {
    ...common,
    locks: 'target',
    method: 'PATCH',
    url: '/targets/:id',
    action: 'target.update',
    summary: 'Change a target',
    description: 'Fields and attributes that are not given stay as they are.',
    params: IdParams,
    body: TargetPatchSchema,
    edit: (edit, { params, body }) => updateTarget(edit, params.id, body),
    view,
  });

  changeRoute(app, context, {
    ...common,
    locks: 'target',
    answer: { deleted: NamedSchema },
    method: 'DELETE',
    url: '/targets/:id',
    action: 'target.delete',
    summary: 'Delete a target',
    description: 'Refused while a policy attaches it directly.',
    params: IdParams,
    edit: (edit, { params }) => deleteTarget(edit, params.id),
    view: ({ id, name }) => ({ deleted: { id, name } }),
  });
}
