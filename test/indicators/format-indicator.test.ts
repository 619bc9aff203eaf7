import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatIndicator } from '../../src/indicators/format-indicator.ts';
import { INDICATOR_KINDS, type Indicator } from '../../src/indicators/indicator.ts';
import { parseIndicator } from '../../src/indicators/parse-indicator.ts';
import { settlePrefixKey } from '../../src/indicators/prefix.ts';

const OPTIONS = {
  ownerOctetsMax: 254,
  escapes: true,
  confirmBroad: true,
  confirmRoot: true,
  isPublicSuffix: () => true,
};

/** Labels of any octets in lower case; the last one is a plain word. */
const nameKeys = fc
  .tuple(
    fc.array(fc.uint8Array({ minLength: 1, maxLength: 20 }), { maxLength: 6 }),
    fc.constantFrom('example', 'a', '0a', '_', 'a-1'),
  )
  .map(([labels, last]) => {
    const octets = labels.flatMap((label) => {
      const isAsterisk = label.length === 1 && label[0] === 0x2a;
      const lower = Array.from(label, (octet) => octet + (octet >= 65 && octet <= 90 ? 32 : 0));
      return isAsterisk ? [] : [label.length, ...lower];
    });
    return Uint8Array.from([...octets, last.length, ...Buffer.from(last)]);
  });

const prefixKeys = fc
  .tuple(fc.constantFrom(4, 16), fc.nat(), fc.uint8Array({ minLength: 16, maxLength: 16 }))
  .map(([octets, seed, address]) => {
    const key = Uint8Array.of(1 + (seed % (octets * 8)), ...address.subarray(0, octets));
    // Some inside ::ffff:0:0/96, some with long runs of zeros.
    if (octets === 16 && seed % 5 === 0) key.fill(0, 1, 11).fill(255, 11, 13);
    if (octets === 16 && seed % 5 === 1) key.fill(0, 3, 3 + (seed % 13));
    return key.slice(0, settlePrefixKey(key, 0, key.length));
  })
  .filter((key) => key[0] !== 0);

const indicators: fc.Arbitrary<Indicator> = fc.constantFrom(...INDICATOR_KINDS).chain((kind) =>
  (kind === 'ip' || kind === 'nsip' || kind === 'clientip' ? prefixKeys : nameKeys).map((key) => ({
    kind,
    key,
  })),
);

describe('the text form of an indicator', () => {
  it('reads back to the same kind and key', () => {
    fc.assert(
      fc.property(indicators, ({ kind, key }) => {
        const text = formatIndicator(kind, key);
        expect([text, parseIndicator(text, OPTIONS)]).toEqual([
          text,
          { ok: true, indicators: [{ kind, key }] },
        ]);
      }),
      { numRuns: 3000, seed: 53 },
    );
  });

  it('of everything is *', () => {
    expect(formatIndicator('wildcard', new Uint8Array(0))).toBe('*');
  });

  it.each([
    ['name', 'evil.example'],
    ['host', 'host:evil.example'],
    ['wildcard', '*.evil.example'],
    ['nsname', 'nsname:evil.example'],
  ] as const)('of the kind %s is %s', (kind, text) => {
    expect(formatIndicator(kind, Buffer.from('\x04evil\x07example', 'latin1'))).toBe(text);
  });

  it.each([
    ['ip', [32, 192, 0, 2, 1], '192.0.2.1'],
    ['ip', [24, 192, 0, 2, 0], '192.0.2.0/24'],
    ['nsip', [24, 192, 0, 2, 0], 'nsip:192.0.2.0/24'],
    ['clientip', [32, 0x20, 1, 0xd, 0xb8, ...Array(12).fill(0)], 'clientip:2001:db8::/32'],
  ] as const)('of the kind %s and %j is %s', (kind, key, text) => {
    expect(formatIndicator(kind, Uint8Array.from(key))).toBe(text);
  });
});
