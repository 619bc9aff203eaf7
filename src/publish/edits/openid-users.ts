import type { AccountId, Model, Role, User } from '../../policy/model.ts';
import type { Edit } from './edit.ts';
import { refusalsOf } from './fields.ts';
import { keepAnAdmin } from './last-admin.ts';
import { NAME_LENGTH_MAX } from './targets.ts';
import { createUser, userByName } from './users.ts';

/** What an identity provider says of somebody who logged in there. */
export interface ProvedIdentity {
  /** `issuer subject`: what the provider knows the person by, for good (OpenID Connect Core section 2). */
  readonly subject: string;
  /** A mail address, only if the provider says that it is verified. */
  readonly verifiedEmail: string | null;
  /** What a new user is called at the login; null when the provider says nothing of use. */
  readonly loginName: string | null;
  readonly displayName: string;
  /** The role that the provider gives; null when roles are kept here. */
  readonly role: Role | null;
}

export interface AdmissionRules {
  /** Let who has a verified mail address be the user of that name, if that has no identity yet. */
  readonly linkByEmail: boolean;
  /** Where a user is made for who is unknown, and as what; null refuses them. */
  readonly createIn: { readonly accountId: AccountId; readonly role: Role } | null;
}

/**
 * The user who a proved identity is: known by its subject, else linked, else made. `why` says why
 * nobody is.
 */
export function admitIdentity(
  edit: Omit<Edit, 'accountId'>,
  identity: ProvedIdentity,
  rules: AdmissionRules,
): { readonly user: User } | { readonly why: string } {
  const known = findAdmitted(edit.draft.model, identity, rules);
  if (known === undefined) return makeUser(edit, identity, rules);
  if (known.disabled) return { why: 'The user is disabled.' };
  return { user: takeOver(edit, known, identity) };
}

/** The account that admitting somebody changes, for the audit trail; null when nobody is admitted. */
export function accountOfAdmission(
  model: Model,
  identity: ProvedIdentity,
  rules: AdmissionRules,
): AccountId | null {
  const user = findAdmitted(model, identity, rules);
  return user?.accountId ?? rules.createIn?.accountId ?? null;
}

function findAdmitted(
  model: Model,
  identity: ProvedIdentity,
  rules: AdmissionRules,
): User | undefined {
  return knownUser(model, identity) ?? linkableUser(model, identity, rules);
}

function knownUser(model: Model, { subject }: ProvedIdentity): User | undefined {
  for (const user of model.users.values()) if (user.oidcSubject === subject) return user;
  return undefined;
}

function linkableUser(
  model: Model,
  { verifiedEmail }: ProvedIdentity,
  { linkByEmail }: AdmissionRules,
): User | undefined {
  if (!linkByEmail || verifiedEmail === null) return undefined;
  const user = userByName(model, verifiedEmail);
  return user?.oidcSubject === null ? user : undefined;
}

/** Links the identity, and follows the role that the provider gives. */
function takeOver(edit: Omit<Edit, 'accountId'>, user: User, identity: ProvedIdentity): User {
  const { draft } = edit;
  const role = identity.role ?? user.role;
  if (user.oidcSubject === identity.subject && user.role === role) return user;
  const updated = { ...user, oidcSubject: identity.subject, role, updatedAt: draft.now };
  draft.put('user', updated);
  const leaves = refusalsOf(() =>
    keepAnAdmin({ draft, accountId: user.accountId }, { field: 'role', value: role }),
  );
  if (leaves.length === 0) return updated;
  // The last admin of an account stays one, whatever the provider says.
  const kept = { ...updated, role: user.role };
  draft.put('user', kept);
  return kept;
}

function makeUser(
  edit: Omit<Edit, 'accountId'>,
  identity: ProvedIdentity,
  { createIn }: AdmissionRules,
): { readonly user: User } | { readonly why: string } {
  const { loginName: name, displayName, subject } = identity;
  if (createIn === null) return { why: 'No user here has this identity.' };
  if (name === null) return { why: 'The provider tells no name that a user could have.' };
  const { accountId } = createIn;
  const input = {
    name,
    displayName: displayName.replaceAll(/\p{Cc}/gu, ' ').slice(0, NAME_LENGTH_MAX),
    role: identity.role ?? createIn.role,
  };
  let made: User | undefined;
  const [refusal] = refusalsOf(() => {
    made = createUser({ ...edit, accountId }, input, null);
  });
  if (made === undefined) return { why: `"${name}" cannot be made a user: ${refusal?.rule}` };
  const user = { ...made, oidcSubject: subject };
  edit.draft.put('user', user);
  return { user };
}
