import { describe, expect, it } from 'vitest';
import type { CsvFormat } from '../../src/feeds/feed-content.ts';
import { readStixPattern } from '../../src/feeds/formats/stix-pattern.ts';
import { indicators, parse } from './parse-scene.ts';

describe('a table', () => {
  const CSV: CsvFormat = { kind: 'csv', separator: 'auto', header: true, value: 'ioc' };

  it('has its columns by name, in whatever case, or by number', () => {
    const feed = 'Date;IOC;Text\n2026-01-01;evil.example;"a; ""b"""\n2026-01-02;192.0.2.1;\n';

    const named = parse(feed, { ...CSV, comment: 'text' });
    expect(indicators(named)).toEqual(['ip:192.0.2.1', 'name:evil.example']);
    expect(named.notes[0].comment).toBe('a; "b"');
    expect(named.lines).toBe(3);
    expect(indicators(parse(feed, { ...CSV, value: 2 }))).toEqual(indicators(named));
  });

  it('may have its header in a comment', () => {
    const feed = '# a feed\n# "first_seen","ioc"\n2026-01-01,evil.example\n';

    expect(indicators(parse(feed, CSV))).toEqual(['name:evil.example']);
  });

  it('without a column that its format names is no content', () => {
    expect(parse('a,b\n1,2\n', CSV).unreadable).toEqual({
      reason: 'no-column',
      text: 'There is no such column. (ioc)',
    });
    expect(parse('ioc\nevil.example\n', { ...CSV, expires: 'until' }).unreadable?.reason).toBe(
      'no-column',
    );
  });

  it('takes tabs, other comments and a word for the kind of a value', () => {
    const feed = [
      '; comment',
      'evil.example\tdomain',
      'www.evil.example\tHostname',
      '192.0.2.1:443\tip:port',
      '[2001:db8::1]:53\tip:port',
      'cb4e35b3d9a1d7f9a6d5\tsha256_hash',
      '\tdomain',
    ].join('\n');
    const content = parse(feed, {
      kind: 'csv',
      separator: 'tab',
      header: false,
      value: 1,
      kindColumn: 2,
      commentPrefix: ';',
    });

    expect(indicators(content)).toEqual([
      'host:www.evil.example',
      'ip:192.0.2.1',
      'ip:2001:db8::1',
      'name:evil.example',
    ]);
    expect(content.leftOutByReason).toEqual({ 'other-type': 1 });
    expect(content.rejectedByReason).toEqual({ 'no-value': 1 });
  });

  it('loses one line to a quotation mark that is never closed, not the rest', () => {
    const rows = Array.from({ length: 30_000 }, (_, index) => `n${index}.example,x`);
    rows[10] = '# a comment before the fault';
    rows[11] = '"n11.example,x';
    const content = parse(rows.join('\n'), { ...CSV, separator: ',', header: false, value: 1 });

    expect(content.packed.count).toBe(29_998);
    expect(content.rejections).toEqual([{ line: 12, text: rows[11], reason: 'bad-quotes' }]);
  });

  it('with such a mark in every line still ends', () => {
    const content = parse('"a.example,x\n'.repeat(20_000), {
      ...CSV,
      separator: ',',
      header: false,
      value: 1,
    });

    // Two marks close each other over two lines; what is left of them is no name.
    expect(content.packed.count).toBe(0);
    expect(content.rejected).toBeGreaterThan(0);
  });

  it('of records that go over several lines says the line that each ends in', () => {
    const content = parse('"x\ny",a\nb,"bad name"\n', { ...CSV, header: false, value: 2 });

    expect(content.rejections.map(({ line, reason }) => [line, reason])).toEqual(
      [
        [2, 'public-suffix'],
        [3, 'several-words'],
      ].slice(1),
    );
    expect(content.guardedShown).toEqual([{ text: 'a', covers: 'a (top-level domain)' }]);
  });
});

