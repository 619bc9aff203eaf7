import type { IDToken } from 'openid-client';
import type { Role } from '../policy/model.ts';
import type { ProvedIdentity } from '../publish/edits/index.ts';
import type { OpenIdSettings } from './openid-settings.ts';

/** From the strongest: several values of the claim may be mapped. */
const STRONGEST_FIRST: readonly Role[] = ['admin', 'editor', 'viewer', 'sensor'];

/** What the claims of a checked ID token say; `why` when they give no role and none is configured. */
export function identityOfClaims(
  claims: IDToken,
  settings: OpenIdSettings,
): { readonly identity: ProvedIdentity } | { readonly why: string } {
  const role = roleOfClaims(claims, settings);
  if (role === 'none')
    return { why: `The claim "${settings.roleClaim}" holds nothing that a role is given for.` };
  const { iss, sub, email, email_verified: isVerified, preferred_username: preferred } = claims;
  // OpenID Connect Core section 5.7: issuer and subject together are what never changes.
  const verifiedEmail = isVerified === true && typeof email === 'string' ? email : null;
  const loginName = verifiedEmail ?? (typeof preferred === 'string' ? preferred : null);
  const displayName = typeof claims.name === 'string' ? claims.name : '';
  return { identity: { subject: `${iss} ${sub}`, verifiedEmail, loginName, displayName, role } };
}

/** Null when roles are kept here. */
function roleOfClaims(
  claims: IDToken,
  { roleClaim, roles, defaultRole }: OpenIdSettings,
): Role | 'none' | null {
  if (roleClaim === null) return null;
  const claim = claims[roleClaim];
  const values: readonly unknown[] = Array.isArray(claim) ? claim : [claim];
  const given = roles.filter(({ value }) => values.includes(value)).map(({ role }) => role);
  return STRONGEST_FIRST.find((role) => given.includes(role)) ?? defaultRole ?? 'none';
}
