import { describe, expect, it } from 'vitest';
import { PASSWORD_COST } from '../../src/http/password-hash.ts';
import type { User } from '../../src/policy/model.ts';
import { logIn, makeUser, PASSWORD, send, withCookie, withToken } from './people.ts';
import { type Scene, scene } from './scene.ts';

const problem = (code: string) => `/api/v1/problems/${code}`;

function storedUser({ publisher }: Scene, id: number): User {
  return [...publisher.model.users.values()].find((user) => user.id === id)!;
}

async function secondAccount(scene: Scene) {
  const made = await scene.ok('POST', '/accounts', { label: 'branch', name: 'Branch' });
  return withToken(scene, String(made.secret));
}

describe('users', () => {
  it('are made, read, changed and deleted by an admin', async () => {
    const made = await scene();
    const { call, ok } = made;
    const created = await call('POST', '/users', {
      name: 'Ada@Example.org',
      displayName: 'Ada',
      role: 'editor',
      password: PASSWORD,
    });
    expect(created.status).toBe(201);
    expect(created.headers['cache-control']).toBe('no-store');
    expect(created.body.user).toEqual({
      id: 1,
      name: 'ada@example.org',
      displayName: 'Ada',
      role: 'editor',
      disabled: false,
      hasPassword: true,
      oidcSubject: null,
      createdAt: '2030-01-31T12:00:00.000Z',
      updatedAt: '2030-01-31T12:00:00.000Z',
    });
    made.time.now += 1_000;
    const changed = await ok('PATCH', '/users/1', { displayName: 'Ada King', role: 'viewer' });
    expect(changed.user).toMatchObject({ displayName: 'Ada King', role: 'viewer' });
    expect(await ok('GET', '/users/1')).toEqual(changed.user);
    expect(await ok('GET', '/users?q=king')).toMatchObject({ total: 1, items: [changed.user] });
    expect(await ok('DELETE', '/users/1')).toMatchObject({ deleted: { id: 1 } });
    expect(await ok('GET', '/users')).toMatchObject({ total: 0 });
    expect((await call('GET', '/users/1')).status).toBe(404);
  });

  it('have a name that nobody else on the whole server has, whatever the case', async () => {
    const made = await scene();
    await makeUser(made, { name: 'ada' });
    const branch = await secondAccount(made);
    const taken = await branch('POST', '/users', { name: 'ADA', role: 'viewer' });
    expect(taken).toMatchObject({
      status: 409,
      body: { type: problem('name-taken'), field: 'name', value: 'ADA' },
    });
    for (const name of ['ä', '.ada', 'a b', 'a/b', 'x'.repeat(101)]) {
      const answer = await branch('POST', '/users', { name, role: 'viewer' });
      expect(answer, name).toMatchObject({ status: 400, body: { field: 'name' } });
    }
  });

  it('of another account do not exist', async () => {
    const made = await scene();
    await makeUser(made);
    const branch = await secondAccount(made);
    expect((await branch('GET', '/users')).body).toMatchObject({ total: 0 });
    const tries: [string, string, unknown?][] = [
      ['GET', '/users/1'],
      ['PATCH', '/users/1', { disabled: true }],
      ['PUT', '/users/1/password', { password: 'a wholly new password' }],
      ['DELETE', '/users/1/sessions'],
      ['DELETE', '/users/1'],
    ];
    for (const [method, url, body] of tries) {
      const answer = await branch(method, url, body);
      expect(answer, `${method} ${url}`).toMatchObject({
        status: 404,
        body: { type: problem('not-found'), value: 1 },
      });
    }
  });

  it('are changed only as they were read when the request says so', async () => {
    const made = await scene();
    await makeUser(made);
    const { etag } = (await made.call('GET', '/users/1')).headers;
    const change = (displayName: string) =>
      send(made, {
        method: 'PATCH',
        url: '/users/1',
        body: { displayName },
        headers: { authorization: `Bearer ${made.tokens.admin}`, 'if-match': String(etag) },
      });
    expect((await change('first')).status).toBe(200);
    expect(await change('second')).toMatchObject({
      status: 412,
      body: { type: problem('entity-changed') },
    });
  });

  it('change nothing in a dry run', async () => {
    const { ok, publisher } = await scene();
    const body = { name: 'ada', role: 'viewer', password: PASSWORD };
    expect(await ok('POST', '/users?dryRun=true', body)).toMatchObject({ dryRun: true });
    expect(publisher.model.users.size).toBe(0);
  });
});

