import { bundleHolds } from '../../policy/bundle.ts';
import type { AccountId, Policy, Target, UserList } from '../../policy/model.ts';
import type { Edit } from './edit.ts';

/** What an account may not use any more. */
export type Lost =
  | { readonly kind: 'target'; readonly target: Target }
  | { readonly kind: 'list'; readonly list: UserList };

/**
 * An account lost the right to a target or a list. Its policies leave it out by themselves; but one
 * that is rolled back serves an earlier content, which may hold it: so those that could are released,
 * and contents from before this moment cannot be rolled back to.
 */
export function noteLostRight(edit: Pick<Edit, 'draft'>, accountId: AccountId, lost: Lost): void {
  const { draft } = edit;
  const account = draft.model.accounts.get(accountId);
  if (account === undefined) return;
  draft.put('account', { ...account, rightsLostAt: draft.now, updatedAt: draft.now });
  for (const policy of draft.model.policies.values()) {
    if (policy.accountId !== accountId || policy.rollback === null) continue;
    // What it attached when it was rolled back is not known once it was edited since.
    const wasEdited = policy.updatedAt > policy.rollback.at;
    if (wasEdited || attaches(policy, lost, edit)) draft.rollBack(policy.id, null);
  }
}

function attaches({ attachments }: Policy, lost: Lost, { draft }: Pick<Edit, 'draft'>): boolean {
  return attachments.some((attachment) => {
    if (lost.kind === 'list') return attachment.kind === 'list' && attachment.id === lost.list.id;
    if (attachment.kind === 'target') return attachment.id === lost.target.id;
    const bundle =
      attachment.kind === 'bundle' ? draft.model.bundles.get(attachment.id) : undefined;
    return bundle !== undefined && bundleHolds(bundle.filter, lost.target);
  });
}
