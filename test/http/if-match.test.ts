import { describe, expect, it } from 'vitest';
import { type Answer, type Scene, scene } from './scene.ts';

interface Desk extends Scene {
  /** A request that says on which version of the thing it rests. */
  withMatch(method: string, path: string, ifMatch: string, body?: object | string): Promise<Answer>;
  etagOf(path: string): Promise<string>;
}

/** One of every kind that a person edits, each with id 1. */
async function desk(): Promise<Desk> {
  const made = await scene();
  const { app, call, ok, tokens } = made;
  await ok('POST', '/targets', { name: 'names' });
  await ok('PUT', '/targets/1/indicators', 'evil.example\n192.0.2.0/24\n');
  await ok('POST', '/bundles', { name: 'one', filter: { severityMin: 5 } });
  await ok('POST', '/lists', { name: 'own' });
  await ok('POST', '/behaviours', {
    name: 'garden',
    action: { kind: 'redirect', to: 'garden.example.' },
  });
  await ok('POST', '/policies', { name: 'corp', type: 'dns' });
  await ok('POST', '/devices', { name: 'resolver', type: 'dns' });
  await ok('POST', '/users', { name: 'ann', role: 'editor', password: 'correct horse battery' });
  return {
    ...made,
    async withMatch(method, path, ifMatch, body) {
      const response = await app.inject({
        method: method as 'PATCH',
        url: `/api/v1${path}`,
        headers: {
          authorization: `Bearer ${tokens.admin}`,
          'if-match': ifMatch,
          ...(typeof body === 'string' ? { 'content-type': 'text/plain' } : {}),
        },
        ...(body === undefined ? {} : { payload: body }),
      });
      return {
        status: response.statusCode,
        headers: response.headers,
        body: response.json(),
        text: response.body,
      };
    },
    etagOf: async (path) => String((await call('GET', path)).headers.etag),
  };
}

const KINDS: readonly (readonly [path: string, patch: object, other: object])[] = [
  ['/targets/1', { description: 'mine' }, { description: 'theirs' }],
  ['/bundles/1', { description: 'mine' }, { description: 'theirs' }],
  ['/lists/1', { description: 'mine' }, { description: 'theirs' }],
  ['/behaviours/1', { description: 'mine' }, { description: 'theirs' }],
  ['/policies/1', { description: 'mine' }, { description: 'theirs' }],
  ['/devices/1', { description: 'mine' }, { description: 'theirs' }],
  ['/users/1', { displayName: 'mine' }, { displayName: 'theirs' }],
];

