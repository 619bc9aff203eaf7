import type { PolicySize } from '../policy/device-profiles.ts';
import type { PolicyId } from '../policy/model.ts';
import { countIpRecords } from '../zone/ip-records.ts';
import type { ZoneSnapshot } from '../zone/snapshot.ts';
import type { PublishedState } from './state.ts';

/** The size of what these zones hold together: those of one policy, or of one device. */
export function sizeOfZones(zones: Iterable<ZoneSnapshot>): PolicySize {
  const lists: { prefixes: number; hosts: number }[] = [];
  let records = 0;
  for (const zone of zones) {
    records += zone.records;
    if (zone.body.kind !== 'ip') continue;
    const { prefixes4, prefixes6, hosts } = countIpRecords(zone.body.content);
    lists.push({ prefixes: prefixes4 + prefixes6, hosts });
  }
  return { records, lists };
}

/** The size of every policy as it is served under its present name. Worked out once per state. */
export function policySizes({
  zones,
}: Pick<PublishedState, 'zones'>): ReadonlyMap<PolicyId, PolicySize> {
  const known = sizesOf.get(zones);
  if (known !== undefined) return known;
  const groups = new Map<PolicyId, ZoneSnapshot[]>();
  for (const zone of zones.values()) {
    if (zone.policyId === null || zone.deviceId !== null || zone.former) continue;
    const group = groups.get(zone.policyId);
    if (group) group.push(zone);
    else groups.set(zone.policyId, [zone]);
  }
  const sizes = new Map([...groups].map(([id, group]) => [id, sizeOfZones(group)]));
  sizesOf.set(zones, sizes);
  return sizes;
}

/** Zones are replaced, never changed, so the sizes hold as long as the map. */
const sizesOf = new WeakMap<PublishedState['zones'], ReadonlyMap<PolicyId, PolicySize>>();

/** What a policy without zones has. */
export const EMPTY_SIZE: PolicySize = { records: 0, lists: [] };
