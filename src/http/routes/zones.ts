import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { PolicyId } from '../../policy/model.ts';
import { describeZones } from '../../publish/describe-zones.ts';
import { notFound, seesPolicy, type Viewer } from '../../publish/edits/index.ts';
import type { Publisher, ZoneSummary } from '../../publish/publisher.ts';
import { compareSerials } from '../../publish/zone-compare.ts';
import { findSerial, retainedSerials } from '../../publish/zone-reading.ts';
import { type ItemQuery, readZoneRecords } from '../../publish/zone-records.ts';
import type { ApiContext } from '../api-context.ts';
import {
  cutPage,
  idQuery,
  listQuery,
  PartQuery,
  pageSchema,
  partOf,
  type SortKey,
} from '../page.ts';
import { answers } from '../views/common.ts';
import {
  changedItemView,
  SerialSchema,
  ZONE_SIDES,
  ZoneComparisonSchema,
  ZoneRecordsSchema,
  ZoneSchema,
  ZoneWithRevisionsSchema,
  zoneItemView,
  zoneView,
  zoneWithRevisionsView,
} from '../views/zone-view.ts';
import type { ApiApp } from './app-type.ts';

const tags = ['zones'];
const ZoneParams = Type.Object({
  zone: Type.String({ maxLength: 1_024, examples: ['rpz.corp.acme.sluice.internal.'] }),
});

const SEARCH_LENGTH_MAX = 200;
const COLUMNS = {
  zone: ({ origin }) => origin,
  policyId: ({ policyId }) => policyId ?? 0,
  deviceId: ({ deviceId }) => deviceId ?? 0,
  side: ({ side }) => side,
  serial: ({ serial }) => serial,
  records: ({ records }) => records,
  addresses4: ({ addresses4 }) => addresses4 ?? 0n,
  addresses6: ({ addresses6 }) => addresses6 ?? 0n,
} satisfies Readonly<Record<string, (zone: ZoneSummary) => SortKey>>;
const ListZonesQuery = Type.Object(
  {
    ...listQuery(COLUMNS),
    policyId: idQuery('Only the zones that carry the content of this policy.'),
    deviceId: idQuery('Only the own zones of this device.'),
    side: Type.Optional(Type.Enum([...ZONE_SIDES])),
    former: Type.Optional(
      Type.Boolean({ description: 'Only zones under former names of policies, or none of them.' }),
    ),
  },
  { additionalProperties: false },
);

const CursorQuery = {
  limit: PartQuery.limit,
  cursor: Type.Optional(
    Type.String({
      pattern: '^[0-9]{1,15}([.][0-9]{1,15}){0,4}$',
      description: 'The "next" of the page before.',
    }),
  ),
  q: Type.Optional(
    Type.String({
      maxLength: SEARCH_LENGTH_MAX,
      description:
        'Only what holds this text, whatever the case. A page may then hold fewer than "limit", also none, and be followed by others.',
    }),
  ),
};
const RecordsQuery = Type.Object(
  { serial: Type.Optional(SerialSchema), ...CursorQuery },
  { additionalProperties: false },
);
const CompareQuery = Type.Object(
  { from: Type.Optional(SerialSchema), to: Type.Optional(SerialSchema), ...CursorQuery },
  { additionalProperties: false },
);

