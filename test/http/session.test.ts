import { describe, expect, it } from 'vitest';
import { hashPassword, PASSWORD_COST } from '../../src/http/password-hash.ts';
import { endSession, hashToken } from '../../src/publish/edits/index.ts';
import { cookieLine, logIn, makeUser, PASSWORD, type Sending, send, withCookie } from './people.ts';
import { type Scene, scene } from './scene.ts';

const problem = (code: string) => `/api/v1/problems/${code}`;

const tryLogin = (made: Scene, name: string, password: string, more: Partial<Sending> = {}) =>
  send(made, { method: 'POST', url: '/session', body: { name, password }, ...more });

/** The best of three, because the machine does other things too. */
async function fastestHashMs(): Promise<number> {
  const timesMs: number[] = [];
  for (let attempt = 0; attempt < 3; attempt++) {
    const startedMs = performance.now();
    await hashPassword(PASSWORD, new Uint8Array(16), PASSWORD_COST);
    timesMs.push(performance.now() - startedMs);
  }
  return Math.min(...timesMs);
}

describe('a login', () => {
  it('gives a cookie that scripts cannot read and other sites cannot use, and keeps its hash only', async () => {
    const made = await scene();
    await makeUser(made, { role: 'editor' });
    const answer = await tryLogin(made, 'ADA', PASSWORD);
    expect(answer.status).toBe(201);
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(answer.body).toMatchObject({
      kind: 'session',
      role: 'editor',
      token: null,
      user: { id: 1, name: 'ada' },
      account: { label: 'acme' },
      ownAccount: { label: 'acme' },
      expiresAt: '2030-02-01T00:00:00.000Z',
    });
    const line = cookieLine(answer, 'sluice_session')!;
    expect(line).toMatch(
      /^sluice_session=[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/,
    );
    const secret = line.slice('sluice_session='.length).split(';')[0]!;
    const [session] = made.publisher.model.sessions.values();
    expect(session?.sha256).toBe(hashToken(secret));
    expect(answer.text).not.toContain(secret);
    expect(JSON.stringify(await made.store.load())).not.toContain(secret);
    const own = await withCookie(made, `sluice_session=${secret}`)('GET', '/session');
    expect(own.body).toEqual(answer.body);
  });

  it('gives a cookie for HTTPS only where the settings say so', async () => {
    const sessions = { lifetimeMs: 3_600_000, idleTimeoutMs: 60_000, secureCookie: true };
    const made = await scene({ sessions });
    await makeUser(made);
    const line = cookieLine(await tryLogin(made, 'ada', PASSWORD), 'sluice_session');
    expect(line).toContain('; Secure');
    expect(line).toContain('; Max-Age=3600;');
  });

  it('fails alike for a wrong password, an unknown name, a disabled user and one without password', async () => {
    const made = await scene({ passwordCost: PASSWORD_COST });
    await makeUser(made);
    await makeUser(made, { name: 'grace', password: null });
    await makeUser(made, { name: 'joan' });
    await made.ok('PATCH', '/users/3', { disabled: true });
    const timesMs: number[] = [];
    for (const name of ['ada', 'nobody', 'grace', 'joan']) {
      const startedMs = performance.now();
      const answer = await tryLogin(made, name, name === 'ada' ? 'wrong wrong wrong' : PASSWORD);
      timesMs.push(performance.now() - startedMs);
      expect(answer, name).toMatchObject({
        status: 401,
        body: {
          type: problem('login-failed'),
          title: 'The name or the password is wrong',
          status: 401,
          detail: 'There is no user with this name and password.',
        },
      });
      expect(cookieLine(answer, 'sluice_session')).toBeUndefined();
    }
    // All of them compute a hash, which takes far longer than everything else.
    expect(Math.min(...timesMs)).toBeGreaterThan((await fastestHashMs()) * 0.5);
    expect(made.publisher.model.sessions.size).toBe(0);
  });

  it('replaces a hash that was made at a lower cost', async () => {
    const made = await scene({ passwordCost: { N: 2_048, r: 8, p: 1 } });
    await makeUser(made);
    const cheap = await hashPassword(PASSWORD, new Uint8Array(16), { N: 1_024, r: 8, p: 1 });
    await made.asServer(({ draft }) => {
      const [user] = draft.model.users.values();
      draft.put('user', { ...user!, passwordHash: cheap });
    });
    await logIn(made);
    const [user] = made.publisher.model.users.values();
    expect(user?.passwordHash).toMatch(/^scrypt\$2048\$8\$1\$/);
    await logIn(made);
  });

  it('is refused to a page of another site, and to bodies that are no JSON', async () => {
    const made = await scene();
    await makeUser(made);
    const foreign = [{ origin: 'https://evil.example' }, { 'sec-fetch-site': 'cross-site' }];
    for (const headers of foreign) {
      expect(await tryLogin(made, 'ada', PASSWORD, { headers })).toMatchObject({
        status: 403,
        body: { type: problem('foreign-page') },
      });
    }
    const text = await made.app.inject({
      method: 'POST',
      url: '/api/v1/session',
      headers: { 'content-type': 'text/plain' },
      payload: JSON.stringify({ name: 'ada', password: PASSWORD }),
    });
    expect(text.statusCode).toBe(415);
  });

  it('is put off after ten failures of one client for one name, and nobody else with it', async () => {
    const made = await scene();
    await makeUser(made);
    for (let failure = 1; failure <= 10; failure++) {
      // One site has a whole /64 of addresses.
      const address = `2001:db8:1:2::${failure.toString(16)}`;
      expect((await tryLogin(made, 'Ada', 'wrong wrong wrong', { address })).status).toBe(401);
    }
    const later = await tryLogin(made, 'ada', PASSWORD, { address: '2001:db8:1:2::1' });
    expect(later).toMatchObject({ status: 429, body: { type: problem('too-many-failures') } });
    expect(Number(later.headers['retry-after'])).toBeGreaterThan(200);
    // A stranger cannot keep the person out, nor others from the same network.
    const address = '198.51.100.1';
    expect((await tryLogin(made, 'ada', PASSWORD, { address })).status).toBe(201);
    await makeUser(made, { name: 'grace' });
    const near = { address: '2001:db8:1:2::1' };
    expect((await tryLogin(made, 'grace', PASSWORD, near)).status).toBe(201);
  });

  it('is put off after a hundred failures of one name, from wherever they come', async () => {
    const made = await scene();
    await makeUser(made);
    const failed = async (client: number): Promise<number> => {
      const address = `192.0.2.${client}`;
      return (await tryLogin(made, 'ada', 'wrong wrong wrong', { address })).status;
    };
    for (let batch = 0; batch < 4; batch++) {
      const statuses = Array.from({ length: 25 }, (_, index) => failed(batch * 25 + index));
      expect(await Promise.all(statuses)).toEqual(Array(25).fill(401));
    }
    const address = '198.51.100.1';
    expect((await tryLogin(made, 'ada', PASSWORD, { address })).status).toBe(429);
    await makeUser(made, { name: 'grace' });
    expect((await tryLogin(made, 'grace', PASSWORD, { address })).status).toBe(201);
  });

  it('is counted for the client that a trusted proxy names, and for nobody whom others name', async () => {
    const made = await scene({ trustedProxies: ['192.0.2.0/28', '2001:db8::1'] });
    await makeUser(made);
    const from = (address: string, client: string, password: string) =>
      tryLogin(made, 'ada', password, { address, headers: { 'x-forwarded-for': client } });
    for (let failure = 1; failure <= 10; failure++) {
      await from('192.0.2.1', '203.0.113.5', 'wrong wrong wrong');
    }
    expect((await from('2001:db8::1', '203.0.113.5', PASSWORD)).status).toBe(429);
    // What the client itself wrote stands before what the proxy adds.
    expect((await from('192.0.2.2', '198.51.100.7, 203.0.113.5', PASSWORD)).status).toBe(429);
    expect((await from('192.0.2.1', '203.0.113.6', PASSWORD)).status).toBe(201);
    expect((await from('198.51.100.9', '203.0.113.5', PASSWORD)).status).toBe(201);
    for (let failure = 1; failure <= 10; failure++) {
      await from('198.51.100.9', `203.0.113.${10 + failure}`, 'wrong wrong wrong');
    }
    expect((await from('198.51.100.9', '203.0.113.99', PASSWORD)).status).toBe(429);
  });

  it('is put off after thirty failures of one client, whatever names it tries', async () => {
    const made = await scene();
    await makeUser(made);
    const statuses: Promise<{ status: number }>[] = [];
    for (let failure = 1; failure <= 31; failure++) {
      // One site has a whole /64 of addresses.
      const address = `2001:db8:1:2::${failure.toString(16)}`;
      statuses.push(tryLogin(made, `user${failure}`, 'wrong wrong wrong', { address }));
    }
    const answered = (await Promise.all(statuses)).map(({ status }) => status);
    expect(answered.filter((status) => status === 401)).toHaveLength(30);
    expect(answered.filter((status) => status === 429)).toHaveLength(1);
    const address = '2001:db8:1:3::1';
    expect((await tryLogin(made, 'ada', PASSWORD, { address })).status).toBe(201);
  });
});

describe('a session', () => {
  it('may do what the role of its user allows, also after that has changed', async () => {
    const made = await scene();
    await makeUser(made, { role: 'editor' });
    const ada = withCookie(made, await logIn(made));
    expect((await ada('POST', '/targets', { name: 'one' })).status).toBe(201);
    expect(await ada('GET', '/users')).toMatchObject({
      status: 403,
      body: { detail: 'The user "ada" has the role editor; this needs admin.' },
    });
    await made.ok('PATCH', '/users/1', { role: 'viewer' });
    expect((await ada('POST', '/targets', { name: 'two' })).status).toBe(403);
    expect((await ada('GET', '/targets')).status).toBe(200);
  });

  it('changes something only for a page of this server', async () => {
    const made = await scene();
    await makeUser(made);
    const cookie = await logIn(made);
    let count = 0;
    const change = (headers: Record<string, string>) =>
      send(made, {
        method: 'POST',
        url: '/targets',
        body: { name: `target ${++count}` },
        headers: { cookie, host: 'sluice.example:8053', ...headers },
      });
    const foreign: Record<string, string>[] = [
      {},
      { origin: 'null' },
      { origin: 'https://evil.example' },
      { origin: 'https://sluice.example' },
      { origin: 'https://sluice.example:8053.evil.example' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site', origin: 'https://sluice.example:8053' },
      { 'sec-fetch-site': 'none' },
    ];
    for (const headers of foreign) {
      const answer = await change(headers);
      expect(answer, JSON.stringify(headers)).toMatchObject({
        status: 403,
        body: { type: problem('foreign-page') },
      });
    }
    expect(made.publisher.model.targets.size).toBe(0);
    const own: Record<string, string>[] = [
      { 'sec-fetch-site': 'same-origin' },
      { origin: 'https://sluice.example:8053' },
      { origin: 'https://sluice.example', host: 'sluice.example' },
      { origin: 'https://sluice.example', host: 'sluice.example:443' },
      { origin: 'http://SLUICE.example:8053' },
    ];
    for (const headers of own) {
      expect((await change(headers)).status, JSON.stringify(headers)).toBe(201);
    }
    // Reading does not need it, and neither does a token.
    expect((await send(made, { method: 'GET', url: '/targets', headers: { cookie } })).status).toBe(
      200,
    );
  });

  it('is told to nobody but its browser: answers are kept out of shared caches', async () => {
    const made = await scene();
    await makeUser(made);
    const ada = withCookie(made, await logIn(made));
    for (const url of ['/session', '/targets', '/users/1']) {
      expect((await ada('GET', url)).headers['cache-control'], url).toBe('private, no-cache');
    }
  });

  it('is not looked at beside a token, not even a wrong one', async () => {
    const made = await scene();
    await makeUser(made);
    const cookie = await logIn(made);
    const headers = { cookie, authorization: 'Bearer wrong' };
    expect((await send(made, { method: 'GET', url: '/session', headers })).status).toBe(401);
    const both = { cookie, authorization: `Bearer ${made.tokens.viewer}` };
    const answer = await send(made, { method: 'GET', url: '/session', headers: both });
    expect(answer.body).toMatchObject({ kind: 'token', role: 'viewer' });
  });

  it('ends with logging out, and with nothing else of the user', async () => {
    const made = await scene();
    await makeUser(made);
    const [first, second] = [await logIn(made), await logIn(made)];
    const answer = await withCookie(made, first)('DELETE', '/session');
    expect(answer).toMatchObject({ status: 200, body: { ended: true } });
    expect(cookieLine(answer, 'sluice_session')).toMatch(
      /^sluice_session=; .*Expires=Thu, 01 Jan 1970/,
    );
    expect((await withCookie(made, first)('GET', '/session')).status).toBe(401);
    expect((await withCookie(made, second)('GET', '/session')).status).toBe(200);
    expect(await made.call('DELETE', '/session')).toMatchObject({ status: 403 });
  });

  it('ends when its user is disabled or deleted, or an admin ends it', async () => {
    const made = await scene();
    const ends: [string, string, object?][] = [
      ['PATCH', '/users/1', { disabled: true }],
      ['DELETE', '/users/1'],
      ['DELETE', '/users/2/sessions'],
    ];
    await makeUser(made);
    for (const [method, url, body] of ends) {
      if (url === '/users/2/sessions') await makeUser(made);
      else await made.ok('PATCH', '/users/1', { disabled: false });
      const cookie = await logIn(made);
      await made.ok(method, url, body);
      expect((await withCookie(made, cookie)('GET', '/session')).status, url).toBe(401);
      expect(made.publisher.model.sessions.size).toBe(0);
    }
  });

  it('ends when its time is over, however busy it is', async () => {
    const made = await scene();
    await makeUser(made);
    const ada = withCookie(made, await logIn(made));
    made.time.now += 12 * 3_600_000 - 1;
    expect((await ada('GET', '/session')).status).toBe(200);
    made.time.now += 1;
    expect((await ada('GET', '/session')).status).toBe(401);
  });

  it('ends when it is idle for too long', async () => {
    const clock = { ms: 1_000 };
    const sessions = { lifetimeMs: 43_200_000, idleTimeoutMs: 60_000, secureCookie: false };
    const made = await scene({ sessions, monotonicMs: () => clock.ms });
    await makeUser(made);
    const ada = withCookie(made, await logIn(made));
    for (let use = 0; use < 3; use++) {
      clock.ms += 59_999;
      expect((await ada('GET', '/session')).status).toBe(200);
    }
    clock.ms += 60_000;
    expect((await ada('GET', '/session')).status).toBe(401);
    await made.publisher.idle();
    expect(made.publisher.model.sessions.size).toBe(0);
  });

  it('is one of at most twenty of its user: the oldest goes', async () => {
    const made = await scene();
    await makeUser(made);
    const first = await logIn(made);
    const [oldest] = made.publisher.model.sessions.values();
    for (let login = 0; login < 20; login++) await logIn(made);
    expect(made.publisher.model.sessions.size).toBe(20);
    expect(made.publisher.model.sessions.has(oldest!.id)).toBe(false);
    expect((await withCookie(made, first)('GET', '/session')).status).toBe(401);
  });

  it('is not begun for a user who was changed while the password was checked', async () => {
    const made = await scene();
    await makeUser(made);
    const answer = tryLogin(made, 'ada', PASSWORD);
    const disabled = made.call('PATCH', '/users/1', { disabled: true });
    expect((await disabled).status).toBe(200);
    expect((await answer).status).toBe(403);
    expect(made.publisher.model.sessions.size).toBe(0);
  });

  it('that is unknown or malformed is nobody', async () => {
    const made = await scene();
    await makeUser(made);
    const cookie = await logIn(made);
    await made.asServer((edit) => {
      for (const { id } of edit.draft.model.sessions.values()) endSession(edit, id);
    });
    for (const value of [
      cookie,
      'sluice_session=',
      'sluice_session=x',
      `sluice_session=${'x'.repeat(43)}`,
    ]) {
      expect((await withCookie(made, value)('GET', '/session')).status, value).toBe(401);
    }
  });
});

describe('the ways to log in', () => {
  it('are told to everybody', async () => {
    const { call } = await scene();
    const answer = await call('GET', '/session/methods', undefined, null);
    expect(answer.body).toEqual({ password: true, openId: false });
  });
});
