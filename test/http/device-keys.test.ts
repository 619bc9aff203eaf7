import { describe, expect, it } from 'vitest';
import type { ApiOptions } from '../../src/http/index.ts';
import { readAuditRecord } from '../../src/publish/audit-record.ts';
import { decodeModel } from '../../src/publish/entity-codec.ts';
import type { KeyUse } from '../../src/publish/store-port.ts';
import { scene } from './scene.ts';

const DAY_MS = 86_400_000;

async function withKeys(count: number, options: Partial<ApiOptions> = {}) {
  const made = await scene(options);
  await made.ok('POST', '/devices', { name: 'r1', type: 'dns' });
  for (let key = 0; key < count; key++) await made.ok('POST', '/devices/1/keys');
  return made;
}

describe('rotating the keys of a device', () => {
  it('makes a new one and lets the others end after seven days', async () => {
    const { call, ok, time } = await withKeys(1);
    const rotated = await call('POST', '/devices/1/keys/rotate', {});
    expect(rotated.status).toBe(201);
    expect(rotated.headers['cache-control']).toBe('no-store');
    const end = new Date(time.now + 7 * DAY_MS).toISOString();
    expect(rotated.body).toMatchObject({
      key: { id: 2, algorithm: 'hmac-sha256', expiresAt: null },
      secret: expect.any(String),
      retiring: [{ id: 1, name: 'r1.key.acme.sluice.internal.', expiresAt: end }],
    });
    const listed = await call('GET', '/devices/1/keys');
    expect(listed.body.items).toMatchObject([
      { id: 1, expiresAt: end },
      { id: 2, expiresAt: null },
    ]);
    expect(listed.text).not.toContain(String(rotated.body.secret));
    expect(await ok('GET', '/devices/1')).toMatchObject({ keys: [{ id: 1 }, { id: 2 }] });
  });

  it('shortens what would end later, and leaves what ends sooner', async () => {
    const { ok, time } = await withKeys(1);
    const at = (days: number) => new Date(time.now + days * DAY_MS).toISOString();
    await ok('POST', '/devices/1/keys/rotate', { overlap: (30 * DAY_MS) / 1000 });
    await ok('POST', '/devices/1/keys/rotate', { overlap: DAY_MS / 1000 });
    const last = await ok('POST', '/devices/1/keys/rotate', { algorithm: 'hmac-sha512' });
    expect(last).toMatchObject({
      key: { id: 4, algorithm: 'hmac-sha512' },
      retiring: [
        { id: 1, expiresAt: at(1) },
        { id: 2, expiresAt: at(1) },
        { id: 3, expiresAt: at(7) },
      ],
    });
  });

  it('lets the others go on until the new one is seen, when the overlap is null', async () => {
    const { ok } = await withKeys(1);
    const rotated = await ok('POST', '/devices/1/keys/rotate', { overlap: null });
    expect(rotated).toMatchObject({
      key: { id: 2, replacedBy: null },
      retiring: [{ id: 1, replacedBy: 2, expiresAt: null }],
    });
    // With an end for all of them, the first is still to be replaced by the second.
    expect(await ok('POST', '/devices/1/keys/rotate', { overlap: 60 })).toMatchObject({
      retiring: [
        { id: 1, replacedBy: 2, expiresAt: expect.any(String) },
        { id: 2, replacedBy: 3, expiresAt: expect.any(String) },
      ],
    });
  });

  it('without an overlap revokes the others at once, and takes no name of theirs', async () => {
    const { ok } = await withKeys(8);
    expect(await ok('POST', '/devices/1/keys/rotate', { overlap: 0 })).toMatchObject({
      key: { id: 9, name: expect.stringMatching(/^r1-[0-9a-f]{8}\.key\./) },
      retiring: { length: 8 },
    });
    expect(await ok('GET', '/devices/1/keys')).toMatchObject({ items: [{ id: 9 }] });
  });

  it('makes the first key of a device that has none', async () => {
    const { ok } = await withKeys(0);
    expect(await ok('POST', '/devices/1/keys/rotate')).toMatchObject({
      key: { id: 1 },
      retiring: [],
    });
  });

  it('refuses overlaps above ninety days, other algorithms, and a ninth key', async () => {
    const { refused, publisher } = await withKeys(8);
    const before = publisher.model;
    for (const overlap of [-1, 90 * 86_400 + 1, 1.5, '7d']) {
      expect(await refused('POST', '/devices/1/keys/rotate', { overlap })).toMatchObject({
        status: 400,
        field: 'overlap',
      });
    }
    expect(
      await refused('POST', '/devices/1/keys/rotate', { overlap: 0, algorithm: 'hmac-md5' }),
    ).toMatchObject({ status: 422, type: '/api/v1/problems/key-algorithm' });
    expect(await refused('POST', '/devices/1/keys/rotate', {})).toMatchObject({
      status: 400,
      rule: 'A device has at most 8 keys; delete one first.',
    });
    expect(await refused('POST', '/devices/9/keys/rotate', {})).toMatchObject({ status: 404 });
    expect(publisher.model).toBe(before);
  });
});

