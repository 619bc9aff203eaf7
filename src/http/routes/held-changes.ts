import type { FastifyError, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { HeldChange } from '../../policy/model.ts';
import { findHeldChange, removeHeldChange } from '../../publish/edits/index.ts';
import type { ApiContext } from '../api-context.ts';
import { changeAnswer, changeRoute, sendOutcome } from '../change-route.ts';
import { checkIfMatch, etagOf, IfMatchHeaders } from '../etag.ts';
import { operationOfHeld } from '../held-request.ts';
import { type Operation, readOperation, refuseOthersThan, withSwitches } from '../operation.ts';
import { problemOf } from '../problem-replies.ts';
import { answers, IdParams, ProblemAnswer } from '../views/common.ts';
import {
  type HeldChangeDetail,
  HeldChangeDetailSchema,
  HeldChangeSchema,
  heldBodyView,
  heldChangeView,
} from '../views/held-view.ts';
import type { ApiApp } from './app-type.ts';

const tags = ['held-changes'];
/** Whatever the route of the held request answers. */
const OriginalAnswer = Type.Record(Type.String(), Type.Unknown(), {
  description: 'What the held request would have been answered.',
});

export function registerHeldChanges(app: ApiApp, context: ApiContext): void {
  app.get(
    '/held-changes',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'List changes that wait to be confirmed',
        response: answers(200, Type.Object({ items: Type.Array(HeldChangeSchema) })),
      },
    },
    (request) => {
      const { model, accountId } = context.viewer(request);
      const own = [...model.heldChanges.values()].filter((held) => held.accountId === accountId);
      return { items: own.map(heldChangeView) };
    },
  );

  app.get(
    '/held-changes/:id',
    {
      config: { access: 'editor' },
      schema: {
        tags,
        summary: 'Get a change that waits, with what it would do now',
        description: 'For the role that the request itself needs.',
        params: IdParams,
        response: answers(200, HeldChangeDetailSchema),
      },
    },
    async (request, reply) => {
      const viewer = context.viewer(request);
      const held = findForSender(context, request, request.params.id);
      reply.header('etag', etagOf(viewer.model, 'held', request.params));
      return {
        ...heldChangeView(held),
        ifMatch: held.request.ifMatch,
        body: heldBodyView(held),
        ...(await previewHeld(context, request, held)),
      };
    },
  );

  app.post(
    '/held-changes/:id/confirm',
    {
      config: { access: 'editor' },
      schema: {
        tags,
        summary: 'Carry out a change that waits',
        description:
          'For the role that the request itself needs. In the name of who confirms it, upon the model as it is now; what it answers is what the request itself would have been answered. When the request can no longer be carried out, the answer says why and the change stays.',
        params: IdParams,
        headers: IfMatchHeaders,
        response: {
          200: OriginalAnswer,
          201: OriginalAnswer,
          '4xx': ProblemAnswer,
          '5xx': ProblemAnswer,
        },
      },
    },
    async (request, reply) => {
      const held = findForSender(context, request, request.params.id);
      const operation = withSwitches(operationOf(context, request, held), { confirm: true });
      const { route } = operation;
      const ifMatch = request.headers['if-match'];
      const outcome = await context.run(operation.request, {
        ...route,
        action: `change.confirm ${held.id} ${route.action}`,
        // One commit: a change is never carried out and still waiting, nor gone and not carried out.
        edit: (edit, input, inner) => {
          removeHeldChange(edit, held.id);
          if (ifMatch !== undefined) checkIfMatch(edit.draft.base, 'held', request.params, ifMatch);
          return route.edit(edit, input, inner);
        },
      });
      return sendOutcome(reply, changeAnswer(context, route, operation.request, outcome));
    },
  );

  changeRoute(app, context, {
    method: 'DELETE',
    url: '/held-changes/:id',
    access: 'editor',
    action: 'change.discard',
    tag: 'held-changes',
    summary: 'Discard a change that waits',
    description: 'For the role that the request itself needs.',
    params: IdParams,
    locks: 'held',
    edit: (edit, { params }, request) => {
      const held = removeHeldChange(edit, params.id);
      refuseOthersThan(context, request, operationOfHeld(held));
      return held;
    },
    answer: { discarded: HeldChangeSchema },
    view: (held) => ({ discarded: heldChangeView(held) }),
  });
}

/** A change that the sender could have asked for, too: what only others may send is not shown either. */
function findForSender(context: ApiContext, request: FastifyRequest, id: number): HeldChange {
  const held = findHeldChange(context.viewer(request), id);
  refuseOthersThan(context, request, operationOfHeld(held));
  return held;
}

function operationOf(context: ApiContext, request: FastifyRequest, held: HeldChange): Operation {
  return readOperation(context, request, operationOfHeld(held));
}

/** A dry run upon the model of now, or why there cannot be one. */
async function previewHeld(
  context: ApiContext,
  request: FastifyRequest,
  held: HeldChange,
): Promise<Pick<HeldChangeDetail, 'preview' | 'problem'>> {
  try {
    const operation = withSwitches(operationOf(context, request, held), { dryRun: true });
    const outcome = await context.run(operation.request, operation.route);
    return { preview: outcome.kind === 'preview' ? outcome.preview : null, problem: null };
  } catch (error) {
    const problem = problemOf(error as FastifyError, request);
    if (problem.status >= 500) throw error;
    return { preview: null, problem };
  }
}
