import { describe, expect, it } from 'vitest';
import { scene } from './scene.ts';

describe('host names of a device', () => {
  it('are sources too, absolute and in lower case', async () => {
    const { ok } = await scene();
    const created = await ok('POST', '/devices', {
      name: 'a',
      type: 'dns',
      hostnames: ['Resolver-1.Example.COM', 'resolver-1.example.com.', 'xn--bcher-kva.example'],
    });
    expect(created.device).toMatchObject({
      access: 'source',
      sources: [],
      hostnames: ['resolver-1.example.com.', 'xn--bcher-kva.example.'],
    });
    const changed = await ok('PATCH', '/devices/1', { access: 'either', sources: ['192.0.2.1'] });
    expect(changed.device).toMatchObject({
      access: 'either',
      sources: ['192.0.2.1/32'],
      hostnames: ['resolver-1.example.com.', 'xn--bcher-kva.example.'],
    });
  });

  it('can be where NOTIFYs go, beside addresses', async () => {
    const { ok } = await scene();
    const created = await ok('POST', '/devices', {
      name: 'a',
      type: 'dns',
      notify: [{ address: 'NS.Example.com', port: 5353 }, { address: '192.0.2.1' }],
    });
    expect(created.device).toMatchObject({
      notify: [
        { address: 'ns.example.com.', port: 5353 },
        { address: '192.0.2.1', port: 53 },
      ],
      hosts: [{ name: 'ns.example.com.' }],
    });
  });

  it('are shown with their addresses, the age of these and the last error', async () => {
    const learnt = Date.UTC(2030, 0, 31, 11, 58);
    const known = new Map([
      [
        'a.example.com.',
        {
          addresses: ['192.0.2.1', '2001:db8::1'],
          resolvedAt: learnt,
          askedAt: learnt + 60_000,
          lastError: 'the resolver failed (SERVFAIL)',
        },
      ],
    ]);
    const nothing = { addresses: [], resolvedAt: null, askedAt: null, lastError: null };
    const { ok } = await scene({ describeHost: (name) => known.get(name) ?? nothing });
    await ok('POST', '/devices', {
      name: 'a',
      type: 'dns',
      hostnames: ['a.example.com', 'b.example.com'],
      notify: [{ address: 'a.example.com' }],
    });
    expect(await ok('GET', '/devices/1')).toMatchObject({
      hosts: [
        {
          name: 'a.example.com.',
          addresses: ['192.0.2.1', '2001:db8::1'],
          resolvedAt: '2030-01-31T11:58:00.000Z',
          ageSeconds: 120,
          askedAt: '2030-01-31T11:59:00.000Z',
          lastError: 'the resolver failed (SERVFAIL)',
        },
        {
          name: 'b.example.com.',
          addresses: [],
          resolvedAt: null,
          ageSeconds: null,
          askedAt: null,
          lastError: null,
        },
      ],
    });
  });

  it('are refused with the rule that they break', async () => {
    const { refused, publisher } = await scene();
    const cases = [
      ['*.example.com', /wildcards are not taken/],
      ['localhost', /every machine itself/],
      ['router.localhost', /every machine itself/],
      ['router', /with its domain/],
      ['bücher.example', /A-labels/],
      ['a_b.example', /not a host name/],
      ['-a.example', /not a host name/],
      ['a..example', /not a host name/],
      [`${'a'.repeat(64)}.example`, /not a host name/],
      [`${'a.'.repeat(124)}example`, /at most 253/],
      ['192.0.2.1', /ends like an address/],
      ['2001:db8::1', /not a host name/],
      ['host name.example', /A-labels/],
    ] as const;
    for (const [hostname, rule] of cases) {
      const hostnames = ['good.example', hostname];
      expect(
        await refused('POST', '/devices', { name: 'a', type: 'dns', hostnames }),
      ).toMatchObject({
        status: 422,
        type: '/api/v1/problems/name-form',
        field: 'hostnames',
        rule: expect.stringMatching(rule),
      });
    }
    expect(publisher.model.devices.size).toBe(0);
  });

  it('are sixteen at most, and nothing for a device that is known by its key alone', async () => {
    const { refused } = await scene();
    const many = Array.from({ length: 17 }, (_, i) => `r${i}.example.com`);
    expect(
      await refused('POST', '/devices', { name: 'a', type: 'dns', hostnames: many }),
    ).toMatchObject({ status: 400, field: 'hostnames' });
    expect(
      await refused('POST', '/devices', {
        name: 'a',
        type: 'dns',
        access: 'key',
        hostnames: ['r.example.com'],
      }),
    ).toMatchObject({
      status: 422,
      type: '/api/v1/problems/access-mode',
      field: 'hostnames',
      rule: 'A device known by its key alone has no hostnames: they would be ignored.',
    });
  });

  it('must stay, or some prefix, while the device is known by its source', async () => {
    const { ok, refused } = await scene();
    await ok('POST', '/devices', { name: 'a', type: 'dns', hostnames: ['r.example.com'] });
    expect(await refused('PATCH', '/devices/1', { hostnames: [] })).toMatchObject({
      status: 422,
      field: 'access',
      rule: 'The access "source" needs at least one source prefix or host name.',
    });
    await ok('PATCH', '/devices/1', { hostnames: [], sources: ['192.0.2.0/24'] });
  });
});

describe('the certificate name of a device', () => {
  it('is a host name, which no other device of the server has', async () => {
    const { ok, refused } = await scene();
    const made = await ok('POST', '/devices', {
      name: 'a',
      type: 'dns',
      certificateName: 'Resolver-1.Example.com.',
    });
    expect(made.device).toMatchObject({ certificateName: 'resolver-1.example.com' });
    const again = { name: 'b', type: 'dns', certificateName: 'RESOLVER-1.example.com' };
    expect(await refused('POST', '/devices', again)).toMatchObject({
      status: 409,
      type: '/api/v1/problems/name-taken',
      field: 'certificateName',
      rule: 'Device "a" has this certificate name.',
    });
    await ok('PATCH', '/devices/1', { certificateName: 'resolver-1.example.com' });
    await ok('PATCH', '/devices/1', { certificateName: null });
    await ok('POST', '/devices', again);
    expect(
      await refused('PATCH', '/devices/1', { certificateName: '*.example.com' }),
    ).toMatchObject({ status: 422, type: '/api/v1/problems/name-form' });
  });
});
