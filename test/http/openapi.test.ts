import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { HeldChangeId } from '../../src/policy/model.ts';
import { createPolicy, createTarget } from '../../src/publish/edits/index.ts';
import { CLIENT_ID, CLIENT_SECRET, startIdentityProvider } from './identity-provider.ts';
import { faultsOf } from './openapi-faults.ts';
import { cookieOf, logIn, makeUser, PASSWORD, send, withCookie } from './people.ts';
import { type Answer, type Scene, scene } from './scene.ts';

interface Operation {
  readonly summary?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly security?: readonly object[];
  readonly parameters?: readonly { name: string; in: string; example?: unknown; schema: Schema }[];
  readonly requestBody?: { content: Record<string, Media> };
  readonly responses: Record<string, { description: string; content?: Record<string, Media> }>;
}
interface Schema {
  readonly examples?: readonly unknown[];
  readonly [key: string]: unknown;
}
interface Media {
  readonly schema: Schema;
  readonly example?: unknown;
}
interface Document {
  readonly openapi: string;
  readonly info: { title: string; version: string };
  readonly tags: readonly { name: string }[];
  readonly paths: Record<string, Record<string, Operation>>;
}

async function readDocument({ call }: Scene): Promise<Document> {
  const answer = await call('GET', '/api/openapi.json', undefined, null);
  expect(answer.status).toBe(200);
  return JSON.parse(answer.text);
}

function operationsOf(document: Document): [string, string, Operation][] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, string, Operation] => [
      method.toUpperCase(),
      path,
      operation,
    ]),
  );
}

type Provider = Awaited<ReturnType<typeof startIdentityProvider>>;

/** A server that people can log in to at an identity provider, too, so that all there is is documented. */
async function withProvider(): Promise<Scene & { readonly provider: Provider }> {
  const provider = await startIdentityProvider();
  const openId = {
    issuer: provider.issuer,
    clientId: CLIENT_ID,
    clientSecret: CLIENT_SECRET,
    redirectUri: 'https://sluice.example/api/v1/session/openid/callback',
    scopes: 'openid',
    linkByEmail: false,
    roleClaim: null,
    roles: [],
    defaultRole: 'viewer',
    createUsers: true,
    account: 'acme',
  } as const;
  return { ...(await scene({ openId })), provider };
}

/** One of everything, so that every documented path with the number 1 in it leads somewhere. */
async function withEverything(): Promise<Scene & { readonly provider: Provider }> {
  const made = await withProvider();
  const { asServer, ok } = made;
  await ok('POST', '/targets', { name: 'one' });
  await ok('POST', '/targets', { name: 'two' });
  await ok('PUT', '/targets/1/indicators', 'evil.example\n192.0.2.0/24\n');
  await ok('POST', '/bundles', { name: 'one', filter: { severityMin: 5 } });
  await ok('POST', '/lists', { name: 'one' });
  await ok('PUT', '/lists/1/entries', { entries: ['198.51.100.0/24'] });
  await asServer((edit) =>
    createPolicy(edit, {
      name: 'first',
      type: 'dns',
      attachments: [{ kind: 'target', id: 1 }],
      excludedTargets: [1],
    }),
  );
  await ok('POST', '/devices', { name: 'one', type: 'dns', policyId: 1 });
  await ok('POST', '/devices/1/keys', {});
  await ok('POST', '/accounts', { label: 'other', name: 'Other' });
  await asServer((edit) => createTarget(edit, { name: 'market', partner: true }));
  await ok('POST', '/entitlements', { accountId: 2, targetId: 3 });
  await makeUser(made, { role: 'viewer' });
  await ok('POST', '/behaviours', { name: 'one', action: { kind: 'redirect', to: 'x.example.' } });
  await asServer((edit) => createPolicy(edit, { name: 'second', type: 'ip', attachments: [] }));
  await ok('POST', '/devices', { name: 'gate', type: 'ip', policyId: 2 });
  await ok('POST', '/feeds', { targetId: 2, source: { kind: 'http', url: 'https://x.example/' } });
  await holdFirst(made);
  return made;
}

