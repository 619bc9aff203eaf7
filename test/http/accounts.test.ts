import { describe, expect, it } from 'vitest';
import { logIn, makeUser, PASSWORD, send, withCookie, withToken } from './people.ts';
import { type Scene, scene } from './scene.ts';

const problem = (code: string) => `/api/v1/problems/${code}`;

async function withBranch() {
  const made = await scene();
  const { ok } = made;
  const opened = await ok('POST', '/accounts', { label: 'Branch', name: 'Branch offices' });
  const secret = String(opened.secret);
  return { ...made, opened, secret, branch: withToken(made, secret) };
}

/** Requests of the operator's admin on behalf of the other account. */
const actingFor = (made: Scene, label: string) => withToken(made, made.tokens.admin, label);

describe('accounts', () => {
  it('are made with the token of their first admin, which is told once', async () => {
    const { opened, branch, ok } = await withBranch();
    expect(opened).toMatchObject({
      account: {
        id: 2,
        label: 'branch',
        name: 'Branch offices',
        operator: false,
        counts: { policies: 0, devices: 0, lists: 0, users: 0 },
      },
      token: { name: 'admin', role: 'admin' },
      zones: [],
    });
    expect((await branch('GET', '/session')).body).toMatchObject({
      role: 'admin',
      account: { label: 'branch', operator: false },
    });
    expect((await ok('GET', '/accounts')).items).toMatchObject([
      { label: 'acme', operator: true },
      { label: 'branch', operator: false },
    ]);
    expect(await ok('GET', '/accounts?q=offices')).toMatchObject({ total: 1 });
  });

  it('count what they own, and see their own counts', async () => {
    const { branch, ok } = await withBranch();
    await branch('POST', '/policies', { name: 'corp', type: 'dns' });
    await branch('POST', '/lists', { name: 'ours' });
    await branch('POST', '/devices', { name: 'one', type: 'dns' });
    await branch('POST', '/users', { name: 'ada', role: 'viewer' });
    await ok('POST', '/policies', { name: 'corp', type: 'dns' });
    const counts = { policies: 1, devices: 1, lists: 1, users: 1 };
    expect((await branch('GET', '/account')).body).toMatchObject({ label: 'branch', counts });
    expect(await ok('GET', '/accounts/2')).toMatchObject({ counts });
    expect((await branch('GET', '/accounts/2')).body).toMatchObject({ counts });
  });

  it('are kept by the account that runs the server alone', async () => {
    const { branch, publisher } = await withBranch();
    const before = publisher.model;
    const refusals: [string, string, object?][] = [
      ['POST', '/accounts', { label: 'third', name: 'Third' }],
      ['PATCH', '/accounts/2', { name: 'Mine' }],
      ['DELETE', '/accounts/2'],
      ['GET', '/accounts'],
    ];
    for (const [method, url, body] of refusals) {
      expect((await branch(method, url, body)).status, `${method} ${url}`).toBe(403);
    }
    expect((await branch('GET', '/accounts/1')).status).toBe(404);
    expect(publisher.model).toBe(before);
  });

  it('do not see the metrics, which name the zones of all', async () => {
    const { app, secret, call } = await withBranch();
    const headers = { authorization: `Bearer ${secret}` };
    expect((await app.inject({ url: '/metrics', headers })).statusCode).toBe(403);
    expect((await call('GET', '/metrics')).status).toBe(200);
  });

  it('have labels that name zones, are taken once and stay for life', async () => {
    const { refused, ok } = await withBranch();
    for (const label of ['a.b', '-a', 'x'.repeat(17), 'ns', 'rpz-a', '']) {
      expect(await refused('POST', '/accounts', { label, name: 'x' }), label).toMatchObject({
        status: 422,
        type: problem('label-form'),
        field: 'label',
      });
    }
    expect(await refused('POST', '/accounts', { label: 'ACME', name: 'x' })).toMatchObject({
      status: 409,
      type: problem('name-taken'),
    });
    expect(await refused('PATCH', '/accounts/2', { label: 'other' })).toMatchObject({
      status: 409,
      type: problem('name-fixed'),
      field: 'label',
      value: 'other',
    });
    const renamed = await ok('PATCH', '/accounts/2', { label: 'branch', name: 'Shops' });
    expect(renamed.account).toMatchObject({ label: 'branch', name: 'Shops' });
  });

  it('are deleted when they own nothing that is served, with their people and tokens', async () => {
    const made = await withBranch();
    const { branch, ok, publisher, refused } = made;
    const own = { name: 'ada', role: 'admin', password: PASSWORD };
    await branch('POST', '/users', own);
    const cookie = await logIn(made);
    await branch('POST', '/policies', { name: 'corp', type: 'dns' });
    await branch('POST', '/lists', { name: 'ours' });
    await branch('POST', '/devices', { name: 'one', type: 'dns' });
    expect(await refused('DELETE', '/accounts/2')).toMatchObject({
      status: 409,
      type: problem('account-not-empty'),
      value: 2,
      rule: 'Delete first what it owns: policy "corp", device "one", list "ours".',
    });
    await branch('DELETE', '/devices/1');
    await branch('DELETE', '/policies/1');
    await branch('DELETE', '/lists/1');
    expect(await ok('DELETE', '/accounts/2')).toMatchObject({ deleted: { label: 'branch' } });
    expect((await branch('GET', '/session')).status).toBe(401);
    expect((await withCookie(made, cookie)('GET', '/session')).status).toBe(401);
    const { users, sessions, tokens } = publisher.model;
    expect([users.size, sessions.size, tokens.size]).toEqual([0, 0, 4]);
    expect(await refused('DELETE', '/accounts/1')).toMatchObject({
      status: 403,
      type: problem('not-allowed'),
    });
  });
});

