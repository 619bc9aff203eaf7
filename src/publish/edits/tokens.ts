import { createHash } from 'node:crypto';
import type { ApiToken, Role } from '../../policy/model.ts';
import { refuseWhenFull } from './account-limits.ts';
import { refuseMisleadingName } from './actor-name.ts';
import { type Edit, holderOfName, notFound } from './edit.ts';
import { openFields } from './fields.ts';
import { keepAnAdmin } from './last-admin.ts';
import { NAME_LENGTH_MAX } from './targets.ts';

export const ROLES = ['admin', 'editor', 'viewer', 'sensor'] as const satisfies readonly Role[];
/** 256 bits. */
const TOKEN_OCTETS = 32;
/** So that a token is recognised where it should not be: in logs, repositories and chats. */
const TOKEN_PREFIX = 'sluice_';

/** Makes an API token. `secret` is the token itself, which is told this once: only its hash is kept. */
export function createToken(edit: Edit, input: unknown): { token: ApiToken; secret: string } {
  refuseWhenFull(edit, 'token');
  const fields = openFields(input);
  const name = fields.text('name', { min: 1, max: NAME_LENGTH_MAX });
  refuseMisleadingName(fields, name);
  const role = fields.choice('role', ROLES, {});
  const { accountId } = edit;
  const holder = holderOfName(edit, 'token', name, { ownId: null, accountId });
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

/** Revokes a token at once. The account's last admin stays, so that somebody can still get in. */
export function deleteToken(edit: Edit, id: number): ApiToken {
  const token = tokensOf(edit).find((candidate) => candidate.id === id);
  if (token === undefined) throw notFound('token', id);
  edit.draft.delete('token', token.id);
  if (token.role === 'admin') keepAnAdmin(edit, { field: 'token id', value: id });
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
