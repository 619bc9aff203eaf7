import type { AccountId, Policy, UserList } from '../../policy/model.ts';
import type { Edit } from './edit.ts';

/** All policies that attach the list, those of accounts that it is shared with included. */
export function policiesThatAttach(edit: Edit, list: UserList): readonly Policy[] {
  return [...edit.draft.model.policies.values()].filter(({ attachments }) =>
    attachments.some(({ kind, id }) => kind === 'list' && id === list.id),
  );
}

/**
 * Who uses a list, for the refusal that says so: own policies by name; of another account only how
 * many, because what its policies are called is nobody else's business.
 */
export function usersOfList(edit: Edit, list: UserList): readonly string[] {
  const byAccount = Map.groupBy(policiesThatAttach(edit, list), ({ accountId }) => accountId);
  return [...byAccount].flatMap(([accountId, policies]) =>
    accountId === edit.accountId
      ? policies.map(({ name }) => `policy "${name}"`)
      : [policiesOfAccount(edit, accountId, policies.length)],
  );
}

/** `2 policies of account "acme"`. */
export function policiesOfAccount(edit: Edit, accountId: AccountId, count: number): string {
  const { label } = edit.draft.model.accounts.get(accountId) ?? { label: '' };
  return `${count} ${count === 1 ? 'policy' : 'policies'} of account "${label}"`;
}
