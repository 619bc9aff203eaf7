import { Type } from 'typebox';
import { memberCount } from '../../policy/member-sets.ts';
import { findList, findTarget } from '../../publish/edits/index.ts';
import { listSeenMembers } from '../../publish/list-members.ts';
import type { Holder } from '../../publish/store-port.ts';
import type { ApiContext } from '../api-context.ts';
import { PartQuery, pageSchema, partOf } from '../page.ts';
import { answers, IdParams, isoTime } from '../views/common.ts';
import { SeenIndicatorSchema, SizeHistorySchema, sizeHistoryView } from '../views/history-view.ts';
import type { ApiApp } from './app-type.ts';
import { refuseWithoutEntitlement } from './target-indicators.ts';

const HistoryQuery = Type.Object({ limit: PartQuery.limit }, { additionalProperties: false });

export function registerHistory(app: ApiApp, context: ApiContext): void {
  const { publisher } = context.options;

  app.get(
    '/targets/:id/history',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['targets'],
        summary: 'Get the size of a target over time',
        params: IdParams,
        querystring: HistoryQuery,
        response: answers(200, SizeHistorySchema),
      },
    },
    async (request) => {
      const { id, members } = findTarget(context.viewer(request), request.params.id);
      const { limit } = partOf(request.query);
      const steps = await publisher.memberSizes({ kind: 'target', id }, limit);
      return sizeHistoryView(memberCount(members), steps);
    },
  );

  app.get(
    '/lists/:id/history',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['lists'],
        summary: 'Get the size of a list over time',
        params: IdParams,
        querystring: HistoryQuery,
        response: answers(200, SizeHistorySchema),
      },
    },
    async (request) => {
      const { id, members } = findList(context.viewer(request), request.params.id);
      const { limit } = partOf(request.query);
      const steps = await publisher.memberSizes({ kind: 'list', id }, limit);
      return sizeHistoryView(memberCount(members), steps);
    },
  );

  app.get(
    '/targets/:id/indicators/seen',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['targets'],
        summary: 'List the indicators of a target with the times at which they were seen',
        description:
          'In the order in which they came into the system. Those of a partner are shown as by `/targets/{id}/indicators`.',
        params: IdParams,
        querystring: Type.Object(PartQuery, { additionalProperties: false }),
        response: answers(200, pageSchema(SeenIndicatorSchema)),
      },
    },
    async (request) => {
      const viewer = context.viewer(request);
      const target = findTarget(viewer, request.params.id);
      refuseWithoutEntitlement(target, viewer);
      const { limit, offset } = partOf(request.query);
      const holder: Holder = { kind: 'target', id: target.id };
      const seen = listSeenMembers({
        holder: target,
        history: await publisher.memberHistory(holder),
        catalogue: publisher.catalogue,
        offset,
        limit,
      });
      const items = seen.map(({ indicator, firstSeen, lastSeen }) => ({
        indicator,
        firstSeen: isoTime(firstSeen),
        lastSeen: isoTime(lastSeen),
      }));
      return { total: memberCount(target.members), offset, limit, items };
    },
  );
}
