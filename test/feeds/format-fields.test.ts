import { describe, expect, expectTypeOf, it } from 'vitest';
import type { FeedFormat } from '../../src/feeds/feed-content.ts';
import { parseJsonPath } from '../../src/feeds/formats/json-path.ts';
import { refusePattern } from '../../src/feeds/formats/regex.ts';
import { checkFeedFormat, type FeedFormatKind } from '../../src/policy/feed-format.ts';

const isTaken = (format: Readonly<Record<string, unknown>>) =>
  checkFeedFormat(format).refusals.length === 0;

describe('the formats that people may give a feed', () => {
  it('are those that are read', () => {
    expectTypeOf<FeedFormatKind>().toEqualTypeOf<FeedFormat['kind']>();
  });

  it('take a path as it is read', () => {
    const paths = [
      '',
      'a',
      'data.items[*]',
      '[*]',
      '[*].value',
      'a[*][*].b',
      'a.[*]',
      'a..b',
      '.a',
      'a.',
      'a[0]',
      'a[*]b',
      '[*]a',
      'a]',
      Array(32).fill('a').join('.'),
      Array(33).fill('a').join('.'),
    ];
    for (const path of paths) {
      expect(isTaken({ kind: 'json', value: path }), path).toBe(parseJsonPath(path) !== null);
    }
  });

  it('take an expression as it is read, with no group that means nothing', () => {
    const patterns = [
      '^(?<value>\\S+)$',
      '(?<value>\\d+)\\-(?<comment>.*)',
      '(\\S+)',
      '(?<value>',
      '(?<wert>.)',
      '\\(?<value>.\\)',
      '[(?<value>]',
      '',
    ];
    for (const pattern of patterns) {
      expect(isTaken({ kind: 'regex', pattern }), pattern).toBe(refusePattern(pattern) === null);
    }
    expect(isTaken({ kind: 'regex', pattern: '(?<value>.)(?<date>.)' })).toBe(false);
  });
});