describe('If-Match', () => {
  it.each(KINDS)(
    'keeps two editors of %s from overwriting each other',
    async (path, mine, theirs) => {
      const { withMatch, etagOf, ok } = await desk();
      const etag = await etagOf(path);
      expect(etag).toMatch(/^"[A-Za-z0-9_-]{22}"$/);
      const first = await withMatch('PATCH', path, etag, theirs);
      expect(first.status, first.text).toBe(200);
      const second = await withMatch('PATCH', path, etag, mine);
      expect(second.status).toBe(412);
      expect(second.body).toMatchObject({
        type: '/api/v1/problems/entity-changed',
        field: 'If-Match',
        value: etag,
        rule: expect.stringContaining(String(first.headers.etag)),
      });
      expect(await ok('GET', path)).toMatchObject(theirs);
      // Read again, decided anew: the answer of the change told the new ETag already.
      expect(await etagOf(path)).toBe(first.headers.etag);
      expect((await withMatch('PATCH', path, String(first.headers.etag), mine)).status).toBe(200);
      expect(await ok('GET', path)).toMatchObject(mine);
    },
  );

  it('lets exactly one of two through that come at the same moment', async () => {
    const { withMatch, etagOf } = await desk();
    const etag = await etagOf('/policies/1');
    const answers = await Promise.all(
      ['a', 'b', 'c', 'd'].map((description) =>
        withMatch('PATCH', '/policies/1', etag, { description }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 412, 412, 412]);
  });

  it('takes a list of ETags, and * for whatever is there', async () => {
    const { withMatch, etagOf } = await desk();
    const etag = await etagOf('/targets/1');
    const patch = (ifMatch: string) =>
      withMatch('PATCH', '/targets/1', ifMatch, { description: ifMatch });
    expect((await patch(`"something-else", ${etag}`)).status).toBe(200);
    expect((await patch(etag)).status).toBe(412);
    expect((await patch('"a", "b"')).status).toBe(412);
    expect((await patch('*')).status).toBe(200);
    // RFC 9110 section 13.1.1: the comparison is the strong one, which a weak ETag never passes.
    expect((await patch(`W/${await etagOf('/targets/1')}`)).status).toBe(412);
  });

  it('is left out at will: then the last one wins', async () => {
    const { ok } = await desk();
    await ok('PATCH', '/policies/1', { description: 'one' });
    await ok('PATCH', '/policies/1', { description: 'two' });
    expect(await ok('GET', '/policies/1')).toMatchObject({ description: 'two' });
  });

  it('guards deletion and everything below the thing, too', async () => {
    const { withMatch, etagOf, ok } = await desk();
    const stale = '"AAAAAAAAAAAAAAAAAAAAAA"';
    const { model } = (await desk()).publisher;
    expect(model.policies.size).toBe(1);
    for (const [method, path, body] of [
      ['DELETE', '/policies/1'],
      ['POST', '/policies/1/attachments', { kind: 'target', id: 1 }],
      ['PUT', '/policies/1/exclusions/1'],
      ['PUT', '/targets/1/indicators', 'other.example\n'],
      ['PATCH', '/targets/1/indicators', { add: ['other.example'] }],
      ['PUT', '/lists/1/entries', 'mine.example\n'],
      ['PUT', '/devices/1/policy', { policyId: 1 }],
      ['DELETE', '/behaviours/1'],
      ['DELETE', '/targets/1'],
    ] as const) {
      const refused = await withMatch(method, path, stale, body);
      expect(refused.status, `${method} ${path}: ${refused.text}`).toBe(412);
    }
    expect(await ok('GET', '/policies/1')).toMatchObject({ attachments: [] });
    const etag = await etagOf('/policies/1');
    expect((await withMatch('DELETE', '/policies/1', etag)).status).toBe(200);
  });

  it('sees changes of indicators and entries, and none of what is only derived', async () => {
    const { etagOf, ok } = await desk();
    const target = await etagOf('/targets/1');
    const list = await etagOf('/lists/1');
    await ok('POST', '/policies/1/attachments', { kind: 'target', id: 1 });
    const policy = await etagOf('/policies/1');
    await ok('PATCH', '/targets/1/indicators', { add: ['two.example'] });
    await ok('PUT', '/lists/1/entries', { entries: ['mine.example'] });
    expect(await etagOf('/targets/1')).not.toBe(target);
    expect(await etagOf('/lists/1')).not.toBe(list);
    // The policy's zones have new serials; what a person edits of it is the same.
    expect(await etagOf('/policies/1')).toBe(policy);
  });

  it('depends on what was edited and on nothing else, so that an open form survives a restart', async () => {
    const { etagOf, publisher } = await desk();
    const etag = await etagOf('/policies/1');
    const again = await desk();
    expect(again.publisher).not.toBe(publisher);
    expect(await again.etagOf('/policies/1')).toBe(etag);
  });

  it('is obeyed by a dry run', async () => {
    const { withMatch } = await desk();
    const tried = await withMatch('DELETE', '/policies/1?dryRun=true', '"AAAAAAAAAAAAAAAAAAAAAA"');
    expect(tried.status).toBe(412);
  });

  it('tells nothing of what the account may not see', async () => {
    const { app, addAccount, etagOf } = await desk();
    const other = await addAccount('other');
    const send = async (method: string, path: string, ifMatch: string, body?: object) => {
      const response = await app.inject({
        method: method as 'PATCH',
        url: `/api/v1${path}`,
        headers: { authorization: `Bearer ${other.tokens.admin}`, 'if-match': ifMatch },
        ...(body === undefined ? {} : { payload: body }),
      });
      return { status: response.statusCode, text: response.body };
    };
    for (const [path, patch] of KINDS) {
      const etag = await etagOf(path);
      const stale = '"AAAAAAAAAAAAAAAAAAAAAA"';
      const [known, guessed, deleted] = [
        await send('PATCH', path, etag, patch),
        await send('PATCH', path, stale, patch),
        await send('DELETE', path, stale),
      ];
      expect([403, 404], path).toContain(guessed.status);
      expect(known, path).toEqual(guessed);
      expect(deleted.status, path).toBe(guessed.status);
      expect(guessed.text + deleted.text).not.toContain(etag.slice(1, -1));
    }
  });

  it('is compared wherever the path names a thing, whatever is done to it', async () => {
    const { withMatch, ok, etagOf, call, publisher } = await desk();
    await ok('POST', '/devices/1/keys', {});
    await ok('PUT', '/lists/1/entries', { entries: ['mine.example'] });
    await ok('POST', '/policies/1/attachments', { kind: 'list', id: 1 });
    const held = await call('PATCH', '/lists/1/entries', { add: ['google.com'] });
    expect(held.status).toBe(202);
    const { model } = publisher;
    const stale = '"AAAAAAAAAAAAAAAAAAAAAA"';
    const cases: readonly (readonly [
      method: string,
      path: string,
      body: object | undefined,
      thing: string,
    ])[] = [
      ['POST', '/policies/1/devices', { add: [1] }, '/policies/1'],
      ['POST', '/policies/1/duplicate', { name: 'twin' }, '/policies/1'],
      ['POST', '/devices/1/keys', {}, '/devices/1'],
      ['POST', '/devices/1/keys/rotate', {}, '/devices/1'],
      ['DELETE', '/devices/1/keys/1', undefined, '/devices/1'],
      ['DELETE', '/users/1/sessions', undefined, '/users/1'],
      ['POST', '/held-changes/1/confirm', undefined, '/held-changes/1'],
      ['DELETE', '/held-changes/1', undefined, '/held-changes/1'],
    ];
    for (const [method, path, body] of cases) {
      const refused = await withMatch(method, path, stale, body);
      expect(refused.status, `${method} ${path}: ${refused.text}`).toBe(412);
    }
    expect(publisher.model).toBe(model);
    for (const [method, path, body, thing] of cases.slice(0, -1)) {
      const done = await withMatch(method, path, await etagOf(thing), body);
      expect(done.status, `${method} ${path}: ${done.text}`).toBeLessThan(202);
    }
  });

  it('answers no ETag of one thing with another that was made from it', async () => {
    const { call } = await desk();
    const copied = await call('POST', '/policies/1/duplicate', { name: 'twin' });
    expect(copied.status).toBe(201);
    expect(copied.headers.etag).toBeUndefined();
    expect((await call('POST', '/devices/1/keys', {})).headers.etag).toBeUndefined();
  });

  it('is refused where the path names nothing that it could be compared with', async () => {
    const { withMatch, publisher } = await desk();
    const { model } = publisher;
    for (const [path, body] of [
      ['/policies', { name: 'new', type: 'dns' }],
      ['/tokens', { name: 'ci', role: 'viewer' }],
      ['/policies?dryRun=true', { name: 'new', type: 'dns' }],
    ] as const) {
      const refused = await withMatch('POST', path, '*', body);
      expect(refused.body, path).toMatchObject({
        status: 400,
        field: 'If-Match',
        value: '*',
        rule: 'The path names nothing that has an ETag: send this request without If-Match.',
      });
    }
    expect(publisher.model).toBe(model);
  });

  it('is announced by every route that changes a thing which its path names', async () => {
    const { call } = await scene();
    const { text } = await call('GET', '/api/openapi.json', undefined, null);
    const { paths } = JSON.parse(text) as {
      paths: Record<string, Record<string, { parameters?: { name: string }[] }>>;
    };
    const missing = Object.entries(paths)
      .filter(([path]) => path.includes('{id}'))
      .flatMap(([path, methods]) =>
        Object.entries(methods)
          .filter(([method]) => method !== 'get')
          .filter(([, { parameters = [] }]) => !parameters.some(({ name }) => name === 'if-match'))
          .map(([method]) => `${method} ${path}`),
      );
    expect(missing).toEqual([]);
  });
});
