import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compareNames,
  concatName,
  countLabels,
  formatName,
  isWithin,
  lowerCaseName,
  type Name,
  NameError,
  nameKey,
  namesEqual,
  parentName,
  parseName,
  ROOT_NAME,
  readName,
  relativeLabels,
} from '../../src/dns/name.ts';
import { name as anyName, longName } from './arbitraries.ts';

const name = (text: string): Name => parseName(text);

function codeOf(text: string, origin?: Name): string | undefined {
  try {
    parseName(text, origin);
  } catch (error) {
    return error instanceof NameError ? error.code : 'no NameError';
  }
  return undefined;
}

describe('parseName', () => {
  it('gives labels with their lengths and the root at the end', () => {
    expect(parseName('Ab.c.')).toEqual(Uint8Array.of(2, 0x41, 0x62, 1, 0x63, 0));
    expect(parseName('.')).toEqual(Uint8Array.of(0));
  });

  it('completes a name without a final dot by the origin, which is the root unless given', () => {
    expect(formatName(parseName('www', name('example.')))).toBe('www.example.');
    expect(formatName(parseName('www.', name('example.')))).toBe('www.');
    expect(formatName(parseName('www'))).toBe('www.');
  });

  it('takes an escaped dot at the end as part of the label, so that the name stays relative', () => {
    expect(formatName(parseName('a\\.', name('example.')))).toBe('a\\..example.');
  });

  it.each([
    ['', 'empty'],
    ['..', 'empty-label'],
    ['.a', 'empty-label'],
    ['a..b', 'empty-label'],
    ['a.b..', 'empty-label'],
    [`${'x'.repeat(64)}.`, 'label-too-long'],
    ['x'.repeat(300), 'label-too-long'],
    ['a.'.repeat(128), 'name-too-long'],
    [`${'a.'.repeat(127)}a`, 'name-too-long'],
    ['\\', 'bad-escape'],
    ['a\\', 'bad-escape'],
    ['\\25', 'bad-escape'],
    ['\\2a5', 'bad-escape'],
    ['\\256', 'bad-escape'],
    ['\\é', 'bad-escape'],
    ['a b', 'bad-character'],
    ['é', 'bad-character'],
    ['\u0000', 'bad-character'],
  ])('refuses %j as %s', (text, code) => {
    expect(codeOf(text)).toBe(code);
  });

  it('counts the origin into the length of a relative name', () => {
    const origin = parseName('a.'.repeat(100));
    expect(codeOf('b.'.repeat(27).slice(0, -1), origin)).toBeUndefined();
    expect(codeOf('b.'.repeat(28).slice(0, -1), origin)).toBe('name-too-long');
  });

  it('reads back every name that formatName writes, octet for octet', () => {
    fc.assert(
      fc.property(fc.oneof(anyName, longName), (any) => {
        expect(parseName(formatName(any))).toEqual(any);
      }),
    );
  });

  it('never throws anything but NameError', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        expect(codeOf(text)).not.toBe('no NameError');
      }),
    );
  });
});

describe('readName', () => {
  it('reads at an offset and says where the name ends', () => {
    const message = Uint8Array.of(9, 9, 1, 0x61, 0, 9);
    expect(readName(message, 2)).toEqual({ name: name('a.'), next: 5 });
  });

  it('gives plain octets of its own, also from a Buffer', () => {
    const message = Buffer.from([1, 0x61, 0]);
    const read = readName(message, 0);
    message.fill(0);
    expect(read?.name.constructor).toBe(Uint8Array);
    expect(read?.name).toEqual(name('a.'));
  });
});

describe('comparison', () => {
  it('takes ASCII letters of either case as equal, and no other octets', () => {
    expect(namesEqual(name('ExAmPlE.'), name('example.'))).toBe(true);
    expect(namesEqual(name('\\193.'), name('\\225.'))).toBe(false);
    expect(namesEqual(name('[.'), name('{.'))).toBe(false);
    expect(namesEqual(name('a.'), name('a.a.'))).toBe(false);
  });

  it('does not take a length octet for a letter', () => {
    // 65 octets cannot be a label's length, so lowering a whole name never changes its shape.
    expect(lowerCaseName(parseName(`${'A'.repeat(63)}.B.`))).toEqual(name(`${'a'.repeat(63)}.b.`));
  });

  it('agrees with nameKey and compareNames', () => {
    fc.assert(
      fc.property(anyName, anyName, (a, b) => {
        const equal = namesEqual(a, b);
        expect(nameKey(a) === nameKey(b)).toBe(equal);
        expect(compareNames(a, b) === 0).toBe(equal);
        expect(Math.sign(compareNames(a, b)) + Math.sign(compareNames(b, a))).toBe(0);
      }),
    );
  });
});

describe('ancestry', () => {
  it('counts labels without the root', () => {
    expect(countLabels(ROOT_NAME)).toBe(0);
    expect(countLabels(name('a.b\\.c.d.'))).toBe(3);
  });

  it('walks up to the root, which is its own parent', () => {
    expect(parentName(name('a.b.'))).toEqual(name('b.'));
    expect(parentName(ROOT_NAME)).toBe(ROOT_NAME);
  });

  it('holds a name to be within itself and its ancestors in any case, at whole labels only', () => {
    expect(isWithin(name('a.EXAMPLE.'), name('example.'))).toBe(true);
    expect(isWithin(name('example.'), name('example.'))).toBe(true);
    expect(isWithin(name('example.'), ROOT_NAME)).toBe(true);
    expect(isWithin(name('example.'), name('a.example.'))).toBe(false);
    expect(isWithin(name('badexample.'), name('example.'))).toBe(false);
    // The label \007example ends in the octets of the name example. without being below it.
    expect(isWithin(name('\\007example.'), name('example.'))).toBe(false);
  });

  it('splits a name at an origin and puts it together again', () => {
    fc.assert(
      fc.property(anyName, anyName, (labels, origin) => {
        fc.pre(labels.length + origin.length <= 256);
        const whole = concatName(labels.subarray(0, -1), origin);
        expect(isWithin(whole, origin)).toBe(true);
        expect(relativeLabels(whole, origin)).toEqual(labels.subarray(0, -1));
        expect(countLabels(whole)).toBe(countLabels(labels) + countLabels(origin));
      }),
    );
    expect(relativeLabels(name('a.'), name('b.'))).toBeNull();
  });

  it('refuses to build a name of more than 255 octets', () => {
    const origin = parseName('a.'.repeat(126));
    expect(concatName(Uint8Array.of(1, 0x62), origin)).toHaveLength(255);
    expect(() => concatName(Uint8Array.of(2, 0x62, 0x62), origin)).toThrow(NameError);
  });
});
