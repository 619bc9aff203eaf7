import type { Account, AccountId, ApiToken, Model } from '../../policy/model.ts';
import { readCatalogs } from './catalog-handover.ts';
import { type Edit, notFound, refuse, type Viewer, viewerOf } from './edit.ts';
import { openFields } from './fields.ts';
import { endSessionsOf } from './sessions.ts';
import { NAME_LENGTH_MAX } from './targets.ts';
import { createToken } from './tokens.ts';

/** Zone names are `<zone>.<policy>.<account>.<root>`, so the label has to leave room. */
const ACCOUNT_LABEL = /^[a-z0-9]([a-z0-9-]{0,14}[a-z0-9])?$/;
/** Labels that mean something else below the root. */
const RESERVED_LABELS = ['ns', 'hostmaster', 'catalog', 'key', 'dev', 'www'];

/** Makes an account. Input: `label`, which becomes part of its zones' names, and `name`. */
export function createAccount(edit: Omit<Edit, 'accountId'>, input: unknown): Account {
  const fields = openFields(input);
  const label = fields.text('label', { max: 255 }).toLowerCase();
  if (!ACCOUNT_LABEL.test(label) || label.startsWith('rpz-')) {
    const rule =
      'The label has 1 to 16 letters (a to z), digits and inner hyphens, and no "rpz-" in front.';
    fields.refuse('label-form', 'label', rule);
  }
  if (RESERVED_LABELS.includes(label)) {
    fields.refuse('label-form', 'label', `These labels are taken: ${RESERVED_LABELS.join(', ')}.`);
  }
  const [holder] = edit.draft.named('account', label);
  if (holder !== undefined) {
    fields.refuse('name-taken', 'label', `Account ${holder.id} has this label.`);
  }
  const name = fields.text('name', { min: 1, max: NAME_LENGTH_MAX });
  fields.close();
  const account: Account = {
    id: edit.draft.nextId('account'),
    label,
    name,
    // The first account runs the server.
    operator: edit.draft.model.accounts.size === 0,
    catalogs: 'both',
    handover: null,
    rightsLostAt: 0,
    createdAt: edit.draft.now,
    updatedAt: edit.draft.now,
  };
  edit.draft.put('account', account);
  return account;
}

/** An account just made, with the token that its first admin gets in with; `secret` is told this once. */
interface OpenedAccount {
  readonly account: Account;
  readonly token: ApiToken;
  readonly secret: string;
}

/** Makes an account that somebody can get into. Input: `label` and `name`. */
export function openAccount(edit: Edit, input: unknown): OpenedAccount {
  refuseAllButOperator(edit);
  const account = createAccount(edit, input);
  const own: Edit = { ...edit, accountId: account.id };
  return { account, ...createToken(own, { name: 'admin', role: 'admin' }) };
}

/**
 * Changes the name of an account, and which catalog zones list its zones (`catalogs`). Its label
 * stays for life, because zone names contain it.
 */
export function updateAccount(edit: Edit, id: number, input: unknown): Account {
  refuseAllButOperator(edit);
  const account = accountById(edit.draft.model, id);
  const fields = openFields(input);
  const label = fields.raw('label');
  if (label !== undefined && label !== account.label) {
    const rule = `The label "${account.label}" is part of zone names and stays for life.`;
    fields.refuse('name-fixed', 'label', rule);
  }
  const name = fields.text('name', { min: 1, max: NAME_LENGTH_MAX, otherwise: account.name });
  const listed = readCatalogs(edit, fields, account);
  fields.close();
  const updated: Account = { ...account, name, ...listed, updatedAt: edit.draft.now };
  edit.draft.put('account', updated);
  return updated;
}

/**
 * Deletes an account that owns nothing which is served or attached any more, with its users, their
 * sessions, its tokens, entitlements and waiting changes.
 */
export function deleteAccount(edit: Edit, id: number): Account {
  refuseAllButOperator(edit);
  const { draft } = edit;
  const account = accountById(draft.model, id);
  if (account.operator) {
    const rule = `Account "${account.label}" runs the server; it cannot be deleted.`;
    throw refuse('not-allowed', 'account id', id, rule);
  }
  const left = whatIsLeftOf(draft.model, account.id);
  if (left.length > 0) {
    const more = left.length > LEFT_SHOWN_MAX ? `, and ${left.length - LEFT_SHOWN_MAX} more` : '';
    const rule = `Delete first what it owns: ${left.slice(0, LEFT_SHOWN_MAX).join(', ')}${more}.`;
    throw refuse('account-not-empty', 'account id', id, rule);
  }
  for (const user of draft.model.users.values()) {
    if (user.accountId !== account.id) continue;
    endSessionsOf(edit, user.id);
    draft.delete('user', user.id);
  }
  for (const kind of ['token', 'entitlement', 'held'] as const) deleteOwned(edit, kind, account.id);
  stopSharingWith(edit, account.id);
  draft.delete('account', account.id);
  return account;
}

/** Throws unless the edit is on behalf of the account that runs the server. */
export function refuseAllButOperator(edit: Edit): void {
  if (!edit.system) refuseAllViewersButOperator(viewerOf(edit));
}

/** The same for what is only looked at. */
export function refuseAllViewersButOperator({ model, accountId }: Viewer): void {
  const account = model.accounts.get(accountId);
  if (account?.operator) return;
  const label = account?.label ?? accountId;
  const rule = 'Only the account that runs the server may do this.';
  throw refuse('not-allowed', 'account', label, rule);
}

/** An account by its id; whether the viewer may see it is for the caller to say. */
export function accountById(model: Model, id: number): Account {
  const account = model.accounts.get(id as AccountId);
  if (account === undefined) throw notFound('account', id);
  return account;
}

const LEFT_SHOWN_MAX = 20;

function whatIsLeftOf(model: Model, accountId: AccountId): readonly string[] {
  const kinds = [
    ['policy', model.policies],
    ['device', model.devices],
    ['list', model.lists],
    ['behaviour', model.behaviours],
  ] as const;
  return kinds.flatMap(([kind, all]) => {
    const owned: string[] = [];
    for (const entity of all.values()) {
      if (entity.accountId === accountId) owned.push(`${kind} "${entity.name}"`);
    }
    return owned;
  });
}

function deleteOwned(
  { draft }: Edit,
  kind: 'token' | 'entitlement' | 'held',
  accountId: AccountId,
): void {
  const { tokens, entitlements, heldChanges } = draft.model;
  const all = { token: tokens, entitlement: entitlements, held: heldChanges }[kind];
  for (const entity of all.values()) {
    if (entity.accountId === accountId) draft.delete(kind, entity.id);
  }
}

/** Lists of others that the account was let to read. */
function stopSharingWith({ draft }: Edit, accountId: AccountId): void {
  for (const list of draft.model.lists.values()) {
    if (!list.sharedWith.includes(accountId)) continue;
    const sharedWith = list.sharedWith.filter((other) => other !== accountId);
    draft.put('list', { ...list, sharedWith, updatedAt: draft.now });
  }
}
