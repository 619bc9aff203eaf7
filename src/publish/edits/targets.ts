import { EMPTY_MEMBERS } from '../../policy/member-sets.ts';
import { DANGER_LEVELS, type Target, type TargetAttributes } from '../../policy/model.ts';
import {
  type Edit,
  findTarget,
  holderOfName,
  policyTitle,
  refuse,
  refuseUnlessOperator,
  viewerOf,
} from './edit.ts';
import { feedOfTarget } from './feeds.ts';
import { type Fields, openFields } from './fields.ts';
import { refuseTcpOnlyForUnbound } from './tcp-only-guard.ts';

export const NAME_LENGTH_MAX = 100;
export const DESCRIPTION_LENGTH_MAX = 2_000;
export const TAGS_MAX = 32;
export const TAG_LENGTH_MAX = 40;
export const TRAFFIC_TYPES = ['', 'inbound', 'outbound', 'both'] as const;
const ORIGINS = ['custom', 'sample', 'built-in'] as const;

const NO_ATTRIBUTES: TargetAttributes = {
  severity: 0,
  confidence: 0,
  risk: 0,
  danger: 'none',
  iocType: '',
  threatType: '',
  trafficType: '',
  tags: [],
};

type TargetFields = Pick<
  Target,
  'name' | 'description' | 'attributes' | 'supportsAllow' | 'partner' | 'origin'
>;

/**
 * Makes a target without indicators. Input: `name`, and optionally `description`, `attributes`,
 * `supportsAllow`, `partner`; the server itself may also give `origin`.
 */
export function createTarget(edit: Edit, input: unknown): Target {
  refuseUnlessOperator(edit);
  const fields = readTarget(edit, input, {
    id: null,
    description: '',
    attributes: NO_ATTRIBUTES,
    supportsAllow: true,
    partner: false,
    origin: 'custom',
  });
  const target: Target = {
    ...fields,
    id: edit.draft.nextId('target'),
    members: EMPTY_MEMBERS,
    createdAt: edit.draft.now,
    updatedAt: edit.draft.now,
  };
  edit.draft.put('target', target);
  refuseTcpOnlyForUnbound(edit);
  return target;
}

/** Changes the given fields of a target; attributes that are not given stay as they are. */
export function updateTarget(edit: Edit, id: number, input: unknown): Target {
  const target = findWritableTarget(edit, id);
  const fields = readTarget(edit, input, target);
  if (target.supportsAllow && !fields.supportsAllow) refuseWhileAllowed(edit, target);
  const updated: Target = { ...target, ...fields, updatedAt: edit.draft.now };
  edit.draft.put('target', updated);
  refuseTcpOnlyForUnbound(edit);
  return updated;
}

/** Deletes a target that no policy attaches directly; exclusions, entitlements and the feed of it go with it. */
export function deleteTarget(edit: Edit, id: number): Target {
  const target = findWritableTarget(edit, id);
  const users = policiesThatAttach(edit, target);
  if (users.length > 0) {
    const rule = `Detach it first from ${users.join(', ')}.`;
    throw refuse('still-in-use', 'target id', id, rule);
  }
  for (const policy of edit.draft.model.policies.values()) {
    if (!policy.excludedTargets.includes(target.id)) continue;
    const excludedTargets = policy.excludedTargets.filter((excluded) => excluded !== target.id);
    edit.draft.put('policy', { ...policy, excludedTargets, updatedAt: edit.draft.now });
  }
  for (const { id, targetId } of edit.draft.model.entitlements.values()) {
    if (targetId === target.id) edit.draft.delete('entitlement', id);
  }
  const feed = feedOfTarget(viewerOf(edit), target.id);
  if (feed !== undefined) edit.draft.delete('feed', feed.id);
  edit.draft.delete('target', target.id);
  return target;
}

/** A target that this edit may change: they belong to the operator, built-in ones to the server. */
export function findWritableTarget(edit: Edit, id: number): Target {
  const target = findTarget(viewerOf(edit), id);
  refuseUnlessOperator(edit);
  if (target.origin === 'built-in' && !edit.system) {
    throw refuse(
      'built-in',
      'target id',
      id,
      `"${target.name}" is built in and part of every policy.`,
    );
  }
  return target;
}

function readTarget(
  edit: Edit,
  input: unknown,
  current: Omit<TargetFields, 'name'> & { readonly id: number | null; readonly name?: string },
): TargetFields {
  const fields = openFields(input);
  const nameRule = { min: 1, max: NAME_LENGTH_MAX };
  const name = fields.text(
    'name',
    current.name === undefined ? nameRule : { ...nameRule, otherwise: current.name },
  );
  const holder = holderOfName(edit, 'target', name, { ownId: current.id });
  if (holder !== undefined) {
    fields.refuse('name-taken', 'name', `Target ${holder.id} has this name.`);
  }
  const read: TargetFields = {
    name,
    description: fields.text('description', {
      max: DESCRIPTION_LENGTH_MAX,
      otherwise: current.description,
    }),
    attributes: readAttributes(fields.inside('attributes'), current.attributes),
    supportsAllow: fields.flag('supportsAllow', { otherwise: current.supportsAllow }),
    partner: fields.flag('partner', { otherwise: current.partner }),
    origin: edit.system
      ? fields.choice('origin', ORIGINS, { otherwise: current.origin })
      : current.origin,
  };
  fields.close();
  return read;
}

function readAttributes(fields: Fields, current: TargetAttributes): TargetAttributes {
  const short = (key: 'iocType' | 'threatType'): string =>
    fields.text(key, { max: TAG_LENGTH_MAX, otherwise: current[key] }).toLowerCase();
  return {
    severity: fields.integer('severity', { min: 0, max: 5, otherwise: current.severity }),
    confidence: fields.integer('confidence', { min: 0, max: 100, otherwise: current.confidence }),
    risk: fields.integer('risk', { min: 0, max: 100, otherwise: current.risk }),
    danger: fields.choice('danger', DANGER_LEVELS, { otherwise: current.danger }),
    iocType: short('iocType'),
    threatType: short('threatType'),
    trafficType: fields.choice('trafficType', TRAFFIC_TYPES, {
      otherwise: TRAFFIC_TYPES.find((type) => type === current.trafficType) ?? '',
    }),
    tags: fields
      .texts('tags', { itemsMax: TAGS_MAX, lengthMax: TAG_LENGTH_MAX, otherwise: current.tags })
      .map((tag) => tag.toLowerCase()),
  };
}

function policiesThatAttach(edit: Edit, target: Target, action?: 'allow'): readonly string[] {
  const names: string[] = [];
  for (const policy of edit.draft.model.policies.values()) {
    const attached = policy.attachments.some(
      (attachment) =>
        attachment.kind === 'target' &&
        attachment.id === target.id &&
        (action === undefined || attachment.action.kind === action),
    );
    if (attached) names.push(policyTitle(edit, policy));
  }
  return names;
}

function refuseWhileAllowed(edit: Edit, target: Target): void {
  const users = policiesThatAttach(edit, target, 'allow');
  if (users.length === 0) return;
  const rule = `${users.join(', ')} attach it with the action allow; change that first.`;
  throw refuse('still-in-use', 'supportsAllow', false, rule);
}
