import { type Static, Type } from 'typebox';
import {
  capacityOf,
  capacityWarnings,
  excessOf,
  type PolicySize,
  sizeFor,
} from '../../policy/device-profiles.ts';
import {
  DEVICE_PROFILES,
  type Device,
  type KeyId,
  type Model,
  type Policy,
  type PolicyId,
} from '../../policy/model.ts';
import type { DeviceZones } from '../../publish/device-zones.ts';
import {
  ACCESS_MODES,
  ASSIGNMENTS_MAX,
  DEVICE_RECORDS_MAX,
  DEVICE_TYPES,
  HOSTNAMES_MAX,
  isHostName,
  NOTIFY_ENDPOINTS_MAX,
  SCOPES,
  SOURCES_MAX,
} from '../../publish/edits/index.ts';
import { keyWarnings } from '../../publish/key-warnings.ts';
import { EMPTY_SIZE } from '../../publish/policy-size.ts';
import type { KeyUse } from '../../publish/store-port.ts';
import type { HostStatus } from '../api-options.ts';
import { IdSchema, isoTime, NamedSchema, nullable, Times, timesView } from './common.ts';
import { StatusSchema } from './convergence-view.ts';
import { KeySchema, keysOf, keyView } from './key-view.ts';
import { DescriptionSchema } from './target-view.ts';

const DeviceNameSchema = Type.String({
  description:
    'One label of 1 to 16 letters, digits and inner hyphens; part of the names of its zones, so it is kept for life.',
  examples: ['resolver-1'],
});
const SourcesSchema = Type.Array(Type.String(), {
  maxItems: SOURCES_MAX,
  description: 'Addresses or prefixes that it asks from.',
});
const HostnamesSchema = Type.Array(Type.String(), {
  maxItems: HOSTNAMES_MAX,
  description: 'Host names whose addresses are sources too; they are looked up again and again.',
  examples: [['resolver-1.example.com.']],
});
const CertificateNameSchema = nullable(
  Type.String({
    description:
      'DNS name in its client certificate, for transfers over TLS; no other device of the server has it.',
    examples: ['resolver-1.example.com'],
  }),
);
const RecordsMaxSchema = nullable(
  Type.Integer({
    minimum: 1,
    maximum: DEVICE_RECORDS_MAX,
    description:
      'What it can take, in the unit of its profile, where that differs from the profile.',
  }),
);
const AccessSchema = Type.Enum([...ACCESS_MODES], {
  description:
    'What it is known by: a TSIG key of its own, its sources (prefixes and host names), the name in its client certificate (over TLS), or any of these.',
});
const ScopeSchema = Type.Enum([...SCOPES], {
  description:
    'Of a secondary: whether it may read all zones of its account, or of the whole server, which only the operator has.',
});
const EndpointSchema = Type.Object({
  address: Type.String({ description: 'IPv4 or IPv6 literal, or a host name.' }),
  port: Type.Integer({ minimum: 1, maximum: 65_535 }),
});
const HostSchema = Type.Object({
  name: Type.String({ examples: ['resolver-1.example.com.'] }),
  addresses: Type.Array(Type.String()),
  resolvedAt: nullable(
    Type.String({ format: 'date-time', description: 'When these addresses were learnt.' }),
  ),
  ageSeconds: nullable(Type.Integer({ minimum: 0, description: 'How long ago that was.' })),
  askedAt: nullable(Type.String({ format: 'date-time' })),
  lastError: nullable(
    Type.String({ description: 'Why the last lookup brought nothing; null when it did.' }),
  ),
});

const CapacitySchema = Type.Object({
  recordsMax: nullable(
    Type.Integer({ description: 'What it can take; null when nobody knows or nothing bounds it.' }),
  ),
  counts: Type.Enum(['records', 'prefixes', 'hosts'], {
    description:
      'What is counted: resource records, prefixes of a list, or single addresses behind a name.',
  }),
  per: Type.Enum(['device', 'list'], {
    description: 'Whether block and allow list are counted together, or each for itself.',
  }),
  from: nullable(Type.Enum(['device', 'profile'], { description: 'Who says so.' })),
  size: Type.Integer({ description: 'What its policy takes of it now.' }),
  over: Type.Integer({ description: 'How far that is above it; 0 when it fits.' }),
});

