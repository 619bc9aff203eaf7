import type { AccountId, Device, DeviceId, PolicyId } from '../policy/model.ts';
import { isSecondary } from '../policy/secondary.ts';
import type { PublishedState } from './state.ts';

/** The zones that a device may read, by name. */
export interface DeviceZones {
  /** Of the policy that it is assigned, under its present name. */
  readonly policy: readonly string[];
  /** Of that policy under names that it had, as long as they answer. */
  readonly former: readonly string[];
  /** Its own, which keep their names whatever it is assigned. */
  readonly own: readonly string[];
  /** Of a secondary: the catalog zone that lists all it may read; null where there is none. */
  readonly catalog: string | null;
}

interface ZoneIndex {
  readonly policy: ReadonlyMap<PolicyId, readonly string[]>;
  readonly former: ReadonlyMap<PolicyId, readonly string[]>;
  readonly own: ReadonlyMap<DeviceId, readonly string[]>;
  readonly catalogs: ReadonlyMap<AccountId | null, string>;
}

export function zonesOfDevice(
  { zones }: Pick<PublishedState, 'zones'>,
  device: Pick<Device, 'id' | 'policyId' | 'type' | 'scope' | 'accountId'>,
): DeviceZones {
  const { id, policyId, scope, accountId } = device;
  const { policy, former, own, catalogs } = indexOf(zones);
  return {
    policy: (policyId !== null && policy.get(policyId)) || [],
    former: (policyId !== null && former.get(policyId)) || [],
    own: own.get(id) ?? [],
    catalog: isSecondary(device)
      ? (catalogs.get(scope === 'server' ? null : accountId) ?? null)
      : null,
  };
}

/** Zones are replaced, never changed, so an index holds as long as the map. */
const indexes = new WeakMap<PublishedState['zones'], ZoneIndex>();

function indexOf(zones: PublishedState['zones']): ZoneIndex {
  const known = indexes.get(zones);
  if (known !== undefined) return known;
  const policy = new Map<PolicyId, string[]>();
  const former = new Map<PolicyId, string[]>();
  const own = new Map<DeviceId, string[]>();
  const catalogs = new Map<AccountId | null, string>();
  for (const origin of [...zones.keys()].sort()) {
    const zone = zones.get(origin)!;
    if (zone.body.kind === 'catalog') catalogs.set(zone.accountId, origin);
    else if (zone.deviceId !== null) append(own, zone.deviceId, origin);
    else if (zone.policyId !== null) append(zone.former ? former : policy, zone.policyId, origin);
  }
  const index = { policy, former, own, catalogs };
  indexes.set(zones, index);
  return index;
}

function append<Key>(groups: Map<Key, string[]>, key: Key, origin: string): void {
  const group = groups.get(key);
  if (group) group.push(origin);
  else groups.set(key, [origin]);
}
