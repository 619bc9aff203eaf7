import { describe, expect, it } from 'vitest';
import { DEFAULT_API_LIMITS } from '../../src/http/index.ts';
import { createPolicy } from '../../src/publish/edits/index.ts';
import { type Json, type Scene, scene } from './scene.ts';

/** Target 1 in DNS policy 1. */
async function withPolicy(): Promise<Scene> {
  const made = await scene();
  const { ok } = made;
  await ok('POST', '/targets', { name: 'names' });
  await ok('PUT', '/targets/1/indicators', 'evil.example\n');
  await ok('POST', '/policies', {
    name: 'corp',
    type: 'dns',
    attachments: [{ kind: 'target', id: 1 }],
  });
  return made;
}

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly ifMatch?: string;
}
const whole = (...operations: Operation[]) => ({ mode: 'whole', operations });
const rows = (...operations: Operation[]) => ({ mode: 'rows', operations });
const resultsOf = ({ results }: Json) => results as unknown as { status: number; answer: Json }[];

const MAKE: Operation = { method: 'POST', path: '/targets', body: { name: 'second' } };
const ADD: Operation = {
  method: 'PATCH',
  path: '/targets/1/indicators',
  body: { add: ['two.example'] },
};
const WRONG: Operation = {
  method: 'POST',
  path: '/policies',
  body: { name: 'no-name', type: 'dns' },
};

