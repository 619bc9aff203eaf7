import { describe, expect, it } from 'vitest';
import { DEVICE_PROFILES } from '../../src/policy/model.ts';
import { type Scene, scene } from './scene.ts';

/** An IP policy that blocks five prefixes and allows one, and a DNS policy with one name. */
async function withPolicies(): Promise<Scene> {
  const made = await scene();
  const { ok } = made;
  await ok('POST', '/targets', { name: 'bad' });
  const bad = ['192.0.2.0/26', '192.0.2.80', '192.0.2.128/25', '2001:db8::/32', '198.51.100.1'];
  await ok('PUT', '/targets/1/indicators', [...bad, 'evil.example'].join('\n'));
  await ok('POST', '/targets', { name: 'good', supportsAllow: true });
  await ok('PUT', '/targets/2/indicators', '203.0.113.1');
  await ok('POST', '/policies', {
    name: 'fw',
    type: 'ip',
    attachments: [
      { kind: 'target', id: 1, action: { kind: 'block' } },
      { kind: 'target', id: 2, action: { kind: 'allow' } },
    ],
  });
  await ok('POST', '/policies', {
    name: 'corp',
    type: 'dns',
    attachments: [{ kind: 'target', id: 1, action: { kind: 'nxdomain' } }],
  });
  return made;
}

describe('the capacity of a device', () => {
  it('comes from its model, and a policy above it is said by how much', async () => {
    const { ok } = await withPolicies();
    await ok('POST', '/devices', { name: 'fw', type: 'ip', profile: 'fortigate', policyId: 1 });
    expect(await ok('GET', '/devices/1')).toMatchObject({
      recordsMax: null,
      capacity: {
        recordsMax: 300_000,
        counts: 'prefixes',
        per: 'device',
        from: 'profile',
        size: 6,
        over: 0,
      },
      warnings: [],
    });
    const small = await ok('PATCH', '/devices/1', { recordsMax: 4 });
    expect(small.device).toMatchObject({
      recordsMax: 4,
      capacity: { recordsMax: 4, from: 'device', size: 6, over: 2 },
      warnings: ['Device "fw" takes 4 prefixes; policy "fw" is 2 above that.'],
    });
    expect(await ok('GET', '/policies/1')).toMatchObject({
      warnings: ['Device "fw" takes 4 prefixes; policy "fw" is 2 above that.'],
    });
    const freed = await ok('PUT', '/devices/1/policy', { policyId: null });
    expect(freed.device).toMatchObject({ capacity: { size: 0, over: 0 }, warnings: [] });
  });

  it('is for each list where the model counts so', async () => {
    const { ok } = await withPolicies();
    const device = { name: 'a', type: 'ip', profile: 'ipset', policyId: 1, recordsMax: 4 };
    expect((await ok('POST', '/devices', device)).device).toMatchObject({
      capacity: { per: 'list', size: 5, over: 1 },
      warnings: ['Device "a" takes 4 prefixes in a list; policy "fw" is 1 above that.'],
    });
  });

  it('is counted in records for devices that take DNS policies', async () => {
    const { ok } = await withPolicies();
    const device = { name: 'r', type: 'dns', profile: 'bind', policyId: 2 };
    await ok('POST', '/devices', device);
    const found = await ok('GET', '/policies/2');
    expect(await ok('GET', '/devices/1')).toMatchObject({
      capacity: {
        recordsMax: null,
        counts: 'records',
        from: null,
        size: (found.counts as { records: unknown }).records,
        over: 0,
      },
    });
    const small = await ok('PATCH', '/devices/1', { recordsMax: 3 });
    expect(small.device).toMatchObject({
      warnings: [expect.stringMatching(/^Device "r" takes 3 records; policy "corp" is \d+ above/)],
    });
  });

  it('is counted in single addresses where names are resolved', async () => {
    const { ok } = await withPolicies();
    await ok('PATCH', '/policies/1', { hostsMax: 10 });
    const device = { name: 'f', type: 'ip', profile: 'fortigate-fqdn', policyId: 1, recordsMax: 1 };
    expect((await ok('POST', '/devices', device)).device).toMatchObject({
      capacity: { counts: 'hosts', size: 2, over: 1 },
    });
  });

  it('is a whole number above zero', async () => {
    const { refused } = await scene();
    for (const recordsMax of [0, -1, 1.5, '5', 100_000_001]) {
      const device = { name: 'a', type: 'ip', recordsMax };
      expect(await refused('POST', '/devices', device)).toMatchObject({
        status: 400,
        field: 'recordsMax',
      });
    }
  });
});

describe('the models of devices', () => {
  it('are listed with what they take and where that was read', async () => {
    const { ok } = await scene();
    const { items } = (await ok('GET', '/device-profiles', undefined, 'viewer')) as unknown as {
      items: { id: string; recordsMax: number | null; source: string }[];
    };
    expect(items.map(({ id }) => id)).toEqual(DEVICE_PROFILES);
    expect(new Set(DEVICE_PROFILES).size).toBe(DEVICE_PROFILES.length);
    for (const { recordsMax, source } of items) expect(source === '').toBe(recordsMax === null);
    expect(items).toContainEqual({
      id: 'fortigate',
      name: 'FortiGate, FortiOS 7.4.4 and later',
      deviceTypes: ['ip'],
      recordsMax: 300_000,
      counts: 'prefixes',
      per: 'device',
      source: expect.stringMatching(/docs\.fortinet\.com/),
      notes: expect.any(String),
    });
  });

  it('fit devices of certain types', async () => {
    const { ok, refused } = await scene();
    const device = { name: 'a', type: 'dns', profile: 'fortigate' };
    expect(await refused('POST', '/devices', device)).toMatchObject({
      status: 422,
      type: '/api/v1/problems/profile-type',
      field: 'profile',
      value: 'fortigate',
      rule: 'FortiGate, FortiOS 7.4.4 and later fits devices of type ip; this one is of type dns.',
    });
    await ok('POST', '/devices', { ...device, profile: 'bind' });
    expect(await refused('PATCH', '/devices/1', { profile: 'ipset' })).toMatchObject({
      type: '/api/v1/problems/profile-type',
    });
  });
});
