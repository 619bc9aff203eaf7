import type { Device } from '../policy/model.ts';
import { isInScope, isSecondary } from '../policy/secondary.ts';
import { sideOf, type ZoneSide } from '../zone/snapshot.ts';
import { type DeviceStatusBook, FOLLOWED_MS } from './device-status.ts';
import { zonesOfDevice } from './device-zones.ts';
import type { PublishedState } from './state.ts';
import { askedAt } from './status-rows.ts';

/**
 * The zones that a device is expected to hold. A secondary: all that it may read, and of the catalog
 * zones those that it asks for, since it follows one of them, or none but a list. Any other: of its
 * policy's zones and its own, which say the same, those that it follows. A zone under a former name of
 * the policy stands in for the one under the present name as long as the device asks for that one.
 */
export function expectedZones(
  state: Pick<PublishedState, 'zones'>,
  device: Device,
  status: Pick<DeviceStatusBook, 'isFollowed' | 'row'>,
): readonly string[] {
  const askedFor = (origin: string): number => {
    const row = status.row(device.id, origin);
    return row === undefined ? 0 : askedAt(row);
  };
  if (isSecondary(device)) {
    return [...state.zones].flatMap(([origin, zone]) =>
      isInScope(device, zone) && (zone.body.kind !== 'catalog' || askedFor(origin) > 0)
        ? origin
        : [],
    );
  }
  const { policy, former, own } = zonesOfDevice(state, device);
  const lastAsked = new Map<ZoneSide | undefined, number>();
  const sideOfOrigin = (origin: string): ZoneSide | undefined => {
    const zone = state.zones.get(origin);
    return zone === undefined ? undefined : sideOf(zone.body);
  };
  for (const origin of [...policy, ...former, ...own]) {
    const side = sideOfOrigin(origin);
    lastAsked.set(side, Math.max(lastAsked.get(side) ?? 0, askedFor(origin)));
  }
  const isExpected = (origin: string): boolean => {
    const last = lastAsked.get(sideOfOrigin(origin)) ?? 0;
    if (last > 0) return askedFor(origin) > Math.max(0, last - FOLLOWED_MS);
    return device.policyId !== null && status.isFollowed(device.id, origin);
  };
  return [
    ...[...policy, ...own].filter(isExpected),
    ...former.filter((origin) => askedFor(origin) > 0 && isExpected(origin)),
  ];
}
