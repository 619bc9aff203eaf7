import { describe, expect, it } from 'vitest';
import {
  Catalogue,
  formatIndicator,
  type IdsByForm,
  MEMBER_FORMS,
} from '../../src/indicators/index.ts';
import { packLines } from '../property/policy-model.ts';

const textOf = (catalogue: Catalogue, ids: IdsByForm): string[] =>
  MEMBER_FORMS.flatMap((form) =>
    Array.from(ids[form], (id) => {
      const { kind, key } = catalogue.indicator(id, form);
      return formatIndicator(kind, key);
    }),
  ).sort();

/** Names whose owners take several times 64 KiB together, with each other kind in between. */
const LINES = [
  ...Array.from({ length: 20_000 }, (_, index) => `name:host${index}.domain${index % 999}.example`),
  'host:exact.example',
  'wildcard:below.example',
  'wildcard:*',
  'nsname:ns.evil.example',
  'ip:192.0.2.0/24',
  'ip:192.0.2.7',
  'ip:2001:db8::/32',
  'nsip:198.51.100.1',
  'clientip:203.0.113.0/25',
];

describe('the catalogue', () => {
  it('gives every owner the same id again when it is read back in pieces', () => {
    const catalogue = new Catalogue();
    const pieces: Uint8Array[] = [];
    let stored = 0;
    for (const part of [LINES.slice(0, 15_000), LINES.slice(15_000)]) {
      catalogue.intern(packLines(part));
      pieces.push(catalogue.encodeOwners(stored));
      stored = catalogue.count;
    }
    expect(pieces[0].length).toBeGreaterThan(3 * 65_536);

    const again = new Catalogue();
    for (const piece of pieces) again.decodeOwners(piece);
    expect(again.count).toBe(catalogue.count);
    for (let id = 0; id < catalogue.count; id++) {
      if (!Buffer.from(again.owner(id)).equals(catalogue.owner(id))) throw new Error(`owner ${id}`);
      if (again.parent(id) !== catalogue.parent(id)) throw new Error(`parent of ${id}`);
    }
    const packed = packLines(LINES);
    expect(again.lookup(packed)).toEqual(catalogue.lookup(packed));
    expect(textOf(again, again.lookup(packed))).toEqual(
      textOf(catalogue, catalogue.intern(packed)),
    );
  });

  it('refuses owners that do not continue what it has', () => {
    const catalogue = new Catalogue();
    catalogue.intern(packLines(['name:a.example']));
    const owners = catalogue.encodeOwners(0);
    expect(() => catalogue.decodeOwners(owners)).toThrow('stored twice or out of order');
  });
});
