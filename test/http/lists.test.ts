import { describe, expect, it } from 'vitest';
import { removeExpiredEntries } from '../../src/publish/edits/index.ts';
import { type Json, type Scene, scene } from './scene.ts';

async function withList(): Promise<Scene> {
  const made = await scene();
  await made.ok('POST', '/lists', { name: 'Own servers' });
  return made;
}

function values(page: Json): string[] {
  return (page.items as unknown as { value: string }[]).map(({ value }) => value);
}

describe('user-defined lists', () => {
  it('are created, read, changed and deleted', async () => {
    const { call, ok, refused } = await scene();
    const created = await call('POST', '/lists', { name: 'Own servers', action: 'allow' });
    expect(created.status).toBe(201);
    expect(created.body).toMatchObject({
      list: {
        id: 1,
        name: 'Own servers',
        description: '',
        action: 'allow',
        owner: 'acme',
        readOnly: false,
        sharedWith: [],
        counts: { entries: 0, records: 0, addresses4: 0, addresses6: 0 },
        nextExpiry: null,
      },
      zones: [],
    });
    expect(await ok('GET', '/lists/1')).toEqual(created.body.list);
    await ok('PATCH', '/lists/1', { name: 'Servers', action: 'block' });
    expect(await ok('GET', '/lists?q=SERV&sort=-name')).toMatchObject({
      total: 1,
      items: [{ name: 'Servers', action: 'block' }],
    });
    expect(await refused('POST', '/lists', { name: 'servers' })).toMatchObject({ status: 409 });
    expect(await refused('POST', '/lists', { name: 'x', action: 'drop' })).toMatchObject({
      status: 400,
      field: 'action',
      value: 'drop',
    });
    expect(await ok('DELETE', '/lists/1')).toMatchObject({ deleted: { id: 1, name: 'Servers' } });
    expect(await refused('GET', '/lists/1')).toMatchObject({ status: 404 });
  });

  it('hold addresses, prefixes, ranges and names, with comment and expiry, in their normal form', async () => {
    const { ok } = await withList();
    const changed = await ok('PATCH', '/lists/1/entries', {
      add: [
        '192.0.2.1',
        { value: '198.51.100.7/24', comment: ' office ' },
        { value: '2001:DB8::1-2001:db8::4', comment: 'range' },
        { value: 'Shop.Example.', expiresAt: '2030-02-01T00:00:00+01:00' },
        '*.cdn.example',
        'host:only.example',
        'a\\.b.example',
      ],
    });
    expect(changed).toMatchObject({ added: 7, rejectedTotal: 0 });
    const page = await ok('GET', '/lists/1/entries');
    const isoExpiry = '2030-01-31T23:00:00.000Z';
    const createdAt = '2030-01-31T12:00:00.000Z';
    const range = (first: string, last: string, addresses: string) => ({ first, last, addresses });
    const name = { comment: '', expiresAt: null, createdAt, range: null };
    expect(page.items).toEqual([
      { ...name, value: '*.cdn.example' },
      { ...name, value: '192.0.2.1', range: range('192.0.2.1', '192.0.2.1', '1') },
      {
        value: '198.51.100.0/24',
        comment: 'office',
        expiresAt: null,
        createdAt,
        range: range('198.51.100.0', '198.51.100.255', '256'),
      },
      {
        value: '2001:db8::1-2001:db8::4',
        comment: 'range',
        expiresAt: null,
        createdAt,
        range: range('2001:db8:0:0:0:0:0:1', '2001:db8:0:0:0:0:0:4', '4'),
      },
      { ...name, value: 'a\\.b.example' },
      { ...name, value: 'host:only.example' },
      { ...name, value: 'shop.example', expiresAt: isoExpiry },
    ]);
    // ::1, ::2/127 and ::4 make the range.
    expect(await ok('GET', '/lists/1')).toMatchObject({
      counts: { entries: 7, records: 9 },
    });
    expect(values(await ok('GET', '/lists/1/entries?q=OFFICE'))).toEqual(['198.51.100.0/24']);
    expect(values(await ok('GET', '/lists/1/entries?limit=2&offset=3'))).toEqual([
      '2001:db8::1-2001:db8::4',
      'a\\.b.example',
    ]);
    expect(values(await ok('GET', '/lists/1/entries?sort=expiresAt&limit=1'))).toEqual([
      'shop.example',
    ]);
    expect(values(await ok('GET', '/lists/1/entries?expires=true'))).toEqual(['shop.example']);
  });

  it('take a new comment and expiry for an entry they hold', async () => {
    const { ok } = await withList();
    await ok('PATCH', '/lists/1/entries', { add: ['192.0.2.1', '192.0.2.2'] });
    const changed = await ok('PATCH', '/lists/1/entries', {
      add: [{ value: '192.0.2.1/32', comment: 'web' }, '192.0.2.2'],
    });
    expect(changed).toMatchObject({ added: 0, updated: 1, unchanged: 1, removed: 0, zones: [] });
    expect(await ok('GET', '/lists/1/entries')).toMatchObject({
      items: [{ value: '192.0.2.1', comment: 'web' }, { value: '192.0.2.2' }],
    });
  });

  it('keep what a range and a prefix have in common until both are gone', async () => {
    const { ok } = await withList();
    await ok('PATCH', '/lists/1/entries', { add: ['192.0.2.0/31', '192.0.2.0-192.0.2.2'] });
    expect(await ok('GET', '/lists/1')).toMatchObject({
      counts: { entries: 2, records: 2 },
    });
    await ok('PATCH', '/lists/1/entries', { remove: ['192.0.2.0/31'] });
    expect(await ok('GET', '/lists/1')).toMatchObject({
      counts: { entries: 1, records: 2 },
    });
    await ok('PATCH', '/lists/1/entries', { add: ['192.0.2.0/31'] });
    await ok('PATCH', '/lists/1/entries', { remove: ['192.0.2.0 - 192.0.2.2'] });
    expect(await ok('GET', '/lists/1')).toMatchObject({
      counts: { entries: 1, records: 1 },
    });
    await ok('PATCH', '/lists/1/entries', { remove: ['192.0.2.1/31'] });
    expect(await ok('GET', '/lists/1')).toMatchObject({
      counts: { entries: 0, records: 0 },
    });
  });

  it('are replaced as JSON or as text with comments', async () => {
    const { ok, refused } = await withList();
    await ok('PUT', '/lists/1/entries', { entries: ['a.example', 'b.example'] });
    const text = '# mine\n\nb.example # the shop\r\n192.0.2.0/24\n';
    expect(await ok('PUT', '/lists/1/entries', text)).toMatchObject({
      added: 1,
      updated: 1,
      removed: 1,
    });
    expect(await ok('GET', '/lists/1/entries')).toMatchObject({
      items: [{ value: '192.0.2.0/24' }, { value: 'b.example', comment: 'the shop' }],
    });
    expect(await refused('PUT', '/lists/1/entries?rejected=report', '<html>\n')).toMatchObject({
      status: 422,
      type: '/api/v1/problems/nothing-accepted',
    });
    expect(await ok('PUT', '/lists/1/entries', { entries: [] })).toMatchObject({ removed: 2 });
  });

  it('are changed whole or not at all, or row by row when that is asked for', async () => {
    const { ok, refused } = await withList();
    const add = [
      'fine.example',
      'a..example',
      { value: 'late.example', expiresAt: '2030-01-31T11:59:59Z' },
    ];
    const problem = await refused('PATCH', '/lists/1/entries', { add });
    expect(problem).toMatchObject({
      status: 422,
      type: '/api/v1/problems/entry-form',
      field: 'add[1]',
      value: 'a..example',
    });
    expect(problem.errors).toMatchObject([
      { field: 'add[1]' },
      { field: 'add[2]', type: '/api/v1/problems/entry-expired' },
    ]);
    expect(await ok('GET', '/lists/1')).toMatchObject({ counts: { entries: 0 } });
    const reported = await ok('PATCH', '/lists/1/entries?rejected=report', { add });
    expect(reported).toMatchObject({
      added: 1,
      rejectedTotal: 2,
      rejected: [
        { list: 'add', line: 2, reason: 'empty-label' },
        { list: 'add', line: 3, reason: 'entry-expired' },
      ],
    });
  });

  it('refuse input that breaks a rule, naming the field', async () => {
    const { refused } = await withList();
    const cases = [
      [{ add: ['nsname:ns.evil.example'] }, 'add[0]', 422],
      [{ add: ['nsip:192.0.2.1'] }, 'add[0]', 422],
      [{ add: ['com'] }, 'add[0]', 422],
      [{ add: ['0.0.0.0/0'] }, 'add[0]', 422],
      [{ add: ['192.0.2.9-192.0.2.1'] }, 'add[0]', 422],
      [{ add: [{ value: 'a.example', expiresAt: 'tomorrow' }] }, 'add[0]', 422],
      [{ add: [{ value: 'a.example', expiresAt: '2031-01-01T00:00:00' }] }, 'add[0]', 422],
      [{ add: [{ value: 'a.example', comment: 'x\ny' }] }, 'add[0]', 422],
      [{ add: [{ value: 'a.example', colour: 'red' }] }, 'add[0].colour', 400],
      [{ add: [7] }, 'add[0]', 400],
      [{ remove: ['a..example'] }, 'remove[0]', 422],
      [{ colour: [] }, 'colour', 400],
    ] as const;
    for (const [body, field, status] of cases) {
      expect(await refused('PATCH', '/lists/1/entries', body), JSON.stringify(body)).toMatchObject({
        status,
        field,
      });
    }
  });

  it('hold at most 32,000 entries', async () => {
    const { ok, refused } = await withList();
    const lines = Array.from({ length: 32_000 }, (_, index) => `h${index}.example\n`).join('');
    expect(await ok('PUT', '/lists/1/entries', lines)).toMatchObject({ added: 32_000 });
    expect(await refused('PATCH', '/lists/1/entries', { add: ['more.example'] })).toMatchObject({
      status: 422,
      type: '/api/v1/problems/list-full',
      value: 32_001,
      rule: 'A list has at most 32000 entries.',
    });
    const swap = { add: ['more.example'], remove: ['h0.example'] };
    expect(await ok('PATCH', '/lists/1/entries', swap)).toMatchObject({ added: 1, removed: 1 });
    expect(await refused('PUT', '/lists/1/entries', `${lines}more.example\n`)).toMatchObject({
      type: '/api/v1/problems/list-full',
      field: 'body',
      value: 32_001,
    });
  });

  it('count entries, records and exact addresses, what prefixes have in common once', async () => {
    const { ok } = await withList();
    await ok('PUT', '/lists/1/entries', {
      entries: [
        'shop.example',
        '192.0.2.0/24',
        '192.0.2.128/25',
        '192.0.2.200',
        '198.51.100.250-198.51.101.5',
        '2001:db8::/32',
        '2001:db8:1::/48',
        { value: '203.0.113.7', expiresAt: '2030-03-01T00:00:00Z' },
        { value: '203.0.113.8', expiresAt: '2030-02-01T00:00:00Z' },
      ],
    });
    expect(await ok('GET', '/lists/1')).toMatchObject({
      // The range takes .250/31, .252/30, .0/30 and .4/31.
      counts: {
        entries: 9,
        records: 12,
        addresses4: 256 + 12 + 2,
        addresses6: (2n ** 96n).toString(),
      },
      nextExpiry: '2030-02-01T00:00:00.000Z',
    });
  });

  it('reach the zones, and leave them again when their time is over', async () => {
    const { asServer, ok, publisher, time } = await withList();
    const attachments = [{ kind: 'list', id: 1 }];
    await ok('POST', '/policies', { name: 'corp', type: 'dns', attachments });
    const added = await ok('PATCH', '/lists/1/entries', {
      add: [{ value: 'short.example', expiresAt: '2030-01-31T12:01:00Z' }, 'long.example'],
    });
    expect(added.zones).toMatchObject([
      { zone: 'rpz.corp.acme.sluice.internal.', recordsAdded: 4 },
    ]);
    time.now += 59_999;
    expect(await asServer(removeExpiredEntries)).toBe(0);
    time.now += 1;
    const before = publisher.zones()[0]!.serial;
    expect(await asServer(removeExpiredEntries)).toBe(1);
    expect(publisher.zones()[0]!.serial).not.toBe(before);
    expect(values(await ok('GET', '/lists/1/entries'))).toEqual(['long.example']);
  });

  it('act by their own action in IP policies, which follow it when it changes', async () => {
    const { ok, refused } = await withList();
    await ok('PUT', '/lists/1/entries', { entries: ['192.0.2.0/24'] });
    await ok('POST', '/policies', { name: 'fw', type: 'ip' });
    const attachment = { kind: 'list', id: 1, action: { kind: 'allow' } };
    expect(await refused('POST', '/policies/1/attachments', attachment)).toMatchObject({
      status: 422,
      type: '/api/v1/problems/action-of-list',
      field: 'action',
      rule: 'List "Own servers" has the action block; change it on the list.',
    });
    const attached = await ok('POST', '/policies/1/attachments', { kind: 'list', id: 1 });
    expect(attached.policy).toMatchObject({
      attachments: [{ kind: 'list', id: 1, name: 'Own servers', action: { kind: 'block' } }],
      counts: { block: { addresses4: 256 }, allow: { addresses4: 0 } },
    });
    const changed = await ok('PATCH', '/lists/1', { action: 'allow' });
    expect(changed.zones).toMatchObject([
      { zone: 'allow.fw.acme.sluice.internal.' },
      { zone: 'block.fw.acme.sluice.internal.' },
    ]);
    expect(await ok('GET', '/policies/1')).toMatchObject({
      attachments: [{ action: { kind: 'allow' } }],
      counts: { block: { addresses4: 0 }, allow: { addresses4: 256 } },
    });
    expect(await refused('DELETE', '/lists/1')).toMatchObject({
      status: 409,
      rule: 'Detach it first from policy "fw".',
    });
  });
});
