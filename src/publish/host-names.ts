import type { Model } from '../policy/model.ts';
import { isHostName } from './edits/device-addresses.ts';

/** The host names of all devices whose addresses are needed: those asked from and those told. */
export function hostNamesInUse({ devices }: Pick<Model, 'devices'>): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { hostnames, notify } of devices.values()) {
    for (const name of hostnames) names.add(name);
    for (const { address } of notify) if (isHostName(address)) names.add(address);
  }
  return names;
}
