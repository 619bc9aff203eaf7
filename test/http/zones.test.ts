import { describe, expect, it } from 'vitest';
import { type Scene, scene } from './scene.ts';

async function withZones(): Promise<Scene> {
  const made = await scene();
  const { ok } = made;
  await ok('POST', '/targets', { name: 'kits', attributes: { severity: 3 } });
  await ok('PUT', '/targets/1/indicators', 'evil.example\n192.0.2.0/24\nnsname:ns.evil.example\n');
  await ok('POST', '/lists', { name: 'own', action: 'allow' });
  await ok('PUT', '/lists/1/entries', { entries: ['shop.evil.example', '192.0.2.7'] });
  await ok('POST', '/bundles', { name: 'severe', filter: { severityMin: 2 } });
  const list = { kind: 'list', id: 1, action: { kind: 'allow' } };
  await ok('POST', '/policies', {
    name: 'corp',
    type: 'dns',
    attachments: [{ kind: 'bundle', id: 1 }, list],
  });
  await ok('POST', '/policies', {
    name: 'fw',
    type: 'ip',
    attachments: [{ kind: 'target', id: 1 }, list],
  });
  return made;
}

describe('zones', () => {
  it('are listed with serials and exact counts', async () => {
    const { ok, publisher } = await withZones();
    const serials = publisher.zones().map(({ serial }) => serial);
    expect(await ok('GET', '/zones')).toMatchObject({
      total: 3,
      items: [
        {
          zone: 'allow.fw.acme.sluice.internal.',
          side: 'allow',
          policyId: 2,
          serial: serials[0],
          addresses4: 1,
          addresses6: 0,
        },
        { zone: 'block.fw.acme.sluice.internal.', side: 'block', addresses4: 255 },
        { zone: 'rpz.corp.acme.sluice.internal.', side: 'rpz', addresses4: null, addresses6: null },
      ],
    });
    expect(await ok('GET', '/zones?q=FW&limit=1&offset=1')).toMatchObject({
      total: 2,
      items: [{ side: 'block' }],
    });
  });

  it('are shown with their revisions, the newest first', async () => {
    const { ok, time } = await withZones();
    const name = 'rpz.corp.acme.sluice.internal';
    const first = await ok('GET', `/zones/${name}.`);
    expect(first.revisions).toEqual([]);
    for (const add of ['one.example', 'two.example']) {
      time.now += 1_000;
      await ok('PATCH', '/targets/1/indicators', { add: [add] });
    }
    const zone = await ok('GET', `/zones/${name.toUpperCase()}`);
    expect(zone.revisions).toMatchObject([
      { toSerial: zone.serial, at: '2030-01-31T12:00:02.000Z', recordsAdded: 2, recordsRemoved: 0 },
      { fromSerial: first.serial, at: '2030-01-31T12:00:01.000Z' },
    ]);
  });

  it('that do not exist are not found', async () => {
    const { refused } = await withZones();
    expect(await refused('GET', '/zones/rpz.none.acme.sluice.internal.')).toMatchObject({
      status: 404,
      field: 'zone id',
      value: 'rpz.none.acme.sluice.internal.',
    });
  });
});

describe('explain', () => {
  it('tells the verdict of a name and every indicator that covers it', async () => {
    const { ok } = await withZones();
    const answer = await ok('GET', '/policies/1/explain?name=www.shop.Evil.example');
    expect(answer).toMatchObject({
      query: 'www.shop.evil.example.',
      trigger: 'qname',
      verdict: { kind: 'allow' },
      covers: [
        {
          indicator: 'shop.evil.example',
          kind: 'name',
          source: { kind: 'list', id: 1, name: 'own' },
          tier: 'list-allow',
          decides: true,
        },
        {
          indicator: 'evil.example',
          source: { kind: 'target', id: 1, name: 'kits' },
          viaBundles: ['severe'],
          tier: 'target-block',
          severity: 3,
          action: { kind: 'nxdomain' },
          decides: false,
        },
      ],
    });
  });

  it('tells the verdict of an address, in DNS and in IP policies', async () => {
    const { ok } = await withZones();
    for (const id of [1, 2]) {
      expect(await ok('GET', `/policies/${id}/explain?address=192.0.2.7`)).toMatchObject({
        query: '192.0.2.7',
        trigger: 'ip',
        verdict: { kind: 'allow' },
        covers: [{ indicator: '192.0.2.7' }, { indicator: '192.0.2.0/24' }],
      });
      expect(await ok('GET', `/policies/${id}/explain?address=2001:db8::1`)).toMatchObject({
        verdict: null,
        covers: [],
      });
    }
    expect(await ok('GET', '/policies/2/explain?address=192.0.2.8')).toMatchObject({
      verdict: { kind: 'block' },
    });
  });

  it('knows the other triggers', async () => {
    const { ok } = await withZones();
    expect(
      await ok('GET', '/policies/1/explain?name=a.ns.evil.example&trigger=nsdname'),
    ).toMatchObject({ trigger: 'nsdname', covers: [{ indicator: 'nsname:ns.evil.example' }] });
    expect(
      await ok('GET', '/policies/1/explain?address=192.0.2.7&trigger=client-ip'),
    ).toMatchObject({
      verdict: null,
    });
  });

  it('refuses questions that it cannot understand', async () => {
    const { refused } = await withZones();
    const cases = [
      ['', 'name', 400],
      ['name=a.example&address=192.0.2.1', 'name', 400],
      ['name=a..example', 'name', 422],
      ['address=192.0.2', 'address', 422],
      ['name=a.example&trigger=ip', 'trigger', 400],
      ['address=192.0.2.1&trigger=nsdname', 'trigger', 400],
      ['name=a.example&trigger=web', 'trigger', 400],
    ] as const;
    for (const [query, field, status] of cases) {
      expect(
        await refused('GET', `/policies/1/explain?${query}`),
        JSON.stringify(query),
      ).toMatchObject({
        status,
        field,
      });
    }
  });

  it('asks IP policies about addresses only, and of policies that exist', async () => {
    const { refused } = await withZones();
    expect(await refused('GET', '/policies/2/explain?name=a.example')).toMatchObject({
      status: 400,
      field: 'trigger',
    });
    expect(await refused('GET', '/policies/9/explain?name=a.example')).toMatchObject({
      status: 404,
    });
  });
});
