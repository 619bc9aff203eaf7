import { ipAddresses } from '../zone/apex.ts';
import { sideOf, type ZoneSnapshot } from '../zone/snapshot.ts';
import type { ZoneSummary } from './publisher.ts';

/** Facts about all zones, in the order of their names. */
export function describeZones(zones: ReadonlyMap<string, ZoneSnapshot>): readonly ZoneSummary[] {
  const known = summariesOfZones.get(zones);
  if (known !== undefined) return known;
  const summaries = [...zones]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([origin, zone]) => describeZone(origin, zone));
  summariesOfZones.set(zones, summaries);
  return summaries;
}

function describeZone(origin: string, zone: ZoneSnapshot): ZoneSummary {
  const known = summaryOfZone.get(zone);
  if (known !== undefined) return known;
  const { body } = zone;
  const summary: ZoneSummary = {
    origin,
    accountId: zone.accountId,
    policyId: zone.policyId,
    deviceId: zone.deviceId,
    former: zone.former,
    side: sideOf(body),
    serial: zone.serial,
    records: zone.records,
    addresses4: body.kind === 'ip' ? ipAddresses(body.content, 4) : null,
    addresses6: body.kind === 'ip' ? ipAddresses(body.content, 6) : null,
    revisions: zone.revisions.map(({ fromSerial, toSerial, at, recordsRemoved, recordsAdded }) => ({
      fromSerial,
      toSerial,
      at,
      recordsRemoved,
      recordsAdded,
    })),
  };
  summaryOfZone.set(zone, summary);
  return summary;
}

/** Snapshots are replaced, never changed, and every answer of the API wants to know about all of them. */
const summaryOfZone = new WeakMap<ZoneSnapshot, ZoneSummary>();
const summariesOfZones = new WeakMap<ReadonlyMap<string, ZoneSnapshot>, readonly ZoneSummary[]>();
