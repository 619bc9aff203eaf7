import { describe, expect, it } from 'vitest';
import { idsOf } from '../../src/indicators/id-set.ts';
import { Catalogue } from '../../src/indicators/index.ts';
import { MEMBER_FORMS } from '../../src/indicators/indicator.ts';
import { internInSlices } from '../../src/publish/intern-slices.ts';
import type { Ledger } from '../../src/publish/state.ts';
import type { StoredOwners } from '../../src/publish/store-port.ts';
import { packLines } from '../property/policy-model.ts';

/** Of every form, in no order, some of them twice and far apart. */
function lines(): string[] {
  const once = Array.from({ length: 6_000 }, (_, index) => [
    `name:n${(index * 7) % 6_000}.k${index % 11}.example`,
    `host:h${index}.example`,
    `wildcard:k${index % 11}.example`,
    `ip:10.${index & 255}.${(index * 3) & 255}.${index >>> 8}/32`,
  ]).flat();
  return [...once, ...once.slice(0, 5_000), 'ip:10.0.0.0/12', 'nsname:ns.example'];
}

describe('interning in slices', () => {
  it('gives the members that interning at once gives', async () => {
    const packed = packLines(lines());
    const stored: StoredOwners[] = [];
    const ledger = { catalogue: new Catalogue(), ownersStored: 0 } as unknown as Ledger;
    const members = await internInSlices({
      packed,
      ledger,
      store: {
        putOwners: async (owners) => {
          stored.push(owners);
        },
      },
      inTurn: async (run) => run(),
    });
    const { catalogue } = ledger;
    const again = catalogue.intern(packed);
    for (const form of MEMBER_FORMS) expect(idsOf(members[form])).toEqual(again[form]);
    expect(members.prefix.size).toBeGreaterThan(5_000);
    // What was stored ahead is the catalogue itself, from the first owner on and without a gap.
    const read = new Catalogue();
    for (const { firstId, bytes } of stored) {
      expect(firstId).toBe(read.count);
      read.decodeOwners(bytes);
    }
    expect(read.count).toBe(ledger.ownersStored);
    expect(read.count).toBeGreaterThan(8_192);
    expect(read.encodeOwners(0)).toEqual(catalogue.encodeOwners(0, read.count));
  });

  it('gives none for nothing', async () => {
    const members = await internInSlices({
      packed: packLines([]),
      ledger: { catalogue: new Catalogue(), ownersStored: 0 } as unknown as Ledger,
      store: { putOwners: () => Promise.reject(new Error('nothing to store')) },
      inTurn: async (run) => run(),
    });
    expect(MEMBER_FORMS.map((form) => members[form].size)).toEqual([0, 0, 0, 0]);
  });
});
