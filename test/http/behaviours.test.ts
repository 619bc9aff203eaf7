import { describe, expect, it } from 'vitest';
import { createPolicy } from '../../src/publish/edits/index.ts';
import { type Scene, scene } from './scene.ts';

const GARDEN = { kind: 'local-data', records: [{ type: 'A', data: '192.0.2.80' }] };

/** Targets 1 and 2 with a name each, behaviour 1, and policies 1 and 2 that use it. */
async function withGarden(): Promise<Scene> {
  const made = await scene();
  const { ok } = made;
  for (const id of [1, 2]) {
    await ok('POST', '/targets', { name: `target ${id}` });
    await ok('PUT', `/targets/${id}/indicators`, `evil${id}.example\n`);
  }
  await ok('POST', '/behaviours', { name: 'Garden', action: GARDEN });
  const action = { kind: 'behaviour', id: 1 };
  for (const name of ['one', 'two']) {
    const attachments = [{ kind: 'target', id: 1, action }];
    await ok('POST', '/policies', { name, type: 'dns', attachments });
  }
  return made;
}

describe('behaviours', () => {
  it('are created, read, listed, changed and deleted', async () => {
    const { call, ok, refused } = await scene();
    const created = await call('POST', '/behaviours', {
      name: 'Garden',
      description: 'The page that says why',
      action: { kind: 'redirect', to: 'Garden.Example' },
    });
    expect(created.status).toBe(201);
    expect(created.body).toEqual({
      behaviour: {
        id: 1,
        name: 'Garden',
        description: 'The page that says why',
        action: { kind: 'redirect', to: 'garden.example.' },
        policies: [],
        createdAt: '2030-01-31T12:00:00.000Z',
        updatedAt: '2030-01-31T12:00:00.000Z',
      },
      zones: [],
    });
    expect(await ok('GET', '/behaviours/1')).toEqual(created.body.behaviour);
    await ok('POST', '/behaviours', { name: 'Answers', action: GARDEN });
    expect(await ok('GET', '/behaviours?sort=name&q=a')).toMatchObject({
      total: 2,
      items: [{ name: 'Answers' }, { name: 'Garden' }],
    });
    expect(await ok('GET', '/behaviours?kind=local-data')).toMatchObject({ total: 1 });
    expect(await ok('PATCH', '/behaviours/1', { description: '' })).toMatchObject({
      behaviour: { description: '', action: { kind: 'redirect' } },
    });
    expect(await ok('DELETE', '/behaviours/1')).toMatchObject({ deleted: { id: 1 } });
    expect(await refused('GET', '/behaviours/1')).toMatchObject({
      status: 404,
      field: 'behaviour id',
    });
  });

  it('refuse input that breaks a rule, naming the field', async () => {
    const { ok, refused, publisher } = await scene();
    await ok('POST', '/behaviours', { name: 'Taken', action: GARDEN });
    const cases = [
      [{ name: '', action: GARDEN }, 'name', 400],
      [{ name: 'TAKEN', action: GARDEN }, 'name', 409],
      [{ name: 'x' }, 'action', 400],
      [{ name: 'x', action: { kind: 'drop' } }, 'action.kind', 400],
      [{ name: 'x', action: { kind: 'behaviour' } }, 'action.kind', 400],
      [{ name: 'x', action: { kind: 'redirect', to: '.' } }, 'action.to', 422],
      [{ name: 'x', action: { kind: 'local-data', records: [] } }, 'action.records', 422],
      [{ name: 'x', action: GARDEN, colour: 1 }, 'colour', 400],
    ] as const;
    for (const [body, field, status] of cases) {
      expect(await refused('POST', '/behaviours', body), JSON.stringify(body)).toMatchObject({
        status,
        field,
      });
    }
    expect(publisher.model.behaviours.size).toBe(1);
  });

  it('are named by attachments and default actions, and shown with the action they stand for', async () => {
    const { ok } = await withGarden();
    const shown = { kind: 'behaviour', id: 1, name: 'Garden', action: GARDEN };
    expect(await ok('GET', '/policies/1')).toMatchObject({ attachments: [{ action: shown }] });
    const defaultAction = { kind: 'behaviour', id: 1 };
    await ok('PATCH', '/policies/2', { defaultAction });
    const attached = await ok('POST', '/policies/2/attachments', { kind: 'target', id: 2 });
    expect(attached.policy).toMatchObject({
      defaultAction: shown,
      attachments: [{ id: 1 }, { id: 2, action: shown }],
    });
    expect(await ok('GET', '/behaviours/1')).toMatchObject({
      policies: [
        { id: 1, name: 'one' },
        { id: 2, name: 'two' },
      ],
    });
    expect(await ok('GET', '/policies?behaviour=1')).toMatchObject({ total: 2 });
    expect(await ok('GET', '/behaviours?inPolicy=1')).toMatchObject({ total: 1 });
  });

  it('change the zones of every policy that uses them in one change', async () => {
    const { ok } = await withGarden();
    const changed = await ok('PATCH', '/behaviours/1', {
      action: { kind: 'redirect', to: '*.garden.example.' },
    });
    expect(changed.zones).toMatchObject([
      { zone: 'rpz.one.acme.sluice.internal.', recordsAdded: 2, recordsRemoved: 2 },
      { zone: 'rpz.two.acme.sluice.internal.', recordsAdded: 2, recordsRemoved: 2 },
    ]);
    expect(await ok('GET', '/policies/2')).toMatchObject({
      attachments: [{ action: { action: { kind: 'redirect', to: '*.garden.example.' } } }],
    });
    expect(await ok('PATCH', '/behaviours/1', { name: 'Garden 2' })).toMatchObject({ zones: [] });
  });

  it('that a policy uses are not deleted, and the answer names the policies', async () => {
    const { ok, refused } = await withGarden();
    expect(await refused('DELETE', '/behaviours/1')).toMatchObject({
      status: 409,
      type: '/api/v1/problems/still-in-use',
      rule: 'Give another action first in policy "one", policy "two".',
    });
    await ok('PATCH', '/policies/1', {
      attachments: [],
      defaultAction: { kind: 'behaviour', id: 1 },
    });
    await ok('DELETE', '/policies/2');
    expect(await refused('DELETE', '/behaviours/1')).toMatchObject({
      rule: 'Give another action first in policy "one".',
    });
    await ok('PATCH', '/policies/1', { defaultAction: { kind: 'drop' } });
    await ok('DELETE', '/behaviours/1');
  });

  it('belong to one account and to DNS policies', async () => {
    const { addAccount, ok, refused } = await withGarden();
    await ok('PUT', '/targets/2/indicators', '192.0.2.1\n');
    await ok('POST', '/policies', { name: 'fw', type: 'ip' });
    const action = { kind: 'behaviour', id: 1 };
    const body = { kind: 'target', id: 2, action };
    expect(await refused('POST', '/policies/3/attachments', body)).toMatchObject({
      status: 422,
      type: '/api/v1/problems/action-not-for-type',
      field: 'action.kind',
    });
    const other = await addAccount('other');
    expect(await other.ok('GET', '/behaviours')).toMatchObject({ total: 0 });
    expect(await other.refused('GET', '/behaviours/1')).toMatchObject({ status: 404 });
    expect(await other.refused('PATCH', '/behaviours/1', { name: 'x' })).toMatchObject({
      status: 404,
    });
    for (const given of [{ defaultAction: action }, { attachments: [body] }]) {
      const problem = await other.refused('POST', '/policies', {
        name: 'p',
        type: 'dns',
        ...given,
      });
      expect(problem).toMatchObject({
        status: 422,
        type: '/api/v1/problems/behaviour-unknown',
        value: 1,
        rule: 'There is no behaviour 1 in your account.',
      });
    }
    expect(
      await refused('POST', '/policies/1/attachments', {
        ...body,
        action: { kind: 'behaviour', id: 1, to: 'x.' },
      }),
    ).toMatchObject({ status: 400, field: 'action.to' });
  });

  it('become what they stand for when another account duplicates a predefined policy', async () => {
    const { addAccount, asServer } = await withGarden();
    const action = { kind: 'behaviour', id: 1 };
    await asServer((edit) =>
      createPolicy(edit, {
        name: 'base',
        type: 'dns',
        predefined: true,
        defaultAction: action,
        attachments: [{ kind: 'target', id: 1, action }],
      }),
    );
    const other = await addAccount('other');
    const { policy } = await other.ok('POST', '/policies/3/duplicate', { name: 'mine' });
    expect(policy).toMatchObject({ defaultAction: GARDEN, attachments: [{ action: GARDEN }] });
  });
});