describe('how many transfers a key may have at once', () => {
  it('is left to the settings until it is said, when it is made or later', async () => {
    const { ok, publisher } = await withKeys(1);
    expect(await ok('GET', '/devices/1/keys')).toMatchObject({ items: [{ transfersMax: null }] });
    expect(await ok('POST', '/devices/1/keys', { transfersMax: 1 })).toMatchObject({
      key: { id: 2, transfersMax: 1 },
    });
    const { secret } = publisher.model.keys.get(1 as never)!;
    expect(await ok('PATCH', '/devices/1/keys/1', { transfersMax: 10_000 })).toMatchObject({
      key: { id: 1, transfersMax: 10_000 },
    });
    expect(await ok('PATCH', '/devices/1/keys/1', {})).toMatchObject({
      key: { transfersMax: 10_000 },
    });
    expect(publisher.model.keys.get(1 as never)!.secret).toEqual(secret);
    const [change] = await publisher.changes({ limit: 1, action: 'key.update 1 1' });
    expect(change?.body).not.toContain(Buffer.from(secret).toString('base64'));
    expect(await ok('PATCH', '/devices/1/keys/1', { transfersMax: null })).toMatchObject({
      key: { transfersMax: null },
    });
    const [last] = await publisher.changes({ limit: 1 });
    expect(readAuditRecord(last!.body).entities).toMatchObject([
      { kind: 'key', before: { transfersMax: 10_000 }, after: { transfersMax: null } },
    ]);
  });

  it('goes over to the key that a rotation makes, unless it says otherwise', async () => {
    const { ok } = await withKeys(1);
    await ok('PATCH', '/devices/1/keys/1', { transfersMax: 3 });
    const rotate = async (input: object) => await ok('POST', '/devices/1/keys/rotate', input);
    expect(await rotate({})).toMatchObject({ key: { transfersMax: 3 } });
    expect(await rotate({ transfersMax: 5 })).toMatchObject({ key: { transfersMax: 5 } });
    expect(await rotate({ transfersMax: null })).toMatchObject({ key: { transfersMax: null } });
  });

  it('is a whole number from 1 to 10,000 or null, and of a key of that device', async () => {
    const { ok, refused, publisher } = await withKeys(1);
    await ok('POST', '/devices', { name: 'r2', type: 'dns' });
    const before = publisher.model;
    for (const transfersMax of [0, -1, 10_001, 1.5, '2', []]) {
      for (const [method, url] of [
        ['PATCH', '/devices/1/keys/1'],
        ['POST', '/devices/1/keys'],
        ['POST', '/devices/1/keys/rotate'],
      ] as const) {
        expect(await refused(method, url, { transfersMax })).toMatchObject({
          status: 400,
          field: 'transfersMax',
          value: transfersMax,
          rule: expect.stringMatching(/\S/),
        });
      }
    }
    expect(await refused('PATCH', '/devices/1/keys/1', { secret: 'AAAA' })).toMatchObject({
      status: 400,
      field: 'secret',
    });
    for (const url of ['/devices/2/keys/1', '/devices/1/keys/9', '/devices/9/keys/1']) {
      expect(await refused('PATCH', url, { transfersMax: 2 })).toMatchObject({ status: 404 });
    }
    expect(
      await refused('PATCH', '/devices/1/keys/1', { transfersMax: 2 }, 'editor'),
    ).toMatchObject({ status: 403 });
    expect(publisher.model).toBe(before);
  });

  it('is in a backup where it is said, which is restored all the same', async () => {
    const { ok, call, addAccount } = await withKeys(2);
    await ok('PATCH', '/devices/1/keys/2', { transfersMax: 3 });
    const { body, text } = await call('GET', '/backup');
    expect(body.devices).toMatchObject([
      { name: 'r1', keys: [{ name: expect.any(String) }, { transfersMax: 3 }] },
    ]);
    expect(text.match(/transfersMax/g)).toHaveLength(1);
    const other = await addAccount('other');
    expect(await other.ok('POST', '/restore', body)).toMatchObject({ restored: { devices: 1 } });
  });
});

