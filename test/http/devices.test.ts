import { describe, expect, it } from 'vitest';
import { type Scene, scene } from './scene.ts';

async function withPolicies(): Promise<Scene> {
  const made = await scene();
  await made.ok('POST', '/policies', { name: 'corp', type: 'dns' });
  await made.ok('POST', '/policies', { name: 'fw', type: 'ip' });
  return made;
}

describe('devices', () => {
  it('are created, read, changed and deleted', async () => {
    const { call, ok, refused } = await withPolicies();
    const created = await call('POST', '/devices', {
      name: 'Resolver-1',
      type: 'dns',
      profile: 'bind',
      notify: ['192.0.2.53', { address: '2001:DB8::53', port: 5353 }].map((endpoint) =>
        typeof endpoint === 'string' ? { address: endpoint } : endpoint,
      ),
      policyId: 1,
    });
    expect(created.status).toBe(201);
    expect(created.body.device).toMatchObject({
      id: 1,
      name: 'resolver-1',
      description: '',
      type: 'dns',
      profile: 'bind',
      access: 'key',
      sources: [],
      notify: [
        { address: '192.0.2.53', port: 53 },
        { address: '2001:db8::53', port: 5353 },
      ],
      policy: { id: 1, name: 'corp' },
      zones: ['rpz.corp.acme.sluice.internal.'],
      formerZones: [],
      ownZones: ['rpz.resolver-1.dev.acme.sluice.internal.'],
      keys: [],
    });
    const { status, ...device } = await ok('GET', '/devices/1');
    expect(device).toEqual(created.body.device);
    expect(status).toMatchObject([
      { zone: 'rpz.corp.acme.sluice.internal.', expected: true, holds: null, converged: false },
      { zone: 'rpz.resolver-1.dev.acme.sluice.internal.', expected: true, holds: null },
    ]);
    const changed = await ok('PATCH', '/devices/1', { access: 'either', sources: ['192.0.2.53'] });
    expect(changed.device).toMatchObject({ access: 'either', sources: ['192.0.2.53/32'] });
    expect(await ok('GET', '/devices?q=RESOLVER&sort=-name')).toMatchObject({ total: 1 });
    expect(await ok('DELETE', '/devices/1')).toMatchObject({
      deleted: { id: 1, name: 'resolver-1' },
      zones: [{ zone: 'rpz.resolver-1.dev.acme.sluice.internal.', serial: null }],
    });
    expect(await refused('GET', '/devices/1')).toMatchObject({ status: 404 });
  });

  it('have sources as prefixes in their normal form', async () => {
    const { ok } = await scene();
    const sources = [
      '192.0.2.77/24',
      '192.0.2.0/24',
      '2001:DB8::1',
      '::ffff:198.51.100.7',
      '10.0.0.1/8',
    ];
    const created = await ok('POST', '/devices', { name: 'a', type: 'dns', sources });
    expect(created.device).toMatchObject({
      access: 'source',
      sources: ['192.0.2.0/24', '2001:db8::1/128', '198.51.100.7/32', '10.0.0.0/8'],
    });
  });

  it('refuse input that breaks a rule, naming the field', async () => {
    const { refused, publisher } = await withPolicies();
    const cases = [
      [{ name: '' }, 'name', 422],
      [{ name: 'two.labels' }, 'name', 422],
      [{ name: '-a' }, 'name', 422],
      [{ name: 'a_b' }, 'name', 422],
      [{ name: 'seventeen-octets-x' }, 'name', 422],
      [{ type: 'router' }, 'type', 400],
      [{ profile: 'dnsmasq' }, 'profile', 400],
      [{ sources: ['everybody'] }, 'sources', 422],
      [{ sources: ['192.0.2.0/33'] }, 'sources', 422],
      [{ sources: ['0.0.0.0/0'] }, 'sources', 422],
      [{ sources: ['::/0'] }, 'sources', 422],
      [{ sources: ['::ffff:0:0/96'] }, 'sources', 422],
      [{ access: 'source' }, 'access', 422],
      [{ access: 'either' }, 'access', 422],
      [{ access: 'key', sources: ['192.0.2.1'] }, 'sources', 422],
      [{ access: 'key', profile: 'unbound' }, 'access', 422],
      [{ profile: 'unbound' }, 'access', 422],
      [{ notify: [{ address: 'ns' }] }, 'notify[0].address', 422],
      [{ notify: [{ address: '*.ns.example' }] }, 'notify[0].address', 422],
      [{ notify: [{ address: '224.0.0.1' }] }, 'notify[0].address', 422],
      [{ notify: [{ address: '::' }] }, 'notify[0].address', 422],
      [{ notify: [{ address: 'fe80::1%eth0' }] }, 'notify[0].address', 422],
      [{ notify: [{ address: '192.0.2.1', port: 0 }] }, 'notify[0].port', 400],
      [{ policyId: 77 }, 'policyId', 422],
      [{ policyId: 2 }, 'policyId', 422],
    ] as const;
    for (const [body, field, status] of cases) {
      const problem = await refused('POST', '/devices', { name: 'r', type: 'dns', ...body });
      expect(problem, JSON.stringify(body)).toMatchObject({
        status,
        field,
        rule: expect.stringMatching(/\.$/),
      });
      expect(publisher.model.devices.size).toBe(0);
    }
  });

  it('have names of their own, and keep name and type', async () => {
    const { ok, refused } = await scene();
    await ok('POST', '/devices', { name: 'a', type: 'dns' });
    expect(await refused('POST', '/devices', { name: 'A', type: 'ip' })).toMatchObject({
      status: 409,
      type: '/api/v1/problems/name-taken',
    });
    expect(await refused('PATCH', '/devices/1', { type: 'ip' })).toMatchObject({
      status: 409,
      type: '/api/v1/problems/type-fixed',
    });
    expect(await refused('PATCH', '/devices/1', { name: 'b' })).toMatchObject({
      status: 409,
      type: '/api/v1/problems/name-fixed',
      field: 'name',
      value: 'b',
      rule: 'Device "a" keeps its name, which is part of the names of its zones.',
    });
    expect(await ok('PATCH', '/devices/1', { name: 'A', description: 'same' })).toMatchObject({
      device: { name: 'a', description: 'same' },
    });
  });

  it('pull policies of the type that they take', async () => {
    const { ok, refused } = await withPolicies();
    for (const type of ['ip', 'dns', 'roaming']) await ok('POST', '/devices', { name: type, type });
    for (const [id, wrong, right] of [
      [1, 1, 2],
      [2, 2, 1],
      [3, 2, 1],
    ] as const) {
      expect(await refused('PUT', `/devices/${id}/policy`, { policyId: wrong })).toMatchObject({
        status: 422,
        type: '/api/v1/problems/policy-type',
        field: 'policyId',
        value: wrong,
      });
      const assigned = await ok('PUT', `/devices/${id}/policy`, { policyId: right });
      expect(assigned.device).toMatchObject({ policy: { id: right } });
    }
    expect(await ok('GET', '/devices/1')).toMatchObject({
      zones: ['allow.fw.acme.sluice.internal.', 'block.fw.acme.sluice.internal.'],
    });
    expect(await ok('PUT', '/devices/1/policy', { policyId: null })).toMatchObject({
      device: { policy: null, zones: [] },
    });
    expect(await refused('PUT', '/devices/1/policy', {})).toMatchObject({
      status: 400,
      field: 'policyId',
    });
  });

  it('get keys of 256 random bits, whose secret is told once', async () => {
    const { app, call, ok, refused, store, tokens } = await scene();
    await ok('POST', '/devices', { name: 'r1', type: 'dns' });
    const made = await call('POST', '/devices/1/keys', {});
    expect(made.status).toBe(201);
    expect(made.headers['cache-control']).toBe('no-store');
    expect(made.body.key).toMatchObject({
      id: 1,
      name: 'r1.key.acme.sluice.internal.',
      algorithm: 'hmac-sha256',
    });
    const secret = String(made.body.secret);
    expect(Buffer.from(secret, 'base64')).toHaveLength(32);
    const second = await ok('POST', '/devices/1/keys', { algorithm: 'hmac-sha512' });
    expect(second.key).toMatchObject({
      name: expect.stringMatching(/^r1-[0-9a-f]{8}\.key\.acme\.sluice\.internal\.$/),
      algorithm: 'hmac-sha512',
    });
    expect(second.secret).not.toBe(secret);
    for (const url of ['/devices', '/devices/1', '/devices/1/keys']) {
      const answer = await call('GET', url);
      expect(answer.text).toContain('r1.key.acme');
      expect(answer.text).not.toContain(secret);
    }
    expect(await ok('DELETE', '/devices/1/keys/1')).toMatchObject({ deleted: { id: 1 } });
    expect(await ok('GET', '/devices/1')).toMatchObject({ keys: [{ id: 2 }] });
    expect(await refused('DELETE', '/devices/1/keys/1')).toMatchObject({ status: 404 });
    await ok('DELETE', '/devices/1');
    expect((await store.load()).entities.filter(({ kind }) => kind === 'key')).toEqual([]);
    expect(app.hasRoute({ method: 'GET', url: '/api/v1/devices/:id/keys' })).toBe(true);
    expect(tokens.admin).not.toContain(secret);
  });

  it('get keys only of algorithms that the configuration allows, and not without end', async () => {
    const { ok, refused } = await scene();
    await ok('POST', '/devices', { name: 'r1', type: 'dns' });
    expect(await refused('POST', '/devices/1/keys', { algorithm: 'hmac-md5' })).toMatchObject({
      status: 422,
      type: '/api/v1/problems/key-algorithm',
      field: 'algorithm',
      value: 'hmac-md5',
      rule: 'The configuration allows hmac-sha256, hmac-sha384, hmac-sha512.',
    });
    for (let key = 0; key < 8; key++) await ok('POST', '/devices/1/keys');
    expect(await refused('POST', '/devices/1/keys', {})).toMatchObject({ status: 400 });
    expect(await refused('POST', '/devices/9/keys', {})).toMatchObject({ status: 404 });
  });
});

