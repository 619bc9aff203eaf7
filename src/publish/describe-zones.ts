import { ipAddresses } from '../zone/apex.ts';
import { sideOf, type ZoneSnapshot } from '../zone/snapshot.ts';
import type { ZoneSummary } from './publisher.ts';

/** Facts about all zones, in the order of their names. */
export function describeZones(zones: ReadonlyMap<string, ZoneSnapshot>): ZoneSummary[] {
  return [...zones]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([origin, zone]) => ({
      origin,
      policyId: zone.policyId,
      side: sideOf(zone.body),
      serial: zone.serial,
      records: zone.records,
      addresses4: zone.body.kind === 'ip' ? ipAddresses(zone.body.content, 4) : null,
      addresses6: zone.body.kind === 'ip' ? ipAddresses(zone.body.content, 6) : null,
      revisions: zone.revisions.map(
        ({ fromSerial, toSerial, at, recordsRemoved, recordsAdded }) => ({
          fromSerial,
          toSerial,
          at,
          recordsRemoved,
          recordsAdded,
        }),
      ),
    }));
}
