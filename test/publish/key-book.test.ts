import { describe, expect, it } from 'vitest';
import { createKey, deleteKey } from '../../src/publish/edits/index.ts';
import { memoryStore } from '../support/memory-store.ts';
import { DEVICE, openKeyRoom, openKeyScene } from './key-scene.ts';

describe('what is known of the use of a key', () => {
  it('is when it first and last signed a question, from where, and how often', async () => {
    const { house, signs, transfers, use } = await openKeyScene();
    expect(use(1)).toBeUndefined();
    const first = house.time.now;
    signs(1, '192.0.2.1');
    house.time.now += 5_000;
    transfers(1);
    house.time.now += 5_000;
    signs(1, '2001:db8::1');
    expect(use(1)).toEqual({
      keyId: 1,
      firstUsedAt: first,
      lastUsedAt: first + 10_000,
      lastUsedFrom: '2001:db8::1',
      uses: 3,
    });
  });

  it('is nothing while questions are not answered, or not signed with it', async () => {
    const { house, signs, tsig, use } = await openKeyScene();
    await house.edit((edit) => createKey(edit, DEVICE, {}));
    signs(2);
    // The signature of another key under the name of the first.
    house.ask('rpz.corp.acme.sluice.internal.', 'SOA', {
      key: { ...tsig(1), secret: new Uint8Array(32) },
    });
    expect(use(1)).toBeUndefined();
  });

  it('is the time at which a transfer was asked for, not that of its end', async () => {
    const { house, book, tsig, use, signs } = await openKeyScene();
    const event = {
      deviceId: DEVICE as never,
      zone: house.zone('rpz.corp.acme.sluice.internal.'),
      address: '192.0.2.7',
      protocol: 'tcp',
      key: tsig(1),
      kind: 'AXFR',
      octets: 1,
      completed: false,
    } as const;
    book.transferred({ ...event, durationMs: 30_000.4 });
    const asked = house.time.now - 30_000;
    expect(use(1)).toMatchObject({ firstUsedAt: asked, lastUsedAt: asked });
    signs(1, '192.0.2.8');
    book.transferred({ ...event, durationMs: 10_000 });
    expect(use(1)).toMatchObject({ lastUsedAt: house.time.now, lastUsedFrom: '192.0.2.8' });
  });

  it('counts acknowledgements that it signed, and no others', async () => {
    const { book, tsig, use } = await openKeyScene();
    book.acknowledged({ key: null, address: '192.0.2.5', at: 5 });
    expect(use(1)).toBeUndefined();
    book.acknowledged({ key: tsig(1), address: '192.0.2.5', at: 7 });
    expect(use(1)).toMatchObject({ firstUsedAt: 7, lastUsedFrom: '192.0.2.5', uses: 1 });
  });

  it('ends with the key, and does not go over to another key of the same name', async () => {
    const { house, book, signs, tsig, key, use } = await openKeyScene();
    const revoked = { name: key(1).name, tsig: tsig(1) };
    signs(1);
    book.acknowledged({ key: revoked.tsig, address: '192.0.2.5', at: 6 });
    await house.edit((edit) => {
      deleteKey(edit, DEVICE, 1);
      createKey(edit, DEVICE, {});
    });
    book.forgetEnded();
    expect(use(1)).toBeUndefined();
    expect(key(2).name).toBe(revoked.name);
    // What the old one signed and is told of only now.
    book.acknowledged({ key: revoked.tsig, address: '192.0.2.5', at: 7 });
    expect([use(1), use(2)]).toEqual([undefined, undefined]);
    await book.flush();
    expect(await house.store.keyUses()).toEqual([]);
  });

  it('is known again after a restart', async () => {
    const { house, book, signs, use } = await openKeyScene();
    signs(1);
    await book.flush();
    const reopened = await openKeyRoom(house);
    expect(reopened.use(1)).toEqual(use(1));
    reopened.signs(1);
    expect(reopened.use(1)).toMatchObject({ uses: 2 });
  });

  it('is written with the next attempt when the store fails, and only when it changed', async () => {
    const store = memoryStore();
    const { book, signs } = await openKeyScene(store);
    const put = store.putKeyUses;
    let puts = 0;
    signs(1);
    store.putKeyUses = () => Promise.reject(new Error('disk on fire'));
    await expect(book.flush()).rejects.toThrow('disk on fire');
    store.putKeyUses = (rows) => {
      puts += 1;
      return put(rows);
    };
    await book.flush();
    await book.flush();
    expect(puts).toBe(1);
    expect(await store.keyUses()).toMatchObject([{ keyId: 1, uses: 1 }]);
  });
});