describe('TCP-only with name server triggers, on which Unbound crashes', () => {
  const unbound = { name: 'u', type: 'dns', profile: 'unbound', sources: ['192.0.2.1'] };
  const problem = { status: 422, type: '/api/v1/problems/tcp-only-unbound', value: 'tcp-only' };

  async function withTcpOnly(): Promise<Scene> {
    const made = await scene();
    await made.ok('POST', '/targets', { name: 'servers', attributes: { severity: 1 } });
    await made.ok('PUT', '/targets/1/indicators', 'evil.example\n');
    const attachments = [{ kind: 'target', id: 1, action: { kind: 'tcp-only' } }];
    await made.ok('POST', '/policies', { name: 'corp', type: 'dns', attachments });
    return made;
  }

  it.each(['nsname:ns.evil.example', 'nsip:192.0.2.53'])(
    'cannot come about by adding %s',
    async (add) => {
      const { ok, refused, publisher } = await withTcpOnly();
      await ok('POST', '/devices', { ...unbound, policyId: 1 });
      const before = publisher.model;
      expect(await refused('PATCH', '/targets/1/indicators', { add: [add] })).toMatchObject({
        ...problem,
        rule: expect.stringMatching(/Device "u".*policy "corp".*"servers"/),
      });
      expect(publisher.model).toBe(before);
      await ok('PATCH', '/policies/1/attachments/target/1', { action: { kind: 'drop' } });
      await ok('PATCH', '/targets/1/indicators', { add: [add] });
      expect(
        await refused('PATCH', '/policies/1/attachments/target/1', {
          action: { kind: 'tcp-only' },
        }),
      ).toMatchObject(problem);
    },
  );

  it('cannot come about by assigning the policy, or by another profile', async () => {
    const { ok, refused } = await withTcpOnly();
    await ok('PATCH', '/targets/1/indicators', { add: ['nsname:ns.evil.example'] });
    expect(await refused('POST', '/devices', { ...unbound, policyId: 1 })).toMatchObject(problem);
    await ok('POST', '/devices', unbound);
    expect(await refused('PUT', '/devices/1/policy', { policyId: 1 })).toMatchObject(problem);
    await ok('PATCH', '/devices/1', { profile: 'bind' });
    await ok('PUT', '/devices/1/policy', { policyId: 1 });
    expect(await refused('PATCH', '/devices/1', { profile: 'unbound' })).toMatchObject(problem);
  });

  it('cannot come about by a bundle that brings the target', async () => {
    const { ok, refused } = await withTcpOnly();
    await ok('PATCH', '/targets/1/indicators', { add: ['nsip:2001:db8::/32'] });
    await ok('POST', '/bundles', { name: 'severe', filter: { severityMin: 4 } });
    const attachments = [{ kind: 'bundle', id: 1, action: { kind: 'tcp-only' } }];
    await ok('PATCH', '/policies/1', { attachments });
    await ok('POST', '/devices', { ...unbound, policyId: 1 });
    expect(await refused('PATCH', '/targets/1', { attributes: { severity: 5 } })).toMatchObject(
      problem,
    );
    expect(await refused('PATCH', '/bundles/1', { filter: {} })).toMatchObject(problem);
    await ok('PUT', '/policies/1/exclusions/1');
    await ok('PATCH', '/bundles/1', { filter: {} });
    expect(await refused('DELETE', '/policies/1/exclusions/1')).toMatchObject(problem);
  });

  it('is a warning for everybody else', async () => {
    const { ok } = await withTcpOnly();
    expect(await ok('GET', '/policies/1')).toMatchObject({ warnings: [] });
    await ok('PATCH', '/targets/1/indicators', { add: ['nsname:ns.evil.example'] });
    expect(await ok('GET', '/policies/1')).toMatchObject({
      warnings: [expect.stringMatching(/^"servers" acts TCP-only by nsname or nsip here/)],
    });
  });
});
