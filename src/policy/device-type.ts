import type { DeviceType, PolicyType } from './model.ts';

/** The type of policy that a device of each type pulls; a secondary pulls all there is. */
export const POLICY_TYPE_OF_DEVICE: Readonly<Record<DeviceType, PolicyType | null>> = {
  ip: 'ip',
  dns: 'dns',
  roaming: 'dns',
  secondary: null,
};