/** A change with the id 1 that waits to be confirmed. */
async function holdFirst({ asServer, accountId, time }: Scene): Promise<void> {
  const body = JSON.stringify({ description: 'Confirmed' });
  const request = { method: 'PATCH', path: '/behaviours/1', body, textType: null, ifMatch: null };
  await asServer(({ draft }) =>
    draft.put('held', {
      id: 1 as HeldChangeId,
      accountId,
      actor: 'token admin',
      action: 'behaviour.update 1',
      request,
      reasons: ['The zone shrinks.'],
      createdAt: time.now,
      expiresAt: time.now + 60_000,
    }),
  );
}

describe('the OpenAPI document', () => {
  it('is OpenAPI 3.1, and valid JSON with nothing that points nowhere', async () => {
    const document = await readDocument(await scene());
    expect(document.openapi).toBe('3.1.0');
    expect(document.info).toMatchObject({ title: 'Sluice', version: '0.0.0' });
    const text = JSON.stringify(document);
    const references = [...text.matchAll(/"\$ref":"#\/([^"]+)"/g)].map((match) => match[1]!);
    for (const reference of references) {
      const found = reference
        .split('/')
        .reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], document);
      expect(found, reference).toBeDefined();
    }
    const tags = document.tags.map(({ name }) => name);
    const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];
    const operations = operationsOf(document);
    expect(operations.length).toBeGreaterThan(45);
    for (const [method, path, operation] of operations) {
      expect(methods, path).toContain(method);
      expect(tags, `${method} ${path}`).toEqual(expect.arrayContaining([...operation.tags!]));
      const named = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
      const declared = operation.parameters?.filter((parameter) => parameter.in === 'path') ?? [];
      expect(
        declared.map(({ name }) => name),
        path,
      ).toEqual(named);
    }
  });

  it('is held against the rules of OpenAPI 3.1 and of JSON Schema, and breaks none', async () => {
    const document = await readDocument(await withProvider());
    expect(document.paths).toHaveProperty(['/api/v1/session/openid/callback']);
    expect(faultsOf(document)).toEqual([]);
  });

  it.each([
    ['"integer"', '"text"', 'cannot be "text"'],
    ['"required":true', '"required":false', 'is required, and in the path'],
    ['"example":1', '"example":"one"', 'is not "one"'],
    ['"description":"Done."', '"description":""', 'has a description'],
    ['"putX"', '"getX"', 'getX is taken by get /x/{id}'],
    ['{"type":"object"}', '{"$ref":"#/components/schemas/x"}', 'leads nowhere'],
    ['{"type":"object"}', '{"type":"object","nullable":true}', 'not a keyword'],
    ['{"type":"object"}', '{"type":"object","examples":[5]}', 'is not 5'],
  ])('would break one with %s as %s', (good, bad, fault) => {
    const responses = {
      200: {
        description: 'Done.',
        content: { 'application/json': { schema: { type: 'object' } } },
      },
    };
    const parameters = [
      { name: 'id', in: 'path', required: true, schema: { type: 'integer' }, example: 1 },
    ];
    const get = { operationId: 'getX', parameters, responses };
    const put = { operationId: 'putX', parameters, responses };
    const info = { title: 'x', version: '1' };
    const document = { openapi: '3.1.0', info, paths: { '/x/{id}': { get, put } } };
    expect(faultsOf(document)).toEqual([]);
    const text = JSON.stringify(document);
    expect(text).toContain(good);
    const faults = faultsOf(JSON.parse(text.replace(good, bad)));
    expect(faults.join('\n')).toContain(fault);
  });

  it('says of every operation what it does, who may use it, and what it answers', async () => {
    const document = await readDocument(await scene());
    for (const [method, path, operation] of operationsOf(document)) {
      const label = `${method} ${path}`;
      expect(operation.summary, label).toMatch(/^[A-Z].{5,}/);
      expect(operation.description, label).toMatch(
        /Needs (no token|a token of any role|the role \w+)\.$/,
      );
      expect(operation.security, label).toBeDefined();
      expect(Object.keys(operation.responses), label).toEqual(
        expect.arrayContaining(['4XX', '5XX']),
      );
      expect(operation.responses['4XX']?.content, label).toHaveProperty([
        'application/problem+json',
      ]);
    }
  });

  it('has an example for every operation, every body and every parameter of a path', async () => {
    const document = await readDocument(await withProvider());
    for (const [method, path, operation] of operationsOf(document)) {
      const isSentElsewhere = path.includes('/session/openid/');
      if (!isSentElsewhere)
        expect(JSON.stringify(operation), `${method} ${path}`).toMatch(/"examples?":/);
      for (const [type, media] of Object.entries(operation.requestBody?.content ?? {})) {
        expect(media.example ?? media.schema.examples, `${method} ${path} ${type}`).toBeDefined();
      }
      for (const parameter of operation.parameters ?? []) {
        if (parameter.in !== 'path') continue;
        expect(
          parameter.example ?? parameter.schema.examples,
          `${path} ${parameter.name}`,
        ).toBeDefined();
      }
    }
  });

  it('describes operations that all work with the examples it gives', async () => {
    const made = await withEverything();
    const document = await readDocument(made);
    const called: string[] = [];
    // Deleting comes last: what holds others after what it holds, and our own token after all.
    const order = ['GET', 'PUT', 'PATCH', 'POST', 'DELETE'];
    const operations = operationsOf(document).sort(
      ([methodA, pathA], [methodB, pathB]) =>
        order.indexOf(methodA) - order.indexOf(methodB) ||
        Number(pathA.includes('/tokens')) - Number(pathB.includes('/tokens')) ||
        (methodA === 'DELETE' ? pathB.length - pathA.length : 0),
    );
    for (const [method, path, operation] of operations) {
      let url = path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
        exampleOf(operation, name).replace('rpz.corp', 'rpz.first'),
      );
      // The first policy and device are for names, the second for addresses.
      if (path.endsWith('/exports/addresses')) url = url.replace('/1/', '/2/');
      const query = path.endsWith('/explain') ? '?name=www.evil.example' : '';
      if (method === 'DELETE') await prepareDeletion(made, path);
      if (/\/feeds\/\{id\}\/(release|discard)$/.test(path)) made.feeds.hold(1);
      for (const [type, media] of Object.entries(operation.requestBody?.content ?? NO_BODY)) {
        const example = media && (media.example ?? media.schema.examples?.[0]);
        // A serial that is served now is no example for a document.
        const body = path.endsWith('/rollback') && example ? await servedSerial(made) : example;
        const sender = type.endsWith('json')
          ? await senderFor(made, method, path)
          : asOctets(made, type);
        const answer = await sender(method, url + query, body);
        const label = `${method} ${url} ${type} answered ${answer.status}: ${answer.text.slice(0, 300)}`;
        const isSentElsewhere = path.includes('/session/openid/');
        expect(answer.status, label).toBeLessThan(isSentElsewhere ? 303 : 300);
        expect(Object.keys(operation.responses), label).toContain(String(answer.status));
      }
      called.push(`${method} ${path}`);
    }
    expect(new Set(called).size).toBe(operationsOf(document).length);
  });

  it('is shown on a page that loads nothing from elsewhere', async () => {
    const { call } = await scene();
    const page = await call('GET', '/api/docs/', undefined, null);
    expect(page.status).toBe(200);
    expect(page.headers['content-type']).toMatch(/^text\/html/);
    const links = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1]!);
    expect(links.length).toBeGreaterThan(3);
    for (const link of links) {
      expect(link).not.toMatch(/^(https?:)?\/\//);
      const url = new URL(link, 'http://x/api/docs/').pathname;
      expect((await call('GET', url, undefined, null)).status, url).toBe(200);
    }
    const start = await call('GET', '/api/docs/static/swagger-initializer.js', undefined, null);
    expect(start.text).toContain('validatorUrl: null');
    expect((await call('GET', '/api/docs/json', undefined, null)).status).toBe(200);
  });
});

