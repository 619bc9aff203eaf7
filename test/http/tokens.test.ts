import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { DEFAULT_API_LIMITS } from '../../src/http/index.ts';
import type { Role } from '../../src/policy/model.ts';
import { scene } from './scene.ts';

describe('tokens and roles', () => {
  it('nothing of the model is told without a token', async () => {
    const { call } = await scene();
    for (const url of ['/targets', '/policies', '/zones', '/devices', '/tokens', '/metrics']) {
      const answer = await call('GET', url, undefined, null);
      expect(answer.status, url).toBe(401);
      expect(answer.headers['www-authenticate']).toBe('Bearer realm="sluice"');
      expect(answer.body).toMatchObject({ type: '/api/v1/problems/unauthenticated' });
    }
  });

  it('a wrong token, another scheme and a broken header are all refused alike', async () => {
    const { app, tokens } = await scene();
    const headers = [
      'Bearer wrong',
      `Basic ${tokens.admin}`,
      `Bearer ${tokens.admin}x`,
      `Bearer  `,
      tokens.admin,
      `Bearer ${'x'.repeat(5_000)}`,
    ];
    for (const authorization of headers) {
      const response = await app.inject({ url: '/api/v1/targets', headers: { authorization } });
      expect(response.statusCode, authorization.slice(0, 40)).toBe(401);
    }
    const lower = { authorization: `bearer ${tokens.viewer}` };
    expect((await app.inject({ url: '/api/v1/targets', headers: lower })).statusCode).toBe(200);
  });

  it('each role may do what it is for and nothing else', async () => {
    const { call } = await scene();
    const tries: [string, string, unknown, Role[]][] = [
      ['GET', '/session', undefined, ['admin', 'editor', 'viewer', 'sensor']],
      ['GET', '/health', undefined, ['admin', 'editor', 'viewer', 'sensor']],
      ['GET', '/targets', undefined, ['admin', 'editor', 'viewer']],
      ['GET', '/zones', undefined, ['admin', 'editor', 'viewer']],
      ['GET', '/devices', undefined, ['admin', 'editor', 'viewer']],
      ['GET', '/metrics', undefined, ['admin', 'editor', 'viewer']],
      ['POST', '/targets', {}, ['admin', 'editor']],
      ['POST', '/bundles', {}, ['admin', 'editor']],
      ['POST', '/lists', {}, ['admin', 'editor']],
      ['POST', '/policies', {}, ['admin', 'editor']],
      ['POST', '/devices', {}, ['admin']],
      ['PUT', '/devices/1/policy', {}, ['admin']],
      ['POST', '/devices/1/keys', {}, ['admin']],
      ['GET', '/devices/1/keys', undefined, ['admin']],
      ['GET', '/tokens', undefined, ['admin']],
      ['POST', '/tokens', {}, ['admin']],
      ['GET', '/account', undefined, ['admin', 'editor', 'viewer']],
      ['GET', '/accounts', undefined, ['admin']],
      ['POST', '/accounts', {}, ['admin']],
      ['GET', '/users', undefined, ['admin']],
      ['POST', '/users', {}, ['admin']],
      ['PUT', '/users/1/password', {}, ['admin']],
      ['GET', '/entitlements', undefined, ['admin', 'editor', 'viewer']],
      ['POST', '/entitlements', {}, ['admin']],
    ];
    for (const [method, url, body, allowed] of tries) {
      for (const role of ['admin', 'editor', 'viewer', 'sensor'] as const) {
        const { status } = await call(method, url, body, role);
        const label = `${role} ${method} ${url} answered ${status}`;
        if (allowed.includes(role)) expect([401, 403], label).not.toContain(status);
        else expect(status, label).toBe(403);
      }
    }
  });

  it('a refusal for want of a role says which one is needed', async () => {
    const { refused } = await scene();
    const problem = await refused('POST', '/targets', { name: 'x' }, 'viewer');
    expect(problem).toMatchObject({
      type: '/api/v1/problems/forbidden',
      detail: 'The token "viewer" has the role viewer; this needs editor.',
    });
  });

  it('a new token is told once and only its hash is kept', async () => {
    const { app, ok, call, publisher, store } = await scene();
    const created = await call('POST', '/tokens', { name: 'console', role: 'viewer' });
    expect(created.status).toBe(201);
    expect(created.headers['cache-control']).toBe('no-store');
    const secret = String(created.body.secret);
    expect(secret).toMatch(/^sluice_[A-Za-z0-9_-]{43}$/);
    const headers = { authorization: `Bearer ${secret}` };
    const account = { id: 1, label: 'acme', name: expect.any(String), operator: true };
    expect((await app.inject({ url: '/api/v1/session', headers })).json()).toEqual({
      kind: 'token',
      role: 'viewer',
      token: created.body.token,
      user: null,
      account,
      ownAccount: account,
      expiresAt: null,
    });
    const kept = [...publisher.model.tokens.values()].find(({ name }) => name === 'console');
    expect(kept?.sha256).toBe(createHash('sha256').update(secret).digest('hex'));
    const listed = await call('GET', '/tokens');
    expect(listed.body.total).toBe(5);
    expect(listed.text).not.toContain(kept?.sha256);
    expect(JSON.stringify(await store.load())).not.toContain(secret);
    await ok('DELETE', `/tokens/${created.body.token.id}`);
    expect((await app.inject({ url: '/api/v1/session', headers })).statusCode).toBe(401);
  });

  it('the last admin token stays', async () => {
    const { refused, ok, publisher } = await scene();
    const admin = [...publisher.model.tokens.values()].find(({ role }) => role === 'admin')!;
    const problem = await refused('DELETE', `/tokens/${admin.id}`);
    expect(problem).toMatchObject({ status: 409, type: '/api/v1/problems/last-admin' });
    await ok('POST', '/tokens', { name: 'second', role: 'admin' });
    await ok('DELETE', `/tokens/${admin.id}`);
  });

  it('bad tokens are refused with field, value and rule', async () => {
    const { refused } = await scene();
    expect(await refused('POST', '/tokens', { name: 'x', role: 'root' })).toMatchObject({
      status: 400,
      field: 'role',
      value: 'root',
    });
    expect(await refused('POST', '/tokens', { name: 'ADMIN', role: 'viewer' })).toMatchObject({
      status: 409,
      type: '/api/v1/problems/name-taken',
      field: 'name',
      value: 'ADMIN',
    });
    expect(await refused('DELETE', '/tokens/99')).toMatchObject({ status: 404, value: 99 });
  });

  it('too many failures from one address are answered 429, and valid tokens go on working', async () => {
    const limits = { ...DEFAULT_API_LIMITS, failedAuthMax: 3 };
    const { call } = await scene({ limits });
    for (let failure = 0; failure < 3; failure++) {
      expect((await call('GET', '/targets', undefined, null)).status).toBe(401);
    }
    const limited = await call('GET', '/targets', undefined, null);
    expect(limited.status).toBe(429);
    expect(Number(limited.headers['retry-after'])).toBeGreaterThan(0);
    expect(limited.body).toMatchObject({ type: '/api/v1/problems/too-many-failures' });
    for (let request = 0; request < 10; request++) {
      expect((await call('GET', '/targets')).status).toBe(200);
    }
  });
});
