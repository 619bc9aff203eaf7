import { describe, expect, it } from 'vitest';
import { scene } from './scene.ts';

const at = (second: number) => `2030-01-31T12:00:${String(second).padStart(2, '0')}.000Z`;

describe('the history of a target', () => {
  it('tells its size over time, what came and went, and when all was told anew', async () => {
    const { ok, time } = await scene();
    await ok('POST', '/targets', { name: 'kits' });
    expect(await ok('GET', '/targets/1/history')).toEqual({ size: 0, items: [] });
    await ok('PUT', '/targets/1/indicators', 'a.example\nb.example\nc.example\n');
    time.now += 5_000;
    await ok('PATCH', '/targets/1/indicators', { add: ['d.example'], remove: ['a.example'] });
    time.now += 5_000;
    await ok('PUT', '/targets/1/indicators', 'b.example\nd.example\n');
    const steps = [
      { at: at(0), size: 3, added: 3, removed: 0, whole: true },
      { at: at(5), size: 3, added: 1, removed: 1, whole: false },
      { at: at(10), size: 2, added: 0, removed: 1, whole: true },
    ];
    expect(await ok('GET', '/targets/1/history')).toEqual({ size: 2, items: steps });
    expect(await ok('GET', '/targets/1/history?limit=2', undefined, 'viewer')).toEqual({
      size: 2,
      items: steps.slice(1),
    });
  });

  it('tells of each indicator when it was first and last seen', async () => {
    const { ok, time } = await scene();
    await ok('POST', '/targets', { name: 'kits' });
    await ok('PUT', '/targets/1/indicators', 'a.example\nb.example\n192.0.2.0/24\n');
    time.now += 5_000;
    await ok('PATCH', '/targets/1/indicators', { add: ['a.example', 'c.example'] });
    const seen = (indicator: string, first: number, last: number) => ({
      indicator,
      firstSeen: at(first),
      lastSeen: at(last),
    });
    const items = [
      seen('a.example', 0, 5),
      seen('b.example', 0, 0),
      seen('c.example', 5, 5),
      seen('192.0.2.0/24', 0, 0),
    ];
    expect(await ok('GET', '/targets/1/indicators/seen')).toEqual({
      total: 4,
      offset: 0,
      limit: 100,
      items,
    });
    expect(await ok('GET', '/targets/1/indicators/seen?limit=2&offset=1')).toMatchObject({
      total: 4,
      items: items.slice(1, 3),
    });
    time.now += 5_000;
    await ok('PUT', '/targets/1/indicators', 'a.example\nb.example\n');
    const whole = await ok('GET', '/targets/1/indicators/seen');
    expect(whole.items).toEqual([seen('a.example', 0, 10), seen('b.example', 0, 10)]);
  });
});

describe('the history of a list', () => {
  it('tells its size over time', async () => {
    const { ok, refused, time } = await scene();
    await ok('POST', '/lists', { name: 'own' });
    await ok('PUT', '/lists/1/entries', { entries: ['a.example', '192.0.2.5-192.0.2.9'] });
    time.now += 5_000;
    await ok('PATCH', '/lists/1/entries', { remove: ['a.example'] });
    const { size, items } = await ok('GET', '/lists/1/history');
    expect(size).toBe(3);
    expect(items).toMatchObject([
      { at: at(0), size: 4, added: 4 },
      { at: at(5), size: 3, removed: 1 },
    ]);
    expect(await refused('GET', '/lists/9/history')).toMatchObject({ status: 404, value: 9 });
    expect(await refused('GET', '/targets/9/history')).toMatchObject({ status: 404, value: 9 });
  });

  it('shows what a partner sells to accounts with an entitlement, and to the one that keeps it', async () => {
    const made = await scene();
    await made.ok('POST', '/targets', { name: 'market', partner: true });
    await made.ok('PUT', '/targets/1/indicators', 'sold.example\n');
    const other = await made.addAccount('other');
    for (const url of ['/targets/1/indicators/seen', '/targets/1/indicators']) {
      const answer = await other.call('GET', url, undefined, 'viewer');
      expect(answer, url).toMatchObject({
        status: 403,
        body: { type: '/api/v1/problems/not-entitled', field: 'target id', value: 1 },
      });
      expect(answer.text).not.toContain('sold.example');
    }
    const held = { items: [{ indicator: 'sold.example' }] };
    expect(await made.ok('GET', '/targets/1/indicators/seen')).toMatchObject(held);
    await made.ok('POST', '/entitlements', { accountId: other.accountId, targetId: 1 });
    expect(await other.ok('GET', '/targets/1/indicators/seen')).toMatchObject(held);
  });
});
