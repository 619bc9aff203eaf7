import type { Policy, PolicyType } from '../../policy/model.ts';
import { DEFAULT_ACTION, readAction } from './actions.ts';
import { findWritablePolicy, putPolicy, readAttachments, readExclusions } from './attachments.ts';
import { type Edit, findPolicy, holderOfName, refuse, viewerOf } from './edit.ts';
import { type Fields, openFields } from './fields.ts';
import { DESCRIPTION_LENGTH_MAX } from './targets.ts';

export const POLICY_TYPES = ['ip', 'dns'] as const satisfies readonly PolicyType[];
/** Seconds. A week is what RFC 8767 section 4 advises as the longest. */
export const TTL_MAX = 604_800;
const TTL_DEFAULT = 60;
export const HOSTS_MAX = 50_000;
/** The policy's name is one label of its zones' names. */
const POLICY_NAME = /^[a-z0-9]{1,8}$/;

type PolicyFields = Pick<
  Policy,
  | 'name'
  | 'type'
  | 'description'
  | 'ttl'
  | 'defaultAction'
  | 'hostsMax'
  | 'attachments'
  | 'excludedTargets'
>;

/**
 * Makes a policy of the edit's account. Input: `name`, `type`, and optionally `description`, `ttl`,
 * `defaultAction`, `hostsMax`, `attachments`, `excludedTargets`; the server itself may also give
 * `predefined`.
 */
export function createPolicy(edit: Edit, input: unknown): Policy {
  const fields = openFields(input);
  const type = fields.choice('type', POLICY_TYPES, {});
  const predefined = edit.system && fields.flag('predefined', { otherwise: false });
  const policy: Policy = {
    id: edit.draft.nextId('policy'),
    accountId: edit.accountId,
    predefined,
    ...readPolicy(edit, fields, {
      id: null,
      accountId: edit.accountId,
      predefined,
      type,
      description: '',
      ttl: edit.settings.policyTtl ?? TTL_DEFAULT,
      defaultAction: DEFAULT_ACTION[type],
      hostsMax: null,
      attachments: [],
      excludedTargets: [],
    }),
    createdAt: edit.draft.now,
    updatedAt: edit.draft.now,
  };
  edit.draft.put('policy', policy);
  return policy;
}

/** Changes the given fields; the type stays for life, and a name while a device pulls the policy. */
export function updatePolicy(edit: Edit, id: number, input: unknown): Policy {
  const policy = findWritablePolicy(edit, id);
  const fields = openFields(input);
  if (fields.has('type') && fields.raw('type') !== policy.type) {
    fields.refuse('type-fixed', 'type', `Policy "${policy.name}" stays of type ${policy.type}.`);
  }
  const updated = readPolicy(edit, fields, policy);
  const devices = devicesOf(edit, policy);
  if (updated.name !== policy.name && devices.length > 0) {
    const rule = `The name is part of the zones that ${devices.join(', ')} pull; assign them another policy first.`;
    throw refuse('still-in-use', 'name', updated.name, rule);
  }
  return putPolicy(edit, { ...policy, ...updated });
}

/** Makes a custom policy with the content of any visible one. Input: `name`, optionally `description`. */
export function duplicatePolicy(edit: Edit, id: number, input: unknown): Policy {
  const source = findPolicy(viewerOf(edit), id);
  const fields = openFields(input);
  const duplicate: Policy = {
    ...source,
    id: edit.draft.nextId('policy'),
    accountId: edit.accountId,
    predefined: false,
    name: readPolicyName(edit, fields, { id: null, accountId: edit.accountId }),
    description: readDescription(fields, source.description),
    createdAt: edit.draft.now,
    updatedAt: edit.draft.now,
  };
  fields.close();
  edit.draft.put('policy', duplicate);
  return duplicate;
}

/** Deletes a policy that no device pulls. */
export function deletePolicy(edit: Edit, id: number): Policy {
  const policy = findWritablePolicy(edit, id);
  const devices = devicesOf(edit, policy);
  if (devices.length > 0) {
    const rule = `Assign another policy first to ${devices.join(', ')}.`;
    throw refuse('still-in-use', 'policy id', id, rule);
  }
  edit.draft.delete('policy', policy.id);
  return policy;
}

interface CurrentPolicy extends Omit<PolicyFields, 'name'> {
  readonly id: number | null;
  readonly accountId: Policy['accountId'];
  readonly predefined: boolean;
  readonly name?: string;
}

function readPolicy(edit: Edit, fields: Fields, current: CurrentPolicy): PolicyFields {
  const { type } = current;
  const defaultAction = fields.has('defaultAction')
    ? readAction(fields, 'defaultAction', type)
    : current.defaultAction;
  const read: PolicyFields = {
    name: readPolicyName(edit, fields, current),
    type,
    description: readDescription(fields, current.description),
    ttl: fields.integer('ttl', { min: 0, max: TTL_MAX, otherwise: current.ttl }),
    defaultAction,
    hostsMax: readHostsMax(fields, current),
    attachments: fields.has('attachments')
      ? readAttachments(edit, fields, { ...current, defaultAction })
      : current.attachments,
    excludedTargets: readExclusions(edit, fields, current.excludedTargets),
  };
  fields.close();
  return read;
}

function readDescription(fields: Fields, otherwise: string): string {
  return fields.text('description', { max: DESCRIPTION_LENGTH_MAX, otherwise });
}

function readPolicyName(
  edit: Edit,
  fields: Fields,
  current: Pick<CurrentPolicy, 'id' | 'accountId' | 'name'>,
): string {
  const rule = { max: 255, ...(current.name === undefined ? {} : { otherwise: current.name }) };
  const name = fields.text('name', rule).toLowerCase();
  if (!fields.has('name')) return name;
  if (!POLICY_NAME.test(name)) {
    fields.refuse('label-form', 'name', 'The name has 1 to 8 letters (a to z) and digits.');
    return name;
  }
  const policies = [...edit.draft.model.policies.values()];
  const others = policies.filter(({ accountId }) => accountId === current.accountId);
  const holder = holderOfName(name, others, current.id);
  if (holder !== undefined) {
    const taken = `Policy ${holder.id} has this name; names are compared without case.`;
    fields.refuse('name-taken', 'name', taken);
  }
  return name;
}

function readHostsMax(fields: Fields, current: CurrentPolicy): number | null {
  if (!fields.has('hostsMax')) return current.hostsMax;
  if (fields.raw('hostsMax') === null) return null;
  if (current.type !== 'ip') {
    fields.refuse('invalid-value', 'hostsMax', 'Only IP policies publish hosts records.');
    return null;
  }
  return fields.integer('hostsMax', { min: 1, max: HOSTS_MAX });
}

function devicesOf(edit: Edit, policy: Policy): readonly string[] {
  return [...edit.draft.model.devices.values()]
    .filter(({ policyId }) => policyId === policy.id)
    .map(({ name }) => `device "${name}"`);
}
