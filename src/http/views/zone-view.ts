import { type Static, Type } from 'typebox';
import type { ZoneChange, ZoneSummary } from '../../publish/publisher.ts';
import { CountSchema, countView, IdSchema, isoTime, nullable } from './common.ts';

const SerialSchema = Type.Integer({ minimum: 0, maximum: 0xffffffff, examples: [1896091200] });

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

const zoneProperties = {
  zone: Type.String({ examples: ['rpz.corp.acme.sluice.internal.'] }),
  policyId: IdSchema,
  side: Type.Enum(['rpz', 'block', 'allow']),
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
    side: zone.side,
    serial: zone.serial,
    records: zone.records,
    addresses4: zone.addresses4 === null ? null : countView(zone.addresses4),
    addresses6: zone.addresses6 === null ? null : countView(zone.addresses6),
  };
}

export const ZoneWithRevisionsSchema = Type.Object({
  ...zoneProperties,
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

export function zoneWithRevisionsView(zone: ZoneSummary): Static<typeof ZoneWithRevisionsSchema> {
  const revisions = zone.revisions.map((revision) => ({
    fromSerial: revision.fromSerial,
    toSerial: revision.toSerial,
    at: isoTime(revision.at),
    recordsAdded: revision.recordsAdded,
    recordsRemoved: revision.recordsRemoved,
  }));
  return { ...zoneView(zone), revisions: revisions.toReversed() };
}
