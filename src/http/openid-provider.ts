import * as client from 'openid-client';
import type { OpenIdSettings } from './openid-settings.ts';

/** How long one request to the provider may take. */
const TIMEOUT_SECONDS = 10;

/** What is remembered between sending somebody to the provider and their coming back. */
export interface LoginChecks {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

/** The identity provider, as OpenID Connect Core section 3.1 has it: authorization code flow with PKCE. */
export interface OpenIdProvider {
  /** Where to send somebody to log in, and what to check when they come back. */
  begin(): Promise<{ readonly url: string; readonly checks: LoginChecks }>;
  /** Redeems the code and gives the claims of the ID token; throws when anything in it is wrong. */
  finish(query: string, checks: LoginChecks): Promise<client.IDToken>;
}

export function createOpenIdProvider(settings: OpenIdSettings): OpenIdProvider {
  let known: Promise<client.Configuration> | null = null;
  // Asked for at the first login, not at the start: a provider that is away must not keep us from serving.
  const configuration = (): Promise<client.Configuration> => {
    known ??= discover(settings);
    known.catch(() => {
      known = null;
    });
    return known;
  };

  return {
    async begin() {
      const config = await configuration();
      const checks: LoginChecks = {
        state: client.randomState(),
        nonce: client.randomNonce(),
        verifier: client.randomPKCECodeVerifier(),
      };
      const url = client.buildAuthorizationUrl(config, {
        redirect_uri: settings.redirectUri,
        scope: settings.scopes,
        state: checks.state,
        nonce: checks.nonce,
        code_challenge: await client.calculatePKCECodeChallenge(checks.verifier),
        code_challenge_method: 'S256',
      });
      return { url: url.href, checks };
    },
    async finish(query, { state, nonce, verifier }) {
      const config = await configuration();
      // Behind a proxy we are called by another name than the one that the provider knows.
      const url = new URL(settings.redirectUri);
      url.search = query;
      const tokens = await client.authorizationCodeGrant(config, url, {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: verifier,
        idTokenExpected: true,
      });
      const claims = tokens.claims();
      if (claims === undefined) throw new Error('there is no ID token');
      return claims;
    },
  };
}

async function discover(settings: OpenIdSettings): Promise<client.Configuration> {
  const { issuer, clientId, clientSecret } = settings;
  const server = new URL(issuer);
  // The configuration lets plain HTTP through for providers on this machine only.
  const execute = server.protocol === 'http:' ? [client.allowInsecureRequests] : [];
  const found = await client.discovery(server, clientId, undefined, client.None(), {
    execute,
    timeout: TIMEOUT_SECONDS,
  });
  const metadata = found.serverMetadata();
  const config = new client.Configuration(
    metadata,
    clientId,
    undefined,
    clientAuthentication(clientSecret, metadata.token_endpoint_auth_methods_supported),
  );
  config.timeout = TIMEOUT_SECONDS;
  for (const configure of execute) configure(config);
  // Also checks the signature of ID tokens that come straight from the provider.
  client.enableNonRepudiationChecks(config);
  return config;
}

/** OpenID Connect Core section 9: client_secret_basic unless something else was agreed. */
function clientAuthentication(
  secret: string | null,
  supported: readonly string[] | undefined,
): client.ClientAuth {
  if (secret === null) return client.None();
  const isPostOnly =
    supported !== undefined &&
    !supported.includes('client_secret_basic') &&
    supported.includes('client_secret_post');
  return isPostOnly ? client.ClientSecretPost(secret) : client.ClientSecretBasic(secret);
}
