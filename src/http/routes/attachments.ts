import { Type } from 'typebox';
import {
  ATTACHMENT_KINDS,
  attach,
  changeAttachment,
  detach,
  excludeTarget,
  includeTarget,
} from '../../publish/edits/index.ts';
import type { ApiContext } from '../api-context.ts';
import { answers, IdParams, IdSchema } from '../views/common.ts';
import { ActionChangeSchema, NewAttachmentSchema, policyView } from '../views/policy-view.ts';
import type { ApiApp } from './app-type.ts';
import { ChangedPolicy } from './policies.ts';

const tags = ['policies'];

const AttachmentParams = Type.Object({
  id: IdSchema,
  kind: Type.Enum([...ATTACHMENT_KINDS], { examples: ['target'] }),
  memberId: IdSchema,
});
const ExclusionParams = Type.Object({ id: IdSchema, targetId: IdSchema });

export function registerAttachments(app: ApiApp, context: ApiContext): void {
  app.post(
    '/policies/:id/attachments',
    {
      config: { access: 'editor' },
      schema: {
        tags,
        summary: 'Attach a target, bundle or list',
        description:
          'Without an action it gets the default action of the policy; a list in an IP policy acts by its own.',
        params: IdParams,
        body: NewAttachmentSchema,
        response: answers(201, ChangedPolicy),
      },
    },
    async (request, reply) => {
      const { value, zones } = await context.change(request, 'policy.attach', (edit) =>
        attach(edit, request.params.id, request.body),
      );
      return reply.code(201).send({ policy: policyView(value, context.source(request)), zones });
    },
  );

  app.patch(
    '/policies/:id/attachments/:kind/:memberId',
    {
      config: { access: 'editor' },
      schema: {
        tags,
        summary: 'Change the action of an attachment',
        params: AttachmentParams,
        body: ActionChangeSchema,
        response: answers(200, ChangedPolicy),
      },
    },
    async (request) => {
      const { id, kind, memberId } = request.params;
      const { value, zones } = await context.change(request, 'policy.attachment.update', (edit) =>
        changeAttachment(edit, id, { kind, id: memberId }, request.body),
      );
      return { policy: policyView(value, context.source(request)), zones };
    },
  );

  app.delete(
    '/policies/:id/attachments/:kind/:memberId',
    {
      config: { access: 'editor' },
      schema: {
        tags,
        summary: 'Detach a target, bundle or list',
        params: AttachmentParams,
        response: answers(200, ChangedPolicy),
      },
    },
    async (request) => {
      const { id, kind, memberId } = request.params;
      const { value, zones } = await context.change(request, 'policy.detach', (edit) =>
        detach(edit, id, { kind, id: memberId }),
      );
      return { policy: policyView(value, context.source(request)), zones };
    },
  );

  app.put(
    '/policies/:id/exclusions/:targetId',
    {
      config: { access: 'editor' },
      schema: {
        tags,
        summary: 'Exclude a target',
        description: 'It stays out, whatever brings it.',
        params: ExclusionParams,
        response: answers(200, ChangedPolicy),
      },
    },
    async (request) => {
      const { id, targetId } = request.params;
      const { value, zones } = await context.change(request, 'policy.exclude', (edit) =>
        excludeTarget(edit, id, targetId),
      );
      return { policy: policyView(value, context.source(request)), zones };
    },
  );

  app.delete(
    '/policies/:id/exclusions/:targetId',
    {
      config: { access: 'editor' },
      schema: {
        tags,
        summary: 'Take an exclusion back',
        params: ExclusionParams,
        response: answers(200, ChangedPolicy),
      },
    },
    async (request) => {
      const { id, targetId } = request.params;
      const { value, zones } = await context.change(request, 'policy.include', (edit) =>
        includeTarget(edit, id, targetId),
      );
      return { policy: policyView(value, context.source(request)), zones };
    },
  );
}
