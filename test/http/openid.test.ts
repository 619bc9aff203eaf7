import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { OpenIdSettings } from '../../src/http/openid-settings.ts';
import type { User } from '../../src/policy/model.ts';
import { startTestSluice, temporaryDirectory } from '../support/test-sluice.ts';
import {
  CLIENT_ID,
  CLIENT_SECRET,
  type IdentityProvider,
  type Login,
  startIdentityProvider,
} from './identity-provider.ts';
import { cookieLine, cookieOf, makeUser, send, withCookie } from './people.ts';
import { type Answer, type Scene, scene } from './scene.ts';

const problem = (code: string) => `/api/v1/problems/${code}`;
const REDIRECT = 'https://sluice.example/api/v1/session/openid/callback';

/** A server that lets everybody in as a viewer, unless the settings say otherwise. */
async function withProvider(settings: Partial<OpenIdSettings> = {}) {
  const provider = await startIdentityProvider();
  const made = await scene({ openId: { ...openIdOf(provider.issuer), ...settings } });
  return { ...made, provider };
}

function openIdOf(issuer: string): OpenIdSettings {
  return {
    issuer,
    clientId: CLIENT_ID,
    clientSecret: CLIENT_SECRET,
    redirectUri: REDIRECT,
    scopes: 'openid email profile',
    linkByEmail: false,
    roleClaim: null,
    roles: [],
    defaultRole: 'viewer',
    createUsers: true,
    account: 'acme',
  };
}

const begin = (made: Pick<Scene, 'app'>) =>
  send(made, { method: 'GET', url: '/session/openid/login' });

/** Comes back with what the provider gave and the cookie of the login. */
const comeBack = (made: Pick<Scene, 'app'>, url: URL, cookie: string | null) =>
  send(made, {
    method: 'GET',
    url: url.pathname + url.search,
    ...(cookie === null ? {} : { headers: { cookie } }),
  });

/** The whole way of a browser: to the provider and back. */
async function logInThere(
  made: Scene & { readonly provider: IdentityProvider },
  login?: Login,
): Promise<Answer> {
  const begun = await begin(made);
  expect(begun.status, begun.text).toBe(302);
  const back = made.provider.logIn(String(begun.headers.location), login);
  return comeBack(made, back, cookieOf(begun, 'sluice_openid'));
}

const usersOf = ({ publisher }: Scene): readonly User[] => [...publisher.model.users.values()];

const ADA = { email: 'Ada@example.org', email_verified: true, name: 'Ada Lovelace' };

