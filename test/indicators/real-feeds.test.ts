import { describe, expect, it } from 'vitest';
import { formatIndicator } from '../../src/indicators/format-indicator.ts';
import { readIndicatorLines } from '../../src/indicators/read-lines.ts';
import { PARSE_OPTIONS, unpack } from './parsing.ts';
import { HAS_FEEDS, NEEDS_FEEDS, readFeed } from './real-feeds.ts';

/**
 * Each feed with the number of lines and indicators that it has, counted by hand once (grep, sort,
 * uniq), and what a value in it looks like, for the independent computation.
 */
const FEEDS = [
  {
    file: 'ipsum.txt.gz',
    lines: 120_437,
    indicators: 120_430,
    value: /^(\d+\.\d+\.\d+\.\d+)\t\d+$/,
  },
  { file: 'ipsum-level3.txt', lines: 14_217, indicators: 14_217, value: /^(\d+\.\d+\.\d+\.\d+)$/ },
  { file: 'data-shield-ipv4.txt.gz', lines: 83_129, indicators: 83_129, value: /^([\d.]+)$/ },
  { file: 'domains-phishing.txt.gz', lines: 190_228, indicators: 190_214, value: /^([^#\s]+)$/ },
  { file: 'domains-stevenblack.txt.gz', lines: 140_640, indicators: 140_626, value: /^([^#\s]+)$/ },
  { file: 'wildcard-light.txt.gz', lines: 122_690, indicators: 122_680, value: /^(\*\.[^#\s]+)$/ },
] as const;

/** In the phishing list, and a public suffix to these tests. */
const SUFFIX_IN_A_FEED = 'myjino.ru';

describe(`real feeds${NEEDS_FEEDS}`, () => {
  it.skipIf(!HAS_FEEDS).each(FEEDS)(
    '$file has $indicators indicators, the same as a naive reader finds',
    ({ file, lines, indicators, value }) => {
      const text = readFeed(file);
      const result = readIndicatorLines(text, { ...PARSE_OPTIONS, rejectionsShown: 10 });

      const naive = new Set<string>();
      for (const line of text.toString('latin1').split('\n')) {
        const found = value.exec(line)?.[1];
        if (found !== undefined && found !== SUFFIX_IN_A_FEED) naive.add(found);
      }
      expect(result.lines).toBe(lines);
      expect(result.packed.count).toBe(indicators);
      expect(naive.size).toBe(indicators);
      const read = unpack(result.packed).map(({ kind, key }) => formatIndicator(kind, key));
      expect(read.filter((indicator) => !naive.has(indicator))).toEqual([]);
      expect(result.rejections.map(({ text }) => text)).toEqual(
        file === 'domains-phishing.txt.gz' ? [SUFFIX_IN_A_FEED] : [],
      );
    },
  );
});
