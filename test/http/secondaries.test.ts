import { describe, expect, it } from 'vitest';
import { scene } from './scene.ts';

const CATALOG = 'catalog.acme.sluice.internal.';
const SERVER_CATALOG = 'catalog.sluice.internal.';

const withCatalogs = () => scene({}, {}, { catalogs: true });

describe('secondaries', () => {
  it('read all zones of their account, and are told which catalog zone lists them', async () => {
    const { call, ok } = await withCatalogs();
    const created = await call('POST', '/devices', {
      name: 'tier-1',
      type: 'secondary',
      profile: 'knot',
      notify: [{ address: '192.0.2.53' }],
    });
    expect(created.status).toBe(201);
    expect(created.body.device).toMatchObject({
      type: 'secondary',
      scope: 'account',
      access: 'key',
      policy: null,
      zones: [],
      ownZones: [],
      catalogZone: CATALOG,
    });
    expect(await ok('GET', '/devices/1')).toMatchObject({ catalogZone: CATALOG });
    const { device } = await ok('POST', '/devices', {
      name: 'tier-0',
      type: 'secondary',
      scope: 'server',
    });
    expect(device).toMatchObject({ scope: 'server', catalogZone: SERVER_CATALOG });
  });

  it("of the whole server are the operator's alone", async () => {
    const { addAccount, ok } = await withCatalogs();
    const branch = await addAccount('branch');
    const body = { name: 'tier', type: 'secondary', scope: 'server' };
    expect(await branch.refused('POST', '/devices', body)).toMatchObject({
      status: 422,
      field: 'scope',
      value: 'server',
    });
    const own = await branch.ok('POST', '/devices', { name: 'tier', type: 'secondary' });
    expect(own.device).toMatchObject({ catalogZone: 'catalog.branch.sluice.internal.' });
    const patch = { scope: 'server' };
    await branch.refused('PATCH', `/devices/${own.device?.id}`, patch);
    await ok('POST', '/devices', { ...body, name: 'tier-0' });
  });

  it('are assigned no policy, and have nothing that only others have', async () => {
    const { ok, refused } = await withCatalogs();
    await ok('POST', '/policies', { name: 'corp', type: 'dns' });
    const tier = { name: 'tier', type: 'secondary' };
    const cases = [
      [{ ...tier, policyId: 1 }, 'policyId'],
      [{ ...tier, profile: 'unbound' }, 'profile'],
      [{ name: 'one', type: 'dns', scope: 'server' }, 'scope'],
    ] as const;
    for (const [body, field] of cases) {
      expect(await refused('POST', '/devices', body), field).toMatchObject({
        status: 422,
        field,
      });
    }
    const { device } = await ok('POST', '/devices', tier);
    const assigned = { add: [Number(device?.id)] };
    expect(await refused('PUT', `/devices/${device?.id}/policy`, { policyId: 1 })).toMatchObject({
      status: 422,
    });
    expect(await refused('POST', '/policies/1/devices', assigned)).toMatchObject({ status: 422 });
  });

  it('have no exports, which are of one policy', async () => {
    const { ok, refused } = await withCatalogs();
    await ok('POST', '/devices', { name: 'tier', type: 'secondary' });
    for (const form of ['rpz', 'addresses', 'threats', 'domains', 'suricata']) {
      expect(await refused('GET', `/devices/1/exports/${form}`), form).toMatchObject({
        status: 422,
        field: 'device type',
        value: 'secondary',
      });
    }
  });

  it('are owed a NOTIFY of every zone that changes, also of those that others pull', async () => {
    const { ok, store } = await withCatalogs();
    await ok('POST', '/devices', {
      name: 'tier',
      type: 'secondary',
      notify: [{ address: '192.0.2.53' }],
    });
    await ok('POST', '/policies', { name: 'corp', type: 'dns' });
    await ok('POST', '/devices', { name: 'one', type: 'dns', policyId: 1 });
    const owed = async () => (await store.owedNotifies()).map(({ origin }) => origin).sort();
    expect(await owed()).toEqual([
      CATALOG,
      'rpz.corp.acme.sluice.internal.',
      'rpz.one.dev.acme.sluice.internal.',
    ]);
    await ok('DELETE', '/devices/2');
    expect(await owed()).toEqual([CATALOG, 'rpz.corp.acme.sluice.internal.']);
  });
});

