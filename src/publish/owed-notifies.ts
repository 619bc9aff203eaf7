import type { Device, DeviceId, PolicyId } from '../policy/model.ts';
import type { ZoneSnapshot } from '../zone/snapshot.ts';
import type { ZoneChange } from './publisher.ts';
import type { PublishedState } from './state.ts';
import type { Commit, OwedNotify } from './store-port.ts';

/**
 * The NOTIFYs that an edit owes: for each zone with a new serial to every device that pulls it, and
 * for a device that is new to a policy or has a new endpoint, of the zones as they stand.
 */
export function owedNotifies(
  before: PublishedState,
  after: PublishedState,
  changes: readonly ZoneChange[],
): Pick<Commit, 'notifies' | 'forgetNotifies'> {
  const changed = new Set(changes.map(({ origin }) => origin));
  const zonesByPolicy = groupByPolicy(after);
  const notifies: OwedNotify[] = [];
  const forgetNotifies: { deviceId: number; origin: string | null }[] = [];
  for (const [id, device] of after.model.devices) {
    const was = before.model.devices.get(id);
    const isNew = was !== device && !sameDuties(was, device);
    if (isNew && was !== undefined) forgetNotifies.push({ deviceId: id, origin: null });
    for (const [origin, zone] of zonesOf(device.policyId, zonesByPolicy)) {
      if (!isNew && !changed.has(origin)) continue;
      notifies.push(...notifiesOf(device, origin, zone.serial));
    }
  }
  for (const id of before.model.devices.keys()) {
    if (!after.model.devices.has(id)) forgetNotifies.push({ deviceId: id, origin: null });
  }
  forgetNotifies.push(...forgottenZones(before, changes));
  return { notifies, forgetNotifies };
}

type ZonesByPolicy = ReadonlyMap<PolicyId, readonly (readonly [string, ZoneSnapshot])[]>;

function groupByPolicy({ zones }: PublishedState): ZonesByPolicy {
  const groups = new Map<PolicyId, (readonly [string, ZoneSnapshot])[]>();
  for (const entry of zones) {
    const group = groups.get(entry[1].policyId);
    if (group) group.push(entry);
    else groups.set(entry[1].policyId, [entry]);
  }
  return groups;
}

function zonesOf(policyId: PolicyId | null, zones: ZonesByPolicy) {
  return policyId === null ? [] : (zones.get(policyId) ?? []);
}

function notifiesOf(device: Device, origin: string, serial: number): OwedNotify[] {
  return device.notify.map(({ address, port }) => ({
    deviceId: device.id,
    origin,
    address,
    port,
    serial,
  }));
}

function sameDuties(a: Device | undefined, b: Device): boolean {
  return (
    a !== undefined &&
    a.policyId === b.policyId &&
    JSON.stringify(a.notify) === JSON.stringify(b.notify)
  );
}

/** Zones that are gone owe nothing any more. */
function forgottenZones(
  before: PublishedState,
  changes: readonly ZoneChange[],
): { deviceId: DeviceId; origin: string }[] {
  return changes.flatMap(({ origin, toSerial }) => {
    if (toSerial !== null) return [];
    const policyId = before.zones.get(origin)?.policyId;
    return [...before.model.devices.values()]
      .filter((device) => device.policyId === policyId)
      .map((device) => ({ deviceId: device.id, origin }));
  });
}
