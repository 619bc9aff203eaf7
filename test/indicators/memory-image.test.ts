import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Catalogue } from '../../src/indicators/catalogue.ts';
import { idsOf } from '../../src/indicators/id-set.ts';
import { idSetFrom } from '../../src/indicators/id-set-codec.ts';
import {
  createImageReader,
  createImageWriter,
  type ImageReader,
  type MemoryImage,
} from '../../src/indicators/memory-image.ts';
import { packLines } from '../property/policy-model.ts';

/** As a file gives it back: each part in a buffer of its own, with its room behind it. */
function read({ numbers, parts }: MemoryImage): ImageReader {
  const stored = parts.map(({ octets, room }) => {
    const buffer = new ArrayBuffer(octets.length + room);
    new Uint8Array(buffer).set(octets);
    return { buffer, octets: octets.length };
  });
  return createImageReader(structuredClone([...numbers]), stored);
}

function imageOf(catalogue: Catalogue): MemoryImage {
  const writer = createImageWriter();
  for (const _ of catalogue.writeImage(writer));
  return writer.image;
}

/** All that can be asked of a catalogue. */
function facts(catalogue: Catalogue) {
  const ids = Array.from({ length: catalogue.count }, (_, id) => id);
  return {
    owners: ids.map((id) => Buffer.from(catalogue.owner(id)).toString('latin1')),
    found: ids.map((id) => {
      const owner = catalogue.owner(id);
      return catalogue.findOwner(owner, 0, owner.length);
    }),
    parents: ids.map((id) => catalogue.parent(id)),
    below: ids.map((id) => {
      const below: number[] = [];
      catalogue.visitDescendants(id, (descendant) => below.push(descendant) > 0);
      return below;
    }),
    prefixes: ids.map((id) => {
      if (!catalogue.isPrefix(id)) return null;
      const words = new Uint32Array(catalogue.prefixFamily(id) === 4 ? 1 : 4);
      catalogue.prefixWords(id, words);
      const [kind, length] = [catalogue.prefixKind(id), catalogue.prefixLength(id)];
      return { kind, length, words, over: catalogue.containingPrefix(kind, words, length) };
    }),
    nested: [...idsOf(catalogue.nested)],
    stored: Buffer.from(catalogue.encodeOwners(0)).toString('latin1'),
  };
}

const label = fc.constantFrom('a', 'b', 'cc', 'evil', 'x-y');
const name = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'));
const octet = fc.integer({ min: 0, max: 3 });
const prefix = fc
  .tuple(octet, octet, fc.integer({ min: 8, max: 32 }))
  .map(([second, third, length]) => `ip:10.${second}.${third}.0/${length}`);
const prefix6 = fc
  .tuple(octet, fc.integer({ min: 16, max: 128 }))
  .map(([word, length]) => `nsip:2001:db8:${word}::/${length}`);
const line = fc.oneof(
  name.map((text) => `name:${text}.example`),
  name.map((text) => `wildcard:${text}.example`),
  name.map((text) => `nsname:${text}.example`),
  fc.constant('wildcard:*'),
  prefix,
  prefix6,
);
const lines = fc.array(line, { maxLength: 40 });

describe('the image of a catalogue', () => {
  it('is the same catalogue again, and goes on like it', () => {
    fc.assert(
      fc.property(lines, lines, (before, after) => {
        const catalogue = new Catalogue();
        catalogue.intern(packLines(before));
        const again = Catalogue.fromImage(read(imageOf(catalogue)));
        expect(facts(again)).toEqual(facts(catalogue));
        expect(again.intern(packLines(after))).toEqual(catalogue.intern(packLines(after)));
        expect(facts(again)).toEqual(facts(catalogue));
      }),
      { numRuns: 150, seed: 1 },
    );
  });

  it('goes on through every table that has to grow', () => {
    const list = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, n) =>
        n % 9 === 0
          ? `ip:10.${(from + n) >> 8}.${(from + n) & 255}.1`
          : `name:n${from + n}.example`,
      );
    const catalogue = new Catalogue();
    catalogue.intern(packLines(list(0, 3_000)));
    const again = Catalogue.fromImage(read(imageOf(catalogue)));
    for (let from = 3_000; from < 30_000; from += 3_000) {
      const more = packLines(list(from, from + 3_000));
      expect(again.intern(more)).toEqual(catalogue.intern(more));
    }
    expect(facts(again)).toEqual(facts(catalogue));
  });

  it('knows which owners are indicators, so that those are not marked again', () => {
    const catalogue = new Catalogue();
    catalogue.intern(packLines(['name:evil.example']));
    const again = Catalogue.fromImage(read(imageOf(catalogue)));
    const all = idSetFrom(Uint32Array.from({ length: again.count }, (_, id) => id));
    // `example` becomes an indicator, and so `evil.example` is below one.
    again.markIndicators([all]);
    expect([...idsOf(again.nested)]).toHaveLength(1);
  });

  it('is refused where its parts do not fit together', () => {
    const catalogue = new Catalogue();
    catalogue.intern(packLines(['name:evil.example', 'ip:192.0.2.1']));
    const { numbers, parts } = imageOf(catalogue);
    expect(() => Catalogue.fromImage(read({ numbers: [], parts }))).toThrow('no number 1');
    expect(() => Catalogue.fromImage(read({ numbers, parts: parts.slice(1) }))).toThrow(/part \d+/);
    const other = [numbers[0] + 1, ...numbers.slice(1)];
    expect(() => Catalogue.fromImage(read({ numbers: other, parts }))).toThrow(/part 1 .* octets/);
  });
});
