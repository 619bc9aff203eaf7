import type { MemberSets } from '../../policy/member-sets.ts';
import { entitledTargets } from '../../policy/members.ts';
import type {
  Attachment,
  Bundle,
  BundleId,
  ListId,
  Policy,
  Target,
  TargetId,
  UserList,
} from '../../policy/model.ts';
import { ModelError, type Refusal } from '../../policy/model-error.ts';
import { readActionChoice } from './actions.ts';
import { targetsOfBundle } from './bundles.ts';
import { type Edit, findPolicy, notFound, refuse, seesList, viewerOf } from './edit.ts';
import { type Fields, openFields, refusalsOf } from './fields.ts';
import { refuseTcpOnlyForUnbound } from './tcp-only-guard.ts';

export const ATTACHMENTS_MAX = 1_000;
export const EXCLUSIONS_MAX = 10_000;
export const ATTACHMENT_KINDS = ['target', 'bundle', 'list'] as const;

/** What the rules for attachments need of a policy, which may not exist yet. */
export type AttachingPolicy = Pick<
  Policy,
  'type' | 'predefined' | 'defaultAction' | 'accountId' | 'attachments'
>;

/** Attaches one more member. Input: `kind`, `id` and optionally `action`. */
export function attach(edit: Edit, policyId: number, input: unknown): Policy {
  const policy = findWritablePolicy(edit, policyId);
  const fields = openFields(input);
  if (fields.flag('asTargets', { otherwise: false })) {
    fields.refuse('invalid-value', 'asTargets', 'Only bundles are attached as targets.');
  }
  const attachment = readAttachment(edit, fields, policy);
  if (attachment !== null && policy.attachments.some((other) => isSame(other, attachment))) {
    fields.refuse('attached-already', 'id', `The ${attachment.kind} is attached already.`);
  }
  if (policy.attachments.length >= ATTACHMENTS_MAX) {
    fields.refuse('invalid-value', 'id', `A policy has at most ${ATTACHMENTS_MAX} attachments.`);
  }
  fields.close();
  return putPolicy(edit, { ...policy, attachments: [...policy.attachments, attachment!] });
}

/** What came of attaching the targets of a bundle one by one. */
export interface BundleSnapshot {
  readonly policy: Policy;
  readonly attached: readonly Target[];
  readonly attachedAlready: readonly Target[];
  /** Targets that the policy cannot attach, each with the rule that it breaks. */
  readonly leftOut: readonly { readonly target: Target; readonly refusal: Refusal }[];
}

/**
 * Attaches the targets that a bundle holds now, each by itself: the policy does not follow the bundle
 * afterwards. Input as for `attach`, of kind `bundle`. Refused when no target comes in that way.
 */
export function attachAsTargets(edit: Edit, policyId: number, input: unknown): BundleSnapshot {
  const policy = findWritablePolicy(edit, policyId);
  const { bundle, action } = readSnapshot(edit, openFields(input), policy);
  const held = targetsOfBundle(bundle, edit.draft.model);
  const isAttached = ({ id }: Target): boolean =>
    policy.attachments.some((other) => isSame(other, { kind: 'target', id }));
  const fresh = held.filter((target) => !isAttached(target));
  const attachments: Attachment[] = [];
  const leftOut: BundleSnapshot['leftOut'][number][] = [];
  for (const target of fresh) {
    const fields = openFields({ kind: 'target', id: target.id, ...action });
    const attachment = readAttachment(edit, fields, policy);
    const [refusal] = refusalsOf(() => fields.close());
    if (refusal === undefined) attachments.push(attachment!);
    else leftOut.push({ target, refusal });
  }
  if (attachments.length === 0) throw refuseEmptySnapshot(bundle, held, leftOut);
  if (policy.attachments.length + attachments.length > ATTACHMENTS_MAX) {
    const rule = `A policy has at most ${ATTACHMENTS_MAX} attachments.`;
    throw refuse('invalid-value', 'id', bundle.id, rule);
  }
  const brought = new Set<number>(attachments.map(({ id }) => id));
  return {
    policy: putPolicy(edit, { ...policy, attachments: [...policy.attachments, ...attachments] }),
    attached: fresh.filter(({ id }) => brought.has(id)),
    attachedAlready: held.filter(isAttached),
    leftOut,
  };
}

function readSnapshot(edit: Edit, fields: Fields, policy: Policy) {
  fields.flag('asTargets', { otherwise: true });
  const kind = fields.choice('kind', ATTACHMENT_KINDS, {});
  if (kind !== 'bundle') {
    fields.refuse('invalid-value', 'asTargets', 'Only bundles are attached as targets.');
  }
  const id = fields.integer('id', { min: 1, max: Number.MAX_SAFE_INTEGER });
  const action = fields.has('action')
    ? { action: readActionChoice(edit, fields, 'action', policy) }
    : {};
  const bundle = edit.draft.model.bundles.get(id as BundleId);
  if (fields.clean() && bundle === undefined) refuseUnknown(fields, 'bundle', id);
  fields.close();
  return { bundle: bundle!, action };
}

