import { describe, expect, it } from 'vitest';
import { type Json, type Scene, scene } from './scene.ts';

const RPZ = 'rpz.corp.acme.sluice.internal.';
const BLOCK = 'block.fw.acme.sluice.internal.';

async function withZones(): Promise<Scene> {
  const made = await scene();
  const { ok } = made;
  await ok('POST', '/targets', { name: 'kits' });
  await ok('PUT', '/targets/1/indicators', 'evil.example\nhost:www.bad.example\n192.0.2.0/30\n');
  const attachments = [{ kind: 'target', id: 1 }];
  await ok('POST', '/policies', { name: 'corp', type: 'dns', attachments });
  await ok('POST', '/policies', { name: 'fw', type: 'ip', attachments, hostsMax: 5 });
  return made;
}

const items = (json: Json): Json[] => json.items as unknown as Json[];
const numberOf = (json: Json): number => json as unknown as number;
/** `evil.example CNAME .` */
const lines = (json: Json): string[] =>
  items(json).map(({ owner, type, data }) => `${owner} ${type} ${data}`);

async function later({ ok, time }: Scene, method: string, url: string, body?: unknown) {
  time.now += 5_000;
  return ok(method, url, body);
}

const serialOf = async ({ ok }: Scene, zone: string) =>
  numberOf((await ok('GET', `/zones/${zone}`)).serial!);

/** All pages of a reading, one after the other. */
async function readAll({ ok }: Scene, url: string): Promise<{ lines: string[]; pages: number }> {
  const all: string[] = [];
  let cursor = '';
  for (let pages = 1; ; pages++) {
    const page = await ok('GET', `${url}${cursor === '' ? '' : `&cursor=${cursor}`}`);
    all.push(...lines(page));
    if (page.next === null) return { lines: all, pages };
    cursor = String(page.next);
  }
}

describe('the list of zones', () => {
  it('is filtered by policy, device, side and text', async () => {
    const { ok } = await withZones();
    await ok('POST', '/devices', { name: 'office', type: 'dns', policyId: 1 });
    const own = 'rpz.office.dev.acme.sluice.internal.';
    const found = async (query: string) =>
      items(await ok('GET', `/zones?${query}`)).map(({ zone }) => zone);
    expect(await found('policyId=1')).toEqual([RPZ, own]);
    expect(await found('deviceId=1')).toEqual([own]);
    expect(await found('side=rpz&q=OFFICE')).toEqual([own]);
    expect(await found('sort=-zone&side=rpz&limit=1')).toEqual([own]);
    expect(await found('side=allow')).toEqual(['allow.fw.acme.sluice.internal.']);
    expect(await ok('GET', `/zones/${own}`)).toMatchObject({
      policyId: 1,
      deviceId: 1,
      former: false,
    });
    expect(await ok('GET', `/zones/${RPZ}`)).toMatchObject({ policyId: 1, deviceId: null });
    await ok('PUT', '/devices/1/policy', { policyId: null });
    expect(await ok('GET', `/zones/${own}`)).toMatchObject({
      policyId: null,
      deviceId: 1,
      records: 2,
    });
  });

  it('tells the zones that go on under a former name', async () => {
    const { ok } = await withZones();
    await ok('PATCH', '/policies/1', { name: 'head' });
    const { items: former } = await ok('GET', '/zones?former=true');
    expect(former).toMatchObject([{ zone: RPZ, former: true, policyId: 1 }]);
    expect(await ok('GET', '/zones?former=false&side=rpz')).toMatchObject({
      total: 1,
      items: [{ zone: 'rpz.head.acme.sluice.internal.' }],
    });
  });
});

