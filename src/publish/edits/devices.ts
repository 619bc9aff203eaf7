import { deviceProfile } from '../../policy/device-profiles.ts';
import { DEVICE_PROFILES, type Device, type DeviceType } from '../../policy/model.ts';
import { isSecondary } from '../../policy/secondary.ts';
import { refuseWhenFull } from './account-limits.ts';
import { readHostNames, readNotify, readSources } from './device-addresses.ts';
import { readPolicyId } from './device-assignment.ts';
import { accountOf, type Edit, findDevice, holderOfName, viewerOf } from './edit.ts';
import { type Fields, openFields } from './fields.ts';
import { readHostName } from './host-name.ts';
import { DESCRIPTION_LENGTH_MAX } from './targets.ts';
import { refuseTcpOnlyForUnbound } from './tcp-only-guard.ts';

export const DEVICE_TYPES = [
  'ip',
  'dns',
  'roaming',
  'secondary',
] as const satisfies readonly DeviceType[];
export const ACCESS_MODES = [
  'key',
  'source',
  'certificate',
  'either',
] as const satisfies readonly Device['access'][];
export const SCOPES = ['account', 'server'] as const satisfies readonly Device['scope'][];
/** Far above what any device takes. */
export const DEVICE_RECORDS_MAX = 100_000_000;
/** One label, which the names of its zones and keys hold. */
const DEVICE_NAME = /^[a-z0-9]([a-z0-9-]{0,14}[a-z0-9])?$/;

type DeviceFields = Omit<Device, 'id' | 'accountId' | 'createdAt' | 'updatedAt'>;

/**
 * Makes a device. Input: `name`, `type`, and optionally `description`, `profile`, `access`,
 * `sources`, `hostnames`, `certificateName`, `recordsMax`, `notify`, `policyId`. Without `access` it
 * is known by its sources or host names when it has some, else by a key, which is made afterwards. A
 * secondary has a `scope` and no `policyId`.
 */