describe('the header Sluice-Account', () => {
  it('lets an admin of the account that runs the server act for another one', async () => {
    const made = await withBranch();
    const acting = actingFor(made, 'BRANCH');
    const created = await acting('POST', '/policies', { name: 'corp', type: 'dns' });
    expect(created.status).toBe(201);
    expect(made.publisher.zones().map(({ origin }) => origin)).toContain(
      'rpz.corp.branch.sluice.internal.',
    );
    expect((await made.branch('GET', '/policies')).body).toMatchObject({ total: 1 });
    expect((await made.ok('GET', '/policies')).total).toBe(0);
    expect((await acting('GET', '/session')).body).toMatchObject({
      account: { label: 'branch' },
      ownAccount: { label: 'acme' },
    });
    // It has the rights of that account then, not of its own.
    expect((await acting('POST', '/accounts', { label: 'x', name: 'x' })).status).toBe(403);
    const [latest] = await made.publisher.changes({
      accountId: null,
      limit: 1,
      before: null,
    } as never);
    expect(latest).toMatchObject({ actor: 'token admin (acme)', action: 'policy.create' });
  });

  it('leaves no doubt in the audit trail who it was', async () => {
    const made = await withBranch();
    await makeUser(made, { name: 'admin' });
    const cookie = await logIn(made, 'admin');
    await withCookie(made, cookie)('POST', '/lists', { name: 'one' });
    await made.ok('POST', '/lists', { name: 'two' });
    const headers = {
      cookie,
      origin: 'http://localhost:80',
      host: 'localhost:80',
      'sluice-account': 'branch',
    };
    await send(made, { method: 'POST', url: '/lists', headers, body: { name: 'three' } });
    const changes = await made.publisher.changes({ limit: 3 });
    expect(changes.map(({ actor }) => actor)).toEqual([
      'user admin (acme)',
      'token admin',
      'user admin',
    ]);
    const names = ['sluice', 'Server', 'openid', 'admin (acme)', 'jane (x y)'];
    for (const name of names) {
      expect(await made.refused('POST', '/tokens', { name, role: 'viewer' }), name).toMatchObject({
        status: 400,
        field: 'name',
        value: name,
        rule: expect.stringMatching(/audit trail/),
      });
    }
    for (const name of names.slice(0, 3)) {
      const refused = await made.refused('POST', '/users', { name, role: 'viewer' });
      expect(refused, name).toMatchObject({ status: 400, field: 'name' });
      expect(refused.rule, name).toMatch(/calls the server itself/);
    }
    await made.ok('POST', '/tokens', { name: 'backup (nightly) job', role: 'viewer' });
  });

  it('works with a session as with a token', async () => {
    const made = await withBranch();
    await makeUser(made);
    const cookie = await logIn(made);
    const headers = { cookie, 'sluice-account': 'branch' };
    const answer = await send(made, { method: 'GET', url: '/account', headers });
    expect(answer.body).toMatchObject({ label: 'branch' });
    const own = await send(made, {
      method: 'DELETE',
      url: '/session',
      headers: { ...headers, 'sec-fetch-site': 'same-origin' },
    });
    expect(own.status).toBe(403);
  });

  it('is refused to everybody else, but for the own account', async () => {
    const made = await withBranch();
    const { secret, tokens } = made;
    const foreign = [
      withToken(made, tokens.editor, 'branch'),
      withToken(made, tokens.viewer, 'branch'),
      withToken(made, secret, 'acme'),
      withToken(made, secret, 'nobody'),
    ];
    for (const call of foreign) {
      expect(await call('GET', '/policies')).toMatchObject({
        status: 403,
        body: { type: problem('forbidden') },
      });
    }
    expect((await withToken(made, secret, 'branch')('GET', '/policies')).status).toBe(200);
    expect((await withToken(made, tokens.viewer, 'acme')('GET', '/policies')).status).toBe(200);
  });

  it('names an account that there is', async () => {
    const made = await withBranch();
    expect(await actingFor(made, 'nobody')('GET', '/policies')).toMatchObject({
      status: 404,
      body: { type: problem('not-found'), field: 'Sluice-Account', value: 'nobody' },
    });
    expect(await actingFor(made, 'no body')('GET', '/policies')).toMatchObject({
      status: 400,
      body: { type: problem('invalid-value'), field: 'Sluice-Account' },
    });
  });

  it('is documented with every operation that is not open', async () => {
    const { call } = await scene();
    const { paths } = (await call('GET', '/api/openapi.json', undefined, null)).body;
    for (const [path, methods] of Object.entries(paths!)) {
      for (const [method, operation] of Object.entries(methods)) {
        const { parameters, security } = operation as unknown as {
          parameters?: { name: string; in: string }[];
          security: object[];
        };
        const isNamed = (parameters ?? []).some(
          (parameter) => parameter.in === 'header' && parameter.name === 'sluice-account',
        );
        expect(isNamed, `${method} ${path}`).toBe(security.length > 0);
      }
    }
  });
});
