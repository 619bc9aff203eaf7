import type { OwnedKind } from '../name-index.ts';
import { accountOf, type Edit, refuse } from './edit.ts';

/**
 * What one account may own of each kind. Far above what anybody needs: it is there so that one
 * account, by a script gone wild or by a backup, cannot take the memory and time of all others.
 */
export const ACCOUNT_MAXIMA = {
  behaviour: 1_000,
  list: 1_000,
  policy: 10_000,
  device: 100_000,
  user: 10_000,
  token: 1_000,
} as const satisfies Readonly<Record<OwnedKind, number>>;

const PLURALS: Readonly<Record<OwnedKind, string>> = {
  behaviour: 'behaviours',
  list: 'lists',
  policy: 'policies',
  device: 'devices',
  user: 'users',
  token: 'tokens',
};

/** Throws when the account cannot have one more of the kind. */
export function refuseWhenFull(edit: Edit, kind: OwnedKind): void {
  const { label } = accountOf(edit);
  const max = ACCOUNT_MAXIMA[kind];
  if (edit.draft.owned(kind, edit.accountId) < max) return;
  const rule = `An account has at most ${max} ${PLURALS[kind]}; delete some first.`;
  throw refuse('account-full', 'account', label, rule);
}
