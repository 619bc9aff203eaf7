import { isIP } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { FeedContent, FeedFormat } from '../../src/feeds/feed-content.ts';
import { createFeedGuard } from '../../src/feeds/guard/feed-guard.ts';
import { parseIndicator } from '../../src/indicators/parse-indicator.ts';
import { mutatedLines } from '../indicators/mutated-lines.ts';
import { describeIndicator, unpack } from '../indicators/parsing.ts';
import { createRandom } from '../indicators/random.ts';
import { HAS_FEEDS, readFeed } from '../indicators/real-feeds.ts';
import { FEED_OPTIONS, indicators, parse } from './parse-scene.ts';

const GUARD = { ...FEED_OPTIONS.guard, names: ['mail.example.com'], prefixes: ['203.0.113.9'] };
const guard = createFeedGuard(GUARD);
const parseOptions = {
  ownerOctetsMax: FEED_OPTIONS.ownerOctetsMax,
  isPublicSuffix: GUARD.isPublicSuffix,
  confirmBroad: true,
  confirmRoot: true,
};

/** What a reader comes to that takes each line by itself, with strings. */
class Naive {
  readonly found = new Set<string>();
  guarded = 0;
  rejected = 0;
  private readonly guardedSeen = new Set<string>();

  add(text: string): void {
    const parsed = parseIndicator(text, parseOptions);
    if (!parsed.ok) {
      if (parsed.reason === 'prefix-zero' || parsed.reason === 'root') this.guarded++;
      else this.rejected++;
      return;
    }
    for (const indicator of parsed.indicators) {
      const shown = describeIndicator(indicator);
      const { kind, key } = indicator;
      if (guard.covers(kind, key, 0, key.length) === null) this.found.add(shown);
      else if (!this.guardedSeen.has(shown)) {
        this.guardedSeen.add(shown);
        this.guarded++;
      }
    }
  }
}

function expectSame(content: FeedContent, naive: Naive): void {
  expect(indicators(content)).toEqual([...naive.found].sort());
  expect(content.rejected).toBe(naive.rejected);
  expect(content.guarded).toBe(naive.guarded);
}

const realLines = (file: string): string[] =>
  HAS_FEEDS ? readFeed(file).toString('latin1').split('\n').slice(20, 2000) : [];

const feedOf = (lines: Iterable<Buffer>): Buffer =>
  Buffer.concat([...lines].flatMap((line) => [line, Buffer.from('\n')]));

const textLines = (feed: Buffer): string[] => {
  const lines: string[] = [];
  for (let start = 0; start < feed.length; ) {
    const end = feed.indexOf(0x0a, start);
    lines.push(feed.toString('utf8', start, end).replace(/\r$/, ''));
    start = end + 1;
  }
  return lines;
};

