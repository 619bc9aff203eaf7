import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inCanonicalOrder } from '../../src/indicators/canonical-order.ts';
import { formatIndicator } from '../../src/indicators/format-indicator.ts';
import { INDICATOR_KINDS, type PackedIndicators } from '../../src/indicators/indicator.ts';
import { packLines } from '../property/policy-model.ts';

function texts({ count, kinds, ends, keys }: PackedIndicators): string[] {
  return Array.from({ length: count }, (_, index) =>
    formatIndicator(
      INDICATOR_KINDS[kinds[index]],
      keys.subarray(index === 0 ? 0 : ends[index - 1], ends[index]),
    ),
  );
}

const label = fc.constantFrom('a', 'b', 'b-1', '9', 'zz', 'longer', 'x_y');
const name = fc
  .array(label, { minLength: 1, maxLength: 4 })
  .map((labels) => `name:${labels.join('.')}.example`);
const address = fc
  .tuple(fc.nat(255), fc.nat(255), fc.nat(255))
  .map((octets) => `ip:10.${octets.join('.')}`);
const address6 = fc.nat(0xffff).map((word) => `ip:2001:db8:${word.toString(16)}::1`);

describe('packed indicators in the order of a zone', () => {
  it('are the same ones', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(name, address, address6), { maxLength: 60 }), (lines) => {
        const packed = packLines(lines);
        const ordered = inCanonicalOrder(packed);
        expect(texts(ordered).sort()).toEqual(texts(packed).sort());
        expect(texts(inCanonicalOrder(ordered))).toEqual(texts(ordered));
      }),
      { numRuns: 100, seed: 1 },
    );
  });

  it('go by labels from the right, and behind them by the numbers of addresses', () => {
    const lines = [
      'ip:192.0.2.2',
      'name:b.example.org',
      'ip:10.9.0.1',
      'ip:2001:db8::1',
      'name:www.a.com',
      'name:a.com',
      'name:b.com',
      'name:a.a.com',
      'ip:10.0.200.1',
      'name:a-b.com',
      'name:9.com',
    ];
    expect(texts(inCanonicalOrder(packLines(lines)))).toEqual([
      '9.com',
      'a.com',
      'a.a.com',
      'www.a.com',
      'a-b.com',
      'b.com',
      'b.example.org',
      '10.0.200.1',
      '10.9.0.1',
      '192.0.2.2',
      '2001:db8::1',
    ]);
  });

  it('keep the order of the list where the first fifteen characters from the right are the same', () => {
    const lines = ['name:abcdefghijkl2.com', 'name:abcdefghijkl1.com', 'name:abcdefghij0.com'];
    expect(texts(inCanonicalOrder(packLines(lines)))).toEqual([
      'abcdefghij0.com',
      'abcdefghijkl2.com',
      'abcdefghijkl1.com',
    ]);
  });
});