describe('the last admin of an account', () => {
  it('may be a user or a token, and cannot go', async () => {
    const made = await scene();
    const { refused, ok, publisher } = made;
    const token = [...publisher.model.tokens.values()].find(({ role }) => role === 'admin')!;
    const lastAdmin = { status: 409, type: problem('last-admin') };
    // Somebody who cannot log in is nobody to leave the account to.
    await makeUser(made, { name: 'grace', password: null });
    expect(await refused('DELETE', `/tokens/${token.id}`)).toMatchObject(lastAdmin);
    await makeUser(made, { name: 'ada' });
    const cookie = await logIn(made);
    await ok('DELETE', `/tokens/${token.id}`);
    const ada = withCookie(made, cookie);
    for (const change of [{ role: 'editor' }, { disabled: true }]) {
      expect((await ada('PATCH', '/users/2', change)).body).toMatchObject(lastAdmin);
    }
    expect((await ada('DELETE', '/users/2')).body).toMatchObject(lastAdmin);
    expect(storedUser(made, 2)).toMatchObject({ role: 'admin', disabled: false });
    await ada('POST', '/users', { name: 'joan', role: 'admin', password: PASSWORD });
    expect((await ada('DELETE', '/users/2')).status).toBe(200);
  });
});

describe('passwords', () => {
  it('are kept as scrypt hashes with a salt each, and told to nobody', async () => {
    const made = await scene({ passwordCost: PASSWORD_COST });
    await makeUser(made, { name: 'ada' });
    await makeUser(made, { name: 'grace' });
    const hashes = [1, 2].map((id) => storedUser(made, id).passwordHash!);
    expect(hashes[0]).toMatch(/^scrypt\$32768\$8\$1\$[\w-]{22}\$[\w-]{43}$/);
    expect(hashes[0]).not.toBe(hashes[1]);
    const { text } = await made.call('GET', '/users');
    expect(text).not.toContain('scrypt');
    expect(JSON.stringify(await made.store.load())).not.toContain(PASSWORD);
  });

  it('are refused when they are short, long, the name itself or no text, and never quoted', async () => {
    const { call, publisher } = await scene();
    const bad = ['eleven char', 'x'.repeat(257), 'ada@example.org', 'tab\tin the middle'];
    for (const password of bad) {
      const body = { name: 'ADA@example.org', role: 'viewer', password };
      const answer = await call('POST', '/users', body);
      expect(answer, password).toMatchObject({
        status: 422,
        body: { type: problem('password-form'), field: 'password', value: null },
      });
      expect(answer.text).not.toContain(password);
    }
    const number = await call('POST', '/users', { name: 'a', role: 'viewer', password: 123456789 });
    expect(number).toMatchObject({ status: 400, body: { field: 'password', value: null } });
    expect(publisher.model.users.size).toBe(0);
    await call('POST', '/users', { name: 'ada', role: 'viewer', password: 'x'.repeat(256) });
    await call('POST', '/users', { name: 'grace', role: 'viewer', password: '🔑'.repeat(12) });
    expect(publisher.model.users.size).toBe(2);
  });

  it('mean the same however they were composed', async () => {
    const made = await scene();
    await makeUser(made, { password: 'übergrößenträger' });
    await logIn(made, 'ada', 'übergrößenträger'.normalize('NFD'));
  });

  it('that an admin sets are good at once, and end the sessions of the user', async () => {
    const made = await scene();
    await makeUser(made);
    const cookie = await logIn(made);
    await made.ok('PUT', '/users/1/password', { password: 'another password entirely' });
    expect((await withCookie(made, cookie)('GET', '/session')).status).toBe(401);
    expect(made.publisher.model.sessions.size).toBe(0);
    await logIn(made, 'ada', 'another password entirely');
  });

  it('are changed by oneself with the current one', async () => {
    const made = await scene();
    await makeUser(made, { role: 'sensor' });
    const ada = withCookie(made, await logIn(made));
    const change = (currentPassword: string, newPassword: string) =>
      ada('PUT', '/session/password', { currentPassword, newPassword });
    expect(await change('not the current one', 'a brand new password')).toMatchObject({
      status: 403,
      body: { type: problem('wrong-password'), field: 'currentPassword', value: null },
    });
    expect(await change(PASSWORD, 'short')).toMatchObject({
      status: 422,
      body: { type: problem('password-form'), field: 'newPassword', value: null },
    });
    expect((await change(PASSWORD, 'a brand new password')).status).toBe(200);
    expect((await ada('GET', '/session')).status).toBe(401);
    await logIn(made, 'ada', 'a brand new password');
    const byToken = await made.call('PUT', '/session/password', {
      currentPassword: PASSWORD,
      newPassword: 'a brand new password',
    });
    expect(byToken).toMatchObject({ status: 403, body: { type: problem('forbidden') } });
  });
});
