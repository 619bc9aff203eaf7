import { describe, expect, it } from 'vitest';
import { loadNeverBlock } from '../../src/config/index.ts';
import { createFeedGuard } from '../../src/feeds/guard/feed-guard.ts';
import { parseIndicator } from '../../src/indicators/parse-indicator.ts';
import { SPECIAL_RANGES } from '../../src/publish/safety/special-ranges.ts';
import { createRandom } from '../indicators/random.ts';
import { FEED_OPTIONS, indicators, isPublicSuffix, parse } from './parse-scene.ts';

const OPTIONS = {
  names: ['google.com', 'www.bank.example', 'bank.example', 'deep.under.other.example'],
  prefixes: ['198.51.100.53', '203.0.113.0/25', '2001:db8:53::/48'],
  isPublicSuffix,
};
const guard = createFeedGuard(OPTIONS);

/** What the indicators of a text cover. */
function covers(text: string): (string | null)[] {
  const parsed = parseIndicator(text, {
    ownerOctetsMax: 255,
    confirmBroad: true,
    confirmRoot: true,
    isPublicSuffix,
  });
  if (!parsed.ok) throw new Error(`${text}: ${parsed.reason}`);
  return parsed.indicators.map(({ kind, key }) => guard.covers(kind, key, 0, key.length));
}

