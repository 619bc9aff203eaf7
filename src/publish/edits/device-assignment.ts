import { POLICY_TYPE_OF_DEVICE } from '../../policy/device-type.ts';
import type { Device, DeviceId, Policy } from '../../policy/model.ts';
import type { Refusal } from '../../policy/model-error.ts';
import { type Edit, findDevice, findPolicy, viewerOf } from './edit.ts';
import { type Fields, openFields, refusalsOf } from './fields.ts';
import { refuseTcpOnlyForUnbound } from './tcp-only-guard.ts';

/** Devices that one change assigns or frees. */
export const ASSIGNMENTS_MAX = 10_000;

const SECONDARY_RULE = 'A secondary pulls the zones of all policies, and is assigned none.';

/** Gives a device the policy that it pulls, or none. */
export function assignPolicy(edit: Edit, id: number, policyId: number | null): Device {
  const device = findDevice(viewerOf(edit), id);
  const fields = openFields({ policyId });
  const assigned = readPolicyId(edit, fields, device.type);
  fields.close();
  const updated = { ...device, policyId: assigned, updatedAt: edit.draft.now };
  edit.draft.put('device', updated);
  refuseTcpOnlyForUnbound(edit);
  return updated;
}

/** What became of the devices of a policy. */
export interface Assigned {
  readonly policy: Policy;
  /** All that pull the policy now, of the account that asks. */
  readonly devices: readonly Device[];
}

/**
 * Assigns a policy to many devices and takes it from others, all of it or nothing. Input: `add` and
 * `remove`, lists of device ids. A device that pulls another policy changes over to this one.
 */
export function assignDevices(edit: Edit, policyId: number, input: unknown): Assigned {
  const { draft } = edit;
  const policy = findPolicy(viewerOf(edit), policyId);
  const fields = openFields(input);
  const added = readDevices(edit, fields, 'add');
  const removed = readDevices(edit, fields, 'remove');
  fields.adopt([
    ...refuseOtherTypes(added, policy),
    ...refuseOddRemovals(removed, new Set(added.values()), policy),
  ]);
  fields.close();
  for (const [devices, assigned] of [
    [added, policy.id],
    [removed, null],
  ] as const) {
    for (const device of devices.values()) {
      if (device.policyId === assigned) continue;
      draft.put('device', { ...device, policyId: assigned, updatedAt: draft.now });
    }
  }
  refuseTcpOnlyForUnbound(edit);
  const devices = [...draft.model.devices.values()].filter(
    (device) => device.policyId === policy.id && device.accountId === edit.accountId,
  );
  return { policy, devices };
}

/** The policy that a device of this type is to pull, or null for none. */
export function readPolicyId(
  edit: Edit,
  fields: Fields,
  type: Device['type'],
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
  const wanted = POLICY_TYPE_OF_DEVICE[type];
  if (wanted === null) {
    fields.refuse('policy-type', 'policyId', SECONDARY_RULE);
  } else if (policy.type !== wanted) {
    const rule = `A device of type ${type} pulls policies of type ${wanted}; "${policy.name}" is of type ${policy.type}.`;
    fields.refuse('policy-type', 'policyId', rule);
  }
  return policy.id;
}

/** The devices that a list of ids names, by their path; those of other accounts are not told apart from none. */
function readDevices(edit: Edit, fields: Fields, key: string): ReadonlyMap<string, Device> {
  const { devices } = edit.draft.model;
  const ids = fields.items(key, { itemsMax: ASSIGNMENTS_MAX, otherwise: [] });
  const found = new Map<string, Device>();
  for (const [index, id] of ids.entries()) {
    const field = `${fields.path(key)}[${index}]`;
    const device = devices.get(id as DeviceId);
    if (device?.accountId === edit.accountId) found.set(field, device);
    else {
      const rule = `There is no device ${JSON.stringify(id)}.`;
      fields.adopt([{ code: 'reference-unknown', field, value: id, rule }]);
    }
  }
  return found;
}

function refuseOtherTypes(devices: ReadonlyMap<string, Device>, policy: Policy): Refusal[] {
  return [...devices].flatMap(([field, { id, name, type }]) => {
    const wanted = POLICY_TYPE_OF_DEVICE[type];
    if (policy.type === wanted) return [];
    if (wanted === null) return [{ code: 'policy-type', field, value: id, rule: SECONDARY_RULE }];
    const rule = `Device "${name}" is of type ${type} and pulls policies of type ${wanted}; "${policy.name}" is of type ${policy.type}.`;
    return [{ code: 'policy-type', field, value: id, rule }];
  });
}

function refuseOddRemovals(
  devices: ReadonlyMap<string, Device>,
  added: ReadonlySet<Device>,
  policy: Policy,
): Refusal[] {
  return [...devices].flatMap(([field, device]) => {
    const isAdded = added.has(device);
    if (device.policyId === policy.id && !isAdded) return [];
    const rule = isAdded
      ? `Device "${device.name}" is to be added and removed at the same time.`
      : `Device "${device.name}" does not pull policy "${policy.name}".`;
    return [{ code: 'invalid-value', field, value: device.id, rule }];
  });
}
