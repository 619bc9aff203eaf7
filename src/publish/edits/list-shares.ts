import type { Account, UserList } from '../../policy/model.ts';
import { putPolicy } from './attachments.ts';
import { type Edit, findWritableList, refuse } from './edit.ts';
import { policiesOfAccount, policiesThatAttach } from './list-users.ts';
import { noteLostRight } from './lost-rights.ts';

export const SHARES_MAX = 1_000;

/** Lets another account, named by its label, read the list and attach it. Sharing it again changes nothing. */
export function shareList(edit: Edit, id: number, label: string): UserList {
  const list = findWritableList(edit, id);
  const account = findAccount(edit, label);
  if (account === undefined) {
    throw refuse('reference-unknown', 'label', label, `There is no account "${label}".`);
  }
  if (account.id === list.accountId) {
    const rule = `The list belongs to account "${account.label}" already.`;
    throw refuse('invalid-value', 'label', label, rule);
  }
  if (list.sharedWith.includes(account.id)) return list;
  if (list.sharedWith.length >= SHARES_MAX) {
    const rule = `A list is shared with at most ${SHARES_MAX} accounts.`;
    throw refuse('invalid-value', 'label', label, rule);
  }
  return putList(edit, { ...list, sharedWith: [...list.sharedWith, account.id] });
}

/**
 * Takes a share back. While policies of the other account attach the list this is refused, unless it
 * is to be detached from all of them in the same change.
 */
export function unshareList(
  edit: Edit,
  id: number,
  { label, detach }: { readonly label: string; readonly detach: boolean },
): UserList {
  const list = findWritableList(edit, id);
  const account = findAccount(edit, label);
  if (account === undefined || !list.sharedWith.includes(account.id)) {
    throw refuse('not-found', 'label', label, `The list is not shared with account "${label}".`);
  }
  const users = policiesThatAttach(edit, list).filter(({ accountId }) => accountId === account.id);
  if (users.length > 0 && !detach) {
    const who = policiesOfAccount(edit, account.id, users.length);
    const rule = `The list is attached in ${who}; with detach=true it is detached there, too.`;
    throw refuse('still-in-use', 'label', label, rule);
  }
  // First, while it is still to be seen which policies attached the list.
  noteLostRight(edit, account.id, { kind: 'list', list });
  for (const { id: policyId } of users) {
    const policy = edit.draft.model.policies.get(policyId)!;
    const attachments = policy.attachments.filter(
      (other) => other.kind !== 'list' || other.id !== list.id,
    );
    putPolicy(edit, { ...policy, attachments });
  }
  return putList(edit, { ...list, sharedWith: list.sharedWith.filter((id) => id !== account.id) });
}

function findAccount(edit: Edit, label: string): Account | undefined {
  return edit.draft.named('account', label)[0];
}

function putList(edit: Edit, list: UserList): UserList {
  const updated: UserList = { ...list, updatedAt: edit.draft.now };
  edit.draft.put('list', updated);
  return updated;
}
