import type { Policy } from '../../policy/model.ts';
import { releasePolicy, rollBackPolicy } from '../../publish/edits/index.ts';
import type { ApiContext } from '../api-context.ts';
import { changeRoute } from '../change-route.ts';
import { IdParams } from '../views/common.ts';
import { PolicySchema, policyView } from '../views/policy-view.ts';
import { NewRollbackSchema } from '../views/rollback-view.ts';
import type { ApiApp } from './app-type.ts';

export function registerRollback(app: ApiApp, context: ApiContext): void {
  const common = {
    access: 'editor',
    tag: 'policies',
    url: '/policies/:id/rollback',
    locks: 'policy',
    params: IdParams,
    answer: { policy: PolicySchema },
    view: (policy: Policy, request: Parameters<ApiContext['source']>[0]) => ({
      policy: policyView(policy, context.source(request)),
    }),
  } as const;

  changeRoute(app, context, {
    ...common,
    method: 'POST',
    action: 'policy.rollback',
    summary: 'Roll a policy back',
    description:
      'Its zones get what they held at a retained serial, under a new and higher one, and keep it whatever happens to the members, until the rollback is released.',
    body: NewRollbackSchema,
    edit: (edit, { params, body }) => rollBackPolicy(edit, params.id, body),
  });

  changeRoute(app, context, {
    ...common,
    method: 'DELETE',
    action: 'policy.release',
    summary: 'Release a rollback',
    description: 'The zones follow the members of the policy again.',
    edit: (edit, { params }) => releasePolicy(edit, params.id),
  });
}
