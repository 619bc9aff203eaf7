import { type Static, Type } from 'typebox';
import type { BehaviourId, Policy, TargetId } from '../../policy/model.ts';
import {
  createPolicy,
  deletePolicy,
  duplicatePolicy,
  findPolicy,
  POLICY_TYPES,
  seesPolicy,
  updatePolicy,
  usesBehaviour,
} from '../../publish/edits/index.ts';
import type { ApiContext } from '../api-context.ts';
import { changeRoute } from '../change-route.ts';
import { etagOf } from '../etag.ts';
import { idQuery, listQuery, pageOf, pageSchema, type SortKey } from '../page.ts';
import { answers, IdParams, NamedSchema } from '../views/common.ts';
import { attachedIds, holdsTarget } from '../views/model-index.ts';
import {
  DuplicateSchema,
  devicesOf,
  figuresOf,
  NewPolicySchema,
  PolicyPatchSchema,
  PolicySchema,
  PolicySummarySchema,
  type PolicyViewSource,
  policySummaryView,
  policyView,
} from '../views/policy-view.ts';
import type { ApiApp } from './app-type.ts';

const tags = ['policies'];
const COLUMNS = [
  'id',
  'name',
  'description',
  'type',
  'predefined',
  'ttl',
  'records',
  'blockAddresses4',
  'blockAddresses6',
  'allowAddresses4',
  'allowAddresses6',
  'attachmentCount',
  'deviceCount',
  'createdAt',
  'updatedAt',
] as const;
const bound = Type.Optional(Type.Integer({ minimum: 0 }));
const ListPoliciesQuery = Type.Object(
  {
    ...listQuery(COLUMNS),
    type: Type.Optional(Type.Enum([...POLICY_TYPES])),
    predefined: Type.Optional(Type.Boolean()),
    rolledBack: Type.Optional(Type.Boolean()),
    assigned: Type.Optional(Type.Boolean({ description: 'Whether a device of yours pulls it.' })),
    recordsMin: bound,
    recordsMax: bound,
    target: idQuery('Of which it is a member now.'),
    bundle: idQuery('Which it attaches.'),
    list: idQuery('Which it attaches.'),
    behaviour: idQuery('Which it uses.'),
  },
  { additionalProperties: false },
);
type ListPoliciesQuery = Static<typeof ListPoliciesQuery>;

export function registerPolicies(app: ApiApp, context: ApiContext): void {
  const common = {
    access: 'editor',
    tag: 'policies',
    answer: { policy: PolicySchema },
  } as const;
  const viewOf = (policy: Policy, request: Parameters<ApiContext['source']>[0]) => ({
    policy: policyView(policy, context.source(request)),
  });

  app.get(
    '/policies',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'List policies',
        description: 'Your own and the predefined ones, in short.',
        querystring: ListPoliciesQuery,
        response: answers(200, pageSchema(PolicySummarySchema)),
      },
    },
    (request) => {
      const source = context.source(request);
      const found = source.model.policies
        .values()
        .filter((policy) => seesPolicy(source.accountId, policy))
        .filter((policy) => matches(policy, request.query, source));
      return pageOf(found, request.query, {
        columns: columnsOf(source),
        searched: ({ name, description }) => [name, description],
        view: (policy) => policySummaryView(policy, source),
      });
    },
  );

  changeRoute(app, context, {
    ...common,
    method: 'POST',
    url: '/policies',
    action: 'policy.create',
    summary: 'Create a policy',
    description:
      'Its zones are served, with the canary alone if nothing is attached, when the answer comes.',
    status: 201,
    body: NewPolicySchema,
    edit: (edit, { body }) => createPolicy(edit, body),
    view: viewOf,
  });

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
    (request, reply) => {
      const policy = findPolicy(context.viewer(request), request.params.id);
      reply.header('etag', etagOf(context.options.publisher.model, 'policy', request.params));
      return policyView(policy, context.source(request));
    },
  );

  changeRoute(app, context, {
    ...common,
    answer: {
      ...common.answer,
      devicesToChange: Type.Array(NamedSchema, {
        description:
          'After a change of name: devices that pull the policy, and may do so by its former zone names, which end after the grace time.',
      }),
    },
    locks: 'policy',
    method: 'PATCH',
    url: '/policies/:id',
    action: 'policy.update',
    summary: 'Change a policy',
    description:
      'Given attachments or exclusions replace all there are. The type stays for life. After a change of name its zones go on answering under the former name for the configured grace time.',
    params: IdParams,
    body: PolicyPatchSchema,
    edit: (edit, { params, body }) => {
      const before = findPolicy({ model: edit.draft.model, accountId: edit.accountId }, params.id);
      const policy = updatePolicy(edit, params.id, body);
      return { policy, isRenamed: policy.name !== before.name };
    },
    view: ({ policy, isRenamed }, request) => {
      const source = context.source(request);
      const devices = isRenamed ? devicesOf(policy, source) : [];
      return {
        policy: policyView(policy, source),
        devicesToChange: devices.map(({ id, name }) => ({ id, name })),
      };
    },
  });

  changeRoute(app, context, {
    ...common,
    method: 'POST',
    url: '/policies/:id/duplicate',
    action: 'policy.duplicate',
    summary: 'Duplicate a policy',
    description:
      'Makes a custom policy of your own with the same content; also from a predefined one.',
    status: 201,
    locks: 'policy',
    makesAnother: true,
    params: IdParams,
    body: DuplicateSchema,
    edit: (edit, { params, body }) => duplicatePolicy(edit, params.id, body),
    view: viewOf,
  });

  changeRoute(app, context, {
    ...common,
    answer: { deleted: NamedSchema },
    locks: 'policy',
    method: 'DELETE',
    url: '/policies/:id',
    action: 'policy.delete',
    summary: 'Delete a policy',
    description: 'Refused while a device pulls it.',
    params: IdParams,
    edit: (edit, { params }) => deletePolicy(edit, params.id),
    view: ({ id, name }) => ({ deleted: { id, name } }),
  });
}

