import {
  DEVICE_PROFILES,
  type Device,
  type DeviceType,
  type Policy,
  type PolicyType,
} from '../../policy/model.ts';
import { readNotify, readSources } from './device-addresses.ts';
import { accountOf, type Edit, findDevice, findPolicy, holderOfName, viewerOf } from './edit.ts';
import { type Fields, openFields, refusalsOf } from './fields.ts';
import { DESCRIPTION_LENGTH_MAX } from './targets.ts';
import { refuseTcpOnlyForUnbound } from './tcp-only-guard.ts';

export const DEVICE_TYPES = ['ip', 'dns', 'roaming'] as const satisfies readonly DeviceType[];
export const ACCESS_MODES = [
  'key',
  'source',
  'either',
] as const satisfies readonly Device['access'][];
/** One label, which key names begin with. */
const DEVICE_NAME = /^[a-z0-9]([a-z0-9-]{0,14}[a-z0-9])?$/;

/** The type of policy that a device of each type pulls. */
const POLICY_TYPE_OF_DEVICE: Readonly<Record<DeviceType, PolicyType>> = {
  ip: 'ip',
  dns: 'dns',
  roaming: 'dns',
};

type DeviceFields = Pick<
  Device,
  'name' | 'description' | 'type' | 'profile' | 'access' | 'sources' | 'notify' | 'policyId'
>;

/**
 * Makes a device. Input: `name`, `type`, and optionally `description`, `profile`, `access`,
 * `sources`, `notify`, `policyId`. Without `access` it is known by its sources when it has some,
 * else by a key, which is made afterwards.
 */
export function createDevice(edit: Edit, input: unknown): Device {
  accountOf(edit);
  const fields = openFields(input);
  const type = fields.choice('type', DEVICE_TYPES, {});
  const device: Device = {
    id: edit.draft.nextId('device'),
    accountId: edit.accountId,
    ...readDevice(edit, fields, {
      id: null,
      type,
      description: '',
      profile: 'generic',
      access: null,
      sources: [],
      notify: [],
      policyId: null,
    }),
    createdAt: edit.draft.now,
    updatedAt: edit.draft.now,
  };
  edit.draft.put('device', device);
  refuseTcpOnlyForUnbound(edit);
  return device;
}

/** Changes the given fields; the type stays. */
export function updateDevice(edit: Edit, id: number, input: unknown): Device {
  const device = findDevice(viewerOf(edit), id);
  const fields = openFields(input);
  if (fields.has('type') && fields.raw('type') !== device.type) {
    fields.refuse('type-fixed', 'type', `Device "${device.name}" stays of type ${device.type}.`);
  }
  return putDevice(edit, { ...device, ...readDevice(edit, fields, device) });
}

/** Gives the device the policy that it pulls, or none. */
export function assignPolicy(edit: Edit, id: number, policyId: number | null): Device {
  const device = findDevice(viewerOf(edit), id);
  const fields = openFields({ policyId });
  const assigned = readPolicyId(edit, fields, device);
  fields.close();
  return putDevice(edit, { ...device, policyId: assigned });
}

/** Deletes the device and its keys. */
export function deleteDevice(edit: Edit, id: number): Device {
  const device = findDevice(viewerOf(edit), id);
  for (const key of edit.draft.model.keys.values()) {
    if (key.deviceId === device.id) edit.draft.delete('key', key.id);
  }
  edit.draft.delete('device', device.id);
  return device;
}

function putDevice(edit: Edit, device: Device): Device {
  const updated: Device = { ...device, updatedAt: edit.draft.now };
  edit.draft.put('device', updated);
  refuseTcpOnlyForUnbound(edit);
  return updated;
}

interface CurrentDevice extends Omit<DeviceFields, 'name' | 'access'> {
  readonly id: number | null;
  readonly name?: string;
  /** Null: follows from the sources. */
  readonly access: Device['access'] | null;
}

function readDevice(edit: Edit, fields: Fields, current: CurrentDevice): DeviceFields {
  const sources = readSources(fields, current.sources);
  const profile = fields.choice('profile', DEVICE_PROFILES, { otherwise: current.profile });
  const access = fields.choice('access', ACCESS_MODES, {
    otherwise: current.access ?? (sources.length > 0 ? 'source' : 'key'),
  });
  const read: DeviceFields = {
    name: readDeviceName(edit, fields, current),
    description: fields.text('description', {
      max: DESCRIPTION_LENGTH_MAX,
      otherwise: current.description,
    }),
    type: current.type,
    profile,
    access,
    sources,
    notify: readNotify(fields, current.notify),
    policyId: fields.has('policyId') ? readPolicyId(edit, fields, current) : current.policyId,
  };
  checkAccess(fields, read);
  fields.close();
  return read;
}

function readDeviceName(edit: Edit, fields: Fields, current: CurrentDevice): string {
  const rule = { max: 255, ...(current.name === undefined ? {} : { otherwise: current.name }) };
  const name = fields.text('name', rule).toLowerCase();
  if (!fields.has('name')) return name;
  if (!DEVICE_NAME.test(name)) {
    const form = 'The name is one label of 1 to 16 letters (a to z), digits and inner hyphens.';
    fields.refuse('label-form', 'name', form);
    return name;
  }
  const devices = [...edit.draft.model.devices.values()];
  const others = devices.filter(({ accountId }) => accountId === edit.accountId);
  const holder = holderOfName(name, others, current.id);
  if (holder !== undefined) {
    fields.refuse('name-taken', 'name', `Device ${holder.id} has this name.`);
  }
  return name;
}

/** Whether what identifies the device exists or can exist, and nothing is given that would be ignored. */
function checkAccess(fields: Fields, device: DeviceFields): void {
  const { access, sources, profile } = device;
  if (access !== 'key' && sources.length === 0) {
    const rule = `The access "${access}" needs at least one source prefix.`;
    fields.refuse('access-mode', 'access', rule);
  }
  if (access === 'key' && sources.length > 0) {
    const rule = 'A device known by its key alone has no sources: they would be ignored.';
    fields.refuse('access-mode', 'sources', rule);
  }
  // Unbound signs no transfer request (interop.md), so a key would shut it out.
  if (access === 'key' && profile === 'unbound') {
    const rule = 'Unbound cannot sign requests: it is known by its source prefixes.';
    fields.refuse('access-mode', 'access', rule);
  }
}

function readPolicyId(
  edit: Edit,
  fields: Fields,
  device: Pick<Device, 'type'>,
): Policy['id'] | null {
  if (fields.raw('policyId') === null) return null;
  const id = fields.integer('policyId', { min: 1, max: Number.MAX_SAFE_INTEGER });
  let policy: Policy | undefined;
  const hidden = refusalsOf(() => {
    policy = findPolicy(viewerOf(edit), id);
  });
  if (policy === undefined || hidden.length > 0) {
    fields.refuse('reference-unknown', 'policyId', `There is no policy ${id}.`);
    return null;
  }
  const wanted = POLICY_TYPE_OF_DEVICE[device.type];
  if (policy.type !== wanted) {
    const rule = `A device of type ${device.type} pulls policies of type ${wanted}; "${policy.name}" is of type ${policy.type}.`;
    fields.refuse('policy-type', 'policyId', rule);
  }
  return policy.id;
}
