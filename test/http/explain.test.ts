import { describe, expect, it } from 'vitest';
import { createPolicy } from '../../src/publish/edits/index.ts';
import { type Json, type Scene, scene } from './scene.ts';

const RPZ = 'rpz.corp.acme.sluice.internal.';
const START = '2030-01-31T12:00:00.000Z';
const LATER = '2030-01-31T12:00:05.000Z';

/** A DNS policy that blocks by a bundle and allows by a list, and an IP policy of the same. */
async function withPolicies(): Promise<Scene> {
  const made = await scene();
  const { ok } = made;
  await ok('POST', '/targets', { name: 'kits', attributes: { severity: 3 } });
  await ok('PUT', '/targets/1/indicators', 'evil.example\n192.0.2.0/24\nnsname:ns.evil.example\n');
  await ok('POST', '/lists', { name: 'own', action: 'allow' });
  await ok('PUT', '/lists/1/entries', {
    entries: [
      { value: 'shop.evil.example', comment: 'our shop', expiresAt: '2031-01-01T00:00:00Z' },
      { value: '192.0.2.5-192.0.2.9', comment: 'mail servers' },
      '192.0.2.64/26',
    ],
  });
  await ok('POST', '/bundles', { name: 'severe', filter: { severityMin: 2 } });
  const list = { kind: 'list', id: 1, action: { kind: 'allow' } };
  const bundle = { kind: 'bundle', id: 1 };
  await ok('POST', '/policies', { name: 'corp', type: 'dns', attachments: [bundle, list] });
  await ok('POST', '/policies', {
    name: 'fw',
    type: 'ip',
    attachments: [
      { kind: 'target', id: 1 },
      { kind: 'list', id: 1 },
    ],
  });
  return made;
}

/** Lets five seconds pass, and then makes the change. */
async function later({ ok, time }: Scene, method: string, url: string, body?: unknown) {
  time.now += 5_000;
  return ok(method, url, body);
}

const serialOf = async ({ ok }: Scene, zone: string) =>
  Number((await ok('GET', `/zones/${zone}`)).serial);
const items = (json: Json): Json[] => json as unknown as Json[];

