import type { User, UserId } from '../../policy/model.ts';
import { refuseWhenFull } from './account-limits.ts';
import { refuseMisleadingName } from './actor-name.ts';
import { type Edit, notFound, refuse, type Viewer, viewerOf } from './edit.ts';
import { openFields } from './fields.ts';
import { keepAnAdmin } from './last-admin.ts';
import { endSessionsOf } from './sessions.ts';
import { NAME_LENGTH_MAX } from './targets.ts';
import { ROLES } from './tokens.ts';

export const LOGIN_NAME_LENGTH_MAX = 100;
/** Also mail addresses, which is what identity providers know people by. */
const LOGIN_NAME = /^[a-z0-9][a-z0-9._@+-]{0,99}$/;
export const PASSWORD_LENGTH_MIN = 12;
export const PASSWORD_LENGTH_MAX = 256;

/**
 * Makes a user of the edit's account. Input: `name`, `role`, and optionally `displayName` and
 * `disabled`. `passwordHash` is null for somebody who comes by OpenID Connect only.
 */
export function createUser(edit: Edit, input: unknown, passwordHash: string | null): User {
  refuseWhenFull(edit, 'user');
  const { draft } = edit;
  const fields = openFields(input);
  const name = fields.text('name', { min: 1, max: LOGIN_NAME_LENGTH_MAX }).toLowerCase();
  if (!LOGIN_NAME.test(name)) {
    const rule =
      'The name has 1 to 100 letters (a to z), digits, and ". _ @ + -" behind the first of them.';
    fields.refuse('invalid-value', 'name', rule);
  } else if (draft.named('user', name).length > 0) {
    // It may belong to another account, so nothing else is said of who has it.
    const rule = 'Another user of this server has the name; names are compared without case.';
    fields.refuse('name-taken', 'name', rule);
  }
  refuseMisleadingName(fields, name);
  const user: User = {
    id: draft.nextId('user'),
    accountId: edit.accountId,
    name,
    displayName: fields.text('displayName', { max: NAME_LENGTH_MAX, otherwise: '' }),
    role: fields.choice('role', ROLES, {}),
    passwordHash,
    oidcSubject: null,
    disabled: fields.flag('disabled', { otherwise: false }),
    createdAt: draft.now,
    updatedAt: draft.now,
  };
  fields.close();
  draft.put('user', user);
  return user;
}

/**
 * Changes `displayName`, `role` or `disabled`; `oidcSubject` can be set to null only, which takes the
 * OpenID Connect identity off. A user who is disabled or loses an identity is logged out everywhere.
 */
export function updateUser(edit: Edit, id: number, input: unknown): User {
  const user = findUser(viewerOf(edit), id);
  const fields = openFields(input);
  const updated: User = {
    ...user,
    displayName: fields.text('displayName', { max: NAME_LENGTH_MAX, otherwise: user.displayName }),
    role: fields.choice('role', ROLES, { otherwise: user.role }),
    disabled: fields.flag('disabled', { otherwise: user.disabled }),
    oidcSubject: fields.has('oidcSubject') ? null : user.oidcSubject,
    updatedAt: edit.draft.now,
  };
  if (fields.has('oidcSubject') && fields.raw('oidcSubject') !== null) {
    const rule = 'It can be taken off with null; a new one comes with a login only.';
    fields.refuse('invalid-value', 'oidcSubject', rule);
  }
  fields.close();
  edit.draft.put('user', updated);
  if (updated.disabled || updated.oidcSubject !== user.oidcSubject) endSessionsOf(edit, user.id);
  if (user.role === 'admin') keepAnAdmin(edit, { field: 'user id', value: id });
  return updated;
}

/** Deletes a user and ends its sessions. The account's last admin stays. */
export function deleteUser(edit: Edit, id: number): User {
  const user = findUser(viewerOf(edit), id);
  endSessionsOf(edit, user.id);
  edit.draft.delete('user', user.id);
  if (user.role === 'admin') keepAnAdmin(edit, { field: 'user id', value: id });
  return user;
}

/** Ends all sessions of a user of the account; says how many there were. */
export function logOutUser(edit: Edit, id: number): number {
  return endSessionsOf(edit, findUser(viewerOf(edit), id).id);
}

/** Gives a user another password, as its hash, and ends all its sessions. */
export function setPassword(edit: Edit, id: number, passwordHash: string): User {
  return putPassword(edit, findUser(viewerOf(edit), id), passwordHash);
}

/**
 * A user changes its own password. `provedHash` is that of the password which it proved to know: it
 * counts only while it is still the one that is kept.
 */
export function changeOwnPassword(
  edit: Edit,
  userId: UserId,
  { provedHash, passwordHash }: { readonly provedHash: string; readonly passwordHash: string },
): User {
  const user = edit.draft.model.users.get(userId);
  if (user === undefined || user.passwordHash !== provedHash) throw wrongPassword();
  return putPassword(edit, user, passwordHash);
}

/** The refusal of a current password; the password itself is never quoted. */
export function wrongPassword(): Error {
  const rule = 'It is not the current password of this user.';
  return refuse('wrong-password', 'currentPassword', null, rule);
}

/** Keeps the same password under another hash, after the cost of hashing was raised. */
export function rehashPassword(edit: Pick<Edit, 'draft'>, user: User, passwordHash: string): void {
  const current = edit.draft.model.users.get(user.id);
  if (current === undefined || current.passwordHash !== user.passwordHash) return;
  edit.draft.put('user', { ...current, passwordHash });
}

/** Throws ModelError when a new password is too easy; the password itself is never quoted. */
export function checkNewPassword(password: unknown, field: string, loginName: string): string {
  const refused = (rule: string) => refuse('password-form', field, null, rule);
  if (typeof password !== 'string') throw refused('The password is a text.');
  const characters = [...normalPassword(password)].length;
  if (characters < PASSWORD_LENGTH_MIN || characters > PASSWORD_LENGTH_MAX) {
    const lengths = `${PASSWORD_LENGTH_MIN} to ${PASSWORD_LENGTH_MAX}`;
    throw refused(`A password has ${lengths} characters.`);
  }
  if (/\p{Cc}/u.test(password)) throw refused('A password holds no control characters.');
  if (password.toLowerCase() === loginName.toLowerCase()) {
    throw refused('A password is not the name that it is used with.');
  }
  return password;
}

/** One form for texts that look the same, however a keyboard composed them (RFC 8265 section 4.2.2). */
export function normalPassword(password: string): string {
  return password.normalize('NFC');
}

/** A user of the viewer's account. */
export function findUser(viewer: Viewer, id: number): User {
  const user = viewer.model.users.get(id as UserId);
  if (user === undefined || user.accountId !== viewer.accountId) throw notFound('user', id);
  return user;
}

/** The user with this login name, whatever its account and the case. */
export function userByName(model: Viewer['model'], name: string): User | undefined {
  const wanted = name.toLowerCase();
  for (const user of model.users.values()) if (user.name === wanted) return user;
  return undefined;
}

function putPassword(edit: Edit, user: User, passwordHash: string): User {
  const updated: User = { ...user, passwordHash, updatedAt: edit.draft.now };
  edit.draft.put('user', updated);
  endSessionsOf(edit, user.id);
  return updated;
}
