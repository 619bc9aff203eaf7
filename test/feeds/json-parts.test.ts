import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJsonInParts } from '../../src/feeds/formats/json-parts.ts';

const parse = (text: string, checkpoint = () => {}): unknown =>
  parseJsonInParts(Buffer.from(text), 0, checkpoint);

/** The value, or that it is no JSON: what a parser comes to. */
const comesTo = (read: () => unknown): unknown => {
  try {
    return { value: read() };
  } catch (error) {
    if (error instanceof SyntaxError) return 'no JSON';
    throw error;
  }
};

/** Longer than a part by itself, so that what has it is gone into. */
const LONG = 'x'.repeat(70_000);
const BLANKS = ' \n'.repeat(35_000);

describe('a JSON document that is read in parts', () => {
  const small = fc.jsonValue({ maxDepth: 3 });
  /** Lists and objects with members of all sizes, within each other. */
  const { document } = fc.letrec<{ document: unknown }>((tie) => ({
    document: fc.oneof(
      { maxDepth: 4 },
      fc.oneof(small, fc.constant(LONG), fc.constant(Array(30_000).fill({}))),
      fc.array(tie('document'), { maxLength: 4 }),
      fc.dictionary(
        fc.oneof(fc.string(), fc.constant('__proto__'), fc.constant(LONG)),
        tie('document'),
        {
          maxKeys: 4,
        },
      ),
    ),
  }));

  it('is what JSON.parse makes of it', () => {
    fc.assert(
      fc.property(document, fc.constantFrom(undefined, 1), (value, indent) => {
        const text = JSON.stringify([value, LONG], null, indent);
        expect(parse(text)).toEqual(JSON.parse(text));
      }),
      { numRuns: 60 },
    );
  });

  it('is refused where JSON.parse refuses it', () => {
    const signs = fc.constantFrom(...',:[]{}"\\ 1x\n');
    const damaged = fc
      .tuple(document, fc.double({ min: 0, max: 1, noNaN: true }), signs, fc.constantFrom(0, 1))
      .map(([value, place, sign, taken]) => {
        const text = JSON.stringify({ list: [value, 1, LONG, [], {}], more: value });
        const at = Math.floor(place * text.length);
        return text.slice(0, at) + sign + text.slice(at + taken);
      });
    fc.assert(
      fc.property(damaged, (text) => {
        expect(comesTo(() => parse(text))).toEqual(comesTo(() => JSON.parse(text)));
      }),
      { numRuns: 200 },
    );
  });

  it.each([
    ['', '[', '{', '"', '[1', '[1,', '{"a"', '{"a":', '{"a":1,', 'nul', '01', '-', '1 2', '[] x'],
    ['[,]', '[1,]', '[,1]', '{,}', '{"a":1,}', '[1}', '{"a":1]', '{1:2}', '{"a" 1}', '[1 2]'],
    ['[]', '{}', ' [ ] ', '{ }', '0', 'true', '"a"', '[[],{}]', '{"a":1,"a":2}', '{"1":1,"0":0}'],
  ])('is read like one of a part, wherever a part ends (%s)', (...texts) => {
    for (const text of texts) {
      const forms = [
        text,
        `${BLANKS}${text}`,
        `${text}${BLANKS}`,
        text.replaceAll(/(?<=[,:[{])|(?=[,:\]}])/g, BLANKS),
      ];
      const inside = forms.flatMap((form) => [
        `["${LONG}",${form}]`,
        `{"a":${form},"b":"${LONG}"}`,
      ]);
      for (const form of [...forms, ...inside]) {
        expect(comesTo(() => parse(form))).toEqual(comesTo(() => JSON.parse(form)));
      }
    }
  });

  it('has a checkpoint every few dozen kilobytes, and what that throws comes through', () => {
    const text = JSON.stringify({ objects: Array(100_000).fill({ a: [1, 2, 3] }) });
    let checkpoints = 0;
    parse(text, () => checkpoints++);
    expect(checkpoints).toBeGreaterThan(text.length / 65_536);
    const stop = () => {
      throw new Error('no further');
    };
    expect(() => parse(text, stop)).toThrow('no further');
  });

  it('is refused when large parts are within each other without end, and in little time', () => {
    const begin = performance.now();
    for (const text of ['['.repeat(20_000_000), '{"a":'.repeat(4_000_000)]) {
      expect(() => parse(text)).toThrow(SyntaxError);
    }
    const nested = `${'['.repeat(40)}"${LONG}"${']'.repeat(40)}`;
    expect(() => parse(nested)).toThrow(SyntaxError);
    expect(() => parse(`["${'x'.repeat(17_000_000)}"]`)).toThrow(RangeError);
    expect(performance.now() - begin).toBeLessThan(5_000);
  });
});
