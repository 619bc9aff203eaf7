import type { Fields } from './fields.ts';

/** What the server calls itself and its parts in the audit trail. */
const RESERVED_NAMES = ['sluice', 'server', 'openid'];
/** There, an account in brackets says which one somebody acted from on behalf of another. */
const ACCOUNT_BEHIND = / \([^()]+\)$/;

/** Refuses a name for a token or user by which the audit trail would tell of somebody else. */
export function refuseMisleadingName(fields: Fields, name: string): void {
  if (RESERVED_NAMES.includes(name.toLowerCase())) {
    const rule = `The audit trail calls the server itself by these names: ${RESERVED_NAMES.join(', ')}.`;
    fields.refuse('invalid-value', 'name', rule);
  }
  if (ACCOUNT_BEHIND.test(name)) {
    const rule =
      'The name does not end in a text in brackets: so the audit trail names the account that somebody acts from.';
    fields.refuse('invalid-value', 'name', rule);
  }
}
