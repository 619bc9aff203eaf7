import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  applyCatalogDiff,
  type CatalogContent,
  type CatalogMember,
  catalogOf,
  composeCatalogDiffs,
  diffCatalogs,
  invertCatalogDiff,
  isEmptyCatalogDiff,
} from '../../src/zone/catalog-content.ts';

/** Few enough names that catalogs share some, and that members change their properties. */
const memberOf = (index: number): fc.Arbitrary<CatalogMember> =>
  fc.record({
    origin: fc.constant(`z${index}.example.`),
    group: fc.constantFrom('rpz', 'ip'),
    newOwner: fc.constantFrom(null, 'catalog.example.', 'catalog.example.org.'),
  });

const catalog: fc.Arbitrary<CatalogContent> = fc
  .uniqueArray(fc.integer({ min: 0, max: 11 }))
  .chain((indices) => fc.tuple(...indices.map(memberOf)))
  .map(catalogOf);

const texts = (members: readonly CatalogMember[]): string[] =>
  members.map((member) => JSON.stringify(member)).sort();

describe('the difference between two catalogs', () => {
  it('is every member that only one of them has with these properties', () => {
    fc.assert(
      fc.property(catalog, catalog, (before, after) => {
        const [old, now] = [texts(before.members), texts(after.members)];
        const { removed, added } = diffCatalogs(before, after);
        expect(texts(removed)).toEqual(old.filter((text) => !now.includes(text)));
        expect(texts(added)).toEqual(now.filter((text) => !old.includes(text)));
      }),
    );
  });

  it('leads from the one to the other, and inverted back', () => {
    fc.assert(
      fc.property(catalog, catalog, (before, after) => {
        const diff = diffCatalogs(before, after);
        expect(applyCatalogDiff(before, diff)).toEqual(after);
        expect(applyCatalogDiff(after, invertCatalogDiff(diff))).toEqual(before);
      }),
    );
  });

  it('over several steps is the one between the ends of the way', () => {
    fc.assert(
      fc.property(fc.array(catalog, { minLength: 1, maxLength: 6 }), (way) => {
        const steps = way.slice(1).map((after, index) => diffCatalogs(way[index]!, after));
        const net = composeCatalogDiffs(steps);
        expect(net).toEqual(diffCatalogs(way[0]!, way.at(-1)!));
        expect(isEmptyCatalogDiff(composeCatalogDiffs([net, invertCatalogDiff(net)]))).toBe(true);
      }),
    );
  });
});
