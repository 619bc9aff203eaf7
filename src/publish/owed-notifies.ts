import type { Device, DeviceId, PolicyId } from '../policy/model.ts';
import { isInScope, isSecondary } from '../policy/secondary.ts';
import type { ZoneSnapshot } from '../zone/snapshot.ts';
import type { ZoneChange } from './publisher.ts';
import type { PublishedState } from './state.ts';
import type { Commit, NewNotify } from './store-port.ts';
import { createUrgencies } from './urgency.ts';

/**
 * The NOTIFYs that an edit owes: for each zone with a new serial to every device that may pull it,
 * and for a device that is new to a policy or has a new endpoint, of the zones as they stand. Which
 * of them it follows, its policy's zones or its own, only the device knows.
 */
export function owedNotifies(
  before: PublishedState,
  after: PublishedState,
  changes: readonly ZoneChange[],
): Pick<Commit, 'notifies' | 'forgetNotifies'> {
  if (before.model.devices === after.model.devices && changes.length === 0) {
    return { notifies: [], forgetNotifies: [] };
  }
  const changed = groupZones(
    changes.flatMap(({ origin }): NamedZone[] => {
      const zone = after.zones.get(origin);
      return zone === undefined ? [] : [[origin, zone]];
    }),
  );
  let all: ZoneGroups | null = null;
  /** Most edits change few of all zones, and no duties: then nobody looks at the others. */
  const allZones = (): ZoneGroups => {
    all ??= groupZones([...after.zones]);
    return all;
  };
  const urgencyFor = createUrgencies(before, after);
  const notifies: NewNotify[] = [];
  const forgetNotifies: { deviceId: number; origin: string | null }[] = [];
  for (const [id, device] of after.model.devices) {
    const was = before.model.devices.get(id);
    const isNew = was !== device && !sameDuties(was, device);
    if (isNew && was !== undefined) forgetNotifies.push({ deviceId: id, origin: null });
    if (device.notify.length === 0) continue;
    const zones = isNew ? allZones() : changed;
    for (const [origin, zone] of zones.of(device)) {
      notifies.push(...notifiesOf(device, origin, zone.serial, urgencyFor(zone.policyId)));
    }
  }
  for (const id of before.model.devices.keys()) {
    if (!after.model.devices.has(id)) forgetNotifies.push({ deviceId: id, origin: null });
  }
  forgetNotifies.push(...forgottenZones(before, changes));
  return { notifies, forgetNotifies };
}

type NamedZone = readonly [string, ZoneSnapshot];

interface ZoneGroups {
  /** Those of the zones that a device may pull. */
  of(device: Device): readonly NamedZone[];
}

function groupZones(zones: readonly NamedZone[]): ZoneGroups {
  const byPolicy = new Map<PolicyId, NamedZone[]>();
  const byDevice = new Map<DeviceId, NamedZone[]>();
  for (const entry of zones) {
    const { policyId, deviceId } = entry[1];
    if (deviceId !== null) append(byDevice, deviceId, entry);
    else if (policyId !== null) append(byPolicy, policyId, entry);
  }
  return {
    of: (device) => {
      const { id, policyId } = device;
      if (isSecondary(device)) return zones.filter(([, zone]) => isInScope(device, zone));
      const ofPolicy = policyId === null ? [] : (byPolicy.get(policyId) ?? []);
      return [...ofPolicy, ...(byDevice.get(id) ?? [])];
    },
  };
}

function append<Key>(groups: Map<Key, NamedZone[]>, key: Key, entry: NamedZone): void {
  const group = groups.get(key);
  if (group) group.push(entry);
  else groups.set(key, [entry]);
}

function notifiesOf(device: Device, origin: string, serial: number, urgency: number): NewNotify[] {
  return device.notify.map(({ address, port }) => ({
    deviceId: device.id,
    origin,
    address,
    port,
    serial,
    urgency,
  }));
}

function sameDuties(a: Device | undefined, b: Device): boolean {
  return (
    a !== undefined &&
    a.policyId === b.policyId &&
    a.scope === b.scope &&
    JSON.stringify(a.notify) === JSON.stringify(b.notify)
  );
}

/** Zones that are gone owe nothing any more. */
function forgottenZones(
  before: PublishedState,
  changes: readonly ZoneChange[],
): { deviceId: DeviceId; origin: string }[] {
  return changes.flatMap(({ origin, toSerial }) => {
    const zone = toSerial === null ? before.zones.get(origin) : undefined;
    if (zone === undefined) return [];
    return [...before.model.devices.values()]
      .filter((device) => (isSecondary(device) ? isInScope(device, zone) : isItsZone(device, zone)))
      .map((device) => ({ deviceId: device.id, origin }));
  });
}

function isItsZone({ id, policyId }: Device, zone: ZoneSnapshot): boolean {
  if (zone.deviceId !== null) return zone.deviceId === id;
  return zone.policyId !== null && zone.policyId === policyId;
}
