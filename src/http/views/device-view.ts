import { type Static, Type } from 'typebox';
import { DEVICE_PROFILES, type Device, type DeviceKey, type Model } from '../../policy/model.ts';
import {
  ACCESS_MODES,
  DEVICE_TYPES,
  KEY_ALGORITHMS,
  NOTIFY_ENDPOINTS_MAX,
  SOURCES_MAX,
} from '../../publish/edits/index.ts';
import type { ZoneSummary } from '../../publish/publisher.ts';
import type { DeviceZoneStatus } from '../../publish/store-port.ts';
import { IdSchema, isoTime, NamedSchema, nullable, Times, timesView } from './common.ts';
import { DescriptionSchema } from './target-view.ts';

const DeviceNameSchema = Type.String({
  description: 'One label of 1 to 16 letters, digits and inner hyphens.',
  examples: ['resolver-1'],
});
const SourcesSchema = Type.Array(Type.String(), {
  maxItems: SOURCES_MAX,
  description: 'Addresses or prefixes that it asks from.',
});
const AccessSchema = Type.Enum([...ACCESS_MODES], {
  description: 'What it is known by: a TSIG key of its own, its sources, or either of the two.',
});
const EndpointSchema = Type.Object({
  address: Type.String({ description: 'IPv4 or IPv6 literal.' }),
  port: Type.Integer({ minimum: 1, maximum: 65_535 }),
});
const AlgorithmSchema = Type.Enum([...KEY_ALGORITHMS]);

export const KeySchema = Type.Object({
  id: IdSchema,
  name: Type.String({ examples: ['resolver-1.key.acme.sluice.internal.'] }),
  algorithm: AlgorithmSchema,
  createdAt: Type.String({ format: 'date-time' }),
});
export const NewKeySchema = Type.Object(
  { algorithm: Type.Optional(AlgorithmSchema) },
  { additionalProperties: false, examples: [{ algorithm: 'hmac-sha256' }] },
);

export const DeviceSchema = Type.Object({
  id: IdSchema,
  name: DeviceNameSchema,
  description: DescriptionSchema,
  type: Type.Enum([...DEVICE_TYPES]),
  profile: Type.Enum([...DEVICE_PROFILES]),
  access: AccessSchema,
  sources: SourcesSchema,
  notify: Type.Array(EndpointSchema),
  policy: nullable(NamedSchema),
  zones: Type.Array(Type.String(), { description: 'The zones that it may transfer.' }),
  keys: Type.Array(KeySchema),
  ...Times,
});

const writable = {
  description: Type.Optional(DescriptionSchema),
  profile: Type.Optional(Type.Enum([...DEVICE_PROFILES])),
  access: Type.Optional(AccessSchema),
  sources: Type.Optional(SourcesSchema),
  notify: Type.Optional(
    Type.Array(
      Type.Object(
        {
          address: Type.String(),
          port: Type.Optional(Type.Integer({ minimum: 1, maximum: 65_535, default: 53 })),
        },
        { additionalProperties: false },
      ),
      { maxItems: NOTIFY_ENDPOINTS_MAX },
    ),
  ),
  policyId: Type.Optional(nullable(IdSchema)),
};
const example = {
  name: 'resolver-1',
  type: 'dns',
  profile: 'bind',
  access: 'key',
  notify: [{ address: '192.0.2.53' }],
};
export const NewDeviceSchema = Type.Object(
  { name: DeviceNameSchema, type: Type.Enum([...DEVICE_TYPES]), ...writable },
  { additionalProperties: false, examples: [example] },
);
export const DevicePatchSchema = Type.Object(
  { name: Type.Optional(DeviceNameSchema), type: Type.Optional(Type.String()), ...writable },
  { additionalProperties: false, examples: [{ access: 'either', sources: ['192.0.2.0/28'] }] },
);
export const AssignmentSchema = Type.Object(
  { policyId: nullable(IdSchema) },
  { additionalProperties: false, examples: [{ policyId: 1 }] },
);

export function deviceView(
  device: Device,
  source: {
    readonly model: Model;
    readonly zonesByPolicy: ReadonlyMap<number, readonly ZoneSummary[]>;
  },
): Static<typeof DeviceSchema> {
  const { id, name, description, type, profile, access, policyId } = device;
  const policy = policyId === null ? undefined : source.model.policies.get(policyId);
  const zones = policyId === null ? [] : (source.zonesByPolicy.get(policyId) ?? []);
  return {
    id,
    name,
    description,
    type,
    profile,
    access,
    sources: [...device.sources],
    notify: device.notify.map(({ address, port }) => ({ address, port })),
    policy: policy === undefined ? null : { id: policy.id, name: policy.name },
    zones: zones.map(({ origin }) => origin),
    keys: keysOf(device, source.model).map(keyView),
    ...timesView(device),
  };
}

export function keysOf(device: Device, model: Model): readonly DeviceKey[] {
  return [...model.keys.values()].filter(({ deviceId }) => deviceId === device.id);
}

/** Never the secret. */
export function keyView(key: DeviceKey): Static<typeof KeySchema> {
  const { id, name, algorithm } = key;
  return { id, name, algorithm, createdAt: isoTime(key.createdAt) };
}

const EventSchema = { serial: Type.Integer(), at: Type.String({ format: 'date-time' }) };
const AddressedEventSchema = { ...EventSchema, address: nullable(Type.String()) };

export const StatusSchema = Type.Object({
  zone: Type.String(),
  serial: nullable(Type.Integer({ description: 'Served now; null when the zone is gone.' })),
  notified: nullable(
    Type.Object(AddressedEventSchema, { description: 'The last NOTIFY that it acknowledged.' }),
  ),
  polled: nullable(Type.Object(AddressedEventSchema, { description: 'Its last SOA query.' })),
  transferred: nullable(
    Type.Object({
      ...AddressedEventSchema,
      kind: nullable(Type.Enum(['AXFR', 'IXFR'])),
      bytes: nullable(Type.Integer()),
    }),
  ),
});

export function statusView(
  status: DeviceZoneStatus,
  serial: number | null,
): Static<typeof StatusSchema> {
  return {
    zone: status.origin,
    serial,
    notified: eventView(status.notifiedSerial, status.notifiedAt, status.notifiedAddress),
    polled: eventView(status.polledSerial, status.polledAt, status.polledAddress),
    transferred: transferView(status),
  };
}

function eventView(serial: number | null, at: number | null, address: string | null) {
  return serial === null || at === null ? null : { serial, at: isoTime(at), address };
}

function transferView(status: DeviceZoneStatus): Static<typeof StatusSchema>['transferred'] {
  const { transferredSerial, transferredAt, transferredAddress } = status;
  const event = eventView(transferredSerial, transferredAt, transferredAddress);
  return event && { ...event, kind: status.transferKind, bytes: status.transferBytes };
}
