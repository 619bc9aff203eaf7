import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export const CLIENT_ID = 'sluice-test';
// A colon and a plus, which RFC 6749 section 2.3.1 wants escaped in Basic credentials.
export const CLIENT_SECRET = 'a secret: of + the test';

type Claims = Readonly<Record<string, unknown>>;

export interface Login {
  /** Claims of the ID token, over those that a right one has. */
  readonly claims?: Claims;
  /** Signs with a key that the provider does not publish. */
  readonly forged?: boolean;
  /** Says `alg: none` and signs nothing. */
  readonly unsigned?: boolean;
}

/**
 * An identity provider written from the specifications alone: discovery (OpenID Connect Discovery
 * section 4), keys (RFC 7517), authorization code (OpenID Connect Core section 3.1) with PKCE
 * (RFC 7636), client_secret_basic (RFC 6749 section 2.3.1) and ID tokens signed with RS256.
 */
export interface IdentityProvider {
  readonly issuer: string;
  /** What the browser does there: logs in and is sent back, to this address. */
  logIn(authorizationUrl: string, login?: Login): URL;
  /** Requests to the token endpoint that were refused, with the reason. */
  readonly refusals: readonly string[];
  stop(): Promise<void>;
}

interface Grant {
  readonly challenge: string;
  readonly redirectUri: string;
  readonly nonce: string;
  readonly login: Login;
}

const KEY_ID = 'key-1';
const KEYS = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const OTHER_KEYS = generateKeyPairSync('rsa', { modulusLength: 2_048 });

export async function startIdentityProvider(): Promise<IdentityProvider> {
  const grants = new Map<string, Grant>();
  const refusals: string[] = [];
  const server = createServer((request, response) => {
    void answer(request, response).catch((error: unknown) => {
      refusals.push(String(error));
      sendJson(response, 400, { error: 'invalid_grant' });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = () => new Promise<void>((resolve) => server.close(() => resolve()));
  onTestFinished(async () => {
    server.closeAllConnections();
    if (server.listening) await stop();
  });
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    switch (request.url) {
      case '/.well-known/openid-configuration':
        return sendJson(response, 200, metadataOf(issuer));
      case '/jwks':
        return sendJson(response, 200, { keys: [publicKey()] });
      case '/token':
        return sendJson(response, 200, redeem(request, await readForm(request)));
      default:
        return sendJson(response, 404, {});
    }
  };
  const redeem = (request: IncomingMessage, form: URLSearchParams): object => {
    const [id, secret] = basicCredentials(request.headers.authorization);
    hold(id === CLIENT_ID && secret === CLIENT_SECRET, 'the client is not the one it says');
    hold(form.get('grant_type') === 'authorization_code', 'another grant type');
    const code = form.get('code') ?? '';
    const grant = grants.get(code);
    // RFC 6749 section 4.1.2: a code is good for once.
    grants.delete(code);
    if (grant === undefined) throw new Error('the code is unknown');
    hold(form.get('redirect_uri') === grant.redirectUri, 'another redirect_uri');
    const verifier = form.get('code_verifier') ?? '';
    const challenge = createHash('sha256').update(verifier).digest('base64url');
    hold(verifier.length >= 43 && challenge === grant.challenge, 'another code_verifier');
    return {
      access_token: randomBytes(16).toString('hex'),
      token_type: 'Bearer',
      expires_in: 60,
      id_token: idToken(issuer, grant),
    };
  };

  return {
    issuer,
    refusals,
    stop,
    logIn(authorizationUrl, login = {}) {
      const url = new URL(authorizationUrl);
      const query = url.searchParams;
      hold(url.origin === issuer && url.pathname === '/authorize', 'another endpoint');
      hold(query.get('response_type') === 'code', 'another response_type');
      hold(query.get('client_id') === CLIENT_ID, 'another client_id');
      hold(query.get('code_challenge_method') === 'S256', 'another code_challenge_method');
      hold((query.get('scope') ?? '').split(' ').includes('openid'), 'no scope openid');
      const redirectUri = query.get('redirect_uri') ?? '';
      const code = randomBytes(16).toString('hex');
      const challenge = query.get('code_challenge') ?? '';
      grants.set(code, { challenge, redirectUri, nonce: query.get('nonce') ?? '', login });
      const back = new URL(redirectUri);
      back.searchParams.set('code', code);
      back.searchParams.set('state', query.get('state') ?? '');
      return back;
    },
  };
}

function metadataOf(issuer: string): object {
  return {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/jwks`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
    code_challenge_methods_supported: ['S256'],
  };
}

function publicKey(): object {
  const jwk = KEYS.publicKey.export({ format: 'jwk' });
  return { ...jwk, kid: KEY_ID, use: 'sig', alg: 'RS256' };
}

/** RFC 7515 section 3.1: header, payload and signature, each in base64url. */
function idToken(issuer: string, { nonce, login }: Grant): string {
  const now = Math.floor(Date.now() / 1000);
  const right = { iss: issuer, sub: 'subject-1', aud: CLIENT_ID, iat: now, exp: now + 60, nonce };
  const alg = login.unsigned ? 'none' : 'RS256';
  const signed = [
    { alg, kid: KEY_ID, typ: 'JWT' },
    { ...right, ...login.claims },
  ]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  if (login.unsigned) return `${signed}.`;
  const key = login.forged ? OTHER_KEYS.privateKey : KEYS.privateKey;
  return `${signed}.${sign('sha256', Buffer.from(signed), key).toString('base64url')}`;
}

async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return new URLSearchParams(text);
}

/** Client and secret, each in application/x-www-form-urlencoded (RFC 6749 section 2.3.1). */
function basicCredentials(header = ''): (string | null)[] {
  const [, encoded = ''] = /^Basic (\S+)$/.exec(header) ?? [];
  const parts = Buffer.from(encoded, 'base64').toString().split(':');
  return parts.map((part) => new URLSearchParams(`part=${part}`).get('part'));
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}

function hold(condition: boolean, otherwise: string): void {
  if (!condition) throw new Error(otherwise);
}
