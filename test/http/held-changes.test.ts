import { describe, expect, it } from 'vitest';
import { removeExpiredHeldChanges } from '../../src/publish/edits/held-changes.ts';
import { createPolicy } from '../../src/publish/edits/index.ts';
import { safetySettings } from '../support/safety.ts';
import { startTestSluice, temporaryDirectory } from '../support/test-sluice.ts';
import { type Json, type Scene, scene } from './scene.ts';

const ZONE = 'rpz.corp.acme.sluice.internal.';
const HARMFUL = '/targets/1/indicators';

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

const hold = ({ call }: Scene, names = ['google.com']) =>
  call('PATCH', HARMFUL, { add: names }, 'editor');
const zoneOf = ({ publisher }: Scene) => publisher.state.zones.get(ZONE)!;
const lastAction = async ({ publisher }: Scene) => (await publisher.changes({ limit: 1 }))[0]!;

describe('a change above the limits', () => {
  it('is held: nothing is published, and the answer says why and what it would do', async () => {
    const made = await withPolicy();
    const before = zoneOf(made);
    const held = await hold(made);
    expect(held.status).toBe(202);
    expect(held.body.held).toMatchObject({
      id: 1,
      reasons: [expect.stringContaining(`${ZONE} newly blocks google.com: `)],
      expiresAt: '2030-02-07T12:00:00.000Z',
    });
    expect(held.body.preview).toMatchObject({
      zones: [{ origin: ZONE, recordsBefore: 4, recordsAfter: 6, recordsAdded: 2 }],
      warnings: [{ code: 'never-block', holds: true }],
    });
    expect(zoneOf(made)).toBe(before);
    expect(await lastAction(made)).toMatchObject({ actor: 'token editor', action: 'change.hold' });
  });

  it('is published at once with confirm=true', async () => {
    const made = await withPolicy();
    const { zones } = await made.ok('PATCH', `${HARMFUL}?confirm=true`, { add: ['google.com'] });
    expect(zones).toHaveLength(1);
    expect(await made.ok('GET', '/held-changes')).toEqual({ items: [] });
  });

  it('is held only by settings that say so', async () => {
    const made = await scene({ safety: safetySettings({ holdNeverBlock: false }) });
    await made.ok('POST', '/targets', { name: 'names' });
    const attachments = [{ kind: 'target', id: 1 }];
    await made.ok('POST', '/policies', { name: 'corp', type: 'dns', attachments });
    expect((await hold(made)).status).toBe(200);
  });

  it('is listed, and shown with what was asked and what it would do now', async () => {
    const made = await withPolicy();
    await hold(made);
    expect(await made.ok('GET', '/held-changes', undefined, 'viewer')).toEqual({
      items: [
        {
          id: 1,
          actor: 'token editor',
          action: 'target.indicators.change 1',
          method: 'PATCH',
          path: HARMFUL,
          reasons: [expect.stringContaining('google.com')],
          createdAt: '2030-01-31T12:00:00.000Z',
          expiresAt: '2030-02-07T12:00:00.000Z',
        },
      ],
    });
    // Others go on meanwhile: the preview is made upon the model of now.
    await made.ok('PATCH', HARMFUL, { add: ['two.example', 'three.example'] });
    expect(await made.ok('GET', '/held-changes/1')).toMatchObject({
      body: { add: ['google.com'] },
      ifMatch: null,
      problem: null,
      preview: { zones: [{ recordsBefore: 8, recordsAfter: 10 }] },
    });
    expect(await made.refused('GET', '/held-changes/7')).toMatchObject({ status: 404 });
  });

  it('keeps a text body, cut where it is shown', async () => {
    const made = await withPolicy();
    const names = Array.from({ length: 900 }, (_, index) => `host:n${index}.example`);
    const text = ['google.com', ...names].join('\n');
    expect((await made.call('PUT', HARMFUL, text)).status).toBe(202);
    const shown = await made.ok('GET', '/held-changes/1');
    expect(String(shown.body)).toMatch(/^google\.com\nhost:n0\.example\n/);
    expect(String(shown.body)).toHaveLength(10_001);
    await made.ok('POST', '/held-changes/1/confirm');
    expect(zoneOf(made).records).toBe(904);
  });

  it('that is too large to be kept is refused, saying how to make it all the same', async () => {
    const made = await withPolicy();
    const text = `google.com\n${'# a comment that says nothing\n'.repeat(40_000)}`;
    expect(await made.refused('PUT', HARMFUL, text)).toMatchObject({
      status: 409,
      field: 'confirm',
      rule: expect.stringContaining('confirm=true'),
    });
    expect(await made.ok('GET', '/held-changes')).toEqual({ items: [] });
  });

  it('waits with at most a hundred others of the account', async () => {
    const made = await withPolicy();
    for (let index = 0; index < 100; index++) expect((await hold(made)).status).toBe(202);
    expect(await made.refused('PATCH', HARMFUL, { add: ['google.com'] })).toMatchObject({
      status: 409,
      type: '/api/v1/problems/held-full',
    });
  });
});

