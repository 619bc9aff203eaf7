import { Type } from 'typebox';
import { DEVICE_PROFILE_TABLE } from '../../policy/device-profiles.ts';
import { answers } from '../views/common.ts';
import { DeviceProfileSchema, deviceProfileView } from '../views/device-profile-view.ts';
import type { ApiApp } from './app-type.ts';

export function registerDeviceProfiles(app: ApiApp): void {
  app.get(
    '/device-profiles',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['devices'],
        summary: 'List the models of devices',
        description: 'What each can take, in what it counts, and where that was read.',
        response: answers(200, Type.Object({ items: Type.Array(DeviceProfileSchema) })),
      },
    },
    () => ({ items: DEVICE_PROFILE_TABLE.map(deviceProfileView) }),
  );
}
