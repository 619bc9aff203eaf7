import { describe, expect, it } from 'vitest';
import { createTarget } from '../../src/publish/edits/index.ts';
import { type Scene, scene } from './scene.ts';

/** Targets 1 (names), 2 (addresses), 3 (never allowed, names), 4 (empty); policies 1 (DNS), 2 (IP). */
async function withMembers(): Promise<Scene> {
  const made = await scene();
  const { ok } = made;
  await ok('POST', '/targets', { name: 'names', attributes: { threatType: 'names' } });
  await ok('POST', '/targets', { name: 'addresses', attributes: { threatType: 'addresses' } });
  await ok('POST', '/targets', { name: 'never', supportsAllow: false });
  await ok('POST', '/targets', { name: 'empty' });
  await ok('PUT', '/targets/1/indicators', 'evil.example\n');
  await ok('PUT', '/targets/2/indicators', '192.0.2.0/24\n');
  await ok('PUT', '/targets/3/indicators', 'worst.example\n');
  await ok('POST', '/policies', { name: 'corp', type: 'dns' });
  await ok('POST', '/policies', { name: 'fw', type: 'ip' });
  return made;
}

describe('attachments', () => {
  it('are added, changed and removed, each with an action', async () => {
    const { call, ok } = await withMembers();
    const attached = await call('POST', '/policies/1/attachments', { kind: 'target', id: 1 });
    expect(attached.status).toBe(201);
    expect(attached.body).toMatchObject({
      policy: {
        attachments: [{ kind: 'target', id: 1, name: 'names', action: { kind: 'nxdomain' } }],
      },
      zones: [{ zone: 'rpz.corp.acme.sluice.internal.' }],
    });
    const to = 'Garden.Example';
    const url = '/policies/1/attachments/target/1';
    const changed = await ok('PATCH', url, { action: { kind: 'redirect', to } });
    expect(changed.policy).toMatchObject({
      attachments: [{ action: { kind: 'redirect', to: 'garden.example.' } }],
    });
    expect(changed.zones).toHaveLength(1);
    const detached = await ok('DELETE', url);
    expect(detached.policy).toMatchObject({ attachments: [], counts: { records: 2 } });
  });

  it('take the default action of the policy when none is given, and keep it when that changes', async () => {
    const { ok } = await withMembers();
    await ok('PATCH', '/policies/1', { defaultAction: { kind: 'nodata' } });
    await ok('POST', '/policies/1/attachments', { kind: 'target', id: 1 });
    await ok('PATCH', '/policies/1', { defaultAction: { kind: 'drop' } });
    await ok('POST', '/policies/1/attachments', { kind: 'target', id: 3 });
    expect(await ok('GET', '/policies/1')).toMatchObject({
      attachments: [{ action: { kind: 'nodata' } }, { action: { kind: 'drop' } }],
    });
  });

  it('know every action of RPZ', async () => {
    const { ok } = await withMembers();
    await ok('POST', '/policies/1/attachments', { kind: 'target', id: 1 });
    const actions = [
      { kind: 'allow' },
      { kind: 'drop' },
      { kind: 'nxdomain' },
      { kind: 'nodata' },
      { kind: 'tcp-only' },
      { kind: 'redirect', to: '*.garden.example.' },
      {
        kind: 'local-data',
        records: [
          { type: 'A', data: '192.0.2.80' },
          { type: 'AAAA', data: '2001:db8::80' },
          { type: 'TXT', data: '"blocked by policy"' },
          { type: 'MX', data: '10 mail.garden.example.' },
        ],
      },
      { kind: 'local-data', records: [{ type: 'CNAME', data: 'garden.example.' }] },
    ];
    for (const action of actions) {
      const changed = await ok('PATCH', '/policies/1/attachments/target/1', { action });
      expect(changed.policy).toMatchObject({ attachments: [{ action }] });
    }
  });

  it('refuse actions that break a rule, naming the field', async () => {
    const { refused, publisher } = await withMembers();
    const cases = [
      [{ kind: 'block' }, 'action.kind', 'action-not-for-type'],
      [{ kind: 'redirect' }, 'action.to', 'field-missing'],
      [{ kind: 'redirect', to: '.' }, 'action.to', 'redirect-target'],
      [{ kind: 'redirect', to: '*.' }, 'action.to', 'redirect-target'],
      [{ kind: 'redirect', to: 'rpz-drop.' }, 'action.to', 'redirect-target'],
      [{ kind: 'redirect', to: 'a.RPZ-anything' }, 'action.to', 'redirect-target'],
      [{ kind: 'redirect', to: 'a..b.' }, 'action.to', 'redirect-target'],
      [{ kind: 'redirect', to: 'a.*.b.' }, 'action.to', 'redirect-target'],
      [{ kind: 'redirect', to: `${'x'.repeat(64)}.example.` }, 'action.to', 'redirect-target'],
      [{ kind: 'redirect', to: 'büro.example.' }, 'action.to', 'redirect-target'],
      [{ kind: 'drop', to: 'garden.example.' }, 'action.to', 'field-unknown'],
      [{ kind: 'local-data', records: [] }, 'action.records', 'local-data'],
      [{ kind: 'local-data' }, 'action.records', 'field-missing'],
      [
        { kind: 'local-data', records: [{ type: 'A', data: '300.0.0.1' }] },
        'action.records[0].data',
        'local-data',
      ],
      [
        { kind: 'local-data', records: [{ type: 'MX', data: 'mail.example.' }] },
        'action.records[0].data',
        'local-data',
      ],
      [
        { kind: 'local-data', records: [{ type: 'CNAME', data: 'rpz-passthru.' }] },
        'action.records[0].data',
        'redirect-target',
      ],
      [
        {
          kind: 'local-data',
          records: [
            { type: 'CNAME', data: 'a.example.' },
            { type: 'A', data: '192.0.2.1' },
          ],
        },
        'action.records',
        'local-data',
      ],
      [
        {
          kind: 'local-data',
          records: [
            { type: 'AAAA', data: '2001:db8::1' },
            { type: 'AAAA', data: '2001:DB8:0::1' },
          ],
        },
        'action.records',
        'local-data',
      ],
      [
        {
          kind: 'local-data',
          records: Array.from({ length: 101 }, (_, i) => ({ type: 'A', data: `192.0.2.${i}` })),
        },
        'action.records',
        'invalid-value',
      ],
      [
        { kind: 'local-data', records: [{ type: 'NS', data: 'a.' }] },
        'action.records[0].type',
        'invalid-value',
      ],
    ] as const;
    for (const [action, field, code] of cases) {
      const before = publisher.model;
      const problem = await refused('POST', '/policies/1/attachments', {
        kind: 'target',
        id: 1,
        action,
      });
      expect(problem, JSON.stringify(action)).toMatchObject({
        type: `/api/v1/problems/${code}`,
        field,
      });
      expect(publisher.model).toBe(before);
    }
  });

  it('of IP policies block or allow, and nothing else', async () => {
    const { ok, refused } = await withMembers();
    for (const kind of ['nxdomain', 'drop', 'tcp-only', 'nodata']) {
      const body = { kind: 'target', id: 2, action: { kind } };
      expect(await refused('POST', '/policies/2/attachments', body)).toMatchObject({
        status: 422,
        type: '/api/v1/problems/action-not-for-type',
        value: kind,
        rule: 'Actions of IP policies are allow, block.',
      });
    }
    await ok('POST', '/policies/2/attachments', { kind: 'target', id: 2 });
    const url = '/policies/2/attachments/target/2';
    expect(await ok('PATCH', url, { action: { kind: 'allow' } })).toMatchObject({
      policy: { counts: { block: { addresses4: 0 }, allow: { addresses4: 256 } } },
    });
  });

  it('of IP policies hold addresses', async () => {
    const { ok, refused } = await withMembers();
    await ok('POST', '/lists', { name: 'words' });
    await ok('PUT', '/lists/1/entries', { entries: ['a.example'] });
    await ok('POST', '/bundles', { name: 'by name', filter: { threatType: ['names'] } });
    await ok('POST', '/bundles', { name: 'by address', filter: { threatType: ['addresses'] } });
    // Name server addresses are no addresses to block.
    await ok('PUT', '/targets/4/indicators', 'nsip:192.0.2.53\nclientip:192.0.2.0/28\n');
    const refusedOnes = [
      { kind: 'target', id: 1 },
      { kind: 'target', id: 4 },
      { kind: 'list', id: 1 },
      { kind: 'bundle', id: 1 },
    ];
    for (const body of refusedOnes) {
      expect(await refused('POST', '/policies/2/attachments', body)).toMatchObject({
        status: 422,
        type: '/api/v1/problems/no-addresses',
        field: 'id',
        value: body.id,
      });
    }
    await ok('POST', '/policies/2/attachments', { kind: 'bundle', id: 2 });
    await ok('PUT', '/lists/1/entries', { entries: ['a.example', '192.0.2.1'] });
    await ok('POST', '/policies/2/attachments', { kind: 'list', id: 1 });
  });

  it('with the action allow need targets that support it', async () => {
    const { ok, refused } = await withMembers();
    const action = { kind: 'allow' };
    const problem = { status: 422, type: '/api/v1/problems/action-not-supported', field: 'action' };
    expect(
      await refused('POST', '/policies/1/attachments', { kind: 'target', id: 3, action }),
    ).toMatchObject({ ...problem, rule: 'Target "never" does not support the action allow.' });
    await ok('POST', '/bundles', { name: 'all' });
    expect(
      await refused('POST', '/policies/1/attachments', { kind: 'bundle', id: 1, action }),
    ).toMatchObject({ ...problem, rule: expect.stringContaining('"never"') });
    await ok('POST', '/policies/1/attachments', { kind: 'target', id: 1, action });
    await ok('POST', '/policies/1/attachments', { kind: 'target', id: 3 });
    expect(await refused('PATCH', '/policies/1/attachments/target/3', { action })).toMatchObject(
      problem,
    );
  });

  it('are there once, and of things that exist', async () => {
    const { asServer, ok, refused } = await withMembers();
    await ok('POST', '/policies/1/attachments', { kind: 'target', id: 1 });
    expect(
      await refused('POST', '/policies/1/attachments', { kind: 'target', id: 1 }),
    ).toMatchObject({
      status: 409,
      type: '/api/v1/problems/attached-already',
    });
    const twice = [1, 1].map((id) => ({ kind: 'target', id }));
    expect(await refused('PATCH', '/policies/1', { attachments: twice })).toMatchObject({
      status: 409,
      field: 'attachments',
    });
    for (const kind of ['target', 'bundle', 'list']) {
      expect(await refused('POST', '/policies/1/attachments', { kind, id: 77 })).toMatchObject({
        status: 422,
        type: '/api/v1/problems/reference-unknown',
        field: 'id',
        value: 77,
        rule: `There is no ${kind} 77.`,
      });
      expect(await refused('DELETE', `/policies/1/attachments/${kind}/77`)).toMatchObject({
        status: 404,
      });
    }
    expect(
      await refused('PATCH', '/policies/1/attachments/list/1', { action: { kind: 'drop' } }),
    ).toMatchObject({ status: 404 });
    const canary = await asServer((edit) =>
      createTarget(edit, { name: 'canary', origin: 'built-in' }),
    );
    expect(
      await refused('POST', '/policies/1/attachments', { kind: 'target', id: canary.id }),
    ).toMatchObject({ status: 409 });
    expect(await refused('PUT', `/policies/1/exclusions/${canary.id}`)).toMatchObject({
      status: 403,
      type: '/api/v1/problems/built-in',
    });
  });

  it('are replaced as a whole with the policy', async () => {
    const { ok } = await withMembers();
    await ok('POST', '/policies/1/attachments', { kind: 'target', id: 1 });
    const attachments = [{ kind: 'target', id: 3, action: { kind: 'drop' } }];
    const changed = await ok('PATCH', '/policies/1', { attachments, excludedTargets: [2] });
    expect(changed.policy).toMatchObject({
      attachments: [{ id: 3, action: { kind: 'drop' } }],
      excludedTargets: [{ id: 2, name: 'addresses' }],
    });
  });

  it('do not bring in targets that are excluded', async () => {
    const { ok, refused } = await withMembers();
    await ok('POST', '/bundles', { name: 'all' });
    const attached = await ok('POST', '/policies/1/attachments', { kind: 'bundle', id: 1 });
    const records = Number(attached.policy!.counts!.records);
    const excluded = await ok('PUT', '/policies/1/exclusions/1');
    expect(Number(excluded.policy!.counts!.records)).toBe(records - 2);
    expect(excluded.policy).toMatchObject({ excludedTargets: [{ id: 1, name: 'names' }] });
    expect(await ok('PUT', '/policies/1/exclusions/1')).toMatchObject({ zones: [] });
    await ok('DELETE', '/policies/1/exclusions/1');
    expect(await ok('GET', '/policies/1')).toMatchObject({ counts: { records } });
    expect(await refused('DELETE', '/policies/1/exclusions/1')).toMatchObject({ status: 404 });
    expect(await refused('PUT', '/policies/1/exclusions/77')).toMatchObject({
      status: 422,
      field: 'excludedTargets',
    });
  });
});