/** What a token cannot do, because it did not log in. */
function isForPerson(method: string, path: string): boolean {
  return path.startsWith('/api/v1/session') && method !== 'GET';
}

/** The media types of an operation without a body: it is sent once, too. */
const NO_BODY: Record<string, Media | undefined> = { json: undefined };

/** Requests with a body that is no JSON. */
function asOctets(made: Scene, type: string): Scene['call'] {
  const headers = { authorization: `Bearer ${made.tokens.admin}`, 'content-type': type };
  return (method, url, body) =>
    send(made, { method, url, headers, body: Buffer.from(String(body)) });
}

/** The whole way of a browser: to the provider, and back with what that says. */
async function comeBack(made: Scene & { readonly provider: Provider }): Promise<Answer> {
  const begun = await send(made, { method: 'GET', url: '/session/openid/login' });
  const back = made.provider.logIn(String(begun.headers.location), {
    claims: { email: 'grace@example.org', email_verified: true },
  });
  const headers = { cookie: cookieOf(begun, 'sluice_openid') };
  return send(made, { method: 'GET', url: back.pathname + back.search, headers });
}

async function senderFor(
  made: Scene & { readonly provider: Provider },
  method: string,
  path: string,
): Promise<Scene['call']> {
  if (path.endsWith('/openid/callback')) return () => comeBack(made);
  if (isForPerson(method, path)) return asPerson(made);
  // A stream of events does not end by itself.
  if (path.endsWith('/events')) return (_method, url) => beginningOf(made, url);
  // A backup is restored into an empty account.
  return path.endsWith('/restore') ? (await made.addAccount('empty')).call : made.call;
}

