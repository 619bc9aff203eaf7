import type { AccountId, Model } from '../../policy/model.ts';
import { type Edit, refuse } from './edit.ts';

/**
 * Throws when nobody can administer the account any more: called after an edit that took an admin
 * away, which then has no effect. An admin is a token, or an enabled user who can log in.
 */
export function keepAnAdmin(
  { draft, accountId }: Pick<Edit, 'draft' | 'accountId'>,
  { field, value }: { readonly field: string; readonly value: unknown },
): void {
  if (hasAdmin(draft.model, accountId)) return;
  const rule =
    'It is the only admin of the account; make another user or token of that role first.';
  throw refuse('last-admin', field, value, rule);
}

function hasAdmin(model: Model, accountId: AccountId): boolean {
  for (const token of model.tokens.values()) {
    if (token.accountId === accountId && token.role === 'admin') return true;
  }
  for (const user of model.users.values()) {
    const canLogIn = !user.disabled && (user.passwordHash !== null || user.oidcSubject !== null);
    if (user.accountId === accountId && user.role === 'admin' && canLogIn) return true;
  }
  return false;
}
