import { type Static, Type } from 'typebox';
import type { DeviceProfileRow } from '../../policy/device-profiles.ts';
import { DEVICE_TYPES } from '../../publish/edits/index.ts';
import { nullable } from './common.ts';

export const DeviceProfileSchema = Type.Object({
  id: Type.String({ examples: ['fortigate'] }),
  name: Type.String(),
  deviceTypes: Type.Array(Type.Enum([...DEVICE_TYPES])),
  recordsMax: nullable(
    Type.Integer({ description: 'What it takes; null when nothing bounds it or nobody knows.' }),
  ),
  counts: Type.Enum(['records', 'prefixes', 'hosts']),
  per: Type.Enum(['device', 'list']),
  source: Type.String({ description: 'Where the number was read; empty without a number.' }),
  notes: Type.String(),
});

export function deviceProfileView(row: DeviceProfileRow): Static<typeof DeviceProfileSchema> {
  const { id, name, deviceTypes, recordsMax, counts, per, source, notes } = row;
  return { id, name, deviceTypes: [...deviceTypes], recordsMax, counts, per, source, notes };
}