describe('confirming a held change', () => {
  it('carries it out in the name of who confirms, and answers as the request itself', async () => {
    const made = await withPolicy();
    await hold(made);
    const confirmed = await made.call('POST', '/held-changes/1/confirm');
    expect(confirmed.status).toBe(200);
    expect(confirmed.body).toMatchObject({ added: 1, removed: 0, zones: [{ zone: ZONE }] });
    expect(confirmed.headers.etag).toBe((await made.call('GET', '/targets/1')).headers.etag);
    expect(zoneOf(made).records).toBe(6);
    expect(await made.ok('GET', '/held-changes')).toEqual({ items: [] });
    const change = await lastAction(made);
    expect(change).toMatchObject({
      actor: 'token admin',
      action: 'change.confirm 1 target.indicators.change 1',
    });
    expect(await made.refused('POST', '/held-changes/1/confirm')).toMatchObject({ status: 404 });
  });

  it('answers 201 where the request makes something', async () => {
    const made = await withPolicy();
    await made.ok('PATCH', `${HARMFUL}?confirm=true`, { add: ['google.com'] });
    const body = { name: 'twin' };
    expect((await made.call('POST', '/policies/1/duplicate', body)).status).toBe(202);
    const confirmed = await made.call('POST', '/held-changes/1/confirm', undefined, 'editor');
    expect(confirmed.status).toBe(201);
    expect(confirmed.body.policy).toMatchObject({ name: 'twin' });
  });

  it('acts upon the model of now, and keeps the change when it no longer applies', async () => {
    const made = await withPolicy();
    await made.ok('POST', '/policies', { name: 'other', type: 'dns' });
    await made.ok('PATCH', `${HARMFUL}?confirm=true`, { add: ['google.com'] });
    const attachment = { kind: 'target', id: 1 };
    expect((await made.call('POST', '/policies/2/attachments', attachment)).status).toBe(202);
    await made.ok('POST', '/policies/2/attachments?confirm=true', attachment);
    const { model } = made.publisher;
    expect(await made.refused('POST', '/held-changes/1/confirm')).toMatchObject({
      status: 409,
      type: '/api/v1/problems/attached-already',
    });
    expect(made.publisher.model).toBe(model);
    expect(await made.ok('GET', '/held-changes/1')).toMatchObject({
      preview: null,
      problem: { status: 409, type: '/api/v1/problems/attached-already' },
    });
  });

  it('compares the ETag again that the request named', async () => {
    const made = await withPolicy();
    const { headers } = await made.call('GET', '/targets/1');
    const held = await made.app.inject({
      method: 'PATCH',
      url: `/api/v1${HARMFUL}`,
      headers: {
        authorization: `Bearer ${made.tokens.editor}`,
        'if-match': String(headers.etag),
      },
      payload: { add: ['google.com'] },
    });
    expect(held.statusCode).toBe(202);
    expect(await made.ok('GET', '/held-changes/1')).toMatchObject({ ifMatch: headers.etag });
    await made.ok('PATCH', '/targets/1', { description: 'by somebody else' });
    expect(await made.refused('POST', '/held-changes/1/confirm')).toMatchObject({
      status: 412,
      type: '/api/v1/problems/entity-changed',
    });
    expect(zoneOf(made).records).toBe(4);
  });

  it('is done once, however many confirm at the same time', async () => {
    const made = await withPolicy();
    await hold(made);
    const serial = zoneOf(made).serial;
    const answers = await Promise.all(
      [1, 2, 3].map(() => made.call('POST', '/held-changes/1/confirm')),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 404, 404]);
    expect(zoneOf(made).serial).toBe(serial + 1);
  });

  it('needs the role that the request itself needs', async () => {
    const made = await withPolicy();
    await hold(made);
    expect(
      await made.refused('POST', '/held-changes/1/confirm', undefined, 'viewer'),
    ).toMatchObject({ status: 403 });
    // What an admin was held for, an editor cannot confirm: the device loses most of its zone.
    const names = Array.from({ length: 600 }, (_, index) => `n${index}.example`);
    await made.ok('PATCH', HARMFUL, { add: names });
    await made.ok('POST', '/policies', { name: 'empty', type: 'dns' });
    await made.ok('POST', '/devices', { name: 'resolver', type: 'dns', policyId: 1 });
    const assigned = await made.call('PUT', '/devices/1/policy', { policyId: 2 });
    expect(assigned.status, assigned.text).toBe(202);
    expect(
      await made.refused('POST', '/held-changes/2/confirm', undefined, 'editor'),
    ).toMatchObject({
      status: 403,
      field: 'path',
      rule: 'PUT /devices/:id/policy needs the role admin; yours is editor.',
    });
    await made.ok('POST', '/held-changes/2/confirm');
  });

  it.each(['by itself', 'in a batch'])(
    'that only an admin may ask for, %s, is nothing for editors to read, confirm or discard',
    async (way) => {
      const made = await withPolicy();
      const names = Array.from({ length: 600 }, (_, index) => `n${index}.example`);
      await made.ok('PATCH', HARMFUL, { add: names });
      await made.ok('POST', '/policies', { name: 'empty', type: 'dns' });
      await made.ok('POST', '/devices', { name: 'resolver', type: 'dns', policyId: 1 });
      const assign = { method: 'PUT', path: '/devices/1/policy', body: { policyId: 2 } };
      const held =
        way === 'by itself'
          ? await made.call(assign.method, assign.path, assign.body)
          : await made.call('POST', '/batch', { operations: [assign] });
      expect(held.status, held.text).toBe(202);
      const { model } = made.publisher;
      for (const [method, path] of [
        ['GET', '/held-changes/1'],
        ['POST', '/held-changes/1/confirm'],
        ['DELETE', '/held-changes/1'],
      ] as const) {
        const problem = await made.refused(method, path, undefined, 'editor');
        expect(problem, method).toMatchObject({
          status: 403,
          rule: 'PUT /devices/:id/policy needs the role admin; yours is editor.',
        });
        expect(problem, method).not.toHaveProperty('body');
      }
      expect(made.publisher.model).toBe(model);
      await made.ok('GET', '/held-changes/1');
      await made.ok('DELETE', '/held-changes/1');
    },
  );

  it('belongs to the account: others neither see nor confirm it', async () => {
    const made = await withPolicy();
    await hold(made);
    const other = await made.addAccount('other');
    expect(await other.ok('GET', '/held-changes')).toEqual({ items: [] });
    for (const [method, path] of [
      ['GET', '/held-changes/1'],
      ['POST', '/held-changes/1/confirm'],
      ['DELETE', '/held-changes/1'],
    ] as const) {
      expect(await other.refused(method, path), method).toMatchObject({ status: 404 });
    }
  });
});