export const DeviceSchema = Type.Object({
  id: IdSchema,
  name: DeviceNameSchema,
  description: DescriptionSchema,
  type: Type.Enum([...DEVICE_TYPES]),
  profile: Type.Enum([...DEVICE_PROFILES]),
  scope: ScopeSchema,
  access: AccessSchema,
  sources: SourcesSchema,
  hostnames: HostnamesSchema,
  hosts: Type.Array(HostSchema, {
    description: 'Every host name that it is known by or told at, with its addresses.',
  }),
  certificateName: CertificateNameSchema,
  recordsMax: RecordsMaxSchema,
  notify: Type.Array(EndpointSchema),
  policy: nullable(NamedSchema),
  zones: Type.Array(Type.String(), {
    description: 'The zones of its policy: their names change with it.',
  }),
  formerZones: Type.Array(Type.String(), {
    description: 'Names that these had before the policy was renamed, as long as they answer.',
  }),
  ownZones: Type.Array(Type.String(), {
    description: 'Its own zones: they always carry its policy, under names that stay.',
  }),
  catalogZone: nullable(
    Type.String({ description: 'Of a secondary: the catalog zone that lists all it may read.' }),
  ),
  capacity: CapacitySchema,
  warnings: Type.Array(Type.String()),
  keys: Type.Array(KeySchema),
  ...Times,
});

const writable = {
  description: Type.Optional(DescriptionSchema),
  profile: Type.Optional(Type.Enum([...DEVICE_PROFILES])),
  scope: Type.Optional(ScopeSchema),
  access: Type.Optional(AccessSchema),
  sources: Type.Optional(SourcesSchema),
  hostnames: Type.Optional(HostnamesSchema),
  certificateName: Type.Optional(CertificateNameSchema),
  recordsMax: Type.Optional(RecordsMaxSchema),
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

export const AssignmentsSchema = Type.Object(
  {
    add: Type.Optional(Type.Array(IdSchema, { maxItems: ASSIGNMENTS_MAX })),
    remove: Type.Optional(Type.Array(IdSchema, { maxItems: ASSIGNMENTS_MAX })),
  },
  { additionalProperties: false, examples: [{ add: [1], remove: [] }] },
);

/** What views of devices are made from. */
export interface DeviceViewSource {
  readonly model: Model;
  readonly accountId: Policy['accountId'];
  readonly zonesOf: (device: Device) => DeviceZones;
  readonly sizes: ReadonlyMap<PolicyId, PolicySize>;
  readonly describeHost: (name: string) => HostStatus;
  readonly keyUse: (keyId: KeyId) => KeyUse | undefined;
  /** Unix milliseconds. */
  readonly now: number;
}

export function deviceView(device: Device, source: DeviceViewSource): Static<typeof DeviceSchema> {
  const { id, name, description, type, scope, profile, access, policyId } = device;
  const policy = policyId === null ? undefined : source.model.policies.get(policyId);
  const zones = source.zonesOf(device);
  const keys = keysOf(device, source.model);
  const size = (policyId !== null && source.sizes.get(policyId)) || EMPTY_SIZE;
  return {
    id,
    name,
    description,
    type,
    profile,
    scope,
    access,
    sources: [...device.sources],
    hostnames: [...device.hostnames],
    hosts: hostsOf(device).map((host) => hostView(host, source)),
    certificateName: device.certificateName,
    recordsMax: device.recordsMax,
    notify: device.notify.map(({ address, port }) => ({ address, port })),
    policy: policy === undefined ? null : { id: policy.id, name: policy.name },
    zones: [...zones.policy],
    formerZones: [...zones.former],
    ownZones: [...zones.own],
    catalogZone: zones.catalog,
    capacity: capacityView(device, size),
    warnings: [
      ...(policy === undefined ? [] : capacityWarnings(policy, [device], size)),
      ...keyWarnings(keys, source.keyUse),
    ],
    keys: keys.map((key) => keyView(key, source.keyUse(key.id))),
    ...timesView(device),
  };
}

function hostsOf({ hostnames, notify }: Device): readonly string[] {
  const told = notify.map(({ address }) => address).filter(isHostName);
  return [...new Set([...hostnames, ...told])];
}

function hostView(name: string, source: DeviceViewSource): Static<typeof HostSchema> {
  const { addresses, resolvedAt, askedAt, lastError } = source.describeHost(name);
  return {
    name,
    addresses: [...addresses],
    resolvedAt: resolvedAt === null ? null : isoTime(resolvedAt),
    ageSeconds:
      resolvedAt === null ? null : Math.max(0, Math.floor((source.now - resolvedAt) / 1000)),
    askedAt: askedAt === null ? null : isoTime(askedAt),
    lastError,
  };
}

function capacityView(device: Device, size: PolicySize): Static<typeof CapacitySchema> {
  const capacity = capacityOf(device);
  const { recordsMax, counts, per, from } = capacity;
  const over = excessOf(device, size);
  return { recordsMax, counts, per, from, size: sizeFor(capacity, size), over };
}

/** A device by itself, with what it did: more than lists and changes tell. */
export const DeviceDetailSchema = Type.Object({
  ...DeviceSchema.properties,
  status: Type.Array(StatusSchema, {
    description:
      'How far it has come with each zone that it is to hold, and with others that it asked for: what is behind comes first, and no more than a thousand; GET /convergence tells all.',
  }),
});