function columnsOf(
  source: PolicyViewSource,
): Readonly<Record<(typeof COLUMNS)[number], (policy: Policy) => SortKey>> {
  return {
    id: ({ id }) => id,
    name: ({ name }) => name,
    description: ({ description }) => description,
    type: ({ type }) => type,
    predefined: ({ predefined }) => Number(predefined),
    ttl: ({ ttl }) => ttl,
    records: (policy) => figuresOf(policy, source).records,
    // Exact: a number of JavaScript would lose what tells large IPv6 blocks apart.
    blockAddresses4: (policy) => figuresOf(policy, source).block?.addresses4 ?? -1n,
    blockAddresses6: (policy) => figuresOf(policy, source).block?.addresses6 ?? -1n,
    allowAddresses4: (policy) => figuresOf(policy, source).allow?.addresses4 ?? -1n,
    allowAddresses6: (policy) => figuresOf(policy, source).allow?.addresses6 ?? -1n,
    attachmentCount: ({ attachments }) => attachments.length,
    deviceCount: (policy) => devicesOf(policy, source).length,
    createdAt: ({ createdAt }) => createdAt,
    updatedAt: ({ updatedAt }) => updatedAt,
  };
}

function matches(policy: Policy, query: ListPoliciesQuery, source: PolicyViewSource): boolean {
  const { type, predefined, rolledBack, assigned, recordsMin, recordsMax } = query;
  const { target, bundle, list, behaviour } = query;
  if (type !== undefined && policy.type !== type) return false;
  if (predefined !== undefined && policy.predefined !== predefined) return false;
  if (rolledBack !== undefined && (policy.rollback !== null) !== rolledBack) return false;
  if (assigned !== undefined && devicesOf(policy, source).length > 0 !== assigned) return false;
  if (recordsMin !== undefined || recordsMax !== undefined) {
    const { records } = figuresOf(policy, source);
    if (records < (recordsMin ?? 0) || records > (recordsMax ?? records)) return false;
  }
  if (bundle !== undefined && !attachedIds(policy, 'bundle').has(bundle)) return false;
  if (list !== undefined && !attachedIds(policy, 'list').has(list)) return false;
  if (behaviour !== undefined && !usesBehaviour(policy, behaviour as BehaviourId)) return false;
  if (target === undefined) return true;
  const wanted = source.model.targets.get(target as TargetId);
  return wanted !== undefined && holdsTarget(policy, wanted, source.model);
}
