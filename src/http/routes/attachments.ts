import { type Static, Type } from 'typebox';
import type { Policy, Target } from '../../policy/model.ts';
import {
  ATTACHMENT_KINDS,
  attach,
  attachAsTargets,
  type BundleSnapshot,
  changeAttachment,
  detach,
  excludeTarget,
  includeTarget,
} from '../../publish/edits/index.ts';
import type { ApiContext } from '../api-context.ts';
import { changeRoute } from '../change-route.ts';
import { IdParams, IdSchema } from '../views/common.ts';
import {
  ActionChangeSchema,
  AttachSchema,
  PolicySchema,
  policyView,
  SnapshotSchema,
} from '../views/policy-view.ts';
import type { ApiApp } from './app-type.ts';

const AttachmentParams = Type.Object({
  id: IdSchema,
  kind: Type.Enum([...ATTACHMENT_KINDS], { examples: ['target'] }),
  memberId: IdSchema,
});
const ExclusionParams = Type.Object({ id: IdSchema, targetId: IdSchema });

export function registerAttachments(app: ApiApp, context: ApiContext): void {
  const common = {
    access: 'editor',
    tag: 'policies',
    locks: 'policy',
    answer: { policy: PolicySchema },
    view: (policy: Policy, request: Parameters<ApiContext['source']>[0]) => ({
      policy: policyView(policy, context.source(request)),
    }),
  } as const;

  changeRoute(app, context, {
    ...common,
    answer: { ...common.answer, snapshot: Type.Optional(SnapshotSchema) },
    method: 'POST',
    url: '/policies/:id/attachments',
    action: 'policy.attach',
    summary: 'Attach a target, bundle or list',
    description:
      'Without an action it gets the default action of the policy; a list in an IP policy acts by its own. A bundle is followed as it changes, or with asTargets attached as the targets that it holds now.',
    status: 201,
    params: IdParams,
    body: AttachSchema,
    edit: (edit, { params, body }): { policy: Policy; snapshot?: BundleSnapshot } => {
      if (body.asTargets !== true) return { policy: attach(edit, params.id, body) };
      const snapshot = attachAsTargets(edit, params.id, body);
      return { policy: snapshot.policy, snapshot };
    },
    view: ({ policy, snapshot }, request) => ({
      ...common.view(policy, request),
      ...(snapshot === undefined ? {} : { snapshot: snapshotView(snapshot) }),
    }),
  });

  changeRoute(app, context, {
    ...common,
    method: 'PATCH',
    url: '/policies/:id/attachments/:kind/:memberId',
    action: 'policy.attachment.update',
    summary: 'Change the action of an attachment',
    params: AttachmentParams,
    body: ActionChangeSchema,
    edit: (edit, { params: { id, kind, memberId }, body }) =>
      changeAttachment(edit, id, { kind, id: memberId }, body),
  });

  changeRoute(app, context, {
    ...common,
    method: 'DELETE',
    url: '/policies/:id/attachments/:kind/:memberId',
    action: 'policy.detach',
    summary: 'Detach a target, bundle or list',
    params: AttachmentParams,
    edit: (edit, { params: { id, kind, memberId } }) => detach(edit, id, { kind, id: memberId }),
  });

  changeRoute(app, context, {
    ...common,
    method: 'PUT',
    url: '/policies/:id/exclusions/:targetId',
    action: 'policy.exclude',
    summary: 'Exclude a target',
    description: 'It stays out, whatever brings it.',
    params: ExclusionParams,
    edit: (edit, { params }) => excludeTarget(edit, params.id, params.targetId),
  });

  changeRoute(app, context, {
    ...common,
    method: 'DELETE',
    url: '/policies/:id/exclusions/:targetId',
    action: 'policy.include',
    summary: 'Take an exclusion back',
    params: ExclusionParams,
    edit: (edit, { params }) => includeTarget(edit, params.id, params.targetId),
  });
}

function snapshotView(snapshot: BundleSnapshot): Static<typeof SnapshotSchema> {
  const named = ({ id, name }: Target) => ({ id, name });
  return {
    attached: snapshot.attached.map(named),
    attachedAlready: snapshot.attachedAlready.map(named),
    leftOut: snapshot.leftOut.map(({ target, refusal: { code, rule } }) => ({
      ...named(target),
      reason: code,
      rule,
    })),
  };
}
