import type { DeviceType, PolicyType } from './model.ts';

/** The type of policy that a device of each type pulls. */
export const POLICY_TYPE_OF_DEVICE: Readonly<Record<DeviceType, PolicyType>> = {
  ip: 'ip',
  dns: 'dns',
  roaming: 'dns',
};