function refuseEmptySnapshot(
  bundle: Bundle,
  held: readonly Target[],
  leftOut: BundleSnapshot['leftOut'],
): ModelError {
  const [first, ...others] = leftOut.map(({ refusal }) => refusal);
  if (first !== undefined) return new ModelError(first.code, first, others);
  if (held.length === 0) {
    return refuse('bundle-empty', 'id', bundle.id, `Bundle "${bundle.name}" holds no target now.`);
  }
  const rule = `Every target that bundle "${bundle.name}" holds now is attached already.`;
  return refuse('attached-already', 'id', bundle.id, rule);
}

/** Which attachment of a policy is meant. */
export interface AttachmentKey {
  readonly kind: Attachment['kind'];
  readonly id: number;
}

/** Gives an attachment another action. Input: `action`. */
export function changeAttachment(
  edit: Edit,
  policyId: number,
  key: AttachmentKey,
  input: unknown,
): Policy {
  const policy = findWritablePolicy(edit, policyId);
  if (!policy.attachments.some((other) => isSame(other, key))) throw notAttached(key);
  const given = openFields(input);
  const action = given.raw('action');
  if (action === undefined) given.refuse('field-missing', 'action', 'The field is required.');
  given.close();
  const fields = openFields({ kind: key.kind, id: key.id, action });
  const attachment = readAttachment(edit, fields, policy);
  fields.close();
  const attachments = policy.attachments.map((other) => (isSame(other, key) ? attachment! : other));
  return putPolicy(edit, { ...policy, attachments });
}

export function detach(edit: Edit, policyId: number, key: AttachmentKey): Policy {
  const policy = findWritablePolicy(edit, policyId);
  const attachments = policy.attachments.filter((other) => !isSame(other, key));
  if (attachments.length === policy.attachments.length) throw notAttached(key);
  return putPolicy(edit, { ...policy, attachments });
}

/** Keeps a target out of the policy, whatever brings it. Excluding it again changes nothing. */
export function excludeTarget(edit: Edit, policyId: number, targetId: number): Policy {
  const policy = findWritablePolicy(edit, policyId);
  const excluded = policy.excludedTargets.filter((id) => id !== targetId);
  const fields = openFields({ excludedTargets: [...excluded, targetId] });
  const excludedTargets = readExclusions(edit, fields, []);
  fields.close();
  return putPolicy(edit, { ...policy, excludedTargets });
}

/** Takes an exclusion back. */
export function includeTarget(edit: Edit, policyId: number, targetId: number): Policy {
  const policy = findWritablePolicy(edit, policyId);
  const excludedTargets = policy.excludedTargets.filter((id) => id !== targetId);
  if (excludedTargets.length === policy.excludedTargets.length) {
    throw notFound('excluded target', targetId);
  }
  return putPolicy(edit, { ...policy, excludedTargets });
}

/** Reads a whole list of attachments. */
export function readAttachments(
  edit: Edit,
  fields: Fields,
  policy: AttachingPolicy,
): readonly Attachment[] {
  const attachments: Attachment[] = [];
  const items = fields.items('attachments', { itemsMax: ATTACHMENTS_MAX });
  for (const [index, item] of items.entries()) {
    const attachment = readAttachment(edit, fields.item('attachments', index, item), policy);
    if (attachment === null) continue;
    if (attachments.some((other) => isSame(other, attachment))) {
      const rule = `The ${attachment.kind} ${attachment.id} is given more than once.`;
      fields.refuse('attached-already', 'attachments', rule);
    }
    attachments.push(attachment);
  }
  return attachments;
}

/** Why a built-in target cannot be kept out of a policy. */
export function partOfEveryPolicy({ name }: Target): string {
  return `"${name}" is part of every policy, so that enforcement can be tested.`;
}

export function readExclusions(
  edit: Edit,
  fields: Fields,
  otherwise: readonly TargetId[],
): readonly TargetId[] {
  if (!fields.has('excludedTargets')) return otherwise;
  const ids = new Set<TargetId>();
  for (const item of fields.items('excludedTargets', { itemsMax: EXCLUSIONS_MAX })) {
    const target = edit.draft.model.targets.get(item as TargetId);
    if (target === undefined) {
      fields.refuse('reference-unknown', 'excludedTargets', `There is no target ${item}.`);
    } else if (target.origin === 'built-in') {
      fields.refuse('built-in', 'excludedTargets', partOfEveryPolicy(target));
    } else ids.add(target.id);
  }
  return [...ids];
}

/** A policy that this edit may change: predefined ones belong to the server. */
export function findWritablePolicy(edit: Edit, id: number): Policy {
  const policy = findPolicy(viewerOf(edit), id);
  if (policy.predefined && !edit.system) {
    const rule = `Policy "${policy.name}" is predefined; duplicate it and change the copy.`;
    throw refuse('predefined', 'policy id', id, rule);
  }
  return policy;
}

export function putPolicy(edit: Edit, policy: Policy): Policy {
  const updated: Policy = { ...policy, updatedAt: edit.draft.now };
  edit.draft.put('policy', updated);
  refuseTcpOnlyForUnbound(edit);
  return updated;
}

