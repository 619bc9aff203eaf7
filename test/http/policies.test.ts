import { describe, expect, it } from 'vitest';
import { createPolicy, nextNameExpiry, removeExpiredNames } from '../../src/publish/edits/index.ts';
import { scene } from './scene.ts';

describe('policies', () => {
  it('are created with their zones, read, changed and deleted', async () => {
    const { call, ok, refused } = await scene();
    const created = await call('POST', '/policies', {
      name: 'Corp',
      type: 'dns',
      description: 'offices',
    });
    expect(created.status).toBe(201);
    expect(created.body.policy).toMatchObject({
      id: 1,
      name: 'corp',
      type: 'dns',
      description: 'offices',
      predefined: false,
      ttl: 60,
      defaultAction: { kind: 'nxdomain' },
      hostsMax: null,
      attachments: [],
      excludedTargets: [],
      counts: { records: 2, block: null, allow: null },
      zones: [{ zone: 'rpz.corp.acme.sluice.internal.', side: 'rpz', records: 2 }],
      formerNames: [],
      rollback: null,
      devices: [],
      warnings: [],
    });
    expect(created.body.zones).toMatchObject([
      { zone: 'rpz.corp.acme.sluice.internal.', fromSerial: null, serial: expect.any(Number) },
    ]);
    expect(await ok('GET', '/policies/1')).toEqual(created.body.policy);
    const changed = await ok('PATCH', '/policies/1', {
      ttl: 300,
      defaultAction: { kind: 'drop' },
      description: '',
    });
    expect(changed.policy).toMatchObject({
      ttl: 300,
      defaultAction: { kind: 'drop' },
      description: '',
    });
    expect(await ok('DELETE', '/policies/1')).toMatchObject({
      deleted: { id: 1, name: 'corp' },
      zones: [{ zone: 'rpz.corp.acme.sluice.internal.', serial: null }],
    });
    expect(await refused('GET', '/policies/1')).toMatchObject({ status: 404, value: 1 });
  });

  it('refuse a name that is no short label of letters and digits', async () => {
    const { refused } = await scene();
    const cases = [
      ['', 'one character too few'],
      ['ninechars', 'one character too many'],
      ['a-b', 'a hyphen'],
      ['a b', 'a space'],
      ['büro', 'a letter beyond ASCII'],
      ['a.b', 'a dot'],
    ] as const;
    for (const [name] of cases) {
      expect(
        await refused('POST', '/policies', { name, type: 'dns' }),
        JSON.stringify(name),
      ).toMatchObject({
        status: 422,
        type: '/api/v1/problems/label-form',
        field: 'name',
        value: name,
        rule: 'The name has 1 to 8 letters (a to z) and digits.',
      });
    }
  });

  it('have names that are unique without case', async () => {
    const { ok, refused } = await scene();
    await ok('POST', '/policies', { name: 'corp', type: 'dns' });
    await ok('POST', '/policies', { name: 'other', type: 'ip' });
    const taken = {
      status: 409,
      type: '/api/v1/problems/name-taken',
      field: 'name',
      value: 'CORP',
    };
    expect(await refused('POST', '/policies', { name: 'CORP', type: 'ip' })).toMatchObject(taken);
    expect(await refused('PATCH', '/policies/2', { name: 'CORP' })).toMatchObject(taken);
    expect(await refused('POST', '/policies/2/duplicate', { name: 'CORP' })).toMatchObject(taken);
  });

  it('keep their type for life', async () => {
    const { ok, refused } = await scene();
    await ok('POST', '/policies', { name: 'corp', type: 'dns' });
    expect(await refused('PATCH', '/policies/1', { type: 'ip' })).toMatchObject({
      status: 409,
      type: '/api/v1/problems/type-fixed',
      field: 'type',
      value: 'ip',
    });
    await ok('PATCH', '/policies/1', { type: 'dns', description: 'same' });
  });

  it('refuse input that breaks a rule, naming the field', async () => {
    const { refused, publisher } = await scene();
    const cases = [
      [{ type: 'web' }, 'type', 400],
      [{ ttl: -1 }, 'ttl', 400],
      [{ ttl: 604_801 }, 'ttl', 400],
      [{ hostsMax: 10 }, 'hostsMax', 400],
      [{ type: 'ip', hostsMax: 0 }, 'hostsMax', 400],
      [{ defaultAction: { kind: 'block' } }, 'defaultAction.kind', 422],
      [{ type: 'ip', defaultAction: { kind: 'nxdomain' } }, 'defaultAction.kind', 422],
      [{ defaultAction: { kind: 'explode' } }, 'defaultAction.kind', 400],
      [{ excludedTargets: [4] }, 'excludedTargets', 422],
      [{ attachments: [{ kind: 'target', id: 4 }] }, 'attachments[0].id', 422],
      [{ attachments: [{ kind: 'feed', id: 4 }] }, 'attachments[0].kind', 400],
      [{ predefined: true }, 'predefined', 400],
    ] as const;
    for (const [body, field, status] of cases) {
      const problem = await refused('POST', '/policies', { name: 'corp', type: 'dns', ...body });
      expect(problem, JSON.stringify(body)).toMatchObject({ status, field });
      expect(publisher.zones()).toEqual([]);
    }
  });

  it('are duplicated with all they hold', async () => {
    const { call, ok } = await scene();
    for (const name of ['one', 'two']) await ok('POST', '/targets', { name });
    await ok('PUT', '/targets/1/indicators', 'evil.example\n');
    await ok('POST', '/policies', {
      name: 'corp',
      type: 'dns',
      ttl: 5,
      attachments: [{ kind: 'target', id: 1, action: { kind: 'drop' } }],
      excludedTargets: [2],
    });
    const duplicate = await call('POST', '/policies/1/duplicate', {
      name: 'copy',
      description: 'mine',
    });
    expect(duplicate.status).toBe(201);
    expect(duplicate.body.policy).toMatchObject({
      id: 2,
      name: 'copy',
      description: 'mine',
      ttl: 5,
      attachments: [{ kind: 'target', id: 1, name: 'one', action: { kind: 'drop' } }],
      excludedTargets: [{ id: 2, name: 'two' }],
      counts: (await ok('GET', '/policies/1')).counts,
    });
    await ok('DELETE', '/policies/2/attachments/target/1');
    expect((await ok('GET', '/policies/1')).attachments).toHaveLength(1);
  });

  it('that are predefined can be seen and duplicated, not changed', async () => {
    const { asServer, ok, refused } = await scene();
    await ok('POST', '/targets', { name: 'one' });
    await ok('PATCH', '/targets/1/indicators', { add: ['evil.example'] });
    await asServer((edit) =>
      createPolicy(edit, { name: 'base', type: 'dns', predefined: true, attachments: [] }),
    );
    const problem = {
      status: 403,
      type: '/api/v1/problems/predefined',
      rule: 'Policy "base" is predefined; duplicate it and change the copy.',
    };
    for (const [method, url, body] of [
      ['PATCH', '/policies/1', { description: 'mine' }],
      ['DELETE', '/policies/1', undefined],
      ['POST', '/policies/1/attachments', { kind: 'target', id: 1 }],
      ['PATCH', '/policies/1/attachments/target/1', { action: { kind: 'drop' } }],
      ['DELETE', '/policies/1/attachments/target/1', undefined],
      ['PUT', '/policies/1/exclusions/1', undefined],
      ['DELETE', '/policies/1/exclusions/1', undefined],
    ] as const) {
      expect(await refused(method, url, body), `${method} ${url}`).toMatchObject(problem);
    }
    expect(await ok('GET', '/policies?predefined=true')).toMatchObject({ total: 1 });
    const { policy } = await ok('POST', '/policies/1/duplicate', { name: 'mine' });
    expect(policy).toMatchObject({ predefined: false });
    await ok('POST', '/policies/2/attachments', { kind: 'target', id: 1 });
  });

  it('that are predefined hold no user-defined lists', async () => {
    const { asServer, ok, publisher } = await scene();
    await ok('POST', '/lists', { name: 'mine' });
    const attachments = [{ kind: 'list', id: 1 }];
    const made = asServer((edit) =>
      createPolicy(edit, { name: 'base', type: 'dns', predefined: true, attachments }),
    );
    await expect(made).rejects.toMatchObject({ code: 'list-in-predefined' });
    expect(publisher.model.policies.size).toBe(0);
  });

  it('that a device pulls are not deleted, and the answer names the devices', async () => {
    const { ok, refused } = await scene();
    await ok('POST', '/policies', { name: 'corp', type: 'dns' });
    for (const name of ['r1', 'r2'])
      await ok('POST', '/devices', { name, type: 'dns', policyId: 1 });
    const inUse = { status: 409, type: '/api/v1/problems/still-in-use' };
    expect(await refused('DELETE', '/policies/1')).toMatchObject({
      ...inUse,
      rule: 'Assign another policy first to device "r1", device "r2".',
    });
    expect(await ok('GET', '/policies/1')).toMatchObject({
      devices: [
        { id: 1, name: 'r1' },
        { id: 2, name: 'r2' },
      ],
    });
    for (const id of [1, 2]) await ok('PUT', `/devices/${id}/policy`, { policyId: null });
    await ok('DELETE', '/policies/1');
  });

  it('that are renamed move their zones, and keep the old ones answering for the grace time', async () => {
    const { asServer, ok, publisher, refused, time } = await scene();
    await ok('POST', '/policies', { name: 'corp', type: 'dns' });
    for (const name of ['r1', 'r2'])
      await ok('POST', '/devices', { name, type: 'dns', policyId: 1 });
    const renamed = await ok('PATCH', '/policies/1', { name: 'Office' });
    const until = '2030-02-14T12:00:00.000Z';
    expect(renamed).toMatchObject({
      policy: {
        name: 'office',
        zones: [{ zone: 'rpz.office.acme.sluice.internal.' }],
        formerNames: [{ name: 'corp', until, zones: ['rpz.corp.acme.sluice.internal.'] }],
        counts: { records: 2 },
      },
      devicesToChange: [
        { id: 1, name: 'r1' },
        { id: 2, name: 'r2' },
      ],
    });
    const origins = () =>
      publisher
        .zones()
        .filter(({ deviceId }) => deviceId === null)
        .map(({ origin }) => origin.split('.')[1]);
    expect(origins()).toEqual(['corp', 'office']);
    expect(await ok('PATCH', '/policies/1', { description: 'x' })).toMatchObject({
      devicesToChange: [],
    });
    // The old name is taken for everybody else, and not for the policy that had it.
    const taken = { status: 409, type: '/api/v1/problems/name-taken', field: 'name' };
    expect(await refused('POST', '/policies', { name: 'CORP', type: 'ip' })).toMatchObject({
      ...taken,
      rule: `Policy 1 had this name, and its zones answer under it until ${until}.`,
    });
    expect(await refused('POST', '/policies/1/duplicate', { name: 'corp' })).toMatchObject(taken);
    time.now += 14 * 24 * 3_600_000 - 1;
    expect(nextNameExpiry(publisher.model)).toBe(Date.parse(until));
    expect(await asServer(removeExpiredNames)).toBe(0);
    time.now += 1;
    expect(await asServer(removeExpiredNames)).toBe(1);
    expect(nextNameExpiry(publisher.model)).toBeNull();
    expect(origins()).toEqual(['office']);
    await ok('POST', '/policies', { name: 'corp', type: 'ip' });
  });

  it('take a former name back, and leave the one that they had', async () => {
    const { ok } = await scene();
    await ok('POST', '/policies', { name: 'a', type: 'ip' });
    await ok('PATCH', '/policies/1', { name: 'b' });
    await ok('PATCH', '/policies/1', { name: 'c' });
    const back = await ok('PATCH', '/policies/1', { name: 'a' });
    expect(back.policy).toMatchObject({
      name: 'a',
      zones: [{ zone: 'allow.a.acme.sluice.internal.' }, { zone: 'block.a.acme.sluice.internal.' }],
      formerNames: [
        { name: 'b', zones: ['allow.b.acme.sluice.internal.', 'block.b.acme.sluice.internal.'] },
        { name: 'c' },
      ],
    });
  });

  it('that are deleted take the zones of their former names with them', async () => {
    const { ok, publisher } = await scene();
    await ok('POST', '/policies', { name: 'a', type: 'dns' });
    await ok('PATCH', '/policies/1', { name: 'b' });
    expect((await ok('DELETE', '/policies/1')).zones).toMatchObject([
      { zone: 'rpz.a.acme.sluice.internal.', serial: null },
      { zone: 'rpz.b.acme.sluice.internal.', serial: null },
    ]);
    expect(publisher.zones()).toEqual([]);
    await ok('POST', '/policies', { name: 'a', type: 'dns' });
  });

  it('keep a bounded number of former names', async () => {
    const { ok, refused } = await scene();
    await ok('POST', '/policies', { name: 'n0', type: 'dns' });
    for (let index = 1; index <= 16; index++) {
      await ok('PATCH', '/policies/1', { name: `n${index}` });
    }
    expect(await refused('PATCH', '/policies/1', { name: 'n17' })).toMatchObject({
      status: 409,
      type: '/api/v1/problems/name-fixed',
      field: 'name',
    });
    await ok('PATCH', '/policies/1', { name: 'n3' });
  });

  it('leave no former name where the settings give no grace', async () => {
    const { ok, publisher } = await scene({}, { renameGraceMs: 0 });
    await ok('POST', '/policies', { name: 'corp', type: 'dns' });
    const renamed = await ok('PATCH', '/policies/1', { name: 'office' });
    expect(renamed.policy).toMatchObject({ formerNames: [] });
    expect(publisher.zones().map(({ origin }) => origin)).toEqual([
      'rpz.office.acme.sluice.internal.',
    ]);
  });

  it('that are rolled back keep their name and TTL', async () => {
    const { asServer, ok, publisher, refused } = await scene();
    await ok('POST', '/policies', { name: 'corp', type: 'dns' });
    const [zone] = publisher.zones();
    const { origin = '', serial = 0 } = zone ?? {};
    await asServer(({ draft }) => {
      draft.rollBack(1 as never, { [origin]: serial });
      const policy = draft.model.policies.get(1 as never)!;
      draft.put('policy', {
        ...policy,
        rollback: { serials: { [origin]: serial }, at: draft.now },
      });
    });
    for (const [field, value] of [
      ['name', 'other'],
      ['ttl', 5],
    ] as const) {
      expect(await refused('PATCH', '/policies/1', { [field]: value })).toMatchObject({
        status: 409,
        type: '/api/v1/problems/rolled-back',
        field,
        value,
      });
    }
    expect(await ok('PATCH', '/policies/1', { description: 'x', ttl: 60 })).toMatchObject({
      policy: { description: 'x', rollback: { serials: { [origin]: serial } } },
    });
    expect(await ok('GET', '/policies?rolledBack=true')).toMatchObject({ total: 1 });
  });

  it('tell exact numbers of addresses, as texts where JSON would lose digits', async () => {
    const { ok } = await scene();
    await ok('POST', '/targets', { name: 'one' });
    await ok('PUT', '/targets/1/indicators', '192.0.2.0/24\n2001:db8::/32\n2001:db8:1::/48\n');
    const attachments = [{ kind: 'target', id: 1 }];
    await ok('POST', '/policies', { name: 'fw', type: 'ip', attachments });
    expect(await ok('GET', '/policies/1')).toMatchObject({
      counts: {
        block: { addresses4: 256, addresses6: (2n ** 96n).toString() },
        allow: { addresses4: 0, addresses6: 0 },
      },
      zones: [{ side: 'allow' }, { side: 'block' }],
    });
  });

  it('are listed by type, text and column', async () => {
    const { ok } = await scene();
    await ok('POST', '/policies', { name: 'b', type: 'dns', description: 'Offices' });
    await ok('POST', '/policies', { name: 'a', type: 'ip' });
    await ok('POST', '/policies', { name: 'c', type: 'dns' });
    const names = async (query: string) => {
      const page = await ok('GET', `/policies?${query}`);
      return (page.items as unknown as { name: string }[]).map(({ name }) => name).join('');
    };
    expect(await names('')).toBe('bac');
    expect(await names('sort=name')).toBe('abc');
    expect(await names('type=dns&sort=-name')).toBe('cb');
    expect(await names('q=office')).toBe('b');
    expect(await names('predefined=true')).toBe('');
    expect(await names('sort=-records&limit=1')).toBe('a');
  });
});