describe('JSON', () => {
  it('has a list at a path, and values, times, certainty and comments inside its items', () => {
    const feed = JSON.stringify({
      data: {
        items: [
          { ioc: 'evil.example', meta: { until: 1_800_000_000, sure: 0.8 }, why: 'x' },
          { ioc: ['a.example', 'b.example'] },
          { ioc: 7 },
          { other: 'c.example' },
          null,
        ],
      },
    });
    const content = parse(feed, {
      kind: 'json',
      path: 'data.items',
      value: 'ioc',
      expires: 'meta.until',
      confidence: 'meta.sure',
      comment: 'why',
    });

    expect(indicators(content)).toEqual(['name:a.example', 'name:b.example', 'name:evil.example']);
    expect(content.lines).toBe(5);
    expect(content.rejectedByReason).toEqual({ 'no-value': 3 });
    expect(content.notes).toEqual([
      {
        indicator: 'evil.example',
        expiresAt: 1_800_000_000_000,
        confidence: 80,
        comment: 'x',
      },
    ]);
  });

  it('goes through every item of lists and objects', () => {
    const feed =
      '{"1":[{"v":"a.example"}],"2":[{"v":"b.example"}],"__proto__":[{"v":"c.example"}]}';

    expect(parse(feed, { kind: 'json', path: '[*]', value: 'v' }).packed.count).toBe(3);
    expect(parse(feed, { kind: 'json', path: '[*][*]', value: 'v' }).packed.count).toBe(3);
    expect(parse('["a.example"]', { kind: 'json', path: '', value: '' }).packed.count).toBe(1);
  });

  it('that is broken, or has nothing at its path, is no content', () => {
    const reason = (feed: string, path: string) =>
      parse(feed, { kind: 'json', path, value: 'v' }).unreadable?.reason;

    expect(reason('[{"v":"a.example"}', '')).toBe('bad-json');
    expect(reason('{"a":1}', 'b')).toBe('no-list');
    expect(reason('{"a":1}', 'constructor')).toBe('no-list');
    expect(reason('{"a":1}', 'b[')).toBe('no-list');
    expect(reason('['.repeat(1_000_000), '')).toBe('bad-json');
  });

  it('in lines loses only the lines that are none', () => {
    const content = parse('{"v":"a.example"}\n{"v":\n\n{"v":"b.example"}\r\n', {
      kind: 'jsonl',
      path: '',
      value: 'v',
    });

    expect(indicators(content)).toEqual(['name:a.example', 'name:b.example']);
    expect(content.rejections).toEqual([{ line: 2, text: '{"v":', reason: 'bad-json' }]);
    expect(content.lines).toBe(4);
  });
});

