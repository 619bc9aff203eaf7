import { describe, expect, it } from 'vitest';
import type { Indicator } from '../../src/indicators/indicator.ts';
import { type ParseOptions, parseIndicator } from '../../src/indicators/parse-indicator.ts';
import { readIndicatorLines } from '../../src/indicators/read-lines.ts';
import { mutatedLines } from './mutated-lines.ts';
import { describeIndicator, PARSE_OPTIONS, unpack } from './parsing.ts';
import { HAS_FEEDS, readFeed } from './real-feeds.ts';

/**
 * What a line means, from the rules alone: blanks and comments off, a tab splits address and count,
 * and `parseIndicator` decides the rest. Null for a line without value, a text for a reason.
 */
function readSlowly(line: Buffer, options: ParseOptions): readonly Indicator[] | string | null {
  const text = line.toString('utf8').replace(/^[ \t\r]+/, '');
  const value = text.replace(/(^|[ \t\r])[#;].*$/s, '').replace(/[ \t\r]+$/, '');
  if (value === '') return null;
  if (Buffer.byteLength(value) > 4096) return 'too-long';
  if (!value.includes('\t')) return result(value);
  const counted = /^([^\t]*)\t[ \r]*[0-9]{1,10}$/.exec(value);
  return counted === null ? 'bad-count' : result(`ip:${counted[1]!.replace(/[ \t\r]+$/, '')}`);

  function result(indicatorText: string): readonly Indicator[] | string {
    const parsed = parseIndicator(indicatorText, options);
    return parsed.ok ? parsed.indicators : parsed.reason;
  }
}

const VARIANTS: readonly [string, ParseOptions][] = [
  ['feeds', PARSE_OPTIONS],
  ['confirmed lists', { ...PARSE_OPTIONS, confirmBroad: true, confirmRoot: true }],
  ['user-defined lists', { ...PARSE_OPTIONS, escapes: true }],
  ['zones with long names', { ...PARSE_OPTIONS, ownerOctetsMax: 30 }],
];

const realLines = HAS_FEEDS
  ? ['ipsum.txt.gz', 'domains-phishing.txt.gz', 'wildcard-light.txt.gz', 'hosts-adguarddns.txt.gz']
      .map((file) => readFeed(file).toString('latin1').split('\n'))
      .flatMap((lines) => lines.filter((_, index) => index % 50 === 0))
  : [];

describe('the fast path on octets', () => {
  it.each(VARIANTS)(
    'agrees with parseIndicator on mutated lines of %s, one by one',
    (_, options) => {
      for (const line of mutatedLines(10_000, 0x51, realLines)) {
        const slow = readSlowly(line, options);
        const fast = readIndicatorLines(line, { ...options, rejectionsShown: 1 });
        const seen = {
          indicators: unpack(fast.packed).map(describeIndicator),
          reason: fast.rejections[0]?.reason ?? null,
        };
        const expected = {
          indicators: Array.isArray(slow) ? slow.map(describeIndicator) : [],
          reason: typeof slow === 'string' ? slow : null,
        };
        expect([line.toString('latin1'), seen]).toEqual([line.toString('latin1'), expected]);
      }
    },
  );

  it('never throws on 100,000 mutated lines, and whatever follows them is read as alone', () => {
    const lines = [...mutatedLines(100_000, 0xf022, realLines)];
    const text = Buffer.concat(lines.flatMap((line) => [line, Buffer.from('\n')]));
    const result = readIndicatorLines(text, { ...PARSE_OPTIONS, rejectionsShown: 1000 });

    const distinct = new Set<string>();
    const reasons: Record<string, number> = {};
    let indicators = 0;
    for (const line of lines) {
      const slow = readSlowly(line, PARSE_OPTIONS);
      if (typeof slow === 'string') reasons[slow] = (reasons[slow] ?? 0) + 1;
      for (const indicator of Array.isArray(slow) ? slow : []) {
        indicators++;
        distinct.add(describeIndicator(indicator));
      }
    }
    expect(result.lines).toBe(100_000);
    expect(result.rejectedByReason).toEqual(reasons);
    expect(unpack(result.packed).map(describeIndicator)).toEqual([...distinct]);
    expect(result.duplicates).toBe(indicators - distinct.size);
    // The wounds are deep enough to matter and shallow enough that much survives.
    expect(Object.keys(reasons).length).toBeGreaterThan(15);
    expect(indicators).toBeGreaterThan(20_000);
  });

  it('never throws on octets at random', () => {
    for (const line of mutatedLines(300, 0xabc)) {
      const noise = Buffer.concat(
        Array.from({ length: 20 }, (_, index) => line.map((octet) => octet ^ (index * 13))),
      );
      const result = readIndicatorLines(noise, { ...PARSE_OPTIONS, rejectionsShown: 5 });
      expect(result.rejected).toBeLessThanOrEqual(result.lines);
    }
  });
});