describe('a batch as a whole', () => {
  it('is one change: each zone gets one new serial, and the audit trail one row', async () => {
    const { ok, publisher } = await withPolicy();
    const zone = () => publisher.state.zones.get('rpz.corp.acme.sluice.internal.')!;
    const { serial } = zone();
    const [before] = await publisher.changes({ limit: 1 });
    const answer = await ok(
      'POST',
      '/batch',
      whole(
        MAKE,
        ADD,
        { method: 'PUT', path: '/targets/2/indicators', body: 'three.example\nevil.example\n' },
        {
          method: 'POST',
          path: '/policies/1/attachments',
          body: { kind: 'target', id: 2, action: { kind: 'drop' } },
        },
        { method: 'PATCH', path: '/policies/1', body: { description: 'in one go' } },
      ),
    );
    expect(resultsOf(answer)).toMatchObject([
      { status: 201, answer: { target: { id: 2, name: 'second' } } },
      { status: 200, answer: { added: 1 } },
      { status: 200, answer: { added: 2 } },
      { status: 201, answer: { policy: { id: 1 } } },
      { status: 200, answer: { policy: { description: 'in one go' } } },
    ]);
    expect(answer.zones).toMatchObject([
      { zone: 'rpz.corp.acme.sluice.internal.', fromSerial: serial, serial: serial + 1 },
    ]);
    expect(zone().serial).toBe(serial + 1);
    expect(zone().records).toBe(8);
    const [last, previous] = await publisher.changes({ limit: 2 });
    expect(last).toMatchObject({ actor: 'token admin', action: 'batch' });
    expect(previous).toEqual(before);
  });

  it('is what a batch is when nothing else is said', async () => {
    const { ok } = await withPolicy();
    const answer = await ok('POST', '/batch', { operations: [MAKE] });
    expect(answer.zones).toEqual([]);
  });

  it('is made whole or not at all, and the refusal names the operation', async () => {
    const { refused, publisher } = await withPolicy();
    const { state } = publisher;
    expect(await refused('POST', '/batch', whole(MAKE, ADD, WRONG, ADD))).toMatchObject({
      status: 422,
      type: '/api/v1/problems/label-form',
      field: 'operations[2]: name',
      value: 'no-name',
    });
    expect(publisher.state).toBe(state);
  });

  it.each([
    ['a field of the wrong type', { ...MAKE, body: { name: 5 } }, 400, 'operations[1]: name'],
    ['a field that does not exist', { ...MAKE, body: { nam: 'x' } }, 400, 'operations[1]: '],
    ['a path that leads nowhere', { method: 'POST', path: '/nowhere' }, 404, 'operations[1]: path'],
    ['a method that is not there', { method: 'PUT', path: '/targets' }, 404, 'operations[1]: path'],
    [
      'a thing that is not there',
      { method: 'DELETE', path: '/targets/9' },
      404,
      'operations[1]: target id',
    ],
    ['a number that is none', { method: 'DELETE', path: '/targets/one' }, 400, 'operations[1]: id'],
    ['an unknown query', { ...ADD, path: `${ADD.path}?what=1` }, 400, 'operations[1]: what'],
    [
      'a body where none belongs',
      { method: 'DELETE', path: '/targets/1', body: {} },
      400,
      'operations[1]: body',
    ],
    [
      'an old ETag',
      { ...ADD, ifMatch: '"AAAAAAAAAAAAAAAAAAAAAA"' },
      412,
      'operations[1]: If-Match',
    ],
    [
      'a secret that is told',
      { method: 'POST', path: '/tokens', body: { name: 'x', role: 'viewer' } },
      400,
      'operations[1]: path',
    ],
    [
      'a batch inside',
      { method: 'POST', path: '/batch', body: { operations: [] } },
      400,
      'operations[1]: ',
    ],
    ['a dry run inside', { ...MAKE, path: '/targets?dryRun=true' }, 400, 'operations[1]: path'],
    [
      'a confirmation inside',
      { ...MAKE, path: '/targets?confirm=true' },
      400,
      'operations[1]: path',
    ],
  ])('refuses %s', async (_what, operation, status, field) => {
    const { refused, publisher } = await withPolicy();
    const { state } = publisher;
    const problem = await refused('POST', '/batch', whole(MAKE, operation));
    expect(problem).toMatchObject({ status });
    expect(problem.field).toContain(field);
    expect(publisher.state).toBe(state);
  });

  it('takes text bodies as texts, in the types that the route takes', async () => {
    const { ok, refused } = await withPolicy();
    await ok('POST', '/lists', { name: 'own' });
    const csv = 'value,comment,expires\r\nmine.example,"ours, always",\r\n';
    const path = '/lists/1/entries';
    await ok('POST', '/batch', whole({ method: 'PUT', path, body: csv, contentType: 'text/csv' }));
    expect((await ok('GET', path)).items).toMatchObject([
      { value: 'mine.example', comment: 'ours, always' },
    ]);
    await ok('POST', '/batch', whole({ method: 'PUT', path, body: 'plain.example # text\n' }));
    expect((await ok('GET', path)).items).toMatchObject([
      { value: 'plain.example', comment: 'text' },
    ]);
    expect(
      await refused('POST', '/batch', whole({ method: 'POST', path: '/lists', body: 'a text' })),
    ).toMatchObject({
      status: 415,
      detail: expect.stringContaining('operations[0]: contentType:'),
      field: 'operations[0]: contentType',
      value: 'text/plain',
      rule: 'The body comes as application/json.',
    });
    expect(await refused('POST', '/batch', 'a text')).toMatchObject({
      status: 415,
      field: 'Content-Type',
      value: 'text/plain',
    });
  });

  it('takes no text that is longer than its route takes by itself', async () => {
    const limits = { ...DEFAULT_API_LIMITS, jsonBodyMax: 1_000, textBodyMax: 30 * 1024 * 1024 };
    const { ok, refused, publisher } = await scene({ limits });
    await ok('POST', '/lists', { name: 'own' });
    const { state } = publisher;
    const body = '#'.repeat(24 * 1024 * 1024 + 1);
    const put = { method: 'PUT', path: '/lists/1/entries', body };
    expect(await refused('POST', '/batch', whole(put))).toMatchObject({
      status: 413,
      type: '/api/v1/problems/body-too-large',
      field: 'operations[0]: body',
      value: body.length,
      rule: 'The body has at most 25165824 octets.',
    });
    const { results } = await ok('POST', '/batch', rows(put));
    expect(results).toMatchObject([{ status: 413, answer: { field: 'body' } }]);
    expect(publisher.state).toBe(state);
  });

  it('reads the query of a path as the route does', async () => {
    const { ok, refused } = await withPolicy();
    const broad = { ...ADD, body: { add: ['co.uk'] } };
    const path = `${ADD.path}?rejected=refuse`;
    expect(await refused('POST', '/batch', whole({ ...broad, path }))).toMatchObject({
      status: 422,
    });
    const confirmed = { ...broad, path: `${path}&confirmBroad=true` };
    const answer = await ok('POST', '/batch?confirm=true', whole(confirmed));
    expect(resultsOf(answer)).toMatchObject([{ status: 200, answer: { added: 1 } }]);
  });

  it('sees in each operation what those before it did', async () => {
    const { ok, call } = await withPolicy();
    const { headers } = await call('GET', '/targets/1');
    const etag = String(headers.etag);
    const ifMatch = { method: 'DELETE', path: '/targets/2' };
    const answer = await ok('POST', '/batch', whole(MAKE, { ...ADD, ifMatch: etag }, ifMatch));
    expect(resultsOf(answer).map(({ status }) => status)).toEqual([201, 200, 200]);
    expect((await call('POST', '/batch', whole({ ...ADD, ifMatch: etag }))).status).toBe(412);
  });

  it('edits one thing several times upon the ETag that was read before it', async () => {
    const { call, ok, refused, publisher } = await withPolicy();
    const before = String((await call('GET', '/targets/1')).headers.etag);
    const add = (name: string, ifMatch: string) => ({ ...ADD, body: { add: [name] }, ifMatch });
    const twice = whole(add('four.example', before), add('five.example', before));
    const answer = await ok('POST', '/batch', twice);
    expect(resultsOf(answer)).toMatchObject([{ answer: { added: 1 } }, { answer: { added: 1 } }]);
    const { model } = publisher;
    expect(await refused('POST', '/batch', twice)).toMatchObject({ status: 412 });
    expect(publisher.model).toBe(model);
    // What the batch itself makes was read by nobody.
    const made = { method: 'PATCH', path: '/targets/2', body: { description: 'x' }, ifMatch: '*' };
    expect(await refused('POST', '/batch', whole(MAKE, made))).toMatchObject({
      status: 412,
      field: 'operations[1]: If-Match',
    });
  });

  it('has no ETag of its own, in neither mode', async () => {
    const { app, tokens } = await withPolicy();
    for (const payload of [whole(MAKE), rows(MAKE)]) {
      const response = await app.inject({
        method: 'POST',
        url: '/api/v1/batch',
        headers: { authorization: `Bearer ${tokens.admin}`, 'if-match': '*' },
        payload,
      });
      expect(response.statusCode).toBe(400);
      expect(response.json()).toMatchObject({ field: 'If-Match' });
    }
  });

  it('can be tried, and is held above the limits until it is confirmed', async () => {
    const { call, ok, publisher } = await withPolicy();
    const harmful = { ...ADD, body: { add: ['google.com'] } };
    const { state } = publisher;
    const tried = await ok('POST', '/batch?dryRun=true', whole(MAKE, harmful));
    expect(tried).toMatchObject({
      dryRun: true,
      preview: { zones: [{ recordsAdded: 2 }], warnings: [{ code: 'never-block' }] },
    });
    expect(publisher.state).toBe(state);
    const held = await call('POST', '/batch', whole(MAKE, harmful), 'editor');
    expect(held.status).toBe(202);
    expect(publisher.model.targets.size).toBe(1);
    expect(await ok('GET', '/held-changes/1')).toMatchObject({
      action: 'batch',
      path: '/batch',
      body: { operations: [{ path: '/targets' }, { path: '/targets/1/indicators' }] },
      preview: { zones: [{ recordsAdded: 2 }] },
      problem: null,
    });
    const confirmed = await ok('POST', '/held-changes/1/confirm');
    expect(resultsOf(confirmed).map(({ status }) => status)).toEqual([201, 200]);
    expect(publisher.model.targets.size).toBe(2);
    expect(publisher.model.heldChanges.size).toBe(0);
  });

  it('needs the role of each of its operations', async () => {
    const { refused, ok } = await withPolicy();
    const device = { method: 'POST', path: '/devices', body: { name: 'resolver', type: 'dns' } };
    expect(await refused('POST', '/batch', whole(MAKE, device), 'editor')).toMatchObject({
      status: 403,
      field: 'operations[1]: path',
      rule: 'POST /devices needs the role admin; yours is editor.',
    });
    expect(await refused('POST', '/batch', whole(MAKE), 'viewer')).toMatchObject({ status: 403 });
    await ok('POST', '/batch', whole(MAKE, device));
  });

  it('acts on behalf of the account that sends it', async () => {
    const { addAccount, asServer } = await withPolicy();
    const other = await addAccount('other');
    await asServer((edit) => createPolicy(edit, { name: 'theirs', type: 'dns' }));
    const patch = { method: 'PATCH', path: '/policies/1', body: { description: 'mine' } };
    expect(await other.refused('POST', '/batch', whole(patch))).toMatchObject({
      status: 404,
      field: 'operations[0]: policy id',
    });
    expect(await other.refused('POST', '/batch', whole(MAKE))).toMatchObject({ status: 403 });
  });

  it('has from one to a thousand operations', async () => {
    const { ok, refused } = await withPolicy();
    expect(await refused('POST', '/batch', whole())).toMatchObject({ field: 'operations' });
    const many = (count: number) =>
      whole(
        ...Array.from({ length: count }, (_, index) => ({
          ...ADD,
          body: { add: [`n${index}.example`] },
        })),
      );
    expect(await refused('POST', '/batch', many(1_001))).toMatchObject({
      status: 400,
      field: 'operations',
      rule: 'The list has at most 1000 items.',
    });
    const answer = await ok('POST', '/batch?confirm=true', many(1_000));
    expect(resultsOf(answer)).toHaveLength(1_000);
    expect(answer.zones).toMatchObject([{ recordsAdded: 2_000 }]);
  });

  it('answers also when a later operation removed what an earlier one made', async () => {
    const { ok } = await withPolicy();
    const answer = await ok(
      'POST',
      '/batch',
      whole(
        MAKE,
        { method: 'POST', path: '/policies/1/attachments', body: { kind: 'target', id: 2 } },
        { method: 'DELETE', path: '/policies/1/attachments/target/2' },
        { method: 'DELETE', path: '/targets/2' },
      ),
    );
    expect(resultsOf(answer).map(({ status }) => status)).toEqual([201, 201, 200, 200]);
  });
});

