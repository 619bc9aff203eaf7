import { describe, expect, it } from 'vitest';
import { type Scene, scene } from './scene.ts';

async function withTargets(): Promise<Scene> {
  const made = await scene();
  for (const [index, threatType] of ['phishing', 'malware', 'phishing'].entries()) {
    const attributes = { severity: index + 2, threatType, tags: [`t${index}`] };
    await made.ok('POST', '/targets', { name: `target ${index}`, attributes });
    await made.ok(
      'PUT',
      `/targets/${index + 1}/indicators`,
      `evil${index}.example\n192.0.2.${index}\n`,
    );
  }
  return made;
}

describe('bundles', () => {
  it('are created, read, changed and deleted', async () => {
    const { call, ok, refused } = await withTargets();
    const filter = { severityMin: 3, threatType: ['Phishing'] };
    const created = await call('POST', '/bundles', { name: 'Severe phishing', filter });
    expect(created.status).toBe(201);
    expect(created.body.bundle).toMatchObject({
      id: 1,
      name: 'Severe phishing',
      description: '',
      filter: { severityMin: 3, threatType: ['phishing'] },
      targetCount: 1,
      targets: [{ id: 3, name: 'target 2' }],
    });
    expect(await ok('GET', '/bundles/1')).toEqual(created.body.bundle);
    expect(await ok('PATCH', '/bundles/1', { description: 'x' })).toMatchObject({
      bundle: { description: 'x', filter: { severityMin: 3 } },
    });
    const replaced = await ok('PATCH', '/bundles/1', { filter: { tags: ['t0', 't1'] } });
    expect(replaced.bundle).toMatchObject({ filter: { tags: ['t0', 't1'] }, targetCount: 2 });
    expect(replaced.bundle!.filter).not.toHaveProperty('severityMin');
    expect(await ok('DELETE', '/bundles/1')).toMatchObject({ deleted: { id: 1 } });
    expect(await refused('GET', '/bundles/1')).toMatchObject({ status: 404 });
  });

  it('hold the targets that match now, as their attributes change', async () => {
    const { ok } = await withTargets();
    await ok('POST', '/bundles', { name: 'Phishing', filter: { threatType: ['phishing'] } });
    const held = async () => {
      const page = await ok('GET', '/bundles/1/targets?sort=-id');
      return (page.items as unknown as { id: number }[]).map(({ id }) => id);
    };
    expect(await held()).toEqual([3, 1]);
    await ok('PATCH', '/targets/2', { attributes: { threatType: 'phishing' } });
    expect(await held()).toEqual([3, 2, 1]);
    await ok('DELETE', '/targets/3');
    expect(await held()).toEqual([2, 1]);
  });

  it('carry their targets into the zones of policies that attach them', async () => {
    const { ok } = await withTargets();
    await ok('POST', '/bundles', { name: 'Phishing', filter: { threatType: ['phishing'] } });
    const attachments = [{ kind: 'bundle', id: 1 }];
    await ok('POST', '/policies', { name: 'corp', type: 'dns', attachments });
    const changed = await ok('PATCH', '/targets/2', { attributes: { threatType: 'phishing' } });
    expect(changed.zones).toMatchObject([{ zone: 'rpz.corp.acme.sluice.internal.' }]);
    expect(Number(changed.zones![0 as never]!.recordsAdded)).toBeGreaterThan(0);
    expect(await ok('PATCH', '/bundles/1', { filter: { tags: ['none'] } })).toMatchObject({
      zones: [{ zone: 'rpz.corp.acme.sluice.internal.', recordsAdded: 0 }],
    });
  });

  it('that a policy attaches are not deleted', async () => {
    const { ok, refused } = await withTargets();
    await ok('POST', '/bundles', { name: 'All' });
    const attachments = [{ kind: 'bundle', id: 1 }];
    await ok('POST', '/policies', { name: 'corp', type: 'dns', attachments });
    expect(await refused('DELETE', '/bundles/1')).toMatchObject({
      status: 409,
      type: '/api/v1/problems/still-in-use',
      rule: 'Detach it first from policy "corp".',
    });
  });

  it('refuse input that breaks a rule, naming the field', async () => {
    const { refused } = await scene();
    const cases = [
      [{ filter: { severityMin: 6 } }, 'filter.severityMin', 400],
      [{ filter: { severityMin: 4, severityMax: 2 } }, 'filter.severityMin', 400],
      [{ filter: { danger: ['huge'] } }, 'filter.danger[0]', 400],
      [{ filter: { tags: [] } }, 'filter.tags', 400],
      [{ filter: { tags: 'mail' } }, 'filter.tags', 400],
      [{ filter: { colour: 'red' } }, 'filter.colour', 400],
    ] as const;
    for (const [body, field, status] of cases) {
      expect(
        await refused('POST', '/bundles', { name: 'x', ...body }),
        JSON.stringify(body),
      ).toMatchObject({
        status,
        field,
      });
    }
  });

  it('have names of their own and are listed by page', async () => {
    const { ok, refused } = await scene();
    for (const name of ['Beta', 'alpha', 'gamma']) await ok('POST', '/bundles', { name });
    expect(await refused('POST', '/bundles', { name: 'ALPHA' })).toMatchObject({ status: 409 });
    const page = await ok('GET', '/bundles?sort=name&limit=2');
    expect(page).toMatchObject({ total: 3, items: [{ name: 'alpha' }, { name: 'Beta' }] });
  });
});

