import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { PolicyId } from '../../policy/model.ts';
import { notFound, seesPolicy } from '../../publish/edits/index.ts';
import type { ZoneSummary } from '../../publish/publisher.ts';
import type { ApiContext } from '../api-context.ts';
import { PartQuery, pageSchema, partOf } from '../page.ts';
import { answers } from '../views/common.ts';
import {
  ZoneSchema,
  ZoneWithRevisionsSchema,
  zoneView,
  zoneWithRevisionsView,
} from '../views/zone-view.ts';
import type { ApiApp } from './app-type.ts';

const tags = ['zones'];
const ZoneParams = Type.Object({
  zone: Type.String({ maxLength: 1_024, examples: ['rpz.corp.acme.sluice.internal.'] }),
});

export function registerZones(app: ApiApp, context: ApiContext): void {
  app.get(
    '/zones',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'List zones',
        description: 'The zones of all policies that you see, in the order of their names.',
        querystring: Type.Object(
          { ...PartQuery, q: Type.Optional(Type.String({ maxLength: 200 })) },
          { additionalProperties: false },
        ),
        response: answers(200, pageSchema(ZoneSchema)),
      },
    },
    (request) => {
      const wanted = request.query.q?.toLowerCase() ?? '';
      const found = visibleZones(request, context).filter(({ origin }) => origin.includes(wanted));
      const { limit, offset } = partOf(request.query);
      const items = found.slice(offset, offset + limit).map(zoneView);
      return { total: found.length, offset, limit, items };
    },
  );

  app.get(
    '/zones/:zone',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Get a zone with its revisions',
        params: ZoneParams,
        response: answers(200, ZoneWithRevisionsSchema),
      },
    },
    (request) => {
      const name = request.params.zone.toLowerCase();
      const origin = name.endsWith('.') ? name : `${name}.`;
      const zone = visibleZones(request, context).find((candidate) => candidate.origin === origin);
      if (zone === undefined) throw notFound('zone', request.params.zone);
      return zoneWithRevisionsView(zone);
    },
  );
}

function visibleZones(request: FastifyRequest, context: ApiContext): readonly ZoneSummary[] {
  const { model, accountId } = context.viewer(request);
  const isVisible = ({ policyId }: ZoneSummary): boolean => {
    const policy = model.policies.get(policyId as PolicyId);
    return policy !== undefined && seesPolicy(accountId, policy);
  };
  return context.options.publisher
    .zones()
    .filter(isVisible)
    .toSorted((a, b) => (a.origin < b.origin ? -1 : a.origin > b.origin ? 1 : 0));
}
