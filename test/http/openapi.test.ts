import { describe, expect, it } from 'vitest';
import { createPolicy } from '../../src/publish/edits/index.ts';
import { type Scene, scene } from './scene.ts';

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

/** One of everything, so that every documented path with the number 1 in it leads somewhere. */
async function withEverything(): Promise<Scene> {
  const made = await scene();
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
  return made;
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

  it('has an example for every body and every parameter of a path', async () => {
    const document = await readDocument(await scene());
    for (const [method, path, operation] of operationsOf(document)) {
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
      const url = path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
        exampleOf(operation, name).replace('rpz.corp', 'rpz.first'),
      );
      const query = path.endsWith('/explain') ? '?name=www.evil.example' : '';
      if (method === 'DELETE') await prepareDeletion(made, path);
      const [media] = Object.values(operation.requestBody?.content ?? {});
      const body = media === undefined ? undefined : (media.example ?? media.schema.examples?.[0]);
      const answer = await made.call(method, url + query, body);
      const label = `${method} ${url} answered ${answer.status}: ${answer.text.slice(0, 300)}`;
      expect(answer.status, label).toBeLessThan(300);
      expect(Object.keys(operation.responses), label).toContain(String(answer.status));
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

function exampleOf(operation: Operation, name: string): string {
  const parameter = operation.parameters?.find((candidate) => candidate.name === name);
  return String(parameter?.example ?? parameter?.schema.examples?.[0]);
}

/** What the rules want done first before the example can be deleted. */
async function prepareDeletion({ call, ok }: Scene, path: string): Promise<void> {
  if (path === '/api/v1/policies/{id}/exclusions/{targetId}')
    await ok('PUT', '/policies/1/exclusions/1');
  if (path === '/api/v1/policies/{id}') await ok('PUT', '/devices/1/policy', { policyId: null });
  if (path === '/api/v1/tokens/{id}') await ok('POST', '/tokens', { name: 'spare', role: 'admin' });
  if (/^\/api\/v1\/(targets|bundles|lists)\/\{id\}$/.test(path)) {
    const { items } = await ok('GET', '/policies');
    for (const { id } of items as unknown as { id: number }[]) {
      await call('PATCH', `/policies/${id}`, { attachments: [], excludedTargets: [] });
    }
  }
}
