import type { Account } from '../../policy/model.ts';
import { type Edit, holderOfName } from './edit.ts';
import { openFields } from './fields.ts';
import { NAME_LENGTH_MAX } from './targets.ts';

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
  const labels = [...edit.draft.model.accounts.values()].map(({ id, label }) => ({
    id,
    name: label,
  }));
  const holder = holderOfName(label, labels, null);
  if (holder !== undefined) {
    fields.refuse('name-taken', 'label', `Account ${holder.id} has this label.`);
  }
  const name = fields.text('name', { min: 1, max: NAME_LENGTH_MAX });
  fields.close();
  const account: Account = { id: edit.draft.nextId('account'), label, name };
  edit.draft.put('account', account);
  return account;
}
