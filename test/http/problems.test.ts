import { type AddressInfo, connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { DEFAULT_API_LIMITS } from '../../src/http/index.ts';
import { HTTP_PROBLEMS } from '../../src/http/problem.ts';
import { MODEL_ERRORS } from '../../src/policy/model-error.ts';
import { type Sending, send } from './people.ts';
import { scene } from './scene.ts';

const as = (token: string) => ({ authorization: `Bearer ${token}` });

describe('problems (RFC 9457)', () => {
  it('have type, title, status and detail, in their own media type', async () => {
    const { call } = await scene();
    const answer = await call('GET', '/nothing/here');
    expect(answer.status).toBe(404);
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(answer.body).toEqual({
      type: '/api/v1/problems/no-such-route',
      title: 'There is nothing at this address',
      status: 404,
      detail: 'No GET at /api/v1/nothing/here.',
      field: 'path',
      value: '/api/v1/nothing/here',
      rule: 'The API has an operation with the method GET at the path.',
    });
  });

  it('tell field, value and rule, and every refusal when there are several', async () => {
    const { refused } = await scene();
    const problem = await refused('POST', '/targets', {
      attributes: { severity: 9, danger: 'huge' },
      colour: 'red',
    });
    expect(problem.status).toBe(400);
    const errors = problem.errors?.map(({ type, field, value, rule }) => [
      type,
      field,
      value,
      rule,
    ]);
    expect(errors).toEqual(
      expect.arrayContaining([
        ['/api/v1/problems/field-missing', 'name', null, 'The field is required.'],
        ['/api/v1/problems/field-unknown', 'colour', 'red', 'The field does not exist here.'],
        ['/api/v1/problems/invalid-value', 'attributes.severity', 9, 'The number is at most 5.'],
        [
          '/api/v1/problems/invalid-value',
          'attributes.danger',
          'huge',
          'The value is one of none, low, medium, high, critical.',
        ],
      ]),
    );
    expect(errors).toHaveLength(4);
    expect(problem.field).toBe(problem.errors?.[0]?.field);
  });

  it('tell what is wrong inside a value that may have several forms', async () => {
    const { refused } = await scene();
    const bad = async (url: string, method: string, body: object) => {
      const { field, value, rule, errors } = await refused(method, url, body);
      return errors?.map((error) => [error.field, error.rule]) ?? [field, value, rule];
    };
    expect(await bad('/lists/1/entries', 'PATCH', { add: ['a.example', 7] })).toEqual([
      'add[1]',
      7,
      'The value is of type string or object.',
    ]);
    const entry = { value: 1, comment: 'x'.repeat(501), expiresAt: 3, colour: 'red' };
    expect(await bad('/lists/1/entries', 'PATCH', { add: [entry] })).toEqual(
      expect.arrayContaining([
        ['add[0].value', 'The value is of type string.'],
        ['add[0].comment', 'The text has at most 500 characters.'],
        ['add[0].expiresAt', 'The value is of type string or null.'],
        ['add[0].colour', 'The field does not exist here.'],
      ]),
    );
    expect(await bad('/devices/1/policy', 'PUT', { policyId: 'one' })).toEqual([
      'policyId',
      'one',
      'The value is of type integer or null.',
    ]);
    expect(await bad('/devices/1/policy', 'PUT', { policyId: 0 })).toEqual([
      'policyId',
      0,
      'The number is at least 1.',
    ]);
  });

  it('come for a query that is not understood', async () => {
    const { refused } = await scene();
    const unknown = await refused('GET', '/targets?colour=red');
    expect(unknown).toMatchObject({ status: 400, field: 'colour', value: 'red' });
    const limit = await refused('GET', '/targets?limit=0');
    expect(limit).toMatchObject({ field: 'limit', value: 0, rule: 'The number is at least 1.' });
    const text = await refused('GET', '/targets?limit=many');
    expect(text).toMatchObject({
      field: 'limit',
      value: 'many',
      type: '/api/v1/problems/field-type',
    });
    const sort = await refused('GET', '/targets?sort=colour');
    expect(sort).toMatchObject({ field: 'sort', value: 'colour' });
    const id = await refused('GET', '/targets/one');
    expect(id).toMatchObject({ status: 400, field: 'id', value: 'one' });
  });

  it('come for bodies that cannot be read', async () => {
    const { app, refused, tokens } = await scene();
    const send = async (type: string, payload: string, url = '/api/v1/targets') => {
      const headers = { authorization: `Bearer ${tokens.admin}`, 'content-type': type };
      const response = await app.inject({ method: 'POST', url, headers, payload });
      expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
      return response.json();
    };
    expect(await send('application/json', '{"name":')).toMatchObject({
      status: 400,
      type: '/api/v1/problems/body-form',
    });
    expect(await send('application/json', '')).toMatchObject({ status: 400 });
    expect(await send('application/xml', '<a/>')).toMatchObject({
      status: 415,
      type: '/api/v1/problems/media-type',
    });
    expect(
      await send('application/json', '{"__proto__": {"admin": true}, "name": "x"}'),
    ).toMatchObject({
      status: 400,
    });
    expect(await refused('POST', '/targets', [])).toMatchObject({ status: 400, field: 'body' });
  });

  it('come for bodies of a type that the operation does not take, whatever is in them', async () => {
    const { ok, publisher, app, tokens } = await scene();
    await ok('POST', '/targets', { name: 'one' });
    await ok('POST', '/lists', { name: 'one' });
    const { model } = publisher;
    const json = JSON.stringify({ name: 'two' });
    for (const [method, url, type, payload, taken] of [
      ['POST', '/targets', 'text/plain', 'name', 'application/json'],
      ['POST', '/targets', 'text/csv; charset=utf-8', json, 'application/json'],
      ['PATCH', '/lists/1', 'text/plain', '', 'application/json'],
      ['POST', '/session', 'text/plain', json, 'application/json'],
      ['POST', '/restore', 'text/plain', json, 'application/json'],
      ['POST', '/targets', 'application/octet-stream', json, 'application/json'],
      ['PUT', '/targets/1/indicators', 'text/csv', 'a.example\n', 'text/plain'],
      ['PUT', '/targets/1/indicators', 'application/json', '"a.example"', 'text/plain'],
      [
        'PUT',
        '/lists/1/entries',
        'application/xml',
        '<a/>',
        'application/json or text/plain or text/csv',
      ],
    ] as const) {
      const headers = { authorization: `Bearer ${tokens.admin}`, 'content-type': type };
      const response = await app.inject({ method, url: `/api/v1${url}`, headers, payload });
      expect(response.json(), `${method} ${url} ${type}`).toMatchObject({
        status: 415,
        type: '/api/v1/problems/media-type',
        field: 'Content-Type',
        value: type,
        rule: `The body comes as ${taken}.`,
      });
    }
    expect(publisher.model).toBe(model);
  });

  it('tell field, value and rule also where the request as a whole is refused', async () => {
    const limits = { ...DEFAULT_API_LIMITS, jsonBodyMax: 1_000, failedAuthMax: 1 };
    const made = await scene({ limits });
    const other = await made.addAccount('other');
    const admin = { authorization: `Bearer ${made.tokens.admin}` };
    const cases: [Sending, object][] = [
      [
        { method: 'POST', url: '/policies', body: {}, headers: as(made.tokens.viewer) },
        {
          status: 403,
          field: 'role',
          value: 'viewer',
          rule: 'POST /api/v1/policies needs the role editor.',
        },
      ],
      [
        {
          method: 'GET',
          url: '/policies',
          headers: { ...as(other.tokens.admin), 'sluice-account': 'acme' },
        },
        { status: 403, field: 'Sluice-Account', value: 'acme', rule: /^Only an admin of the/ },
      ],
      [
        { method: 'GET', url: '/nowhere?token=not-it-at-all', headers: as(other.tokens.viewer) },
        { status: 404, field: 'path', value: '/api/v1/nowhere' },
      ],
      [
        { method: 'DELETE', url: '/session', headers: admin },
        { status: 403, field: 'Authorization', value: null, rule: /logged in, not for a token/ },
      ],
      [
        {
          method: 'POST',
          url: '/targets',
          body: '{"password": "p',
          headers: { ...admin, 'content-type': 'application/json' },
        },
        { status: 400, field: 'body', value: null, rule: /JSON text/ },
      ],
      [
        { method: 'POST', url: '/targets', body: { name: 'x'.repeat(1_000) }, headers: admin },
        { status: 413, field: 'body', value: 1_011, rule: 'The body has at most 1000 octets.' },
      ],
      [
        { method: 'POST', url: '/session', body: { name: 'ada', password: 'not-it-at-all' } },
        { status: 401, field: 'password', value: null, rule: /^There is no user/ },
      ],
      [
        {
          method: 'POST',
          url: '/session',
          body: { name: 'ada', password: 'p' },
          headers: { 'sec-fetch-site': 'cross-site' },
        },
        { status: 403, field: 'Sec-Fetch-Site', value: 'cross-site', rule: /another site/ },
      ],
      [
        { method: 'GET', url: '/policies', headers: as('no-such-token') },
        { status: 401, field: 'Authorization', value: null, rule: /^Send the header/ },
      ],
      [
        { method: 'GET', url: '/policies', headers: as('no-such-token') },
        { status: 429, field: 'Authorization', value: null, rule: /^After too many failures/ },
      ],
    ];
    for (const [sending, wanted] of cases) {
      const answer = await send(made, sending);
      const label = `${sending.method} ${sending.url}: ${answer.text}`;
      const fields = Object.entries(wanted).map(([name, value]) => [
        name,
        value instanceof RegExp ? expect.stringMatching(value) : value,
      ]);
      expect(answer.body, label).toMatchObject(Object.fromEntries(fields));
      expect(answer.text).not.toMatch(/no-such-token|not-it-at-all/);
    }
  });

  it('come for bodies that are too large, before they are read', async () => {
    const limits = { ...DEFAULT_API_LIMITS, jsonBodyMax: 1_000, textBodyMax: 2_000 };
    const { ok, refused } = await scene({ limits });
    const json = await refused('POST', '/targets', { name: 'x'.repeat(1_000) });
    expect(json).toMatchObject({ status: 413, type: '/api/v1/problems/body-too-large' });
    await ok('POST', '/targets', { name: 'one' });
    const text = await refused('PUT', '/targets/1/indicators', 'a.example\n'.repeat(201));
    expect(text).toMatchObject({ status: 413 });
    await ok('PUT', '/targets/1/indicators', 'a.example\n'.repeat(200));
  });

  it('come for text in another encoding', async () => {
    const { app, ok, tokens } = await scene();
    await ok('POST', '/targets', { name: 'one' });
    const put = (headers: Record<string, string>) =>
      app.inject({
        method: 'PUT',
        url: '/api/v1/targets/1/indicators',
        headers: { authorization: `Bearer ${tokens.admin}`, ...headers },
        payload: 'a.example\n',
      });
    expect((await put({ 'content-type': 'text/plain; charset=iso-8859-1' })).statusCode).toBe(415);
    expect(
      (await put({ 'content-type': 'text/plain', 'content-encoding': 'gzip' })).statusCode,
    ).toBe(415);
    expect((await put({ 'content-type': 'text/plain; charset=UTF-8' })).statusCode).toBe(200);
  });

  it('come for a path that cannot be decoded', async () => {
    const { app } = await scene();
    const response = await app.inject({ method: 'GET', url: '/api/v1/zones/%zz' });
    expect(response.statusCode).toBe(400);
    expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(response.json()).toMatchObject({ type: '/api/v1/problems/request-form' });
  });

  it('come for bytes that are no HTTP', async () => {
    const { app } = await scene();
    await app.listen({ host: '127.0.0.1', port: 0 });
    const address = app.server.address() as AddressInfo;
    const text = await new Promise<string>((resolve, reject) => {
      const socket = connect(address.port, '127.0.0.1', () => socket.end('nonsense\r\n\r\n'));
      let received = '';
      socket.on('data', (data) => (received += data.toString()));
      socket.on('end', () => resolve(received)).on('error', reject);
    });
    expect(text).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    const body = JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4));
    expect(body).toMatchObject({ type: '/api/v1/problems/request-form', status: 400 });
  });

  it('say nothing of the inside when the server itself fails, and nothing was changed', async () => {
    const { publisher, refused, ok } = await scene();
    await ok('POST', '/targets', { name: 'one' });
    const before = publisher.model;
    const change = publisher.change;
    publisher.change = () => Promise.reject(new Error('SQLITE_FULL at /secret/path'));
    const problem = await refused('POST', '/targets', { name: 'two' });
    publisher.change = change;
    expect(problem).toMatchObject({ status: 500, type: '/api/v1/problems/internal' });
    expect(JSON.stringify(problem)).not.toContain('secret');
    expect(publisher.model).toBe(before);
  });

  it('quote long values cut short', async () => {
    const { refused } = await scene();
    const problem = await refused('POST', '/targets', { name: 'x'.repeat(10_000) });
    expect(problem).toMatchObject({ field: 'name', rule: 'The text has at most 100 characters.' });
    expect(String(problem.value).length).toBeLessThan(400);
  });

  it('are each explained where their type leads', async () => {
    const { ok, call } = await scene();
    const { items } = await ok('GET', '/problems');
    const codes = Object.keys({ ...HTTP_PROBLEMS, ...MODEL_ERRORS });
    expect(items).toHaveLength(codes.length);
    for (const code of codes) {
      const answer = await call('GET', `/api/v1/problems/${code}`, undefined, null);
      expect(answer.body).toMatchObject({ code });
    }
    const problem = await call('GET', '/targets/99');
    const explained = await call('GET', String(problem.body.type), undefined, null);
    expect(explained.body).toEqual({
      code: 'not-found',
      status: 404,
      title: 'There is no such thing',
    });
  });
});