describe('a held change that reaches other accounts', () => {
  it('names none of their zones, and says that there are some', async () => {
    const made = await scene();
    const other = await made.addAccount('other');
    await other.ok('POST', '/lists', { name: 'shared' });
    await other.ok('PUT', '/lists/1/shares/acme');
    const attachments = [{ kind: 'list', id: 1 }];
    await made.ok('POST', '/policies', { name: 'secret', type: 'dns', attachments });
    const add = { add: ['google.com'] };
    const others = await other.call('PATCH', '/lists/1/entries', add);
    const sentence = expect.stringMatching(/^Zones of other accounts, .* above the limits\.$/);
    expect(others.status).toBe(202);
    expect(others.body).toMatchObject({ held: { reasons: [sentence] }, preview: { zones: [] } });
    await other.ok('POST', '/policies', { name: 'own', type: 'dns', attachments });
    const both = await other.call('PATCH', '/lists/1/entries', add);
    expect(both.body.held).toMatchObject({
      reasons: [expect.stringContaining('rpz.own.other.sluice.internal. newly blocks'), sentence],
    });
    const listed = await other.call('GET', '/held-changes');
    for (const { text } of [others, both, listed]) expect(text).not.toMatch(/secret|acme/);
  });

  it('shows the warnings of its own zones, however many come before them', async () => {
    const made = await scene();
    const other = await made.addAccount('other');
    await other.ok('POST', '/lists', { name: 'shared' });
    await other.ok('PUT', '/lists/1/shares/acme');
    const attachments = [{ kind: 'list', id: 1 }];
    await made.asServer((edit) => {
      for (let n = 0; n < 200; n++) {
        createPolicy(edit, { name: `p${n}`, type: 'dns', attachments: attachments as never });
      }
    });
    await other.ok('POST', '/policies', { name: 'own', type: 'dns', attachments });
    const held = await other.call('PATCH', '/lists/1/entries', { add: ['google.com'] });
    expect(held.body.preview).toMatchObject({ warnings: [{ code: 'never-block' }] });
    expect(held.body.held!.reasons).toHaveLength(2);
  });
});