describe('the use of keys', () => {
  const at = (second: number) => Date.UTC(2030, 0, 31, 11, 0, second);

  it('is told of each key: when first and last, from where, and how often', async () => {
    const uses = new Map<number, KeyUse>();
    const { ok } = await withKeys(2, { keyUse: (id) => uses.get(id) });
    const unused = { firstUsedAt: null, lastUsedAt: null, lastUsedFrom: null, uses: 0 };
    expect(await ok('GET', '/devices/1/keys')).toMatchObject({ items: [unused, unused] });
    const address = '2001:db8::53';
    const times = { firstUsedAt: at(1), lastUsedAt: at(2) };
    uses.set(2, { keyId: 2, ...times, lastUsedFrom: address, uses: 12 });
    const used = {
      id: 2,
      firstUsedAt: '2030-01-31T11:00:01.000Z',
      lastUsedAt: '2030-01-31T11:00:02.000Z',
      lastUsedFrom: address,
      uses: 12,
    };
    expect(await ok('GET', '/devices/1/keys')).toMatchObject({ items: [unused, used] });
    expect(await ok('GET', '/devices/1')).toMatchObject({ keys: [unused, used] });
    expect(await ok('DELETE', '/devices/1/keys/2')).toMatchObject({ deleted: used });
  });

  it('warns on the device of a key that was used after the new one was seen', async () => {
    const uses = new Map<number, KeyUse>();
    const { ok } = await withKeys(1, { keyUse: (id) => uses.get(id) });
    await ok('POST', '/devices/1/keys/rotate', { overlap: null });
    const use = (keyId: number, firstUsedAt: number, lastUsedAt: number) =>
      uses.set(keyId, { keyId, firstUsedAt, lastUsedAt, lastUsedFrom: '192.0.2.9', uses: 2 });
    const warnings = async () => (await ok('GET', '/devices/1')).warnings;
    use(1, at(0), at(5));
    expect(await warnings()).toEqual([]);
    use(2, at(5), at(9));
    expect(await warnings()).toEqual([]);
    use(1, at(0), at(6));
    const text = expect.stringContaining('used on 2030-01-31T11:00:06.000Z from 192.0.2.9');
    expect(await warnings()).toEqual([text]);
    expect(await ok('GET', '/devices')).toMatchObject({ items: [{ warnings: [text] }] });
  });
});

it('a key of a database from before these fields is read with what they mean by default', () => {
  const body = JSON.stringify({ id: 1, deviceId: 1, name: 'k.', secret: 'AQI=', createdAt: 5 });
  const { keys } = decodeModel({ entities: [{ kind: 'key', id: 1, body }], listEntries: [] });
  expect(keys.get(1 as never)).toMatchObject({
    expiresAt: null,
    replacedBy: null,
    transfersMax: null,
    secret: Uint8Array.of(1, 2),
  });
});