describe('login by OpenID Connect', () => {
  it('sends people to the provider with state, nonce and PKCE, and remembers them by a cookie', async () => {
    const made = await withProvider();
    const begun = await begin(made);
    expect(begun.headers['cache-control']).toBe('no-store');
    const url = new URL(String(begun.headers.location));
    expect(url.origin).toBe(made.provider.issuer);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      client_id: CLIENT_ID,
      response_type: 'code',
      redirect_uri: REDIRECT,
      scope: 'openid email profile',
      state: expect.stringMatching(/^[\w-]{43}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
    });
    expect(cookieLine(begun, 'sluice_openid')).toMatch(
      /^sluice_openid=[\w-]{43}; Max-Age=600; Path=\/api\/v1\/session\/openid\/callback; HttpOnly; SameSite=Lax$/,
    );
    const again = new URL(String((await begin(made)).headers.location));
    for (const name of ['state', 'nonce', 'code_challenge'])
      expect(again.searchParams.get(name)).not.toBe(url.searchParams.get(name));
  });

  it('makes a user who is unknown, and gives the same session as a password does', async () => {
    const made = await withProvider();
    const answer = await logInThere(made, { claims: ADA });
    expect(answer.status, answer.text).toBe(302);
    expect(answer.headers.location).toBe('/');
    expect(cookieLine(answer, 'sluice_session')).toMatch(/HttpOnly; SameSite=Strict$/);
    expect(cookieLine(answer, 'sluice_openid')).toMatch(/^sluice_openid=;/);
    const own = await withCookie(made, cookieOf(answer, 'sluice_session'))('GET', '/session');
    expect(own.body).toMatchObject({
      kind: 'session',
      role: 'viewer',
      user: {
        name: 'ada@example.org',
        displayName: 'Ada Lovelace',
        hasPassword: false,
        oidcSubject: `${made.provider.issuer} subject-1`,
      },
    });
    // The second time it is the same user, whatever the mail address is now.
    await logInThere(made, { claims: { email: 'other@example.org', email_verified: true } });
    expect(usersOf(made)).toHaveLength(1);
    expect(made.publisher.model.sessions.size).toBe(2);
  });

  it('knows people by issuer and subject, not by their names', async () => {
    const made = await withProvider();
    await logInThere(made, { claims: ADA });
    const answer = await logInThere(made, { claims: { ...ADA, sub: 'subject-2' } });
    expect(answer).toMatchObject({ status: 403, body: { type: problem('openid-refused') } });
    expect(String(answer.body.detail)).toContain('"Ada@example.org" cannot be made a user');
    expect(usersOf(made)).toHaveLength(1);
  });

  it('makes nobody a user unless it is configured, or tells a name', async () => {
    const closed = await withProvider({ createUsers: false });
    expect(await logInThere(closed, { claims: ADA })).toMatchObject({
      status: 403,
      body: { type: problem('openid-refused'), detail: 'No user here has this identity.' },
    });
    const open = await withProvider();
    const unverified = { email: 'ada@example.org', email_verified: false };
    expect((await logInThere(open, { claims: unverified })).status).toBe(403);
    const preferred = { preferred_username: 'ada', ...unverified };
    expect((await logInThere(open, { claims: preferred })).status).toBe(302);
    expect(usersOf(open)).toMatchObject([{ name: 'ada' }]);
  });

  it('links a user by a verified mail address, once, and only if that is configured', async () => {
    const made = await withProvider({ linkByEmail: true, createUsers: false });
    await makeUser(made, { name: 'ada@example.org', role: 'editor' });
    const unverified = { claims: { ...ADA, email_verified: false } };
    expect((await logInThere(made, unverified)).status).toBe(403);
    const text = { claims: { ...ADA, email_verified: 'true' } };
    expect((await logInThere(made, text)).status).toBe(403);
    expect((await logInThere(made, { claims: ADA })).status).toBe(302);
    expect(usersOf(made)).toMatchObject([
      { role: 'editor', oidcSubject: `${made.provider.issuer} subject-1` },
    ]);
    const other = { claims: { ...ADA, sub: 'subject-2' } };
    expect((await logInThere(made, other)).status).toBe(403);
    await made.ok('PATCH', '/users/1', { oidcSubject: null });
    expect((await logInThere(made, other)).status).toBe(302);
    const unlinked = await withProvider({ createUsers: false });
    await makeUser(unlinked, { name: 'ada@example.org' });
    expect((await logInThere(unlinked, { claims: ADA })).status).toBe(403);
  });

  it('takes roles from a claim at each login, the strongest of several', async () => {
    const roles = [
      { value: 'analysts', role: 'editor' },
      { value: 'operators', role: 'admin' },
    ] as const;
    const made = await withProvider({ roleClaim: 'groups', roles, defaultRole: null });
    const withGroups = (groups: unknown) =>
      logInThere(made, { claims: { ...ADA, ...(groups === null ? {} : { groups }) } });
    for (const groups of [null, 'others', ['others'], 7]) {
      expect(await withGroups(groups)).toMatchObject({
        status: 403,
        body: { detail: 'The claim "groups" holds nothing that a role is given for.' },
      });
    }
    const roleNow = async (groups: unknown) => {
      expect((await withGroups(groups)).status).toBe(302);
      return usersOf(made)[0]?.role;
    };
    expect(await roleNow('analysts')).toBe('editor');
    expect(await roleNow(['others', 'analysts', 'operators'])).toBe('admin');
    expect(await roleNow(['analysts'])).toBe('editor');
    // The last admin of the account stays one.
    await roleNow('operators');
    const [token] = made.publisher.model.tokens.values();
    await made.ok('DELETE', `/tokens/${token!.id}`);
    expect(await roleNow('analysts')).toBe('admin');
  });

  it('is refused to a user who is disabled', async () => {
    const made = await withProvider();
    await logInThere(made, { claims: ADA });
    await made.ok('PATCH', '/users/1', { disabled: true });
    expect(await logInThere(made, { claims: ADA })).toMatchObject({
      status: 403,
      body: { detail: 'The user is disabled.' },
    });
    expect(made.publisher.model.sessions.size).toBe(0);
  });

  it('refuses ID tokens that are not for this login, this server and this time', async () => {
    const made = await withProvider();
    const now = Math.floor(Date.now() / 1000);
    const wrong: [string, Login][] = [
      ['another nonce', { claims: { nonce: 'another' } }],
      ['no nonce', { claims: { nonce: undefined } }],
      ['another audience', { claims: { aud: 'somebody-else' } }],
      ['a second audience without an authorized party', { claims: { aud: [CLIENT_ID, 'other'] } }],
      ['expired', { claims: { iat: now - 7_200, exp: now - 3_600 } }],
      ['another issuer', { claims: { iss: 'https://evil.example' } }],
      ['no subject', { claims: { sub: undefined } }],
      ['signed by another key', { forged: true }],
      ['not signed', { unsigned: true }],
    ];
    for (const [label, { claims, ...login }] of wrong) {
      const answer = await logInThere(made, { ...login, claims: { ...ADA, ...claims } });
      expect(answer, label).toMatchObject({
        status: 403,
        body: { type: problem('openid-refused') },
      });
      expect(cookieLine(answer, 'sluice_session'), label).toBeUndefined();
    }
    expect(usersOf(made)).toEqual([]);
    expect((await logInThere(made, { claims: ADA })).status).toBe(302);
  });

  it('refuses a return with another state, without the cookie, or for a second time', async () => {
    const made = await withProvider();
    const begun = await begin(made);
    const cookie = cookieOf(begun, 'sluice_openid');
    const back = made.provider.logIn(String(begun.headers.location), { claims: ADA });
    expect((await comeBack(made, back, null)).status).toBe(403);
    expect((await comeBack(made, back, 'sluice_openid=x')).status).toBe(403);
    const tampered = new URL(back);
    tampered.searchParams.set('state', 'another');
    expect((await comeBack(made, tampered, cookie)).status).toBe(403);
    // That attempt has used the login up.
    expect((await comeBack(made, back, cookie)).status).toBe(403);
    const second = await begin(made);
    const fresh = made.provider.logIn(String(second.headers.location), { claims: ADA });
    const secondCookie = cookieOf(second, 'sluice_openid');
    expect((await comeBack(made, fresh, secondCookie)).status).toBe(302);
    expect((await comeBack(made, fresh, secondCookie)).status).toBe(403);
    expect(made.publisher.model.sessions.size).toBe(1);
  });

  it('refuses the code of one browser in another', async () => {
    const made = await withProvider();
    const [victim, attacker] = [await begin(made), await begin(made)];
    const back = made.provider.logIn(String(attacker.headers.location), { claims: ADA });
    expect((await comeBack(made, back, cookieOf(victim, 'sluice_openid'))).status).toBe(403);
    // With the state put right, the provider still refuses the code by its PKCE challenge.
    const again = await begin(made);
    const state = new URL(String(again.headers.location)).searchParams.get('state')!;
    back.searchParams.set('state', state);
    expect((await comeBack(made, back, cookieOf(again, 'sluice_openid'))).status).toBe(403);
    expect(made.provider.refusals).toEqual(['Error: another code_verifier']);
  });

  it('passes on that the provider refused', async () => {
    const made = await withProvider();
    const begun = await begin(made);
    const url = new URL(REDIRECT);
    url.searchParams.set('error', 'access_denied');
    const { searchParams } = new URL(String(begun.headers.location));
    url.searchParams.set('state', searchParams.get('state')!);
    const answer = await comeBack(made, url, cookieOf(begun, 'sluice_openid'));
    expect(answer).toMatchObject({ status: 403, body: { type: problem('openid-refused') } });
  });

  it('is over after ten minutes at the provider', async () => {
    const provider = await startIdentityProvider();
    const clock = { ms: 0 };
    const openId = openIdOf(provider.issuer);
    const made = { ...(await scene({ openId, monotonicMs: () => clock.ms })), provider };
    const begun = await begin(made);
    const back = provider.logIn(String(begun.headers.location), { claims: ADA });
    clock.ms += 600_000;
    const answer = await comeBack(made, back, cookieOf(begun, 'sluice_openid'));
    expect(answer).toMatchObject({ status: 403 });
    expect(String(answer.body.detail)).toContain('began no login here in the last 10 minutes');
  });

  it('is begun thirty times by one client and then put off', async () => {
    const made = await withProvider();
    for (let login = 0; login < 30; login++) expect((await begin(made)).status).toBe(302);
    const late = await begin(made);
    expect(late).toMatchObject({ status: 429, body: { type: problem('too-many-failures') } });
    expect(Number(late.headers['retry-after'])).toBeGreaterThan(0);
  });

  it('says so when the provider cannot be reached, and works when it can be again', async () => {
    const provider = await startIdentityProvider();
    const away = await scene({ openId: openIdOf('http://127.0.0.1:9') });
    expect(await begin(away)).toMatchObject({
      status: 503,
      body: { type: problem('unavailable'), detail: 'The identity provider cannot be reached.' },
    });
    const made = { ...(await scene({ openId: openIdOf(provider.issuer) })), provider };
    expect((await begin(made)).status).toBe(302);
  });

  it('is set up by the configuration of the server', async () => {
    const provider = await startIdentityProvider();
    const secretFile = join(temporaryDirectory(), 'secret');
    writeFileSync(secretFile, `${CLIENT_SECRET}\n`);
    const openid = [
      `issuer: ${provider.issuer}`,
      `clientId: ${CLIENT_ID}`,
      `clientSecretFile: ${secretFile}`,
      'redirectUri: http://localhost/api/v1/session/openid/callback',
      'createUsers: true',
      'defaultRole: editor',
    ];
    const yaml = `sampleCatalogue: false\nhttp:\n  openid: {${openid.join(', ')}}\n`;
    const { http } = await startTestSluice({ yaml });
    const base = `http://127.0.0.1:${http.port}`;
    const redirect = 'manual';
    const begun = await fetch(`${base}/api/v1/session/openid/login`, { redirect });
    const back = provider.logIn(begun.headers.get('location')!, { claims: ADA });
    const cookie = begun.headers.get('set-cookie')!.split(';')[0]!;
    const returned = await fetch(base + back.pathname + back.search, {
      redirect,
      headers: { cookie },
    });
    expect(returned.status).toBe(302);
    const session = returned.headers
      .getSetCookie()
      .find((line) => line.startsWith('sluice_session='))!;
    const own = await fetch(`${base}/api/v1/session`, {
      headers: { cookie: session.split(';')[0]! },
    });
    expect(await own.json()).toMatchObject({ role: 'editor', account: { label: 'main' } });
  });

  it('is not there when it is not configured', async () => {
    const made = await scene();
    for (const url of ['/session/openid/login', '/session/openid/callback?code=x&state=y']) {
      expect(await send(made, { method: 'GET', url })).toMatchObject({
        status: 404,
        body: { type: problem('no-such-route') },
      });
    }
    const configured = await withProvider();
    const methods = await configured.call('GET', '/session/methods', undefined, null);
    expect(methods.body).toEqual({ password: true, openId: true });
  });
});