export function createDevice(edit: Edit, input: unknown): Device {
  refuseWhenFull(edit, 'device');
  const fields = openFields(input);
  const type = fields.choice('type', DEVICE_TYPES, {});
  const device: Device = {
    id: edit.draft.nextId('device'),
    accountId: edit.accountId,
    ...readDevice(edit, fields, {
      id: null,
      type,
      description: '',
      scope: 'account',
      profile: 'generic',
      access: null,
      sources: [],
      hostnames: [],
      certificateName: null,
      recordsMax: null,
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

/** Changes the given fields; the type stays, and the name, which is part of the names of its zones. */
export function updateDevice(edit: Edit, id: number, input: unknown): Device {
  const device = findDevice(viewerOf(edit), id);
  const fields = openFields(input);
  if (fields.has('type') && fields.raw('type') !== device.type) {
    fields.refuse('type-fixed', 'type', `Device "${device.name}" stays of type ${device.type}.`);
  }
  const updated = { ...device, ...readDevice(edit, fields, device), updatedAt: edit.draft.now };
  edit.draft.put('device', updated);
  refuseTcpOnlyForUnbound(edit);
  return updated;
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

interface CurrentDevice extends Omit<DeviceFields, 'name' | 'access'> {
  readonly id: number | null;
  readonly name?: string;
  /** Null: follows from the sources and host names. */
  readonly access: Device['access'] | null;
}

function readDevice(edit: Edit, fields: Fields, current: CurrentDevice): DeviceFields {
  const sources = readSources(fields, current.sources);
  const hostnames = readHostNames(fields, current.hostnames);
  const hasSource = sources.length + hostnames.length > 0;
  const read: DeviceFields = {
    name: readDeviceName(edit, fields, current),
    description: fields.text('description', {
      max: DESCRIPTION_LENGTH_MAX,
      otherwise: current.description,
    }),
    type: current.type,
    scope: readScope(edit, fields, current),
    profile: readProfile(fields, current),
    access: fields.choice('access', ACCESS_MODES, {
      otherwise: current.access ?? (hasSource ? 'source' : 'key'),
    }),
    sources,
    hostnames,
    certificateName: readCertificateName(edit, fields, current),
    recordsMax: readRecordsMax(fields, current),
    notify: readNotify(fields, current.notify),
    policyId: fields.has('policyId') ? readPolicyId(edit, fields, current.type) : current.policyId,
  };
  checkAccess(fields, read);
  fields.close();
  return read;
}

function readScope(edit: Edit, fields: Fields, { type, scope }: CurrentDevice): Device['scope'] {
  const read = fields.choice('scope', SCOPES, { otherwise: scope });
  if (read === 'account') return read;
  if (!isSecondary({ type })) {
    const rule = `Only a secondary pulls more than one policy; this device is of type ${type}.`;
    fields.refuse('device-scope', 'scope', rule);
  } else if (!edit.system && !accountOf(edit).operator) {
    const rule =
      'Only the account that runs the server has secondaries for the zones of all accounts.';
    fields.refuse('device-scope', 'scope', rule);
  }
  return read;
}

function readDeviceName(edit: Edit, fields: Fields, current: CurrentDevice): string {
  const rule = { max: 255, ...(current.name === undefined ? {} : { otherwise: current.name }) };
  const name = fields.text('name', rule).toLowerCase();
  if (!fields.has('name') || name === current.name) return name;
  if (current.name !== undefined) {
    const fixed = `Device "${current.name}" keeps its name, which is part of the names of its zones.`;
    fields.refuse('name-fixed', 'name', fixed);
    return current.name;
  }
  if (!DEVICE_NAME.test(name)) {
    const form = 'The name is one label of 1 to 16 letters (a to z), digits and inner hyphens.';
    fields.refuse('label-form', 'name', form);
    return name;
  }
  const { accountId } = edit;
  const holder = holderOfName(edit, 'device', name, { ownId: current.id, accountId });
  if (holder !== undefined) {
    fields.refuse('name-taken', 'name', `Device ${holder.id} has this name.`);
  }
  return name;
}

function readProfile(fields: Fields, { type, profile }: CurrentDevice): Device['profile'] {
  const read = fields.choice('profile', DEVICE_PROFILES, { otherwise: profile });
  const { name, deviceTypes } = deviceProfile(read);
  if (!deviceTypes.includes(type)) {
    const rule = `${name} fits devices of type ${deviceTypes.join(', ')}; this one is of type ${type}.`;
    fields.refuse('profile-type', 'profile', rule);
  }
  return read;
}

/** No two devices of the server have the same: a certificate says who asks, and nothing else does. */
function readCertificateName(edit: Edit, fields: Fields, current: CurrentDevice): string | null {
  const key = 'certificateName';
  if (!fields.has(key)) return current.certificateName;
  if (fields.raw(key) === null) return null;
  const text = fields.text(key, { min: 1, max: 255 });
  if (text === '') return null;
  const read = readHostName(text);
  if ('rule' in read) {
    fields.refuse('name-form', key, read.rule);
    return null;
  }
  const holder = edit.draft
    .named('device', read.name)
    .find((other) => other.id !== current.id && other.certificateName === read.name);
  if (holder !== undefined) {
    const rule =
      holder.accountId === edit.accountId
        ? `Device "${holder.name}" has this certificate name.`
        : 'Another device of this server has this certificate name.';
    fields.refuse('name-taken', key, rule);
  }
  return read.name;
}

function readRecordsMax(fields: Fields, current: CurrentDevice): number | null {
  if (!fields.has('recordsMax')) return current.recordsMax;
  if (fields.raw('recordsMax') === null) return null;
  return fields.integer('recordsMax', { min: 1, max: DEVICE_RECORDS_MAX });
}

/** Whether what identifies the device exists or can exist, and nothing is given that would be ignored. */
function checkAccess(fields: Fields, device: DeviceFields): void {
  const { access, sources, hostnames, profile, certificateName } = device;
  const hasSource = sources.length + hostnames.length > 0;
  if (access === 'source' && !hasSource) {
    const rule = 'The access "source" needs at least one source prefix or host name.';
    fields.refuse('access-mode', 'access', rule);
  }
  if (access === 'either' && !hasSource && certificateName === null) {
    const rule =
      'The access "either" needs at least one source prefix, a host name or a certificate name.';
    fields.refuse('access-mode', 'access', rule);
  }
  if (access === 'certificate' && certificateName === null) {
    const rule = 'The access "certificate" needs the name in the client certificate.';
    fields.refuse('access-mode', 'certificateName', rule);
  }
  for (const [key, values] of [
    ['sources', sources],
    ['hostnames', hostnames],
  ] as const) {
    if (access === 'source' || access === 'either' || values.length === 0) continue;
    const rule = `A device known by its ${access} alone has no ${key}: they would be ignored.`;
    fields.refuse('access-mode', key, rule);
  }
  // Unbound signs no transfer request (interop.md), so a key would shut it out.
  if (access === 'key' && profile === 'unbound') {
    const rule = 'Unbound cannot sign requests: it is known by its source prefixes or host names.';
    fields.refuse('access-mode', 'access', rule);
  }
}