describe('a zone', () => {
  it('tells every serial at which it can be read, with time and size', async () => {
    const made = await withZones();
    const first = await serialOf(made, RPZ);
    await later(made, 'PATCH', '/targets/1/indicators', { add: ['more.example'] });
    await later(made, 'PATCH', '/targets/1/indicators', {
      remove: ['evil.example', 'more.example'],
    });
    const zone = await made.ok('GET', `/zones/${RPZ}`);
    expect(zone.serials).toEqual([
      { serial: first + 10, at: '2030-01-31T12:00:10.000Z', records: 4 },
      { serial: first + 5, at: '2030-01-31T12:00:05.000Z', records: 8 },
      { serial: first, at: null, records: 6 },
    ]);
  });

  it('is read at any retained serial', async () => {
    const made = await withZones();
    const { ok } = made;
    const first = await serialOf(made, RPZ);
    const before = [
      'evil.example CNAME .',
      '*.evil.example CNAME .',
      'www.bad.example CNAME .',
      '30.0.2.0.192.rpz-ip CNAME .',
    ];
    const now = await ok('GET', `/zones/${RPZ}/records`);
    expect(now).toMatchObject({ zone: RPZ, serial: first, total: 4, next: null });
    expect(lines(now).sort()).toEqual([...before].sort());
    expect(items(now)[0]).toMatchObject({ ttl: 60 });
    await later(made, 'PUT', '/targets/1/indicators', 'only.example\n192.0.2.1\n');
    const after = await ok('GET', `/zones/${RPZ}/records`);
    expect(lines(after).sort()).toEqual([
      '*.only.example CNAME .',
      '32.1.2.0.192.rpz-ip CNAME .',
      'only.example CNAME .',
    ]);
    const past = await ok('GET', `/zones/${RPZ}/records?serial=${first}`);
    expect(past).toMatchObject({ serial: first, total: 4 });
    expect(lines(past).sort()).toEqual([...before].sort());
  });

  it('of an IP policy is read prefix by prefix', async () => {
    const made = await withZones();
    await later(made, 'PATCH', '/targets/1/indicators', { add: ['198.51.100.7', '2001:db8::/32'] });
    const { body } = await made.call('GET', `/zones/${BLOCK}/records`);
    expect(body.total).toBe(4);
    expect(lines(body)).toEqual([
      'v4 APL 192.0.2.0/30',
      'v4 APL 198.51.100.7/32',
      'v6 APL 2001:db8::/32',
      'hosts A 198.51.100.7',
    ]);
  });

  it('is read in pages that fit together, whatever their size, and searched', async () => {
    const made = await withZones();
    const names = Array.from({ length: 40 }, (_, index) => `n${index}.example`);
    const addresses = Array.from({ length: 40 }, (_, index) => `203.0.113.${index * 2}`);
    // Actions of several records, so that pages end inside an owner.
    const records = ['192.0.2.80', '192.0.2.81'].map((data) => ({ type: 'A', data }));
    await made.ok('PUT', '/targets/1/indicators?confirm=true', [...names, ...addresses].join('\n'));
    await made.ok('PATCH', '/policies/1/attachments/target/1', {
      action: { kind: 'local-data', records },
    });
    for (const zone of [RPZ, BLOCK]) {
      const whole = await readAll(made, `/zones/${zone}/records?limit=1000`);
      expect(whole.pages).toBe(1);
      expect(new Set(whole.lines).size).toBe(whole.lines.length);
      for (const limit of [1, 7, 33]) {
        const paged = await readAll(made, `/zones/${zone}/records?limit=${limit}`);
        expect(paged.lines).toEqual(whole.lines);
        expect(paged.pages).toBe(Math.ceil(whole.lines.length / limit));
      }
    }
    const searched = await readAll(made, `/zones/${RPZ}/records?limit=3&q=N1`);
    expect(searched.lines).toHaveLength(11 * 4);
    const network = await readAll(made, `/zones/${BLOCK}/records?q=113.1`);
    const found = [10, 12, 14, 16, 18].map((last) => `v4 APL 203.0.113.${last}/32`);
    expect(network.lines).toEqual(found);
  });

  it('goes on with the pages of a serial while the zone changes', async () => {
    const made = await withZones();
    const serial = await serialOf(made, RPZ);
    const url = `/zones/${RPZ}/records?serial=${serial}&limit=1`;
    const { lines: whole } = await readAll(made, url);
    const first = await made.ok('GET', url);
    await later(made, 'PUT', '/targets/1/indicators', 'other.example\n192.0.2.9\n');
    const rest = await readAll(made, `${url}&cursor=${first.next}`.replace('limit=1', 'limit=9'));
    expect([...lines(first), ...rest.lines]).toEqual(whole);
  });

  it('refuses serials, cursors and names that it does not know', async () => {
    const made = await withZones();
    const { refused } = made;
    const serial = await serialOf(made, RPZ);
    expect(await refused('GET', `/zones/${RPZ}/records?serial=1`)).toMatchObject({
      status: 404,
      field: 'serial',
      value: 1,
      rule: `Zone ${RPZ} is retained at serial ${serial} only.`,
    });
    expect(await refused('GET', `/zones/${RPZ}/records?cursor=-1`)).toMatchObject({
      status: 400,
      field: 'cursor',
    });
    expect(await refused('GET', `/zones/${RPZ}/compare?from=1`)).toMatchObject({ field: 'from' });
    expect(await refused('GET', '/zones/rpz.none.acme.sluice.internal./records')).toMatchObject({
      status: 404,
      field: 'zone id',
    });
    // A place beyond the end is the end.
    expect(await made.ok('GET', `/zones/${RPZ}/records?cursor=99999999999.1.1`)).toMatchObject({
      items: [],
      next: null,
    });
  });
});