describe('devices with a client certificate', () => {
  it('are known by it alone, or by it among others', async () => {
    const { ok, refused } = await scene();
    const { device } = await ok('POST', '/devices', {
      name: 'one',
      type: 'dns',
      access: 'certificate',
      certificateName: 'One.Example.com',
    });
    expect(device).toMatchObject({ access: 'certificate', certificateName: 'one.example.com' });
    await ok('POST', '/devices', {
      name: 'two',
      type: 'dns',
      access: 'either',
      certificateName: 'two.example.com',
    });
    expect(
      await refused('POST', '/devices', { name: 'three', type: 'dns', access: 'certificate' }),
    ).toMatchObject({ status: 422, field: 'certificateName' });
    expect(
      await refused('POST', '/devices', {
        name: 'four',
        type: 'dns',
        access: 'certificate',
        certificateName: 'four.example.com',
        sources: ['192.0.2.1'],
      }),
    ).toMatchObject({ status: 422, field: 'sources' });
  });
});

describe('catalog zones', () => {
  it('are listed and read like other zones, each by whose it is', async () => {
    const { ok, addAccount } = await withCatalogs();
    await ok('POST', '/policies', { name: 'corp', type: 'dns' });
    const listed = await ok('GET', '/zones?side=catalog');
    expect(listed.items).toMatchObject([
      { zone: CATALOG, policyId: null, deviceId: null, side: 'catalog' },
      { zone: SERVER_CATALOG },
    ]);
    expect(await ok('GET', `/zones/${CATALOG}/records`)).toMatchObject({
      total: 1,
      items: [{ type: 'PTR', data: 'rpz.corp.acme.sluice.internal. group=rpz' }],
    });
    const branch = await addAccount('branch');
    const seen = await branch.ok('GET', '/zones?side=catalog');
    expect(seen.items).toMatchObject([{ zone: 'catalog.branch.sluice.internal.' }]);
    await branch.refused('GET', `/zones/${SERVER_CATALOG}`);
    await branch.refused('GET', `/zones/${CATALOG}`);
  });

  it('are compared by their members', async () => {
    const { ok } = await withCatalogs();
    await ok('POST', '/policies', { name: 'corp', type: 'dns' });
    const { serial } = await ok('GET', `/zones/${CATALOG}`);
    await ok('POST', '/policies', { name: 'lab', type: 'dns' });
    const compared = await ok('GET', `/zones/${CATALOG}/compare?from=${serial}`);
    expect(compared).toMatchObject({
      added: 1,
      removed: 0,
      items: [{ change: 'added', data: 'rpz.lab.acme.sluice.internal. group=rpz' }],
    });
  });

  it('take part in dry runs, and hold no change back', async () => {
    const { ok } = await withCatalogs();
    const planned = await ok('POST', '/policies?dryRun=true', { name: 'corp', type: 'dns' });
    const { zones } = planned.preview as unknown as { zones: { origin: string }[] };
    expect(zones.map(({ origin }) => origin)).toEqual([
      CATALOG,
      SERVER_CATALOG,
      'rpz.corp.acme.sluice.internal.',
    ]);
  });

  it('change over from one owner to the other in steps that the account shows', async () => {
    const { ok, refused } = await withCatalogs();
    expect(await ok('GET', '/accounts/1')).toMatchObject({ catalogs: 'both', handover: null });
    await ok('PATCH', '/accounts/1', { catalogs: 'account' });
    const { account } = await ok('PATCH', '/accounts/1', { catalogs: 'server' });
    expect(account).toMatchObject({
      catalogs: 'server',
      handover: { phase: 'announced', until: '2030-01-31T12:15:00.000Z' },
    });
    await refused('PATCH', '/accounts/1', { catalogs: 'all' });
    expect(await refused('PATCH', '/accounts/1', { catalogs: 'both' })).toMatchObject({
      status: 400,
      field: 'catalogs',
      value: 'both',
    });
  });
});