describe('explain', () => {
  it('tells of every cover kind, source, comment, bundle, tier and when it was seen', async () => {
    const made = await withPolicies();
    const { ok } = made;
    await later(made, 'PATCH', '/targets/1/indicators', {
      add: ['evil.example', 'host:www.shop.evil.example'],
    });
    const serial = await serialOf(made, RPZ);
    expect(await ok('GET', '/policies/1/explain?name=www.shop.Evil.example')).toEqual({
      query: 'www.shop.evil.example.',
      trigger: 'qname',
      policy: { id: 1, name: 'corp' },
      zone: RPZ,
      serial,
      rolledBack: false,
      verdict: { kind: 'allow' },
      covers: [
        {
          indicator: 'shop.evil.example',
          kind: 'name',
          source: { kind: 'list', id: 1, name: 'own' },
          comment: 'our shop',
          expiresAt: '2031-01-01T00:00:00.000Z',
          viaBundles: [],
          tier: 'list-allow',
          severity: 5,
          action: { kind: 'allow' },
          firstSeen: START,
          lastSeen: START,
          heldThen: true,
          heldNow: true,
          decides: true,
        },
        expect.objectContaining({
          indicator: 'host:www.shop.evil.example',
          kind: 'host',
          firstSeen: LATER,
          lastSeen: LATER,
          decides: false,
        }),
        {
          indicator: 'evil.example',
          kind: 'name',
          source: { kind: 'target', id: 1, name: 'kits' },
          comment: null,
          expiresAt: null,
          viaBundles: ['severe'],
          tier: 'target-block',
          severity: 3,
          action: { kind: 'nxdomain' },
          // It was named again.
          firstSeen: START,
          lastSeen: LATER,
          heldThen: true,
          heldNow: true,
          decides: false,
        },
      ],
    });
  });

  it('finds the comment of a range that an address is part of', async () => {
    const { ok } = await withPolicies();
    for (const id of [1, 2]) {
      const { covers } = await ok('GET', `/policies/${id}/explain?address=192.0.2.7`);
      expect(covers).toMatchObject([
        { indicator: '192.0.2.6/31', comment: 'mail servers', source: { kind: 'list' } },
        { indicator: '192.0.2.0/24', comment: null },
      ]);
      const plain = await ok('GET', `/policies/${id}/explain?address=192.0.2.70`);
      expect(plain.covers).toMatchObject([{ indicator: '192.0.2.64/26', comment: '' }, {}]);
    }
  });

  it('tells the verdict of a past serial, and what covered then and is gone', async () => {
    const made = await withPolicies();
    const { ok } = made;
    const before = await serialOf(made, RPZ);
    await later(made, 'PATCH', '/targets/1/indicators', {
      remove: ['evil.example'],
      add: ['bad.example'],
    });
    expect(await ok('GET', '/policies/1/explain?name=evil.example')).toMatchObject({
      verdict: null,
      covers: [],
    });
    const past = await ok('GET', `/policies/1/explain?name=evil.example&serial=${before}`);
    expect(past).toMatchObject({
      serial: before,
      verdict: { kind: 'nxdomain' },
      covers: [
        {
          indicator: 'evil.example',
          heldThen: true,
          heldNow: false,
          decides: true,
          lastSeen: START,
        },
      ],
    });
    const notYet = await ok('GET', `/policies/1/explain?name=bad.example&serial=${before}`);
    expect(notYet).toMatchObject({
      verdict: null,
      covers: [{ indicator: 'bad.example', heldThen: false, heldNow: true, decides: false }],
    });
  });

  it('keeps the verdict of a past serial when attachments and actions change', async () => {
    const made = await withPolicies();
    const { ok } = made;
    const before = await serialOf(made, RPZ);
    await later(made, 'PATCH', '/policies/1/attachments/bundle/1', { action: { kind: 'drop' } });
    const between = await serialOf(made, RPZ);
    await later(made, 'DELETE', '/policies/1/attachments/bundle/1');
    const explain = (serial: number) =>
      ok('GET', `/policies/1/explain?name=evil.example&serial=${serial}`);
    expect(await explain(before)).toMatchObject({ verdict: { kind: 'nxdomain' }, covers: [] });
    expect(await explain(between)).toMatchObject({ verdict: { kind: 'drop' }, covers: [] });
    await later(made, 'POST', '/policies/1/attachments', { kind: 'bundle', id: 1 });
    // The member is back with its first action: then it decided once, and once it did not.
    expect(await explain(before)).toMatchObject({ covers: [{ decides: true }] });
    expect(await explain(between)).toMatchObject({ covers: [{ decides: false }] });
  });

  it('takes the serial of either zone of an IP policy', async () => {
    const made = await withPolicies();
    const { ok } = made;
    const block = 'block.fw.acme.sluice.internal.';
    const allow = 'allow.fw.acme.sluice.internal.';
    const before = { block: await serialOf(made, block), allow: await serialOf(made, allow) };
    await later(made, 'PATCH', '/lists/1/entries', { remove: ['192.0.2.64/26'] });
    await later(made, 'PUT', '/targets/1/indicators', '198.51.100.0/24\n');
    const explain = (query: string) => ok('GET', `/policies/2/explain?address=192.0.2.70&${query}`);
    expect(await explain('')).toMatchObject({ zone: block, verdict: null });
    expect(await explain(`serial=${before.block}`)).toMatchObject({
      zone: block,
      verdict: { kind: 'allow' },
      covers: [{ indicator: '192.0.2.64/26', heldThen: true, heldNow: false }, {}],
    });
    expect(await explain(`zone=allow&serial=${before.allow}`)).toMatchObject({
      zone: allow,
      verdict: { kind: 'allow' },
    });
    const [, between] = items((await ok('GET', `/zones/${block}`)).serials);
    expect(await explain(`serial=${between!.serial}`)).toMatchObject({
      verdict: { kind: 'block' },
    });
  });

  it('answers for a device from its own zone, through assignments', async () => {
    const made = await withPolicies();
    const { ok } = made;
    // Of so few differences that the way from one to the other is retained.
    await ok('POST', '/lists', { name: 'trusted' });
    await ok('PUT', '/lists/2/entries', { entries: ['host:evil.example'] });
    await ok('POST', '/policies/1/duplicate', { name: 'open' });
    const trusted = { kind: 'list', id: 2, action: { kind: 'allow' } };
    await ok('POST', '/policies/3/attachments', trusted);
    await ok('POST', '/devices', { name: 'office', type: 'dns', policyId: 1 });
    const zone = 'rpz.office.dev.acme.sluice.internal.';
    const first = await serialOf(made, zone);
    expect(await ok('GET', '/devices/1/explain?name=evil.example')).toMatchObject({
      policy: { id: 1, name: 'corp' },
      zone,
      serial: first,
      verdict: { kind: 'nxdomain' },
      covers: [{ indicator: 'evil.example', decides: true }],
    });
    await later(made, 'PUT', '/devices/1/policy', { policyId: 3 });
    expect(await ok('GET', '/devices/1/explain?name=evil.example')).toMatchObject({
      policy: { name: 'open' },
      verdict: { kind: 'allow' },
      covers: [{ indicator: 'host:evil.example', decides: true }, { decides: false }],
    });
    // What was served then does not follow from what the policy of now holds first.
    const past = await ok('GET', `/devices/1/explain?name=evil.example&serial=${first}`);
    expect(past).toMatchObject({
      serial: first,
      verdict: { kind: 'nxdomain' },
      covers: [{ decides: false }, { decides: false }],
    });
    await later(made, 'PUT', '/devices/1/policy', { policyId: null });
    expect(await ok('GET', '/devices/1/explain?name=evil.example')).toMatchObject({
      policy: null,
      verdict: null,
      covers: [],
    });
  });

  it('says of a rolled-back policy that the verdict is of the content it keeps', async () => {
    const made = await withPolicies();
    const { ok } = made;
    const before = await serialOf(made, RPZ);
    await later(made, 'PUT', '/targets/1/indicators', 'bad.example\n192.0.2.0/24\n');
    await later(made, 'POST', '/policies/1/rollback', { serial: before });
    expect(await ok('GET', '/policies/1/explain?name=evil.example')).toMatchObject({
      rolledBack: true,
      verdict: { kind: 'nxdomain' },
      covers: [],
    });
    expect(await ok('GET', '/policies/1/explain?name=bad.example')).toMatchObject({
      rolledBack: true,
      verdict: null,
      covers: [{ indicator: 'bad.example', heldNow: true, decides: false }],
    });
    const past = await ok('GET', `/policies/1/explain?name=evil.example&serial=${before}`);
    expect(past).toMatchObject({ rolledBack: false, verdict: { kind: 'nxdomain' } });
  });

  it('refuses a serial that is not retained, and names those that are', async () => {
    const made = await withPolicies();
    const { refused } = made;
    const first = await serialOf(made, RPZ);
    expect(await refused('GET', '/policies/1/explain?name=a.example&serial=7')).toMatchObject({
      type: '/api/v1/problems/serial-unknown',
      status: 404,
      field: 'serial',
      value: 7,
      rule: `Zone ${RPZ} is retained at serial ${first} only.`,
    });
    await later(made, 'PATCH', '/targets/1/indicators', { add: ['bad.example'] });
    const last = await serialOf(made, RPZ);
    expect(await refused('GET', '/policies/1/explain?name=a.example&serial=7')).toMatchObject({
      rule: `Zone ${RPZ} is retained at 2 serials from ${first} to ${last}.`,
    });
    expect(await refused('GET', '/policies/1/explain?name=a.example&serial=x')).toMatchObject({
      status: 400,
      field: 'serial',
    });
    expect(await refused('GET', '/policies/1/explain?name=a.example&zone=allow')).toMatchObject({
      field: 'zone',
      value: 'allow',
      rule: 'The zone is one of rpz.',
    });
    expect(await refused('GET', '/devices/9/explain?name=a.example')).toMatchObject({
      status: 404,
    });
  });

  it('knows everybody’s predefined policies and nobody else’s devices', async () => {
    const made = await withPolicies();
    await made.asServer((edit) =>
      createPolicy(edit, {
        name: 'basic',
        type: 'dns',
        predefined: true,
        attachments: [{ kind: 'target', id: 1 }],
      }),
    );
    expect(
      await made.ok('GET', '/policies/3/explain?name=evil.example', undefined, 'viewer'),
    ).toMatchObject({
      policy: { name: 'basic' },
      verdict: { kind: 'nxdomain' },
    });
    expect(
      await made.refused('GET', '/policies/3/explain?name=evil.example', undefined, 'sensor'),
    ).toMatchObject({ status: 403 });
  });
});
