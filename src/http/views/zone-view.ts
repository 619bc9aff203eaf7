import { type Static, Type } from 'typebox';
import type { ZoneChange, ZoneSummary } from '../../publish/publisher.ts';
import { CHANGES, type ChangedItem } from '../../publish/zone-compare.ts';
import type { ZoneItem } from '../../publish/zone-items.ts';
import type { RetainedSerial } from '../../publish/zone-reading.ts';
import { CountSchema, countView, isoTime, nullable } from './common.ts';

export const SerialSchema = Type.Integer({
  minimum: 0,
  maximum: 0xffffffff,
  examples: [1896091200],
});

/** What a change did to one zone. */
export const ZoneChangeSchema = Type.Object({
  zone: Type.String({ examples: ['rpz.corp.acme.sluice.internal.'] }),
  serial: nullable(SerialSchema),
  fromSerial: nullable(SerialSchema),
  recordsAdded: Type.Integer(),
  recordsRemoved: Type.Integer(),
});

export const ZoneChangesSchema = Type.Array(ZoneChangeSchema, {
  description:
    'Every zone that the change gave a new serial, served already. A new zone has no fromSerial, a deleted one no serial.',
});

export function zoneChangeView(change: ZoneChange): Static<typeof ZoneChangeSchema> {
  return {
    zone: change.origin,
    serial: change.toSerial,
    fromSerial: change.fromSerial,
    recordsAdded: change.recordsAdded,
    recordsRemoved: change.recordsRemoved,
  };
}

/** What a zone is for. */
export const ZONE_SIDES = ['rpz', 'block', 'allow', 'catalog'] as const;

const zoneProperties = {
  zone: Type.String({ examples: ['rpz.corp.acme.sluice.internal.'] }),
  policyId: nullable(
    Type.Integer({
      minimum: 1,
      description:
        'Whose content it carries; null for the zone of a device without a policy, and for catalog zones.',
    }),
  ),
  deviceId: nullable(
    Type.Integer({
      minimum: 1,
      description: "The device whose own zone it is; null for a policy's.",
    }),
  ),
  former: Type.Boolean({ description: 'Whether it answers under a name that its policy had.' }),
  side: Type.Enum([...ZONE_SIDES]),
  serial: SerialSchema,
  records: Type.Integer({ description: 'Resource records, the SOA counted once.' }),
  addresses4: nullable(CountSchema),
  addresses6: nullable(CountSchema),
};
export const ZoneSchema = Type.Object(zoneProperties);

export function zoneView(zone: ZoneSummary): Static<typeof ZoneSchema> {
  return {
    zone: zone.origin,
    policyId: zone.policyId,
    deviceId: zone.deviceId,
    former: zone.former,
    side: zone.side,
    serial: zone.serial,
    records: zone.records,
    addresses4: zone.addresses4 === null ? null : countView(zone.addresses4),
    addresses6: zone.addresses6 === null ? null : countView(zone.addresses6),
  };
}

export const ZoneWithRevisionsSchema = Type.Object({
  ...zoneProperties,
  serials: Type.Array(
    Type.Object({
      serial: SerialSchema,
      at: nullable(
        Type.String({
          format: 'date-time',
          description: 'Since when it was served; null for the oldest, whose making is forgotten.',
        }),
      ),
      records: Type.Integer({ description: 'Resource records, the SOA counted once.' }),
    }),
    { description: 'Every serial at which the zone can be read, the newest first.' },
  ),
  revisions: Type.Array(
    Type.Object({
      fromSerial: SerialSchema,
      toSerial: SerialSchema,
      at: Type.String({ format: 'date-time' }),
      recordsAdded: Type.Integer(),
      recordsRemoved: Type.Integer(),
    }),
    { description: 'The steps that an IXFR can still be made of, the newest first.' },
  ),
});

export function zoneWithRevisionsView(
  zone: ZoneSummary,
  serials: readonly RetainedSerial[],
): Static<typeof ZoneWithRevisionsSchema> {
  const revisions = zone.revisions.map((revision) => ({
    fromSerial: revision.fromSerial,
    toSerial: revision.toSerial,
    at: isoTime(revision.at),
    recordsAdded: revision.recordsAdded,
    recordsRemoved: revision.recordsRemoved,
  }));
  return {
    ...zoneView(zone),
    serials: serials.map(({ serial, at, records }) => ({
      serial,
      at: at === null ? null : isoTime(at),
      records,
    })),
    revisions: revisions.toReversed(),
  };
}

const NextSchema = nullable(
  Type.String({ description: 'The cursor of the next page; null at the end.' }),
);

const itemProperties = {
  owner: Type.String({
    description: 'Relative to the zone; v4, v6 or hosts in an IP zone.',
    examples: ['*.evil.example'],
  }),
  type: Type.String({ examples: ['CNAME'] }),
  ttl: Type.Integer(),
  data: Type.String({
    description:
      'As zone files write it. In an IP zone each prefix stands for itself, whichever APL record holds it.',
    examples: ['.'],
  }),
};

export const ZoneRecordsSchema = Type.Object({
  zone: Type.String(),
  serial: SerialSchema,
  total: Type.Integer({ description: 'What the zone says at this serial below its apex, in all.' }),
  items: Type.Array(Type.Object(itemProperties)),
  next: NextSchema,
});

export const ZoneComparisonSchema = Type.Object({
  zone: Type.String(),
  from: SerialSchema,
  to: SerialSchema,
  removed: Type.Integer({ description: 'What "from" has and "to" has not, in all.' }),
  added: Type.Integer({ description: 'What "to" has and "from" has not, in all.' }),
  items: Type.Array(Type.Object({ change: Type.Enum([...CHANGES]), ...itemProperties })),
  next: NextSchema,
});

export function zoneItemView({ owner, type, ttl, data }: ZoneItem) {
  return { owner, type, ttl, data };
}

export function changedItemView(item: ChangedItem) {
  return { change: item.change, ...zoneItemView(item) };
}
