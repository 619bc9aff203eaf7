import type { Role } from '../policy/model.ts';

/** How people log in by OpenID Connect. */
export interface OpenIdSettings {
  readonly issuer: string;
  readonly clientId: string;
  /** Null for a public client, which proves itself by PKCE alone. */
  readonly clientSecret: string | null;
  /** Where the provider sends people back to: this server's /api/v1/session/openid/callback. */
  readonly redirectUri: string;
  readonly scopes: string;
  /** Let who has a verified mail address be the user of that name, if that has no identity yet. */
  readonly linkByEmail: boolean;
  /** Claim that holds a text or texts which `roles` makes roles of; null keeps roles here. */
  readonly roleClaim: string | null;
  readonly roles: readonly { readonly value: string; readonly role: Role }[];
  /** Of new users, and of those for whom the claim has nothing that is mapped; null refuses the latter. */
  readonly defaultRole: Role | null;
  readonly createUsers: boolean;
  /** Label of the account of new users. */
  readonly account: string;
}
