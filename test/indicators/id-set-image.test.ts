import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type IdSet, idSetOctets, idsOf, unionIds, withIds } from '../../src/indicators/id-set.ts';
import { idSetFrom } from '../../src/indicators/id-set-codec.ts';
import { readIdSets, writeIdSets } from '../../src/indicators/id-set-image.ts';
import { createImageReader, createImageWriter } from '../../src/indicators/memory-image.ts';

function again(sets: readonly IdSet[]): { readonly sets: IdSet[]; readonly octets: number } {
  const writer = createImageWriter();
  writeIdSets(writer, sets);
  const { numbers, parts } = writer.image;
  const stored = parts.map(({ octets }) => ({
    buffer: Uint8Array.from(octets).buffer,
    octets: octets.length,
  }));
  const octets = parts.reduce((sum, part) => sum + part.octets.length, 0);
  return { sets: readIdSets(createImageReader(numbers, stored)), octets };
}

/** Few ids, and ranges so dense that their chunks become bitmaps. */
const idSet = fc
  .tuple(
    fc.uniqueArray(fc.nat(400_000), { maxLength: 60 }),
    fc.array(fc.tuple(fc.nat(300_000), fc.nat(9_000)), { maxLength: 3 }),
  )
  .map(([few, ranges]) => {
    const ids = new Set(few);
    for (const [from, count] of ranges) for (let n = 0; n < count; n++) ids.add(from + n);
    return idSetFrom(Uint32Array.from(ids).sort());
  });

describe('the image of sets of ids', () => {
  it('gives the same sets back, which go on as sets', () => {
    fc.assert(
      fc.property(fc.array(idSet, { maxLength: 5 }), idSet, (sets, other) => {
        const read = again(sets).sets;
        expect(read.map((set) => [set.size, [...idsOf(set)]])).toEqual(
          sets.map((set) => [set.size, [...idsOf(set)]]),
        );
        for (const [index, set] of sets.entries()) {
          expect(idsOf(unionIds(read[index], other))).toEqual(idsOf(unionIds(set, other)));
        }
      }),
      { numRuns: 60, seed: 1 },
    );
  });

  it('has what sets share once, and they share it again', () => {
    const large = idSetFrom(Uint32Array.from({ length: 200_000 }, (_, id) => id));
    const next = withIds(large, [900_000], []);
    const { sets, octets } = again([large, next, large]);
    expect(octets).toBeLessThan(idSetOctets(large) + 1_000);
    const [first, second] = sets;
    expect(second.chunks[0]).toBe(first.chunks[0]);
  });
});
