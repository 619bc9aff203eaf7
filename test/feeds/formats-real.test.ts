import { describe, expect, it } from 'vitest';
import type { FeedFormat } from '../../src/feeds/feed-content.ts';
import { HAS_FEEDS, NEEDS_FEEDS, readFeed } from '../indicators/real-feeds.ts';
import { indicators, isPublicSuffix, parse } from './parse-scene.ts';

interface RealFeed {
  readonly file: string;
  readonly kind: FeedFormat['kind'];
  /** As `wc -l` counts them. */
  readonly lines: number;
  /** Counted once with grep, sort and uniq. */
  readonly indicators: number;
  /** Public suffixes that the list has: today's, as the list of suffixes grows. */
  readonly guarded: number;
  readonly value: RegExp;
  readonly as: 'name' | 'ip';
}

const FEEDS: readonly RealFeed[] = [
  {
    file: 'ipsum.txt.gz',
    kind: 'lines',
    lines: 120_437,
    indicators: 120_430,
    guarded: 0,
    value: /^(\d+\.\d+\.\d+\.\d+)\t\d+$/,
    as: 'ip',
  },
  {
    file: 'ipsum-level3.txt',
    kind: 'lines',
    lines: 14_217,
    indicators: 14_217,
    guarded: 0,
    value: /^([\d.]+)$/,
    as: 'ip',
  },
  {
    file: 'data-shield-ipv4.txt.gz',
    kind: 'lines',
    lines: 83_129,
    indicators: 83_129,
    guarded: 0,
    value: /^([\d.]+)$/,
    as: 'ip',
  },
  {
    file: 'domains-phishing.txt.gz',
    kind: 'lines',
    lines: 190_228,
    indicators: 190_215,
    guarded: 6,
    value: /^([^#\s]+)$/,
    as: 'name',
  },
  {
    file: 'domains-stevenblack.txt.gz',
    kind: 'lines',
    lines: 140_640,
    indicators: 140_626,
    guarded: 0,
    value: /^([^#\s]+)$/,
    as: 'name',
  },
  {
    file: 'hosts-adguarddns.txt.gz',
    kind: 'hosts',
    lines: 123_978,
    indicators: 123_962,
    guarded: 4,
    value: /^0\.0\.0\.0 (\S+)$/,
    as: 'name',
  },
  {
    file: 'wildcard-light.txt.gz',
    kind: 'wildcard',
    lines: 122_690,
    indicators: 122_680,
    guarded: 4,
    value: /^\*\.([^#\s]+)$/,
    as: 'name',
  },
  {
    file: 'adblock-light.txt.gz',
    kind: 'adblock',
    lines: 122_690,
    indicators: 122_680,
    guarded: 4,
    value: /^\|\|([^\s^]+)\^$/,
    as: 'name',
  },
  {
    file: 'dnsmasq-someonewhocares.conf.gz',
    kind: 'dnsmasq',
    lines: 7951,
    indicators: 7937,
    guarded: 0,
    value: /^address=\/([^/]+)\/#$/,
    as: 'name',
  },
  {
    file: 'unbound-easylist.conf.gz',
    kind: 'unbound',
    lines: 50_270,
    indicators: 50_231,
    guarded: 0,
    value: /^local-zone: "(.+)\." always_null$/,
    as: 'name',
  },
];

/** What a reader finds that knows nothing but one pattern. */
function naively({ file, value, as }: RealFeed): { values: string[]; guarded: string[] } {
  const found = new Set<string>();
  for (const line of readFeed(file).toString('latin1').split('\n')) {
    const text = value.exec(line)?.[1];
    if (text !== undefined) found.add(text.toLowerCase());
  }
  const isGuarded = (text: string): boolean => as === 'name' && isPublicSuffix(text);
  return {
    values: [...found].filter((text) => !isGuarded(text)).map((text) => `${as}:${text}`),
    guarded: [...found].filter(isGuarded),
  };
}

describe(`published lists${NEEDS_FEEDS}`, () => {
  it.skipIf(!HAS_FEEDS).each(FEEDS)(
    '$file is told to be $kind, and has the $indicators indicators that a naive reader finds',
    (feed) => {
      const content = parse(readFeed(feed.file), 'auto');
      const naive = naively(feed);

      expect(content.unreadable).toBeNull();
      expect(content.detected).toBe(feed.kind);
      expect(content.lines).toBe(feed.lines);
      expect(content.rejections).toEqual([]);
      expect(naive.values.length + naive.guarded.length).toBe(feed.indicators);
      expect(naive.guarded).toHaveLength(feed.guarded);
      expect(content.guardedShown.map(({ text }) => text).sort()).toEqual(naive.guarded.sort());
      expect(content.guarded).toBe(feed.guarded);
      expect(content.packed.count).toBe(feed.indicators - feed.guarded);
      const naiveValues = naive.values.sort();
      const read = indicators(content);
      // Equal lists of a hundred thousand take a minute to be compared as objects.
      expect(read.join('\n') === naiveValues.join('\n')).toBe(true);
    },
  );

  it.skipIf(!HAS_FEEDS).each(FEEDS)('$file gives the same when its format is declared', (feed) => {
    const octets = readFeed(feed.file);
    const told = parse(octets, feed.kind);
    const found = parse(octets, 'auto');

    expect(told.packed.count).toBe(found.packed.count);
    expect(Buffer.compare(told.packed.keys, found.packed.keys)).toBe(0);
    expect(Buffer.compare(told.packed.kinds, found.packed.kinds)).toBe(0);
  });

  it.skipIf(!HAS_FEEDS)(
    'the catalogue of feeds is JSON that needs to be told where values are',
    () => {
      const octets = readFeed('feed-catalogue.json');

      expect(parse(octets, 'auto').unreadable?.reason).toBe('needs-mapping');
      const content = parse(octets, { kind: 'json', path: '', value: 'url' });
      const entries = JSON.parse(octets.toString()) as readonly { readonly url: unknown }[];
      const urls = entries.filter(({ url }) => typeof url === 'string' && url !== '');
      expect(content.lines).toBe(entries.length);
      expect(content.rejectedByReason).toEqual({
        url: urls.length,
        'no-value': entries.length - urls.length,
      });
    },
  );
});
