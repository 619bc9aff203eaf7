import { entitledTargets } from '../../policy/members.ts';
import type {
  ActionChoice,
  Attachment,
  Policy,
  Target,
  TargetId,
  UserList,
} from '../../policy/model.ts';
import type { BackupAction, BackupAttachment, BackupPolicy } from '../backup/index.ts';
import { readActionChoice } from './actions.ts';
import { partOfEveryPolicy } from './attachments.ts';
import { type Edit, holderOfName, refuse, seesList } from './edit.ts';
import { openFields } from './fields.ts';
import { createPolicy, updatePolicy } from './policies.ts';
import { accountByLabel, ownByName, predefinedByName, type RestoreRun } from './restore-run.ts';

/** One policy of a document, and where it stands there. */
export interface PolicyToRestore {
  readonly path: string;
  readonly document: BackupPolicy;
  readonly predefined: boolean;
}

/**
 * Makes the policy as the document has it. What a person could not attach today although it may stay
 * attached, such as a list for an IP policy that has lost its last address, is attached all the same:
 * the zones are to be those of the backup.
 */
export function restorePolicy(run: RestoreRun, given: PolicyToRestore): void {
  const { path, document } = given;
  const edit: Edit = given.predefined ? { ...run.edit, system: true } : run.edit;
  const policy = run.attempt(path, () => makePolicy(run, edit, given));
  if (policy === null) return;
  const attachments = new Map<string, Attachment>();
  for (const [index, wanted] of document.attachments.entries()) {
    const step = { run, edit, policy, path: `${path}.attachments[${index}]` };
    const attachment = run.attempt(step.path, () => readAttachment(step, wanted));
    if (attachment === null) continue;
    const key = `${attachment.kind} ${attachment.id}`;
    if (attachments.has(key)) {
      const rule = `The ${wanted.kind} is attached more than once.`;
      const field = `${step.path}.name`;
      run.refuse({ code: 'attached-already', field, value: wanted.name, rule });
    }
    attachments.set(key, attachment);
  }
  const excludedTargets = readExclusions(run, path, document.excludedTargets);
  edit.draft.put('policy', {
    ...policy,
    attachments: [...attachments.values()],
    excludedTargets,
  });
}

function makePolicy(run: RestoreRun, edit: Edit, given: PolicyToRestore): Policy {
  const { path, document, predefined } = given;
  const { name, type, description, ttl, hostsMax } = document;
  const defaultAction = withIds(run, `${path}.defaultAction`, document.defaultAction);
  const fields = {
    name,
    type,
    description,
    ttl,
    ...(hostsMax === null ? {} : { hostsMax }),
    ...(defaultAction === null ? {} : { defaultAction }),
  };
  if (!predefined) return createPolicy(edit, fields);
  const known = predefinedByName(run, name);
  if (known === undefined) return createPolicy(edit, { ...fields, predefined });
  return updatePolicy(edit, known.id, fields);
}

/** What it takes to restore one attachment. */
interface AttachmentStep {
  readonly run: RestoreRun;
  readonly edit: Edit;
  readonly policy: Policy;
  readonly path: string;
}

/** Null when what it names was left out or refused. */
function readAttachment(step: AttachmentStep, given: BackupAttachment): Attachment | null {
  const { run, edit, policy, path } = step;
  const choice = withIds(run, `${path}.action`, given.action);
  if (choice === null) return null;
  if (given.kind === 'list') {
    if (policy.predefined) {
      const rule = 'Predefined policies hold no user-defined lists.';
      throw refuse('list-in-predefined', 'kind', 'list', rule);
    }
    const list = findList(step, given);
    if (list === null) return null;
    // In IP policies a list acts by its own action.
    const action = policy.type === 'ip' ? { kind: list.action } : readChoice(edit, choice, policy);
    return { kind: 'list', id: list.id, action };
  }
  const action = readChoice(edit, choice, policy);
  if (given.kind === 'bundle') {
    const bundle = holderOfName(edit, 'bundle', given.name, { ownId: null });
    if (bundle !== undefined) return { kind: 'bundle', id: bundle.id, action };
    run.missing(nothingNamed(`${path}.name`, 'bundle', given.name));
    return null;
  }
  const target = holderOfName(edit, 'target', given.name, { ownId: null });
  if (target === undefined) {
    run.missing(nothingNamed(`${path}.name`, 'target', given.name));
    return null;
  }
  return mayAttach(step, target, action) ? { kind: 'target', id: target.id, action } : null;
}

function mayAttach(step: AttachmentStep, target: Target, action: ActionChoice): boolean {
  const { run, edit, policy, path } = step;
  const { name } = target;
  if (action.kind === 'allow' && !target.supportsAllow) {
    const rule = `Target "${name}" does not support the action allow.`;
    run.refuse({ code: 'action-not-supported', field: `${path}.action`, value: 'allow', rule });
  }
  if (!target.partner || edit.system) return true;
  if (entitledTargets(policy.accountId, edit.draft.model).has(target.id)) return true;
  const rule = `Target "${name}" comes from a partner, and the account has no entitlement to it.`;
  run.missing({ code: 'not-entitled', field: `${path}.name`, value: name, rule });
  return false;
}

function findList(
  { run, policy, path }: AttachmentStep,
  { name, account }: BackupAttachment,
): UserList | null {
  const accountId = account === undefined ? policy.accountId : accountByLabel(run, account)?.id;
  const list =
    accountId === undefined
      ? undefined
      : holderOfName(run.edit, 'list', name, { ownId: null, accountId });
  if (list !== undefined && seesList(policy.accountId, list)) return list;
  const rule =
    account === undefined
      ? `There is no list "${name}" in the backup.`
      : `Account "${account}" shares no list "${name}" with this account.`;
  run.missing({ code: 'reference-unknown', field: `${path}.name`, value: name, rule });
  return null;
}

function readExclusions(
  run: RestoreRun,
  path: string,
  names: readonly string[],
): readonly TargetId[] {
  const ids = new Set<TargetId>();
  for (const [index, name] of names.entries()) {
    const field = `${path}.excludedTargets[${index}]`;
    const target = holderOfName(run.edit, 'target', name, { ownId: null });
    if (target === undefined) run.missing(nothingNamed(field, 'target', name));
    else if (target.origin === 'built-in') {
      run.refuse({ code: 'built-in', field, value: name, rule: partOfEveryPolicy(target) });
    } else ids.add(target.id);
  }
  return [...ids];
}

/** An action as edits take it; null when it names a behaviour that is not there. */
function withIds(run: RestoreRun, path: string, action: BackupAction): unknown {
  if (action.kind !== 'behaviour') return action;
  const behaviour = ownByName(run, 'behaviour', action.name);
  if (behaviour !== undefined) return { kind: 'behaviour', id: behaviour.id };
  run.missing(nothingNamed(path, 'behaviour', action.name));
  return null;
}

function readChoice(edit: Edit, choice: unknown, policy: Policy): ActionChoice {
  const fields = openFields({ action: choice });
  const action = readActionChoice(edit, fields, 'action', policy);
  fields.close();
  return action;
}

/** The refusal of a name that nothing has here. */
export function nothingNamed(field: string, what: string, name: string) {
  const rule = `There is no ${what} "${name}" here.`;
  return { code: 'reference-unknown', field, value: name, rule } as const;
}