export function registerZones(app: ApiApp, context: ApiContext): void {
  const { publisher } = context.options;

  app.get(
    '/zones',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'List zones',
        description:
          'The zones of all policies that you see and of your devices, and your catalog zones, in the order of their names.',
        querystring: ListZonesQuery,
        response: answers(200, pageSchema(ZoneSchema)),
      },
    },
    (request) => {
      const viewer = context.viewer(request);
      const { policyId, deviceId, side, former } = request.query;
      const found = publisher
        .zones()
        .filter((zone) => seesZone(viewer, zone))
        .filter((zone) => policyId === undefined || zone.policyId === policyId)
        .filter((zone) => deviceId === undefined || zone.deviceId === deviceId)
        .filter((zone) => side === undefined || zone.side === side)
        .filter((zone) => former === undefined || zone.former === former);
      return cutPage(found, request.query, {
        columns: COLUMNS,
        searched: ({ origin }) => [origin],
        idOf: ({ origin }) => origin,
        sort: 'zone',
        view: zoneView,
      });
    },
  );

  app.get(
    '/zones/:zone',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Get a zone with its serials and revisions',
        params: ZoneParams,
        response: answers(200, ZoneWithRevisionsSchema),
      },
    },
    (request) => {
      const { origin, zone } = findZone(request, context);
      const [summary] = describeZones(new Map([[origin, zone]]));
      return zoneWithRevisionsView(summary!, retainedSerials(zone));
    },
  );

  app.get(
    '/zones/:zone/records',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Read a zone at a serial',
        description:
          'What the zone says below its apex, page by page, at any retained serial: the present one when none is given.',
        params: ZoneParams,
        querystring: RecordsQuery,
        response: answers(200, ZoneRecordsSchema),
      },
    },
    async (request) => {
      const { origin, zone } = findZone(request, context);
      const serial = findSerial(zone, origin, request.query.serial ?? zone.serial, 'serial');
      const query = itemQuery(request.query);
      const { catalogue } = publisher;
      const { items, next, total } = await readZoneRecords({ zone, serial, catalogue, query });
      return {
        zone: origin,
        serial,
        total,
        items: items.map(zoneItemView),
        next: next?.join('.') ?? null,
      };
    },
  );

  app.get(
    '/zones/:zone/compare',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Compare two serials of a zone',
        description:
          'What goes and what comes on the way from one retained serial to another, first all that goes. Without "to" the present serial is meant, without "from" the one before "to".',
        params: ZoneParams,
        querystring: CompareQuery,
        response: answers(200, ZoneComparisonSchema),
      },
    },
    async (request) => {
      const { origin, zone } = findZone(request, context);
      const to = findSerial(zone, origin, request.query.to ?? zone.serial, 'to');
      const before = zone.revisions.find(({ toSerial }) => toSerial === to)?.fromSerial ?? to;
      const from = findSerial(zone, origin, request.query.from ?? before, 'from');
      const query = itemQuery(request.query);
      const { catalogue } = publisher;
      const compared = await compareSerials({ zone, from, to, catalogue, query });
      return {
        zone: origin,
        from,
        to,
        removed: compared.removed,
        added: compared.added,
        items: compared.items.map(changedItemView),
        next: compared.next?.join('.') ?? null,
      };
    },
  );
}

function itemQuery(query: { limit?: number; cursor?: string; q?: string }): ItemQuery {
  return {
    limit: partOf(query).limit,
    from: query.cursor === undefined ? null : query.cursor.split('.').map(Number),
    q: query.q?.toLowerCase() ?? '',
  };
}

type ServedZone =
  Publisher['state']['zones'] extends ReadonlyMap<string, infer Zone> ? Zone : never;

/** The zone of the path, with or without its final dot, whatever its case. */
function findZone(
  request: FastifyRequest<{ Params: { zone: string } }>,
  context: ApiContext,
): { readonly origin: string; readonly zone: ServedZone } {
  const given = request.params.zone;
  const origin = given.endsWith('.') ? given.toLowerCase() : `${given.toLowerCase()}.`;
  const zone = context.options.publisher.state.zones.get(origin);
  if (zone === undefined || !seesZone(context.viewer(request), zone)) throw notFound('zone', given);
  return { origin, zone };
}

/**
 * A device's own zone and a catalog zone are their account's, the catalog of the server the operator's;
 * other zones are seen by whoever sees their policy.
 */
function seesZone(
  { model, accountId }: Viewer,
  zone: Pick<ServedZone, 'accountId' | 'policyId' | 'deviceId'> | ZoneSummary,
): boolean {
  if (zone.accountId === null) return model.accounts.get(accountId)?.operator === true;
  if (zone.deviceId !== null || zone.policyId === null) return zone.accountId === accountId;
  const policy = model.policies.get(zone.policyId as PolicyId);
  return policy !== undefined && seesPolicy(accountId, policy);
}