describe('what must never be blocked', () => {
  it.each([
    ['google.com', 'google.com'],
    ['host:google.com', 'google.com'],
    ['*.google.com', 'google.com'],
    ['nsname:google.com', 'google.com'],
    ['bank.example', 'bank.example'],
    ['host:bank.example', 'bank.example'],
    ['www.bank.example', 'www.bank.example'],
    ['other.example', 'deep.under.other.example'],
    ['*.under.other.example', 'deep.under.other.example'],
    ['*', 'every name there is'],
    ['com', 'com (top-level domain)'],
    ['host:com', 'com (top-level domain)'],
    ['*.com', 'com (top-level domain)'],
    ['nsname:com', 'com (top-level domain)'],
    ['co.uk', 'co.uk (public suffix)'],
    ['github.io', 'github.io (public suffix)'],
    ['198.51.100.53', '198.51.100.53'],
    ['198.51.100.0/24', '198.51.100.53'],
    ['203.0.113.7', '203.0.113.0/25'],
    ['nsip:203.0.113.7', '203.0.113.0/25'],
    ['2001:db8:53:1::/64', '2001:db8:53::/48'],
    ['10.1.2.3', '10.0.0.0/8 (private use, RFC 1918)'],
    ['clientip:192.168.0.0/16', '192.168.0.0/16 (private use, RFC 1918)'],
    ['255.255.255.255', '240.0.0.0/4 (reserved, RFC 1112)'],
    ['224.0.0.251', '224.0.0.0/4 (multicast, RFC 5771)'],
    ['ff02::fb', 'ff00::/8 (multicast, RFC 4291)'],
    ['fe80::1', 'fe80::/10 (link local, RFC 4291)'],
    ['::1', '::1/128 (loopback, RFC 4291)'],
    ['4.0.0.0/6', 'more addresses than a /8 has'],
    ['2600::/12', 'more addresses than a /16 has'],
  ])('is covered by %s: %s', (text, what) => {
    expect(covers(text)).toEqual([what]);
  });

  it.each([
    'ads.google.com',
    'notgoogle.com',
    'google.com.evil.example',
    'host:other.example',
    'host:under.other.example',
    'evil.github.io',
    'evil.example',
    '198.51.100.52',
    '203.0.113.128/25',
    '192.0.2.0/24',
    '2001:db8::1',
    '9.255.255.255',
    '11.0.0.0/8',
    '2001:db8:54::/48',
    '100.128.0.0',
  ])('is not touched by %s', (text) => {
    expect(covers(text)).toEqual([null]);
  });

  it('is left out of a feed and reported, and the rest goes on', () => {
    const feed = [
      'com',
      '0.0.0.0/0',
      '::/0',
      'google.com',
      'evil.example',
      '198.51.100.0/24',
      '9.0.0.0-10.255.255.255',
      '192.0.2.1',
      '*',
      'host:.',
    ].join('\n');
    const content = parse(feed, 'lines', { guard: OPTIONS });

    expect(indicators(content)).toEqual(['ip:192.0.2.1', 'ip:9.0.0.0/8', 'name:evil.example']);
    expect(content.guarded).toBe(8);
    expect(content.guardedShown).toEqual([
      { text: '0.0.0.0/0', covers: 'every address there is' },
      { text: '::/0', covers: 'every address there is' },
      { text: 'host:.', covers: 'every name there is' },
      { text: 'com', covers: 'com (top-level domain)' },
      { text: 'google.com', covers: 'google.com' },
      { text: '198.51.100.0/24', covers: '198.51.100.53' },
      { text: '10.0.0.0/8', covers: '10.0.0.0/8 (private use, RFC 1918)' },
      { text: '*', covers: 'every name there is' },
    ]);
    expect(content.rejected).toBe(0);
  });

  it('is shown up to a hundred times and counted beyond', () => {
    const feed = Array.from({ length: 300 }, (_, index) => `10.0.${index >> 8}.${index & 255}`);
    const content = parse(feed.join('\n'), 'lines');

    expect(content.guarded).toBe(300);
    expect(content.guardedShown).toHaveLength(100);
    expect(content.packed.count).toBe(0);
  });

  it('agrees with a comparison against every range, one by one', () => {
    const ranges = [...SPECIAL_RANGES.map(({ prefix }) => prefix), '224.0.0.0/4'].filter(
      (prefix) => !prefix.includes(':'),
    );
    const all = [...ranges, ...OPTIONS.prefixes.filter((prefix) => !prefix.includes(':'))].map(
      bounds,
    );
    const random = createRandom(11);
    for (let round = 0; round < 20_000; round++) {
      const length = 8 + random(25);
      // Half of them close to the borders of a range, where mistakes would be.
      const [from, to] = all[random(all.length)]!;
      const near = (random(2) === 0 ? from : to) + random(5) - 2;
      const address = random(2) === 0 ? random(2 ** 16) * 65_536 + random(2 ** 16) : near;
      const size = 2 ** (32 - length);
      const first = Math.floor((((address % 2 ** 32) + 2 ** 32) % 2 ** 32) / size) * size;
      const text = [24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256).join('.');
      const isTouched = all.some(([low, high]) => low <= first + size - 1 && first <= high);

      expect(covers(`${text}/${length}`)[0] !== null, `${text}/${length}`).toBe(isTouched);
    }
  });

  it('takes the list that Sluice comes with', () => {
    const { names, prefixes } = loadNeverBlock(new URL('../../zones', import.meta.url).pathname);
    const content = parse([...names, ...prefixes, 'evil.example'].join('\n'), 'lines', {
      guard: { ...FEED_OPTIONS.guard, names, prefixes },
    });

    expect(indicators(content)).toEqual(['name:evil.example']);
    expect(content.guarded).toBe(names.length + prefixes.length);
  });

  it('refuses settings that are no names and prefixes', () => {
    const create = (names: string[], prefixes: string[]) => () =>
      createFeedGuard({ names, prefixes, isPublicSuffix });

    expect(create(['*.example.com'], [])).toThrow('is no name');
    expect(create(['.'], [])).toThrow('is no name');
    expect(create([], ['example.com'])).toThrow('is no prefix');
  });
});

/** First and last address of an IPv4 prefix, as numbers. */
function bounds(prefix: string): [number, number] {
  const [address = '', length = '32'] = prefix.split('/');
  const first = address.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0);
  return [first, first + 2 ** (32 - Number(length)) - 1];
}
