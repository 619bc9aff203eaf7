import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Columns, type ListQuery, pageOf } from '../../src/http/page.ts';
import { type Json, type Scene, scene } from './scene.ts';

interface Item {
  readonly id: number;
  readonly name: string;
  readonly size: bigint;
}

const COLUMNS: Columns<Item> = {
  id: ({ id }) => id,
  name: ({ name }) => name,
  size: ({ size }) => size,
};

function page(items: readonly Item[], query: ListQuery) {
  return pageOf(items, query, { columns: COLUMNS, view: ({ id }) => id });
}

describe('pages', () => {
  const item = fc.record({
    id: fc.integer({ min: 1, max: 30 }),
    name: fc.constantFrom('a', 'A', 'b', 'B', 'ç', 'c"', ''),
    size: fc.bigInt({ min: 0n, max: 2n ** 128n }),
  });
  const items = fc.uniqueArray(item, { selector: ({ id }) => id, maxLength: 20 });

  it('show every item that stays exactly once, whatever comes and goes between them', () => {
    fc.assert(
      fc.property(
        items,
        fc.array(items, { minLength: 1, maxLength: 4 }),
        fc.constantFrom('id', '-id', 'name', '-name', 'size', '-size'),
        fc.integer({ min: 1, max: 4 }),
        (staying, others, sort, limit) => {
          const stays = new Set(staying.map(({ id }) => id));
          const seen: number[] = [];
          let cursor: string | null = null;
          for (let step = 0; step < 60; step++) {
            const coming = others[step % others.length]!.filter(({ id }) => !stays.has(id));
            const query: ListQuery = { sort, limit, ...(cursor === null ? {} : { cursor }) };
            const { items: shown, next } = page([...coming, ...staying], query);
            seen.push(...shown.filter((id) => stays.has(id)));
            cursor = next;
            if (cursor === null) break;
          }
          expect(cursor).toBeNull();
          expect(seen.toSorted((a, b) => a - b)).toEqual([...stays].sort((a, b) => a - b));
        },
      ),
      { numRuns: 1_000, seed: 1 },
    );
  });

  it('come to the same by cursor and by offset while nothing changes', () => {
    fc.assert(
      fc.property(items, fc.constantFrom('name', '-size', 'id'), (all, sort) => {
        let cursor: string | null = null;
        for (let offset = 0; offset < all.length || offset === 0; offset += 3) {
          const byOffset = page(all, { sort, limit: 3, offset });
          const query = { sort, limit: 3, ...(cursor === null ? {} : { cursor }) };
          expect(page(all, query)).toEqual(byOffset);
          cursor = byOffset.next;
          if (cursor === null) break;
        }
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  it('compare large numbers exactly', () => {
    const sizes = [2n ** 96n + 1n, 2n ** 96n, 2n ** 96n + 2n, 5n];
    const all = sizes.map((size, index) => ({ id: index + 1, name: '', size }));
    expect(page(all, { sort: 'size' }).items).toEqual([4, 2, 1, 3]);
    expect(page(all, { sort: '-size' }).items).toEqual([3, 1, 2, 4]);
  });
});

describe('lists', () => {
  async function withTargets(): Promise<Scene> {
    const made = await scene();
    for (const severity of [3, 1, 4, 1, 5]) {
      const name = `target ${severity} ${made.publisher.model.targets.size}`;
      await made.ok('POST', '/targets', { name, attributes: { severity } });
    }
    return made;
  }
  const ids = (body: Json) => (body.items as unknown as { id: number }[]).map(({ id }) => id);

  it('go on behind the last item of the page before, though others came and went', async () => {
    const { ok } = await withTargets();
    const first = await ok('GET', '/targets?sort=-severity&limit=2');
    expect(ids(first)).toEqual([5, 3]);
    expect(first).toMatchObject({ total: 5, offset: 0, limit: 2, next: expect.any(String) });
    await ok('DELETE', '/targets/3');
    await ok('POST', '/targets', { name: 'new', attributes: { severity: 5 } });
    await ok('POST', '/targets', { name: 'newer', attributes: { severity: 0 } });
    const second = await ok('GET', `/targets?sort=-severity&limit=2&cursor=${first.next}`);
    expect(ids(second)).toEqual([1, 2]);
    expect(second).toMatchObject({ total: 6, offset: 2 });
    const third = await ok('GET', `/targets?sort=-severity&limit=2&cursor=${second.next}`);
    expect(ids(third)).toEqual([4, 7]);
    expect(third.next).toBeNull();
  });

  it('refuse a cursor that is none, or of another order, and one together with an offset', async () => {
    const { ok, refused } = await withTargets();
    const { next } = await ok('GET', '/targets?sort=-severity&limit=2');
    const cases = [
      ['cursor=nonsense', 'A cursor is what the page before gave as "next".'],
      [
        `cursor=${Buffer.from('["id",{},1]').toString('base64url')}`,
        'A cursor is what the page before gave as "next".',
      ],
      [
        `cursor=${next}&sort=name`,
        'The cursor is of a list sorted by "-severity", and this one is by "name".',
      ],
      [
        `cursor=${next}&sort=-severity&offset=0`,
        'A page begins at a cursor or at an offset, not at both.',
      ],
    ] as const;
    for (const [query, rule] of cases) {
      expect(await refused('GET', `/targets?${query}`), query).toMatchObject({
        status: 400,
        type: '/api/v1/problems/invalid-value',
        field: 'cursor',
        rule,
      });
    }
    expect(await refused('GET', '/targets?sort=colour')).toMatchObject({ field: 'sort' });
    expect(await refused('GET', '/targets?limit=1001')).toMatchObject({ field: 'limit' });
  });

  it('of every kind have cursors', async () => {
    const { ok } = await scene();
    for (const name of ['a', 'b', 'c']) {
      await ok('POST', '/bundles', { name });
      await ok('POST', '/lists', { name });
      await ok('POST', '/policies', { name, type: 'dns' });
      await ok('POST', '/behaviours', { name, action: { kind: 'redirect', to: 'x.example.' } });
    }
    await ok('PUT', '/lists/1/entries', { entries: ['a.example', 'b.example', 'c.example'] });
    const paths = [
      ['/bundles', 'name'],
      ['/lists', 'name'],
      ['/policies', 'name'],
      ['/behaviours', 'name'],
      ['/lists/1/entries', '-value'],
    ];
    for (const [path, sort] of paths) {
      const first = await ok('GET', `${path}?limit=2&sort=${sort}`);
      expect(first.items, path).toHaveLength(2);
      const second = await ok('GET', `${path}?limit=2&sort=${sort}&cursor=${first.next}`);
      expect(second, path).toMatchObject({ total: 3, offset: 2, next: null });
      expect(second.items, path).toHaveLength(1);
    }
  });

  it('of the indicators of a target go on behind the last one, though others came and went', async () => {
    const { ok, refused } = await scene();
    await ok('POST', '/targets', { name: 'one' });
    const names = Array.from({ length: 6 }, (_, n) => `n${n}.example`);
    await ok('PUT', '/targets/1/indicators', [...names, '*.w.example', '192.0.2.1'].join('\n'));
    const url = '/targets/1/indicators?limit=3';
    const first = await ok('GET', url);
    expect(first).toMatchObject({ total: 8, offset: 0, items: names.slice(0, 3) });
    await ok('PATCH', '/targets/1/indicators', {
      remove: [names[0], names[2]],
      add: ['new.example'],
    });
    const second = await ok('GET', `${url}&cursor=${first.next}`);
    expect(second).toMatchObject({ total: 7, offset: 1, items: names.slice(3) });
    const third = await ok('GET', `${url}&cursor=${second.next}`);
    expect(third).toMatchObject({
      offset: 4,
      next: null,
      items: ['new.example', '*.w.example', '192.0.2.1'],
    });
    expect(await ok('GET', `${url}&offset=4`)).toMatchObject({ items: third.items });
    expect(await refused('GET', `${url}&offset=1&cursor=${first.next}`)).toMatchObject({
      field: 'cursor',
    });
    const { next } = await ok('GET', '/targets/1/indicators?limit=7');
    expect(next).toBeNull();
  });
});