function isSame(a: AttachmentKey, b: AttachmentKey): boolean {
  return a.kind === b.kind && a.id === b.id;
}

function notAttached(key: AttachmentKey): Error {
  return notFound(`attached ${key.kind}`, key.id);
}

/** Null when it was refused. */
function readAttachment(edit: Edit, fields: Fields, policy: AttachingPolicy): Attachment | null {
  const kind = fields.choice('kind', ATTACHMENT_KINDS, {});
  const id = fields.integer('id', { min: 1, max: Number.MAX_SAFE_INTEGER });
  const given = fields.has('action') ? readActionChoice(edit, fields, 'action', policy) : null;
  if (!fields.clean()) return null;
  const { model } = edit.draft;
  switch (kind) {
    case 'target': {
      const target = model.targets.get(id as TargetId);
      if (target === undefined) return refuseUnknown(fields, kind, id);
      const action = given ?? policy.defaultAction;
      checkTarget(edit, fields, policy, target, action.kind === 'allow');
      return { kind, id: target.id, action };
    }
    case 'bundle': {
      const bundle = model.bundles.get(id as BundleId);
      if (bundle === undefined) return refuseUnknown(fields, kind, id);
      const action = given ?? policy.defaultAction;
      checkBundle(edit, fields, policy, bundle, action.kind === 'allow');
      return { kind, id: bundle.id, action };
    }
    case 'list': {
      const list = model.lists.get(id as ListId);
      if (list === undefined || !seesList(policy.accountId, list)) {
        return refuseUnknown(fields, kind, id);
      }
      checkList(edit, fields, policy, list);
      const own = policy.type === 'ip' ? ({ kind: list.action } as const) : policy.defaultAction;
      if (policy.type === 'ip' && given !== null && given.kind !== list.action) {
        const rule = `List "${list.name}" has the action ${list.action}; change it on the list.`;
        fields.refuse('action-of-list', 'action', rule);
      }
      return { kind, id: list.id, action: given ?? own };
    }
  }
}

function refuseUnknown(fields: Fields, kind: string, id: number): null {
  fields.refuse('reference-unknown', 'id', `There is no ${kind} ${id}.`);
  return null;
}

function checkTarget(
  edit: Edit,
  fields: Fields,
  policy: AttachingPolicy,
  target: Target,
  allow: boolean,
): void {
  if (target.origin === 'built-in') {
    fields.refuse('attached-already', 'id', `"${target.name}" is part of every policy already.`);
  }
  if (target.partner && !mayUse(edit, policy, target)) {
    const account = edit.draft.model.accounts.get(policy.accountId);
    const rule = `Target "${target.name}" comes from a partner, and account "${account?.label}" has no entitlement to it.`;
    fields.refuse('not-entitled', 'id', rule);
  }
  if (allow && !target.supportsAllow) {
    const rule = `Target "${target.name}" does not support the action allow.`;
    fields.refuse('action-not-supported', 'action', rule);
  }
  if (policy.type === 'ip' && !hasAddresses(edit, target.members)) {
    fields.refuse('no-addresses', 'id', `Target "${target.name}" holds no addresses.`);
  }
}

/** What is attached stays attached when its entitlement ends; it counts for nothing until there is one again. */
function mayUse(edit: Edit, policy: AttachingPolicy, { id }: Target): boolean {
  return (
    edit.system ||
    entitledTargets(policy.accountId, edit.draft.model).has(id) ||
    policy.attachments.some((other) => isSame(other, { kind: 'target', id }))
  );
}

function checkBundle(
  edit: Edit,
  fields: Fields,
  policy: AttachingPolicy,
  bundle: Bundle,
  allow: boolean,
): void {
  const held = targetsOfBundle(bundle, edit.draft.model);
  const blockOnly = held.filter(({ supportsAllow }) => !supportsAllow);
  if (allow && blockOnly.length > 0) {
    const names = blockOnly.map(({ name }) => `"${name}"`).join(', ');
    const rule = `Bundle "${bundle.name}" holds targets that do not support allow: ${names}.`;
    fields.refuse('action-not-supported', 'action', rule);
  }
  if (policy.type === 'ip' && !held.some(({ members }) => hasAddresses(edit, members))) {
    const rule = `No target that bundle "${bundle.name}" holds now has addresses.`;
    fields.refuse('no-addresses', 'id', rule);
  }
}

function checkList(edit: Edit, fields: Fields, policy: AttachingPolicy, list: UserList): void {
  if (policy.predefined) {
    fields.refuse('list-in-predefined', 'kind', 'Predefined policies hold no user-defined lists.');
  }
  if (policy.type === 'ip' && !hasAddresses(edit, list.members)) {
    fields.refuse('no-addresses', 'id', `List "${list.name}" holds no addresses.`);
  }
}

function hasAddresses(edit: Edit, members: MemberSets): boolean {
  return members.prefix.size > 0 && edit.settings.memberKinds(members).has('ip');
}
