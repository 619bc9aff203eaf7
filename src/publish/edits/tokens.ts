import { createHash } from 'node:crypto';
import type { ApiToken, Role } from '../../policy/model.ts';
import { type Edit, holderOfName, notFound, refuse } from './edit.ts';
import { openFields } from './fields.ts';
import { NAME_LENGTH_MAX } from './targets.ts';

export const ROLES = ['admin', 'editor', 'viewer', 'sensor'] as const satisfies readonly Role[];
/** 256 bits. */
const TOKEN_OCTETS = 32;
/** So that a token is recognised where it should not be: in logs, repositories and chats. */
const TOKEN_PREFIX = 'sluice_';

/** Makes an API token. `secret` is the token itself, which is told this once: only its hash is kept. */
export function createToken(edit: Edit, input: unknown): { token: ApiToken; secret: string } {
  const fields = openFields(input);
  const name = fields.text('name', { min: 1, max: NAME_LENGTH_MAX });
  const role = fields.choice('role', ROLES, {});
  const holder = holderOfName(name, tokensOf(edit), null);
  if (holder !== undefined) {
    fields.refuse('name-taken', 'name', `Token ${holder.id} has this name.`);
  }
  fields.close();
  const octets = Buffer.from(edit.settings.randomBytes(TOKEN_OCTETS));
  const secret = `${TOKEN_PREFIX}${octets.toString('base64url')}`;
  const token: ApiToken = {
    id: edit.draft.nextId('token'),
    accountId: edit.accountId,
    name,
    role,
    sha256: hashToken(secret),
    createdAt: edit.draft.now,
  };
  edit.draft.put('token', token);
  return { token, secret };
}

/** Revokes a token at once. The account's last admin token stays, so that somebody can still get in. */
export function deleteToken(edit: Edit, id: number): ApiToken {
  const tokens = tokensOf(edit);
  const token = tokens.find((candidate) => candidate.id === id);
  if (token === undefined) throw notFound('token', id);
  const admins = tokens.filter(({ role }) => role === 'admin');
  if (token.role === 'admin' && admins.length === 1) {
    const rule = 'It is the only admin token of the account; make another one first.';
    throw refuse('last-admin', 'token id', id, rule);
  }
  edit.draft.delete('token', token.id);
  return token;
}

/** The form in which a token is stored. It has 256 random bits, so a plain hash cannot be reversed. */
export function hashToken(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

function tokensOf(edit: Edit): readonly ApiToken[] {
  return [...edit.draft.model.tokens.values()].filter(
    ({ accountId }) => accountId === edit.accountId,
  );
}