describe('an export of MISP', () => {
  const ATTRIBUTES = [
    { type: 'ip-src', value: '192.0.2.1', to_ids: true, comment: 'scanner' },
    { type: 'ip-dst|port', value: '192.0.2.2|443', to_ids: '1' },
    { type: 'domain', value: 'evil.example', to_ids: true },
    { type: 'hostname', value: 'www.bad.example', to_ids: true },
    { type: 'domain|ip', value: 'both.example|192.0.2.3', to_ids: true },
    { type: 'domain', value: 'shown.example', to_ids: false },
    { type: 'md5', value: 'd41d8cd98f00b204e9800998ecf8427e', to_ids: true },
    { type: 'domain', value: 'gone.example', to_ids: true, deleted: true },
    {
      type: 'ip-dst',
      value: '198.51.100.0/24',
      to_ids: true,
      Tag: [{ name: 'tlp:green' }, { name: 'misp:confidence-level="fairly-confident"' }],
    },
  ];
  const EXPECTED = [
    'host:www.bad.example',
    'ip:192.0.2.1',
    'ip:192.0.2.2',
    'ip:192.0.2.3',
    'ip:198.51.100.0/24',
    'name:both.example',
    'name:evil.example',
  ];

  it.each([
    ['a search of attributes', { response: { Attribute: ATTRIBUTES } }],
    ['attributes alone', { Attribute: ATTRIBUTES }],
    ['a list of them', ATTRIBUTES],
    [
      'events with objects',
      {
        response: [
          { Event: { Attribute: ATTRIBUTES.slice(0, 4) } },
          { Event: { Object: [{ Attribute: ATTRIBUTES.slice(4) }] } },
        ],
      },
    ],
  ])('as %s gives what is meant for detection', (_, document) => {
    const content = parse(JSON.stringify(document), 'auto');

    expect(content.detected).toBe('misp-json');
    expect(indicators(content)).toEqual(EXPECTED);
    expect(content.lines).toBe(9);
    expect(content.leftOutByReason).toEqual({ 'not-to-ids': 1, 'other-type': 1, revoked: 1 });
    expect(content.notes).toEqual([
      { indicator: '192.0.2.1', expiresAt: null, confidence: null, comment: 'scanner' },
      { indicator: '198.51.100.0/24', expiresAt: null, confidence: 50, comment: '' },
    ]);
  });

  it('as CSV gives the same', () => {
    const feed = [
      'uuid,event_id,category,type,value,comment,to_ids,date',
      '"5f","1","Network activity","ip-src","192.0.2.1","two\nlines",1,"20261101"',
      '"5f","1","Network activity","domain|ip","both.example|192.0.2.3","",1,"20261101"',
      '"5f","1","Network activity","domain","shown.example","",0,"20261101"',
    ].join('\n');
    const content = parse(feed, 'auto');

    expect(content.detected).toBe('misp-csv');
    expect(indicators(content)).toEqual(['ip:192.0.2.1', 'ip:192.0.2.3', 'name:both.example']);
    expect(content.leftOutByReason).toEqual({ 'not-to-ids': 1 });
    expect(content.notes[0].comment).toBe('two lines');
  });

  it('that is something else is no content', () => {
    expect(parse('{"message":"Authentication failed"}', 'misp-json').unreadable?.reason).toBe(
      'no-list',
    );
    expect(parse('{"response":{"Attribute":[]}}', 'misp-json').unreadable).toBeNull();
    expect(parse('a,b\n', 'misp-csv').unreadable?.reason).toBe('no-column');
  });
});

