import { describe, expect, it } from 'vitest';
import { createTarget } from '../../src/publish/edits/index.ts';
import { scene } from './scene.ts';

const ATTRIBUTES = {
  severity: 4,
  confidence: 80,
  risk: 70,
  danger: 'high',
  iocType: 'domain',
  threatType: 'phishing',
  trafficType: 'outbound',
  tags: ['mail', 'brand'],
};

describe('targets', () => {
  it('are created, read, changed and deleted', async () => {
    const { call, ok, refused, time } = await scene();
    const created = await call('POST', '/targets', {
      name: 'Phishing kits',
      description: 'seen by the mail team',
      attributes: ATTRIBUTES,
      supportsAllow: false,
    });
    expect(created.status).toBe(201);
    expect(created.body).toEqual({
      target: {
        id: 1,
        name: 'Phishing kits',
        description: 'seen by the mail team',
        attributes: ATTRIBUTES,
        supportsAllow: false,
        partner: false,
        entitled: true,
        origin: 'custom',
        size: 0,
        createdAt: '2030-01-31T12:00:00.000Z',
        updatedAt: '2030-01-31T12:00:00.000Z',
      },
      zones: [],
    });
    expect(await ok('GET', '/targets/1')).toEqual(created.body.target);
    time.now += 60_000;
    const changed = await ok('PATCH', '/targets/1', {
      name: 'Kits',
      attributes: { severity: 5, tags: ['Mail'] },
    });
    expect(changed.target).toMatchObject({
      name: 'Kits',
      description: 'seen by the mail team',
      attributes: { ...ATTRIBUTES, severity: 5, tags: ['mail'] },
      createdAt: '2030-01-31T12:00:00.000Z',
      updatedAt: '2030-01-31T12:01:00.000Z',
    });
    expect(await ok('DELETE', '/targets/1')).toEqual({
      deleted: { id: 1, name: 'Kits' },
      zones: [],
    });
    expect(await refused('GET', '/targets/1')).toMatchObject({
      status: 404,
      field: 'target id',
      value: 1,
    });
  });

  it('survive a restart of the store', async () => {
    const { ok, store } = await scene();
    await ok('POST', '/targets', { name: 'Kits', attributes: ATTRIBUTES });
    const { entities } = await store.load();
    const bodies = entities
      .filter(({ kind }) => kind === 'target')
      .map(({ body }) => JSON.parse(body));
    expect(bodies).toMatchObject([{ name: 'Kits', attributes: ATTRIBUTES }]);
  });

  it('refuse input that breaks a rule, naming the field', async () => {
    const { refused, publisher } = await scene();
    const cases = [
      [{ name: '' }, 'name', ''],
      [{ name: 'x', description: 'y'.repeat(2_001) }, 'description', expect.any(String)],
      [{ name: 'x\u0007' }, 'name', 'x\u0007'],
      [{ name: 'x', attributes: { severity: -1 } }, 'attributes.severity', -1],
      [{ name: 'x', attributes: { severity: 2.5 } }, 'attributes.severity', 2.5],
      [{ name: 'x', attributes: { severity: '3' } }, 'attributes.severity', '3'],
      [{ name: 'x', attributes: { confidence: 101 } }, 'attributes.confidence', 101],
      [
        { name: 'x', attributes: { trafficType: 'sideways' } },
        'attributes.trafficType',
        'sideways',
      ],
      [{ name: 'x', attributes: { tags: [''] } }, 'attributes.tags[0]', ''],
      [{ name: 'x', attributes: { colour: 1 } }, 'attributes.colour', 1],
      [{ name: 'x', supportsAllow: 'yes' }, 'supportsAllow', 'yes'],
      [{ name: 'x', partner: 'yes' }, 'partner', 'yes'],
      [{ name: 'x', origin: 'built-in' }, 'origin', 'built-in'],
    ] as const;
    for (const [body, field, value] of cases) {
      const problem = await refused('POST', '/targets', body);
      expect(problem, JSON.stringify(body)).toMatchObject({
        status: 400,
        field,
        value,
        rule: expect.any(String),
      });
      expect(publisher.model.targets.size).toBe(0);
    }
  });

  it('have names of their own, compared without case', async () => {
    const { ok, refused } = await scene();
    await ok('POST', '/targets', { name: 'Kits' });
    await ok('POST', '/targets', { name: 'Others' });
    const taken = {
      status: 409,
      type: '/api/v1/problems/name-taken',
      field: 'name',
      value: 'KITS',
    };
    expect(await refused('POST', '/targets', { name: 'KITS' })).toMatchObject(taken);
    expect(await refused('PATCH', '/targets/2', { name: 'KITS' })).toMatchObject(taken);
    await ok('PATCH', '/targets/1', { name: 'KITS' });
  });

  it('are listed by page, column, text and attribute', async () => {
    const { ok } = await scene();
    const severities = [3, 1, 4, 1, 5];
    for (const [index, severity] of severities.entries()) {
      const danger = severity > 3 ? 'high' : 'low';
      const attributes = { severity, danger, tags: [`t${index % 2}`], threatType: 'botnet' };
      const description = index === 2 ? 'The MAIL team' : '';
      await ok('POST', '/targets', { name: `target ${index}`, description, attributes });
    }
    const names = async (query: string) => {
      const page = await ok('GET', `/targets?${query}`);
      return (page.items as unknown as { name: string }[])
        .map(({ name }) => name.slice(-1))
        .join('');
    };
    expect(await names('')).toBe('01234');
    expect(await names('limit=2&offset=1')).toBe('12');
    expect(await ok('GET', '/targets?limit=2&offset=4')).toMatchObject({
      total: 5,
      limit: 2,
      offset: 4,
    });
    expect(await names('sort=severity')).toBe('13024');
    expect(await names('sort=-severity')).toBe('42013');
    expect(await names('sort=-name')).toBe('43210');
    expect(await names('sort=danger')).toBe('01324');
    expect(await names('q=mail')).toBe('2');
    expect(await names('q=TARGET 3')).toBe('3');
    expect(await names('severityMin=3&severityMax=4')).toBe('02');
    expect(await names('danger=high')).toBe('24');
    expect(await names('danger=high&danger=low&sort=-id')).toBe('43210');
    expect(await names('tags=T1')).toBe('13');
    expect(await names('tags=t0&tags=t1')).toBe('01234');
    expect(await names('threatType=botnet&origin=custom&sort=-id')).toBe('43210');
    expect(await names('origin=sample')).toBe('');
  });

  it('that are built in are shown and cannot be touched', async () => {
    const { asServer, ok, refused } = await scene();
    const canary = await asServer((edit) =>
      createTarget(edit, { name: 'canary', origin: 'built-in' }),
    );
    expect(await ok('GET', '/targets?origin=built-in')).toMatchObject({ total: 1 });
    const url = `/targets/${canary.id}`;
    for (const [method, path, body] of [
      ['PATCH', url, { description: 'mine' }],
      ['DELETE', url, undefined],
      ['PATCH', `${url}/indicators`, { add: ['a.example'] }],
      ['PUT', `${url}/indicators`, 'a.example\n'],
    ] as const) {
      expect(await refused(method, path, body)).toMatchObject({
        status: 403,
        type: '/api/v1/problems/built-in',
      });
    }
  });

  it('that a policy attaches directly are not deleted, and the answer names the policies', async () => {
    const { ok, refused } = await scene();
    await ok('POST', '/targets', { name: 'Kits' });
    await ok('POST', '/policies', {
      name: 'corp',
      type: 'dns',
      attachments: [{ kind: 'target', id: 1 }],
    });
    expect(await refused('DELETE', '/targets/1')).toMatchObject({
      status: 409,
      type: '/api/v1/problems/still-in-use',
      rule: 'Detach it first from policy "corp".',
    });
    await ok('DELETE', '/policies/1/attachments/target/1');
    await ok('PUT', '/policies/1/exclusions/1');
    await ok('DELETE', '/targets/1');
    expect(await ok('GET', '/policies/1')).toMatchObject({ excludedTargets: [] });
  });

  it('cannot stop supporting allow while a policy allows them', async () => {
    const { ok, refused } = await scene();
    await ok('POST', '/targets', { name: 'Partners' });
    const attachments = [{ kind: 'target', id: 1, action: { kind: 'allow' } }];
    await ok('POST', '/policies', { name: 'corp', type: 'dns', attachments });
    expect(await refused('PATCH', '/targets/1', { supportsAllow: false })).toMatchObject({
      status: 409,
      field: 'supportsAllow',
      rule: expect.stringContaining('policy "corp"'),
    });
  });
});