/** The first piece of an answer that does not end. */
async function beginningOf({ app, tokens }: Scene, url: string): Promise<Answer> {
  const answer = await app.inject({
    url,
    headers: { authorization: `Bearer ${tokens.viewer}` },
    payloadAsStream: true,
  });
  const stream = answer.stream();
  const [piece] = (await once(stream, 'data')) as [Buffer];
  stream.destroy();
  const { statusCode: status, headers } = answer;
  return { status, headers, body: {}, text: piece.toString() };
}

/** Requests of the user in the examples, who is logged in with the password in the examples. */
async function asPerson(made: Scene): Promise<ReturnType<typeof withCookie>> {
  const there = await made.ok('GET', '/users?q=ada');
  if (Number(there.total) === 0) await makeUser(made);
  else await made.ok('PUT', `/users/${there.items?.[0]?.id}/password`, { password: PASSWORD });
  return withCookie(made, await logIn(made));
}

function exampleOf(operation: Operation, name: string): string {
  const parameter = operation.parameters?.find((candidate) => candidate.name === name);
  return String(parameter?.example ?? parameter?.schema.examples?.[0]);
}

async function servedSerial({ ok }: Pick<Scene, 'ok'>): Promise<object> {
  const { items } = await ok('GET', '/zones?policyId=1');
  return { serial: (items as unknown as { serial: number }[])[0]!.serial };
}

/** What the rules want done first before the example can be deleted. */
async function prepareDeletion(made: Scene, path: string): Promise<void> {
  const { call, ok } = made;
  if (path === '/api/v1/held-changes/{id}') await holdFirst(made);
  if (path === '/api/v1/policies/{id}/exclusions/{targetId}')
    await ok('PUT', '/policies/1/exclusions/1');
  if (path === '/api/v1/policies/{id}/rollback')
    await ok('POST', '/policies/1/rollback', await servedSerial({ ok }));
  if (path === '/api/v1/policies/{id}') await ok('PUT', '/devices/1/policy', { policyId: null });
  if (path === '/api/v1/tokens/{id}') await ok('POST', '/tokens', { name: 'spare', role: 'admin' });
  if (/^\/api\/v1\/(targets|bundles|lists)\/\{id\}$/.test(path)) {
    const { items } = await ok('GET', '/policies');
    for (const { id } of items as unknown as { id: number }[]) {
      await call('PATCH', `/policies/${id}`, { attachments: [], excludedTargets: [] });
    }
  }
}