describe('STIX', () => {
  const indicator = (id: number, more: object) => ({
    type: 'indicator',
    spec_version: '2.1',
    id: `indicator--${id}`,
    created: '2026-10-01T00:00:00.000Z',
    modified: '2026-10-01T00:00:00.000Z',
    pattern_type: 'stix',
    valid_from: '2026-10-01T00:00:00Z',
    ...more,
  });

  it('gives the values of patterns, with validity, certainty and name', () => {
    const bundle = {
      type: 'bundle',
      id: 'bundle--1',
      objects: [
        { type: 'identity', name: 'somebody' },
        indicator(1, {
          pattern: "[ipv4-addr:value = '192.0.2.1']",
          confidence: 85,
          name: 'C2',
          valid_until: '2026-12-01T00:00:00.000Z',
        }),
        indicator(2, {
          pattern: "[domain-name:value = 'evil.example' OR domain-name:value = 'bad.example']",
        }),
        indicator(3, { pattern: "[ipv4-addr:value ISSUBSET '198.51.100.0/24']" }),
        indicator(4, {
          pattern: "[ipv4-addr:value = '192.0.2.4']",
          valid_until: '2026-10-15T00:00:00Z',
        }),
        indicator(5, {
          pattern: "[ipv4-addr:value = '192.0.2.5']",
          valid_from: '2027-01-01T00:00:00Z',
        }),
        indicator(6, { pattern: "[file:hashes.MD5 = 'd41d8cd98f00b204e9800998ecf8427e']" }),
        indicator(7, { pattern: 'rule x { condition: true }', pattern_type: 'yara' }),
        indicator(8, { pattern: "[ipv4-addr:value = 'evil.example']" }),
        indicator(9, {}),
      ],
    };
    const content = parse(JSON.stringify(bundle), 'auto');

    expect(content.detected).toBe('stix');
    expect(indicators(content)).toEqual([
      'ip:192.0.2.1',
      'ip:198.51.100.0/24',
      'name:bad.example',
      'name:evil.example',
    ]);
    expect(content.notes).toEqual([
      {
        indicator: '192.0.2.1',
        expiresAt: Date.UTC(2026, 11, 1),
        confidence: 85,
        comment: 'C2',
      },
    ]);
    expect(content.leftOutByReason).toEqual({ expired: 1, 'not-yet-valid': 1 });
    expect(content.rejectedByReason).toEqual({
      'stix-pattern': 1,
      'stix-language': 1,
      'bad-address': 1,
      'no-value': 1,
    });
  });

  it('takes back what is revoked, unless another object says it', () => {
    const objects = [
      indicator(1, { pattern: "[domain-name:value = 'a.example']" }),
      indicator(1, {
        pattern: "[domain-name:value = 'a.example']",
        modified: '2026-10-02T00:00:00Z',
        revoked: true,
      }),
      indicator(2, { pattern: "[domain-name:value = 'b.example']", revoked: true }),
      indicator(3, { pattern: "[domain-name:value = 'b.example']" }),
    ];
    const content = parse(JSON.stringify({ more: false, objects }), 'stix');

    expect(indicators(content)).toEqual(['name:b.example']);
    expect(indicators({ packed: content.withdrawn })).toEqual(['name:a.example']);
    expect(content.leftOutByReason).toEqual({ revoked: 2 });
  });

  it('that has no objects is empty, and anything else no content', () => {
    expect(parse('{}', 'stix').unreadable).toBeNull();
    expect(parse('{"more":false}', 'stix').unreadable).toBeNull();
    expect(parse('{"title":"Unauthorized"}', 'stix').unreadable?.reason).toBe('no-list');
  });

  it.each([
    ["[domain-name:value = 'a.example']", ['a.example']],
    ["[domain-name:value='a.example']", ['a.example']],
    ["[domain-name:value IN ('a.example', 'b.example')]", ['a.example', 'b.example']],
    [
      "([ipv4-addr:value = '192.0.2.1'] OR [ipv6-addr:value = '2001:db8::1'])",
      ['192.0.2.1', '2001:db8::1'],
    ],
    [
      "[(ipv4-addr:value = '192.0.2.1' OR ipv4-addr:value == '192.0.2.2')]",
      ['192.0.2.1', '192.0.2.2'],
    ],
    ["[domain-name:value = 'it\\'s.example']", ["it's.example"]],
    ["[ipv6-addr:value ISSUBSET '2001:db8::/32']", ['2001:db8::/32']],
  ])('pattern %s names %j', (pattern, values) => {
    expect(readStixPattern(pattern)?.map(({ value }) => value)).toEqual(values);
  });

  it.each([
    '',
    'a',
    '[]',
    "[domain-name:value = 'a.example'",
    "[domain-name:value = 'a.example]",
    "[domain-name:value != 'a.example']",
    "[NOT domain-name:value = 'a.example']",
    "[domain-name:value LIKE '%.example']",
    "[domain-name:value ISSUBSET 'a.example']",
    "[domain-name:value = 'a.example' AND ipv4-addr:value = '192.0.2.1']",
    "[domain-name:value = 'a.example'] AND [ipv4-addr:value = '192.0.2.1']",
    "[domain-name:value = 'a.example'] FOLLOWEDBY [ipv4-addr:value = '192.0.2.1']",
    "[domain-name:value = 'a.example'] REPEATS 5 TIMES",
    "[url:value = 'http://a.example/']",
    "[domain-name:value = 'a.example' OR file:name = 'x']",
    "[domain-name:value IN ('a.example', )]",
    `${'('.repeat(10_000)}[domain-name:value = 'a.example']`,
    `[domain-name:value = '${"\\'".repeat(5000)}`,
  ])('pattern %s names nothing by itself', (pattern) => {
    expect(readStixPattern(pattern)).toBeNull();
  });
});
