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
