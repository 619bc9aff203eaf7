import { Type } from 'typebox';
import type { Behaviour } from '../../policy/model.ts';
import {
  BEHAVIOUR_KINDS,
  createBehaviour,
  deleteBehaviour,
  findBehaviour,
  findPolicy,
  updateBehaviour,
  usesBehaviour,
} from '../../publish/edits/index.ts';
import type { ApiContext } from '../api-context.ts';
import { changeRoute } from '../change-route.ts';
import { etagOf } from '../etag.ts';
import { type Columns, idQuery, listQuery, pageOf, pageSchema } from '../page.ts';
import {
  BehaviourPatchSchema,
  BehaviourSchema,
  behaviourView,
  NewBehaviourSchema,
} from '../views/behaviour-view.ts';
import { answers, IdParams, NamedSchema } from '../views/common.ts';
import type { ApiApp } from './app-type.ts';

const tags = ['behaviours'];
const COLUMNS: Columns<Behaviour> = {
  id: ({ id }) => id,
  name: ({ name }) => name,
  description: ({ description }) => description,
  kind: ({ action }) => action.kind,
  createdAt: ({ createdAt }) => createdAt,
  updatedAt: ({ updatedAt }) => updatedAt,
};
const ListBehavioursQuery = Type.Object(
  {
    ...listQuery(COLUMNS),
    kind: Type.Optional(Type.Enum([...BEHAVIOUR_KINDS])),
    inPolicy: idQuery('Only those that this policy uses.'),
  },
  { additionalProperties: false },
);

/** Redirects and local data with a name: defined once, used by many policies, changed in one place. */
export function registerBehaviours(app: ApiApp, context: ApiContext): void {
  const { publisher } = context.options;
  const common = {
    access: 'editor',
    tag: 'behaviours',
    answer: { behaviour: BehaviourSchema },
  } as const;
  const view = (behaviour: Behaviour) => ({ behaviour: behaviourView(behaviour, publisher.model) });

  app.get(
    '/behaviours',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'List behaviours',
        description: 'Those of your account.',
        querystring: ListBehavioursQuery,
        response: answers(200, pageSchema(BehaviourSchema)),
      },
    },
    (request) => {
      const viewer = context.viewer(request);
      const { kind, inPolicy } = request.query;
      const policy = inPolicy === undefined ? null : findPolicy(viewer, inPolicy);
      const own = viewer.model.behaviours
        .values()
        .filter(({ accountId }) => accountId === viewer.accountId)
        .filter(({ action }) => kind === undefined || action.kind === kind)
        .filter(({ id }) => policy === null || usesBehaviour(policy, id));
      return pageOf(own, request.query, {
        columns: COLUMNS,
        searched: ({ name, description }) => [name, description],
        view: (behaviour) => behaviourView(behaviour, viewer.model),
      });
    },
  );

  changeRoute(app, context, {
    ...common,
    method: 'POST',
    url: '/behaviours',
    action: 'behaviour.create',
    summary: 'Create a behaviour',
    description: 'A redirect or local data that attachments and default actions can name.',
    status: 201,
    body: NewBehaviourSchema,
    edit: (edit, { body }) => createBehaviour(edit, body),
    view,
  });

  app.get(
    '/behaviours/:id',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Get a behaviour',
        params: IdParams,
        response: answers(200, BehaviourSchema),
      },
    },
    (request, reply) => {
      const { model } = publisher;
      const behaviour = findBehaviour(context.viewer(request), request.params.id);
      reply.header('etag', etagOf(model, 'behaviour', request.params));
      return behaviourView(behaviour, model);
    },
  );

  changeRoute(app, context, {
    ...common,
    locks: 'behaviour',
    method: 'PATCH',
    url: '/behaviours/:id',
    action: 'behaviour.update',
    summary: 'Change a behaviour',
    description: 'Every zone of every policy that uses it follows in the same change.',
    params: IdParams,
    body: BehaviourPatchSchema,
    edit: (edit, { params, body }) => updateBehaviour(edit, params.id, body),
    view,
  });

  changeRoute(app, context, {
    ...common,
    locks: 'behaviour',
    answer: { deleted: NamedSchema },
    method: 'DELETE',
    url: '/behaviours/:id',
    action: 'behaviour.delete',
    summary: 'Delete a behaviour',
    description: 'Refused while a policy uses it.',
    params: IdParams,
    edit: (edit, { params }) => deleteBehaviour(edit, params.id),
    view: ({ id, name }) => ({ deleted: { id, name } }),
  });
}
