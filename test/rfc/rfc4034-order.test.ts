import { describe, expect, it } from 'vitest';
import { compareNames, formatName, parseName } from '../../src/dns/name.ts';

describe('RFC 4034 section 6.1: canonical name order', () => {
  it("sorts the section's example as the section does", () => {
    const sorted = [
      'example.',
      'a.example.',
      'yljkjljk.a.example.',
      'Z.a.example.',
      'zABC.a.EXAMPLE.',
      'z.example.',
      '\\001.z.example.',
      '*.z.example.',
      '\\200.z.example.',
    ];
    const shuffled = [...sorted].reverse().map((text) => parseName(text));
    expect(shuffled.sort(compareNames).map(formatName)).toEqual(sorted);
  });

  it('puts the absence of an octet before a zero octet, and the root first', () => {
    expect(compareNames(parseName('a.'), parseName('a\\000.'))).toBeLessThan(0);
    expect(compareNames(parseName('.'), parseName('\\000.'))).toBeLessThan(0);
  });
});
