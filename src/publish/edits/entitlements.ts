import type { AccountId, Entitlement, EntitlementId, Model, TargetId } from '../../policy/model.ts';
import { refuseAllButOperator } from './accounts.ts';
import { type Edit, notFound, type Viewer } from './edit.ts';
import { readExpiryTime } from './expiry-time.ts';
import { openFields } from './fields.ts';
import { noteLostRight } from './lost-rights.ts';

export const NOTE_LENGTH_MAX = 500;

/**
 * Lets an account use a partner target. Input: `accountId`, `targetId`, and optionally `note` and
 * `expiresAt`.
 */
export function grantEntitlement(edit: Edit, input: unknown): Entitlement {
  refuseAllButOperator(edit);
  const { draft } = edit;
  const fields = openFields(input);
  const id = { min: 1, max: Number.MAX_SAFE_INTEGER };
  const accountId = fields.integer('accountId', id) as AccountId;
  const targetId = fields.integer('targetId', id) as TargetId;
  const note = fields.text('note', { max: NOTE_LENGTH_MAX, otherwise: '' });
  const expiresAt = readExpiryTime(fields, 'expiresAt', { now: draft.now, otherwise: null });
  if (!draft.model.accounts.has(accountId)) {
    fields.refuse('reference-unknown', 'accountId', `There is no account ${accountId}.`);
  }
  const target = draft.model.targets.get(targetId);
  if (target === undefined) {
    fields.refuse('reference-unknown', 'targetId', `There is no target ${targetId}.`);
  } else if (!target.partner) {
    const rule = `Target "${target.name}" is no partner target: every account may use it.`;
    fields.refuse('invalid-value', 'targetId', rule);
  }
  const known = [...draft.model.entitlements.values()].find(
    (other) => other.accountId === accountId && other.targetId === targetId,
  );
  if (known !== undefined) {
    const rule = `Entitlement ${known.id} lets the account use this target already.`;
    fields.refuse('entitled-already', 'targetId', rule);
  }
  fields.close();
  const entitlement: Entitlement = {
    id: draft.nextId('entitlement'),
    accountId,
    targetId,
    note,
    expiresAt,
    createdAt: draft.now,
  };
  draft.put('entitlement', entitlement);
  return entitlement;
}

/** Changes the note or the time of expiry; account and target stay. */
export function updateEntitlement(edit: Edit, id: number, input: unknown): Entitlement {
  refuseAllButOperator(edit);
  const { draft } = edit;
  const entitlement = entitlementOf(draft.model, id);
  const fields = openFields(input);
  const updated: Entitlement = {
    ...entitlement,
    note: fields.text('note', { max: NOTE_LENGTH_MAX, otherwise: entitlement.note }),
    expiresAt: readExpiryTime(fields, 'expiresAt', {
      now: draft.now,
      otherwise: entitlement.expiresAt,
    }),
  };
  fields.close();
  draft.put('entitlement', updated);
  return updated;
}

/**
 * Takes the right back: the target leaves every policy of the account at once. Attachments of it
 * stay where they are and bring nothing until the account is entitled again.
 */
export function revokeEntitlement(edit: Edit, id: number): Entitlement {
  refuseAllButOperator(edit);
  const entitlement = entitlementOf(edit.draft.model, id);
  edit.draft.delete('entitlement', entitlement.id);
  noteLost(edit, entitlement);
  return entitlement;
}

/** An entitlement that the viewer may see: the operator all of them, other accounts their own. */
export function findEntitlement(viewer: Viewer, id: number): Entitlement {
  const entitlement = entitlementOf(viewer.model, id);
  const isOperator = viewer.model.accounts.get(viewer.accountId)?.operator === true;
  if (!isOperator && entitlement.accountId !== viewer.accountId) throw notFound('entitlement', id);
  return entitlement;
}

/** Removes entitlements whose time is over; says how many went. */
export function removeExpiredEntitlements(edit: Pick<Edit, 'draft'>): number {
  const { draft } = edit;
  const expired = [...draft.model.entitlements.values()].filter(
    ({ expiresAt }) => expiresAt !== null && expiresAt <= draft.now,
  );
  for (const entitlement of expired) {
    draft.delete('entitlement', entitlement.id);
    noteLost(edit, entitlement);
  }
  return expired.length;
}

function noteLost(edit: Pick<Edit, 'draft'>, { accountId, targetId }: Entitlement): void {
  const target = edit.draft.model.targets.get(targetId);
  if (target !== undefined) noteLostRight(edit, accountId, { kind: 'target', target });
}

/** When the next entitlement expires (Unix milliseconds), or null when none does. */
export function nextEntitlementExpiry(model: Pick<Model, 'entitlements'>): number | null {
  let next: number | null = null;
  for (const { expiresAt } of model.entitlements.values()) {
    if (expiresAt !== null && (next === null || expiresAt < next)) next = expiresAt;
  }
  return next;
}

function entitlementOf(model: Pick<Model, 'entitlements'>, id: number): Entitlement {
  const entitlement = model.entitlements.get(id as EntitlementId);
  if (entitlement === undefined) throw notFound('entitlement', id);
  return entitlement;
}
