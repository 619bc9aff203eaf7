import type { Account, Model, Role } from '../policy/model.ts';
import { ModelError } from '../policy/model-error.ts';
import { HttpProblem } from './problem.ts';

/** By which an admin of the account that runs the server acts for another one. */
export const ACCOUNT_HEADER = 'sluice-account';
const LABEL = /^[a-z0-9-]{1,16}$/i;

/** The account that a request reads and edits: that of its sender, or the one that the header names. */
export function actingAccount(
  model: Model,
  sender: { readonly role: Role; readonly account: Account },
  header: string | readonly string[] | undefined,
): Account {
  const { role, account } = sender;
  if (header === undefined) return account;
  const label = String(header);
  if (label.toLowerCase() === account.label) return account;
  if (role !== 'admin' || !account.operator) {
    const detail =
      'Only an admin of the account that runs the server may act for another account (Sluice-Account).';
    throw new HttpProblem('forbidden', detail, { field: 'Sluice-Account', value: label });
  }
  const refusal = (code: 'invalid-value' | 'not-found', rule: string) =>
    new ModelError(code, { field: 'Sluice-Account', value: label, rule });
  if (!LABEL.test(label))
    throw refusal('invalid-value', 'The header holds the label of an account.');
  for (const other of model.accounts.values()) {
    if (other.label === label.toLowerCase()) return other;
  }
  throw refusal('not-found', 'There is no account with this label.');
}