describe('a batch row by row', () => {
  it('makes what can be made and reports the rest', async () => {
    const { ok, publisher } = await withPolicy();
    const answer = await ok(
      'POST',
      '/batch',
      rows(
        MAKE,
        WRONG,
        { ...ADD, body: { add: ['google.com'] } },
        { method: 'POST', path: '/nowhere' },
        { method: 'POST', path: '/tokens', body: { name: 'x', role: 'viewer' } },
        ADD,
      ),
    );
    expect(answer).toMatchObject({ applied: 2, held: 1, refused: 3 });
    expect(resultsOf(answer)).toMatchObject([
      { status: 201, answer: { target: { id: 2 }, zones: [] } },
      { status: 422, answer: { field: 'name', value: 'no-name' } },
      { status: 202, answer: { held: { id: 1 } } },
      { status: 404, answer: { field: 'path' } },
      { status: 400, answer: { field: 'path' } },
      { status: 200, answer: { added: 1, zones: [{ zone: 'rpz.corp.acme.sluice.internal.' }] } },
    ]);
    expect(publisher.state.zones.get('rpz.corp.acme.sluice.internal.')!.records).toBe(6);
    // The row that is held can be confirmed like any other held change.
    expect(await ok('POST', '/held-changes/1/confirm')).toMatchObject({ added: 1 });
  });

  it('is confirmed for all of its rows', async () => {
    const { ok } = await withPolicy();
    const harmful = { ...ADD, body: { add: ['google.com'] } };
    expect(await ok('POST', '/batch?confirm=true', rows(harmful, MAKE))).toMatchObject({
      applied: 2,
      held: 0,
      refused: 0,
    });
  });

  it('cannot be tried, since each row would rest on those before it', async () => {
    const { refused } = await withPolicy();
    expect(await refused('POST', '/batch?dryRun=true', rows(MAKE))).toMatchObject({
      status: 400,
      field: 'dryRun',
      value: true,
    });
  });

  it('tells the ETag of what each row changed', async () => {
    const { ok, call } = await withPolicy();
    const answer = await ok('POST', '/batch', rows(ADD));
    const { headers } = await call('GET', '/targets/1');
    expect(resultsOf(answer)).toMatchObject([{ etag: headers.etag }]);
  });
});
