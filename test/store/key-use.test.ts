import { describe, expect, it } from 'vitest';
import type { KeyUse } from '../../src/publish/store-port.ts';
import { commitOf, entity, openTemporaryStore } from './fixtures.ts';

const useOf = (keyId: number, parts: Partial<KeyUse> = {}): KeyUse => ({
  keyId,
  firstUsedAt: 1_700_000_000_000,
  lastUsedAt: 1_700_000_001_000,
  lastUsedFrom: '2001:db8::1',
  uses: 5_000_000_000,
  ...parts,
});

function withKeys(...ids: number[]) {
  const temporary = openTemporaryStore();
  temporary.store.commit(commitOf({ putEntities: ids.map((id) => entity('key', id)) }));
  return temporary;
}

describe('the use of a key', () => {
  it('is replaced as a whole and survives a restart', () => {
    const temporary = withKeys(1, 2);
    temporary.store.putKeyUses([useOf(1, { uses: 1 }), useOf(2)]);
    temporary.store.putKeyUses([useOf(1, { lastUsedFrom: '192.0.2.1' })]);
    expect(temporary.reopen().keyUses()).toEqual([
      useOf(1, { lastUsedFrom: '192.0.2.1' }),
      useOf(2),
    ]);
  });

  it('stays when its key changes, and goes with it', () => {
    const { store } = withKeys(1, 2);
    store.putKeyUses([useOf(1), useOf(2)]);
    store.commit(commitOf({ putEntities: [entity('key', 1, '{"expiresAt":5}')] }));
    expect(store.keyUses()).toEqual([useOf(1), useOf(2)]);
    store.commit(commitOf({ deleteEntities: [{ kind: 'key', id: 1 }] }));
    expect(store.keyUses()).toEqual([useOf(2)]);
  });

  it('is passed over when it is told after the end of its key', () => {
    const { store } = withKeys(1);
    store.putKeyUses([useOf(9), useOf(1)]);
    expect(store.keyUses()).toEqual([useOf(1)]);
  });
});
