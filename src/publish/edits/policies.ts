import { actionOfChoice, entitledTargets } from '../../policy/members.ts';
import type { Attachment, Model, Policy, PolicyType, Target } from '../../policy/model.ts';
import { refuseWhenFull } from './account-limits.ts';
import { DEFAULT_ACTION, readActionChoice } from './actions.ts';
import { findWritablePolicy, putPolicy, readAttachments, readExclusions } from './attachments.ts';
import { type Edit, findPolicy, holderOfName, refuse, viewerOf } from './edit.ts';
import { type Fields, openFields } from './fields.ts';
import { DESCRIPTION_LENGTH_MAX } from './targets.ts';

export const POLICY_TYPES = ['ip', 'dns'] as const satisfies readonly PolicyType[];
/** Seconds. A week is what RFC 8767 section 4 advises as the longest. */
export const TTL_MAX = 604_800;
const TTL_DEFAULT = 60;
export const RENAME_GRACE_MS = 14 * 24 * 3_600_000;
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
  refuseWhenFull(edit, 'policy');
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
    formerNames: [],
    rollback: null,
    createdAt: edit.draft.now,
    updatedAt: edit.draft.now,
  };
  edit.draft.put('policy', policy);
  return policy;
}

/**
 * Changes the given fields; the type stays for life. After a change of name the zones of the old one go on
 * answering until its grace ends.
 */
export function updatePolicy(edit: Edit, id: number, input: unknown): Policy {
  const policy = findWritablePolicy(edit, id);
  const fields = openFields(input);
  if (fields.has('type') && fields.raw('type') !== policy.type) {
    fields.refuse('type-fixed', 'type', `Policy "${policy.name}" stays of type ${policy.type}.`);
  }
  const updated = readPolicy(edit, fields, policy);
  refuseWhileRolledBack(policy, updated);
  const formerNames =
    updated.name === policy.name
      ? policy.formerNames
      : namesAfterRename(edit, policy, updated.name);
  return putPolicy(edit, { ...policy, ...updated, formerNames });
}

/** Takes back the former names whose grace is over; says how many went. */
export function removeExpiredNames(edit: Omit<Edit, 'accountId'>): number {
  const { draft } = edit;
  let count = 0;
  for (const policy of draft.model.policies.values()) {
    const formerNames = policy.formerNames.filter(({ until }) => until > draft.now);
    if (formerNames.length === policy.formerNames.length) continue;
    count += policy.formerNames.length - formerNames.length;
    // Nobody edited it, so its time of change stays.
    draft.put('policy', { ...policy, formerNames });
  }
  return count;
}

/** When the next former name ends (Unix milliseconds), or null when there is none. */
export function nextNameExpiry(model: Model): number | null {
  let next: number | null = null;
  for (const { formerNames } of model.policies.values()) {
    for (const { until } of formerNames) if (next === null || until < next) next = until;
  }
  return next;
}

/**
 * Makes a custom policy with the content of any visible one. Input: `name`, and optionally `description` and
 * `leaveOutPartners`, which leaves out partner targets that the account may not use instead of refusing.
 */