describe('two serials of a zone', () => {
  it('are compared both ways, with exact counts', async () => {
    const made = await withZones();
    const { ok } = made;
    const first = await serialOf(made, RPZ);
    await later(made, 'PATCH', '/targets/1/indicators', {
      add: ['new.example'],
      remove: ['evil.example'],
    });
    await later(made, 'PATCH', '/policies/1/attachments/target/1', { action: { kind: 'drop' } });
    const last = await serialOf(made, RPZ);
    const forward = await ok('GET', `/zones/${RPZ}/compare?from=${first}&to=${last}`);
    expect(forward).toMatchObject({ zone: RPZ, from: first, to: last, removed: 4, added: 4 });
    const removed = items(forward).filter(({ change }) => String(change) === 'removed');
    const added = items(forward).filter(({ change }) => String(change) === 'added');
    expect(lines({ items: removed } as unknown as Json).sort()).toEqual([
      '*.evil.example CNAME .',
      '30.0.2.0.192.rpz-ip CNAME .',
      'evil.example CNAME .',
      'www.bad.example CNAME .',
    ]);
    expect(lines({ items: added } as unknown as Json).sort()).toEqual([
      '*.new.example CNAME rpz-drop.',
      '30.0.2.0.192.rpz-ip CNAME rpz-drop.',
      'new.example CNAME rpz-drop.',
      'www.bad.example CNAME rpz-drop.',
    ]);
    const backward = await ok('GET', `/zones/${RPZ}/compare?from=${last}&to=${first}`);
    expect(backward).toMatchObject({ removed: 4, added: 4 });
    expect(lines(backward).slice(0, 4).sort()).toEqual(
      lines({ items: added } as unknown as Json).sort(),
    );
    const paged = await readAll(made, `/zones/${RPZ}/compare?from=${first}&to=${last}&limit=1`);
    expect(paged.lines).toEqual(lines(forward));
    const same = await ok('GET', `/zones/${RPZ}/compare?from=${first}&to=${first}`);
    expect(same).toMatchObject({ removed: 0, added: 0, items: [], next: null });
  });

  it('are the last two unless others are given', async () => {
    const made = await withZones();
    const { ok } = made;
    const first = await serialOf(made, BLOCK);
    expect(await ok('GET', `/zones/${BLOCK}/compare`)).toMatchObject({ removed: 0, added: 0 });
    await later(made, 'PATCH', '/targets/1/indicators', { add: ['198.51.100.7'] });
    await later(made, 'PATCH', '/targets/1/indicators', { remove: ['192.0.2.0/30'] });
    const last = await ok('GET', `/zones/${BLOCK}/compare`);
    expect(last).toMatchObject({ from: first + 5, to: first + 10, removed: 1, added: 0 });
    expect(lines(last)).toEqual(['v4 APL 192.0.2.0/30']);
    const all = await ok('GET', `/zones/${BLOCK}/compare?from=${first}`);
    expect(items(all).map(({ change, data }) => `${change} ${data}`)).toEqual([
      'removed 192.0.2.0/30',
      'added 198.51.100.7/32',
      'added 198.51.100.7',
    ]);
  });
});