describe('bundles attached as targets', () => {
  /** As `withTargets`, with policies 1 (DNS) and 2 (IP), and bundle 1 of everything. */
  async function withPolicies(): Promise<Scene> {
    const made = await withTargets();
    await made.ok('POST', '/bundles', { name: 'all' });
    await made.ok('POST', '/policies', { name: 'corp', type: 'dns' });
    await made.ok('POST', '/policies', { name: 'fw', type: 'ip' });
    return made;
  }
  const body = { kind: 'bundle', id: 1, asTargets: true };

  it('bring in the targets that they hold now, and none that come later', async () => {
    const { call, ok } = await withPolicies();
    await ok('POST', '/policies/1/attachments', {
      kind: 'target',
      id: 2,
      action: { kind: 'drop' },
    });
    const attached = await call('POST', '/policies/1/attachments', {
      ...body,
      action: { kind: 'nodata' },
    });
    expect(attached.status).toBe(201);
    expect(attached.body).toMatchObject({
      policy: {
        attachments: [
          { kind: 'target', id: 2, action: { kind: 'drop' } },
          { kind: 'target', id: 1, action: { kind: 'nodata' } },
          { kind: 'target', id: 3, action: { kind: 'nodata' } },
        ],
      },
      snapshot: {
        attached: [
          { id: 1, name: 'target 0' },
          { id: 3, name: 'target 2' },
        ],
        attachedAlready: [{ id: 2, name: 'target 1' }],
        leftOut: [],
      },
      zones: [{ zone: 'rpz.corp.acme.sluice.internal.' }],
    });
    await ok('POST', '/targets', { name: 'late' });
    expect((await ok('GET', '/policies/1')).attachments).toHaveLength(3);
  });

  it('leave out what the policy cannot attach, by name and with the rule', async () => {
    const { ok } = await withPolicies();
    await ok('PUT', '/targets/1/indicators', 'only.example\n');
    await ok('PATCH', '/targets/2', { supportsAllow: false });
    await ok('POST', '/targets', { name: 'sold', partner: true });
    await ok('PUT', '/targets/4/indicators', '192.0.2.9\n');
    const { policy, snapshot } = await ok('POST', '/policies/2/attachments', {
      ...body,
      action: { kind: 'allow' },
    });
    expect(policy).toMatchObject({ attachments: [{ id: 3, action: { kind: 'allow' } }] });
    expect(snapshot!.leftOut).toEqual([
      {
        id: 1,
        name: 'target 0',
        reason: 'no-addresses',
        rule: 'Target "target 0" holds no addresses.',
      },
      {
        id: 2,
        name: 'target 1',
        reason: 'action-not-supported',
        rule: 'Target "target 1" does not support the action allow.',
      },
      {
        id: 4,
        name: 'sold',
        reason: 'not-entitled',
        rule: 'Target "sold" comes from a partner, and account "acme" has no entitlement to it.',
      },
    ]);
  });

  it('are refused when no target comes in that way', async () => {
    const { ok, refused } = await withPolicies();
    await ok('POST', '/bundles', { name: 'none', filter: { tags: ['nothing'] } });
    expect(await refused('POST', '/policies/1/attachments', { ...body, id: 2 })).toMatchObject({
      status: 422,
      type: '/api/v1/problems/bundle-empty',
      rule: 'Bundle "none" holds no target now.',
    });
    for (const id of [1, 2, 3]) await ok('PUT', `/targets/${id}/indicators`, 'only.example\n');
    const problem = await refused('POST', '/policies/2/attachments', body);
    expect(problem).toMatchObject({ status: 422, type: '/api/v1/problems/no-addresses' });
    expect(problem.errors).toHaveLength(3);
    await ok('POST', '/policies/1/attachments', body);
    expect(await refused('POST', '/policies/1/attachments', body)).toMatchObject({
      status: 409,
      type: '/api/v1/problems/attached-already',
    });
    expect(
      await refused('POST', '/policies/1/attachments', { kind: 'target', id: 1, asTargets: true }),
    ).toMatchObject({ status: 400, field: 'asTargets' });
    expect(
      await refused('POST', '/policies/1/attachments', { ...body, action: { kind: 'block' } }),
    ).toMatchObject({ status: 422, field: 'action.kind' });
    expect(await refused('POST', '/policies/1/attachments', { ...body, id: 9 })).toMatchObject({
      status: 422,
      type: '/api/v1/problems/reference-unknown',
    });
  });
});