export function duplicatePolicy(edit: Edit, id: number, input: unknown): Policy {
  const source = findPolicy(viewerOf(edit), id);
  refuseWhenFull(edit, 'policy');
  const fields = openFields(input);
  const leaveOutPartners = fields.flag('leaveOutPartners', { otherwise: false });
  const partners = partnersWithoutEntitlement(edit, source);
  if (partners.length > 0 && !leaveOutPartners) {
    const names = partners.map(({ name }) => `"${name}"`).join(', ');
    const rule = `Policy "${source.name}" attaches partner targets to which your account has no entitlement: ${names}. With leaveOutPartners they are left out.`;
    fields.refuse('not-entitled', 'leaveOutPartners', rule);
  }
  const duplicate: Policy = {
    ...source,
    ...contentFor(edit, source, new Set<number>(partners.map(({ id }) => id))),
    id: edit.draft.nextId('policy'),
    accountId: edit.accountId,
    predefined: false,
    formerNames: [],
    rollback: null,
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

/** What a duplicate of the policy in the edit's account takes over. */
function contentFor(
  edit: Edit,
  source: Policy,
  partners: ReadonlySet<number>,
): Pick<Policy, 'defaultAction' | 'attachments'> {
  const { model } = edit.draft;
  const isOwn = source.accountId === edit.accountId;
  // Behaviours belong to an account: another one gets what they stand for now.
  const choice = (action: Attachment['action']): Attachment['action'] =>
    isOwn ? action : actionOfChoice(action, model);
  const attachments = source.attachments.filter(
    ({ kind, id }) => kind !== 'target' || !partners.has(id),
  );
  return {
    defaultAction: choice(source.defaultAction),
    attachments: attachments.map((attachment) => ({
      ...attachment,
      action: choice(attachment.action),
    })),
  };
}

function partnersWithoutEntitlement(edit: Edit, source: Policy): Target[] {
  const { model } = edit.draft;
  const entitled = entitledTargets(edit.accountId, model);
  return source.attachments.flatMap((attachment) => {
    const target = attachment.kind === 'target' ? model.targets.get(attachment.id) : undefined;
    return target?.partner && !entitled.has(target.id) ? [target] : [];
  });
}

/** The pinned content is kept by the zone's name and TTL, so that they stay as long as it does. */
function refuseWhileRolledBack(policy: Policy, updated: PolicyFields): void {
  if (policy.rollback === null) return;
  for (const key of ['name', 'ttl'] as const) {
    if (updated[key] === policy[key]) continue;
    const rule = `Policy "${policy.name}" is rolled back; release it before its ${key} is changed.`;
    throw refuse('rolled-back', key, updated[key], rule);
  }
}

/** More would only come of a script that renames over and over. */
const FORMER_NAMES_MAX = 16;

function namesAfterRename(edit: Edit, policy: Policy, name: string): Policy['formerNames'] {
  const graceMs = edit.settings.renameGraceMs ?? RENAME_GRACE_MS;
  // Whoever goes back to a former name has it as the name again, and leaves the last one behind.
  const others = policy.formerNames.filter((former) => former.name !== name);
  if (graceMs === 0) return others;
  if (others.length >= FORMER_NAMES_MAX) {
    const rule = `Policy "${policy.name}" answers under ${FORMER_NAMES_MAX} former names already; one has to end first.`;
    throw refuse('name-fixed', 'name', name, rule);
  }
  return [...others, { name: policy.name, until: edit.draft.now + graceMs }];
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
    ? readActionChoice(edit, fields, 'defaultAction', current)
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
  const { id: ownId, accountId } = current;
  const holder = holderOfName(edit, 'policy', name, { ownId, accountId });
  if (holder !== undefined) {
    const taken = `Policy ${holder.id} has this name; names are compared without case.`;
    fields.refuse('name-taken', 'name', taken);
  }
  const former = formerHolderOf(edit, name, { ownId, accountId });
  if (former !== undefined) {
    const until = new Date(former.until).toISOString();
    const taken = `Policy ${former.policyId} had this name, and its zones answer under it until ${until}.`;
    fields.refuse('name-taken', 'name', taken);
  }
  return name;
}

/** The other policy of the account that still answers under the name, which it had formerly. */
function formerHolderOf(
  { draft }: Edit,
  name: string,
  { ownId, accountId }: { readonly ownId: number | null; readonly accountId: Policy['accountId'] },
): { readonly policyId: number; readonly until: number } | undefined {
  for (const policy of draft.named('policy', name)) {
    if (policy.id === ownId || policy.accountId !== accountId) continue;
    const former = policy.formerNames.find(
      (known) => known.name === name && known.until > draft.now,
    );
    if (former !== undefined) return { policyId: policy.id, until: former.until };
  }
  return undefined;
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
  const { model } = edit.draft;
  return [...model.devices.values()]
    .filter(({ policyId }) => policyId === policy.id)
    .map(({ name, accountId }) => {
      if (accountId === edit.accountId) return `device "${name}"`;
      return `device "${name}" of account "${model.accounts.get(accountId)?.label}"`;
    });
}
