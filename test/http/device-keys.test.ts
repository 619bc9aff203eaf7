import { describe, expect, it } from 'vitest';
import { scene } from './scene.ts';

const DAY_MS = 86_400_000;

async function withKeys(count: number) {
  const made = await scene();
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