describe('reading a feed gives what a naive reader of single lines finds', () => {
  it.each([1, 2, 3])('in plain lines (seed %i)', (seed) => {
    const real = [...realLines('domains-phishing.txt.gz'), ...realLines('data-shield-ipv4.txt.gz')];
    const feed = feedOf(mutatedLines(4000, seed, real));
    const naive = new Naive();
    for (const line of textLines(feed)) {
      // Stripped of a comment and of blanks, as they are defined for lines.
      const value = line
        .replace(/(^|[ \t\r])[#;].*$/s, '$1')
        .replace(/^[ \t\r]+/, '')
        .replace(/[ \t\r]+$/, '');
      const [, address, count] = /^([^\t]*)\t(.*)$/s.exec(value) ?? [];
      if (address === undefined) {
        if (value !== '') naive.add(value);
      } else if (/^[ \r]*\d{1,10}$/.test(count!)) naive.add(`ip:${address}`);
      else naive.rejected++;
    }
    const octetsMax = textLines(feed).every((line) => Buffer.byteLength(line) < 4000);

    expect(octetsMax).toBe(true);
    expectSame(parse(feed, 'lines', { guard: GUARD }), naive);
  });

  it.each([4, 5, 6])('in hosts files (seed %i)', (seed) => {
    const real = [
      ...realLines('hosts-adguarddns.txt.gz'),
      '0.0.0.0 a.example b.example # c',
      '127.0.0.1 localhost',
      '::1\tc.example\td.example',
    ];
    const feed = feedOf(mutatedLines(4000, seed, real));
    const naive = new Naive();
    for (const line of textLines(feed)) readHostsLineNaively(line, naive);

    expectSame(parse(feed, 'hosts', { guard: GUARD }), naive);
  });

  it.each([7, 8, 9])('in adblock lists (seed %i)', (seed) => {
    const real = [
      ...realLines('adblock-light.txt.gz'),
      '||evil.example^',
      '||evil.example^$third-party',
      '||evil.example^|',
      '||192.0.2.1^',
      '! comment',
      'x##.y',
    ];
    const feed = feedOf([...mutatedLines(4000, seed, real)].filter((line) => !line.includes('@@')));
    const naive = new Naive();
    for (const line of textLines(feed)) {
      const rule = line.replace(/^[ \t]+/, '').replace(/[ \t]+$/, '');
      if (rule === '' || /^(!|\[[\s\S]*\]$|#([ \t]|$))/.test(rule)) continue;
      const name = /^\|\|([^^]*)\^\|?$/.exec(rule)?.[1];
      if (name === undefined || name.includes('/') || isRefusedSpan(name)) naive.rejected++;
      else naive.add(name);
    }

    expectSame(parse(feed, 'adblock', { guard: GUARD }), naive);
  });
});

function readHostsLineNaively(line: string, naive: Naive): void {
  const [address, ...names] = line
    .replace(/#[\s\S]*$/, '')
    .split(/[ \t]+/)
    .filter((word) => word !== '');
  if (address === undefined) return;
  if (!isAddressWord(address) || names.length === 0) {
    naive.rejected++;
    return;
  }
  for (const name of names) {
    if (/^(localhost|0\.0\.0\.0)$/i.test(name)) continue;
    if (isAddressWord(name) || /^[0-9./]+$/.test(name) || isRefusedSpan(name)) naive.rejected++;
    else naive.add(name);
  }
}

const isAddressWord = (word: string): boolean =>
  word === '0' || isIP(word.replace(/%.*$/s, '')) !== 0;

/** Inside another format a value has no blanks, no signs of comments, no kind and no port. */
function isRefusedSpan(value: string): boolean {
  return (
    value === '' ||
    /[ \t\r#;]/.test(value) ||
    (value.includes(':') && !/^[0-9a-fA-F:./]*$/.test(value))
  );
}

const FORMATS: readonly (FeedFormat & { readonly seeds: readonly string[] })[] = [
  { kind: 'auto', seeds: [] },
  { kind: 'lines', seeds: [] },
  { kind: 'wildcard', seeds: ['*.a.example'] },
  { kind: 'hosts', seeds: ['0.0.0.0 a.example b.example'] },
  { kind: 'adblock', seeds: ['||a.example^', '@@||b.example^', '||b.example^$x'] },
  {
    kind: 'dnsmasq',
    seeds: ['address=/a.example/b.example/#', 'server=/c.example/#', 'local=/d/'],
  },
  {
    kind: 'unbound',
    seeds: ['local-zone: "a.example" refuse', 'local-data: "b.example A 0.0.0.0"', 'server:'],
  },
  {
    kind: 'rpz',
    seeds: [
      '$ORIGIN rpz.example.',
      '@ SOA a. b. ( 1 2 3',
      '4 5 )',
      'a.example CNAME .',
      '*.a.example 60 IN CNAME rpz-passthru.',
      ' TXT "x ; y" "z"',
      '128.zz.1.rpz-ip CNAME .',
      '24.0.2.0.192.rpz-nsip CNAME *.',
    ],
  },
  { kind: 'csv', separator: 'auto', header: true, value: 'v', seeds: ['v,w', '"a.example",x'] },
  { kind: 'csv', separator: '|', header: false, value: 1, kindColumn: 2, seeds: ['"a"|domain|"'] },
  { kind: 'json', path: '', value: 'v', seeds: ['[', '{"v":"a.example"},', '{"v":[1]}]'] },
  { kind: 'jsonl', path: '[*]', value: '', seeds: ['["a.example"]', '{"v":{"v":["b.example"]}}'] },
  {
    kind: 'misp-json',
    seeds: ['{"response":{"Attribute":[', '{"type":"domain","value":"a.example"},', ']}}'],
  },
  { kind: 'misp-csv', seeds: ['uuid,event_id,category,type,value', ',,,domain,"a.example"'] },
  {
    kind: 'stix',
    seeds: ['{"objects":[', '{"type":"indicator","pattern":"[domain-name:value=\'a.example\']"},'],
  },
  { kind: 'regex', pattern: '(?<value>[^ ,]+)(,(?<expires>[^ ]*))?', seeds: ['a.example,2027'] },
];

describe('whatever the octets are', () => {
  it.each(FORMATS)('$kind is read without an exception, and the counts add up', (format) => {
    const { seeds, ...whole } = format;
    for (let seed = 0; seed < 40; seed++) {
      expectSound(parse(feedOf(mutatedLines(60, seed, seeds)), whole as FeedFormat));
      // In the order of the format, so that some of it is understood.
      const inOrder = seeds.flatMap((line, index) => [
        Buffer.from(line),
        ...mutatedLines(2, seed * 100 + index, seeds),
      ]);
      expectSound(parse(feedOf(inOrder), whole as FeedFormat));
      expectSound(parse(noise(seed), whole as FeedFormat));
    }
  });

  it.each(FORMATS)(
    '$kind takes lines of any length in time that grows with them only',
    (format) => {
      const { seeds, ...whole } = format;
      const signs = [
        '(',
        '"',
        "'",
        ' ',
        '\t',
        '#',
        ';',
        '/',
        '|',
        '\\',
        '.',
        ':',
        '[',
        '{',
        ',',
        '\n',
      ];
      for (const sign of [...signs, ' #', '" "', '\n"', '\n(', '.a', 'a ', '||', '\\"', '0x']) {
        const long = sign.repeat(100_000 / sign.length);
        const started = process.cpuUsage();
        expectSound(parse(`${seeds[0] ?? ''}${long}\n${long}`, whole as FeedFormat));
        const { user } = process.cpuUsage(started);
        // What grows with the square would take minutes.
        expect(user / 1000, JSON.stringify(sign)).toBeLessThan(4000);
      }
    },
  );
});

function expectSound(content: FeedContent): void {
  const read = unpack(content.packed).map(describeIndicator);
  expect(new Set(read).size).toBe(read.length);
  for (const text of read) {
    const parsed = parseIndicator(text, parseOptions);
    expect(parsed.ok && parsed.indicators.map(describeIndicator)).toEqual([text]);
  }
  const sum = (counts: Readonly<Record<string, number>>): number =>
    Object.values(counts).reduce((total, count) => total + count, 0);
  expect(sum(content.rejectedByReason)).toBe(content.rejected);
  expect(sum(content.leftOutByReason)).toBe(content.leftOut);
  expect(content.rejections).toHaveLength(Math.min(100, content.rejected));
  expect(content.rejections.every(({ text }) => text.length <= 200)).toBe(true);
  if (content.unreadable !== null) expect(content.packed.count).toBe(0);
}

function noise(seed: number): Buffer {
  const random = createRandom(seed);
  return Buffer.from(Array.from({ length: 2000 }, () => random(256)));
}
