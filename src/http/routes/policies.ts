import { Type } from 'typebox';
import type { Policy } from '../../policy/model.ts';
import {
  createPolicy,
  deletePolicy,
  duplicatePolicy,
  findPolicy,
  POLICY_TYPES,
  seesPolicy,
  updatePolicy,
} from '../../publish/edits/index.ts';
import type { ApiContext } from '../api-context.ts';
import { type Columns, listQuery, pageOf, pageSchema } from '../page.ts';
import { answers, IdParams, NamedSchema } from '../views/common.ts';
import {
  DuplicateSchema,
  NewPolicySchema,
  PolicyPatchSchema,
  PolicySchema,
  policyView,
  recordsOfZones,
} from '../views/policy-view.ts';
import { ZoneChangesSchema } from '../views/zone-view.ts';
import type { ApiApp } from './app-type.ts';

const tags = ['policies'];
const COLUMNS: Columns<Policy> = {
  id: ({ id }) => id,
  name: ({ name }) => name,
  description: ({ description }) => description,
  type: ({ type }) => type,
  predefined: ({ predefined }) => Number(predefined),
  // The zones are known to the route only, which fills this column in.
  records: ({ id }) => id,
  createdAt: ({ createdAt }) => createdAt,
  updatedAt: ({ updatedAt }) => updatedAt,
};
const ListPoliciesQuery = Type.Object(
  {
    ...listQuery(COLUMNS),
    type: Type.Optional(Type.Enum([...POLICY_TYPES])),
    predefined: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
);
export const ChangedPolicy = Type.Object({ policy: PolicySchema, zones: ZoneChangesSchema });

export function registerPolicies(app: ApiApp, context: ApiContext): void {
  app.get(
    '/policies',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'List policies',
        description: 'Your own and the predefined ones.',
        querystring: ListPoliciesQuery,
        response: answers(200, pageSchema(PolicySchema)),
      },
    },
    (request) => {
      const source = context.source(request);
      const { type, predefined } = request.query;
      const found = source.model.policies
        .values()
        .filter((policy) => seesPolicy(source.accountId, policy))
        .filter((policy) => type === undefined || policy.type === type)
        .filter((policy) => predefined === undefined || policy.predefined === predefined);
      const records = ({ id }: Policy) => recordsOfZones(source.zonesByPolicy.get(id) ?? []);
      return pageOf(found, request.query, {
        columns: { ...COLUMNS, records },
        searched: ({ name, description }) => [name, description],
        view: (policy) => policyView(policy, source),
      });
    },
  );

  app.post(
    '/policies',
    {
      config: { access: 'editor' },
      schema: {
        tags,
        summary: 'Create a policy',
        description:
          'Its zones are served, with the canary alone if nothing is attached, when the answer comes.',
        body: NewPolicySchema,
        response: answers(201, ChangedPolicy),
      },
    },
    async (request, reply) => {
      const { value, zones } = await context.change(request, 'policy.create', (edit) =>
        createPolicy(edit, request.body),
      );
      return reply.code(201).send({ policy: policyView(value, context.source(request)), zones });
    },
  );

  app.get(
    '/policies/:id',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Get a policy',
        params: IdParams,
        response: answers(200, PolicySchema),
      },
    },
    (request) => {
      const policy = findPolicy(context.viewer(request), request.params.id);
      return policyView(policy, context.source(request));
    },
  );

  app.patch(
    '/policies/:id',
    {
      config: { access: 'editor' },
      schema: {
        tags,
        summary: 'Change a policy',
        description:
          'Given attachments or exclusions replace all there are. The type stays for life.',
        params: IdParams,
        body: PolicyPatchSchema,
        response: answers(200, ChangedPolicy),
      },
    },
    async (request) => {
      const { value, zones } = await context.change(request, 'policy.update', (edit) =>
        updatePolicy(edit, request.params.id, request.body),
      );
      return { policy: policyView(value, context.source(request)), zones };
    },
  );

  app.post(
    '/policies/:id/duplicate',
    {
      config: { access: 'editor' },
      schema: {
        tags,
        summary: 'Duplicate a policy',
        description:
          'Makes a custom policy of your own with the same content; also from a predefined one.',
        params: IdParams,
        body: DuplicateSchema,
        response: answers(201, ChangedPolicy),
      },
    },
    async (request, reply) => {
      const { value, zones } = await context.change(request, 'policy.duplicate', (edit) =>
        duplicatePolicy(edit, request.params.id, request.body),
      );
      return reply.code(201).send({ policy: policyView(value, context.source(request)), zones });
    },
  );

  app.delete(
    '/policies/:id',
    {
      config: { access: 'editor' },
      schema: {
        tags,
        summary: 'Delete a policy',
        description: 'Refused while a device pulls it.',
        params: IdParams,
        response: answers(200, Type.Object({ deleted: NamedSchema, zones: ZoneChangesSchema })),
      },
    },
    async (request) => {
      const { value, zones } = await context.change(request, 'policy.delete', (edit) =>
        deletePolicy(edit, request.params.id),
      );
      return { deleted: { id: value.id, name: value.name }, zones };
    },
  );
}