describe('a held change that nobody confirms', () => {
  it('is discarded by whoever looks at it', async () => {
    const made = await withPolicy();
    await hold(made);
    const { discarded } = await made.ok('DELETE', '/held-changes/1', undefined, 'editor');
    expect(discarded).toMatchObject({ id: 1, actor: 'token editor' });
    expect(await made.ok('GET', '/held-changes')).toEqual({ items: [] });
    expect(zoneOf(made).records).toBe(4);
    expect(await lastAction(made)).toMatchObject({ action: 'change.discard 1' });
  });

  it('expires by itself after a week', async () => {
    const made = await withPolicy();
    await hold(made);
    made.time.now += 7 * 24 * 3_600_000 - 1;
    await made.asServer(removeExpiredHeldChanges);
    expect(((await made.ok('GET', '/held-changes')).items as unknown as Json[]).length).toBe(1);
    made.time.now += 1;
    expect(await made.asServer(removeExpiredHeldChanges)).toBe(1);
    expect(await made.ok('GET', '/held-changes')).toEqual({ items: [] });
  });

  it('is held by what the configuration says', async () => {
    const yaml = [
      'sampleCatalogue: false',
      'changes:',
      '  ownNetworks: [198.51.100.0/24]',
      '  recordsMin: 10',
      '  holdShrinkPercent: 0',
      '  holdGrowPercent: 50',
    ].join('\n');
    const { api } = await startTestSluice({ yaml });
    const attachments = [{ kind: 'target', id: 2 }];
    await api('POST', '/targets', { name: 'names' });
    await api('POST', '/policies', { name: 'corp', type: 'dns', attachments });
    const names = Array.from({ length: 20 }, (_, index) => `n${index}.example`);
    const change = (body: object) => api<Json>('PATCH', '/targets/2/indicators', body);
    expect(await change({ add: names })).toMatchObject({ added: 20 });
    await expect(change({ add: ['198.51.100.7'] })).rejects.toThrow(
      /is held: .*198\.51\.100\.0\/24 \(own network\)/,
    );
    const others = names.map((name) => `x.${name.replace('n', 'm')}`);
    await expect(change({ add: others })).rejects.toThrow(/is held: .*changes above 50 % are held/);
    expect(await change({ remove: names })).toMatchObject({ removed: 20 });
  });

  it('survives a restart of the server', async () => {
    const directory = temporaryDirectory();
    const first = await startTestSluice({ directory });
    await first.api('POST', '/targets', { name: 'names' });
    await first.api('POST', '/policies', {
      name: 'corp',
      type: 'dns',
      attachments: [{ kind: 'target', id: 2 }],
    });
    const add = ['google.com', '10.0.0.0/8'];
    await expect(first.api('PATCH', '/targets/2/indicators', { add })).rejects.toThrow(
      /is held: .*google\.com.*10\.0\.0\.0\/8/,
    );
    const { adminToken } = first;
    await first.stop();
    const second = await startTestSluice({ directory });
    const request = (method: string, path: string) =>
      fetch(`http://127.0.0.1:${second.http.port}/api/v1${path}`, {
        method,
        headers: { authorization: `Bearer ${adminToken}` },
      });
    const shown = (await (await request('GET', '/held-changes/1')).json()) as Json;
    expect(shown).toMatchObject({ body: { add }, problem: null });
    const confirmed = await request('POST', '/held-changes/1/confirm');
    expect(confirmed.status).toBe(200);
    expect(await confirmed.json()).toMatchObject({ added: 2 });
  });
});
