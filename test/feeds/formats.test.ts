import { describe, expect, it } from 'vitest';
import { feedReasonSentence } from '../../src/feeds/formats/feed-reasons.ts';
import { indicators, NOW_MS, parse } from './parse-scene.ts';

describe('plain lines', () => {
  it('hold names, addresses, prefixes, ranges, and addresses with a number', () => {
    const feed =
      'evil.example\n192.0.2.1\t7\n198.51.100.0/24\n203.0.113.1-203.0.113.2\n2001:db8::1\n';
    const content = parse(feed, 'auto');

    expect(content.detected).toBe('lines');
    expect(indicators(content)).toEqual([
      'ip:192.0.2.1',
      'ip:198.51.100.0/24',
      'ip:2001:db8::1',
      'ip:203.0.113.1',
      'ip:203.0.113.2',
      'name:evil.example',
    ]);
    expect(content.lines).toBe(5);
  });

  it('have comments behind values that stay with their indicators', () => {
    const feed = [
      '# a header # with signs',
      '192.0.2.0/24 ; SBL123',
      'evil.example # seen in ümlaut\tmail',
      '  other.example\t## twice ; thrice  ',
      'plain.example',
      'bad line # none',
    ].join('\r\n');
    const content = parse(feed, 'lines');

    expect(content.notes).toEqual([
      { indicator: '192.0.2.0/24', expiresAt: null, confidence: null, comment: 'SBL123' },
      {
        indicator: 'evil.example',
        expiresAt: null,
        confidence: null,
        comment: 'seen in ümlaut mail',
      },
      {
        indicator: 'other.example',
        expiresAt: null,
        confidence: null,
        comment: 'twice ; thrice',
      },
    ]);
    expect(content.rejectedByReason).toEqual({ 'several-words': 1 });
  });

  it('mean names alone when the feed says so, and their comments follow', () => {
    const content = parse('a.evil.example # x\n*.b.example\nhost:a.evil.example\n', 'lines', {
      namesAs: 'host',
    });

    expect(indicators(content)).toEqual(['host:a.evil.example', 'wildcard:*.b.example']);
    expect(content.notes.map(({ indicator }) => indicator)).toEqual(['host:a.evil.example']);
    expect(content.duplicates).toBe(1);
  });

  it('beyond the maximum are no content at all, and indicators beyond theirs are rejected', () => {
    expect(parse('a.example\nb.example\n', 'lines', { linesMax: 1 }).unreadable).toEqual({
      reason: 'too-many-lines',
      text: 'There are more lines than are accepted. (2 lines)',
    });
    const content = parse('a.example\nb.example\n', 'lines', { indicatorsMax: 1 });
    expect(content.packed.count).toBe(1);
    expect(content.rejectedByReason).toEqual({ 'too-many': 1 });
  });

  it('that are rejected are shown up to a hundred, cut', () => {
    const feed = `${`${'x y '.repeat(100)}\n`.repeat(150)}`;
    const content = parse(feed, 'lines');

    expect(content.rejected).toBe(150);
    expect(content.rejections).toHaveLength(100);
    expect(content.rejections[99].line).toBe(100);
    expect(content.rejections[0].text.length).toBeLessThanOrEqual(200);
  });
});

describe('a hosts file', () => {
  it('has an address and several names to a line, and local names that nobody wants to block', () => {
    const feed = [
      '127.0.0.1 localhost localhost.localdomain',
      '::1 ip6-localhost # the machine',
      'fe80::1%lo0 localhost',
      '0.0.0.0 0.0.0.0',
      '0.0.0.0 one.example two.example#note',
      ':: THREE.example',
      '0 four.example',
      '192.0.2.9\tfive.example   six.example',
    ].join('\n');
    const content = parse(feed, 'auto');

    expect(content.detected).toBe('hosts');
    expect(indicators(content)).toEqual(
      ['five', 'four', 'one', 'six', 'three', 'two'].map((name) => `name:${name}.example`),
    );
    expect(content.notes.map(({ indicator, comment }) => [indicator, comment])).toEqual([
      ['one.example', 'note'],
      ['two.example', 'note'],
    ]);
    // "0.0.0.0 0.0.0.0" stands in many lists as the first line.
    expect(content.rejected).toBe(0);
  });

  it('counts what is no such line by reason', () => {
    const feed = 'one.example\n0.0.0.0\n0.0.0.0 192.0.2.1\n0.0.0.0 a..b nsip:192.0.2.1\n';
    const content = parse(feed, 'hosts');

    expect(content.rejectedByReason).toEqual({
      'no-address': 1,
      'no-value': 1,
      'address-as-name': 1,
      'empty-label': 1,
      url: 1,
    });
    expect(content.packed.count).toBe(0);
  });

  it('means its names alone when the feed says so', () => {
    const content = parse('0.0.0.0 one.example # x\n', 'hosts', { namesAs: 'host' });

    expect(indicators(content)).toEqual(['host:one.example']);
    expect(content.notes[0].indicator).toBe('host:one.example');
  });
});

describe('an adblock list', () => {
  it('has names with all below, which exceptions take out again wherever they stand', () => {
    const feed = [
      '[Adblock Plus 2.0]',
      '! Title: a list',
      '@@||good.example^',
      '||evil.example^',
      '||good.example^',
      '||cdn.good.example^',
      '||notgood.example^|',
      '||*.wild.example^',
      '||192.0.2.7^',
    ].join('\n');
    const content = parse(feed, 'auto');

    expect(content.detected).toBe('adblock');
    expect(indicators(content)).toEqual([
      'ip:192.0.2.7',
      'name:evil.example',
      'name:notgood.example',
      'wildcard:*.wild.example',
    ]);
    expect(content.exceptions).toBe(1);
    expect(content.rejected).toBe(0);
  });

  it('refuses what means less than a name, and counts it by reason', () => {
    const feed = [
      '||evil.example^$third-party',
      '@@||evil.example^$elemhide',
      '||evil.example/path^',
      '||evil.example',
      '/banner/*.gif',
      '/^ads[0-9]+/',
      'evil.example##.banner',
      '##.banner',
      'evil.example#@#.ad',
      '||ev il.example^',
      '||nsip:192.0.2.1^',
      '||#x^',
    ].join('\n');
    const content = parse(feed, 'adblock');

    expect(content.rejectedByReason).toEqual({
      'adblock-modifier': 2,
      'adblock-path': 4,
      'adblock-cosmetic': 3,
      'several-words': 1,
      url: 1,
      'bad-character': 1,
    });
    expect(content.packed.count).toBe(0);
    expect(content.exceptions).toBe(0);
    expect(feedReasonSentence('adblock-modifier')).toContain('modifiers');
  });
});

describe('a list of wildcards', () => {
  it('means the names too when it has nothing else', () => {
    const content = parse('# c\n*.one.example # x\n*.two.example\n', 'auto');

    expect(content.detected).toBe('wildcard');
    expect(indicators(content)).toEqual(['name:one.example', 'name:two.example']);
    expect(content.notes).toEqual([
      { indicator: 'one.example', expiresAt: null, confidence: null, comment: 'x' },
    ]);
  });

  it('means what it says when it has names beside them', () => {
    const content = parse('*.one.example\ntwo.example\n*.two.example\n', 'wildcard');

    expect(indicators(content)).toEqual(['name:two.example', 'wildcard:*.one.example']);
    expect(parse('*.one.example\ntwo.example\n', 'auto').detected).toBe('lines');
  });
});

describe('a configuration of dnsmasq', () => {
  it('blocks by address, local and server, each with several names', () => {
    const feed = [
      '# comment',
      'address=/one.example/two.example/0.0.0.0',
      'address=/three.example/#',
      'address=/four.example/',
      'address = /five.example/:: # sink',
      'local=/six.example/',
      'server=/.seven.example/',
    ].join('\n');
    const content = parse(feed, 'auto');

    expect(content.detected).toBe('dnsmasq');
    expect(indicators(content)).toEqual(
      ['five', 'four', 'one', 'seven', 'six', 'three', 'two'].map((name) => `name:${name}.example`),
    );
    expect(content.rejected).toBe(0);
  });

  it('takes out what it sends to the usual servers, and refuses what it sends elsewhere', () => {
    const feed = [
      'local=/evil.example/',
      'local=/www.open.example/',
      'server=/open.example/#',
      'server=/other.example/192.0.2.53',
      'server=192.0.2.53',
      'no-resolv',
      'cache-size=10',
      'address=/x.example/nonsense',
      'address=/',
      '???',
    ].join('\n');
    const content = parse(feed, 'dnsmasq');

    expect(indicators(content)).toEqual(['name:evil.example']);
    expect(content.exceptions).toBe(1);
    expect(content.rejectedByReason).toEqual({
      'not-a-block': 1,
      'other-directive': 3,
      'bad-syntax': 3,
    });
  });

  it('that blocks everything is stopped by the guard', () => {
    const content = parse('address=/#/0.0.0.0\n', 'dnsmasq');

    expect(content.packed.count).toBe(0);
    expect(content.guardedShown).toEqual([{ text: '*', covers: 'every name there is' }]);
  });
});

describe('a configuration of Unbound', () => {
  it('blocks by zones that answer, and single names by data', () => {
    const feed = [
      'server:',
      '  local-zone: "one.example." always_nxdomain',
      "  local-zone: 'two.example' redirect # sink",
      '  local-data: "two.example A 0.0.0.0"',
      '  local-zone: three.example static',
      'local-data: "four.example. 60 IN A 192.0.2.1"',
      'local-zone: "open.example" always_transparent',
      'local-zone: "x.open.example" refuse',
    ].join('\n');
    const content = parse(feed, 'auto');

    expect(content.detected).toBe('unbound');
    expect(indicators(content)).toEqual([
      'host:four.example',
      'name:one.example',
      'name:three.example',
      'name:two.example',
    ]);
    expect(content.exceptions).toBe(1);
    expect(content.rejected).toBe(0);
  });

  it('refuses the rest', () => {
    const feed =
      'local-zone: x\nlocal-zone: "x.example" unheard_of\nverbosity: 1\nlocal-data: ""\n';

    expect(parse(feed, 'unbound').rejectedByReason).toEqual({
      'bad-syntax': 2,
      'not-a-block': 1,
      'other-directive': 1,
    });
  });
});

describe('a regular expression', () => {
  const LOG = 'block 192.0.2.1 until 2026-12-01 (90%) scanner\n\n# c\nnothing\n';

  it('finds values and what is said about them by named groups', () => {
    const pattern =
      '(?<value>[0-9.]{7,15}) until (?<expires>\\S+) \\((?<confidence>\\d+%)\\) (?<comment>.*)';
    const content = parse(LOG, { kind: 'regex', pattern });

    expect(indicators(content)).toEqual(['ip:192.0.2.1']);
    expect(content.notes).toEqual([
      {
        indicator: '192.0.2.1',
        expiresAt: Date.UTC(2026, 11, 1),
        confidence: 90,
        comment: 'scanner',
      },
    ]);
    expect(content.rejectedByReason).toEqual({ 'no-match': 1 });
  });

  it('may match several times in a line', () => {
    const content = parse('a.example, b.example\n', {
      kind: 'regex',
      pattern: '(?<value>[a-z]+\\.example)',
    });

    expect(indicators(content)).toEqual(['name:a.example', 'name:b.example']);
  });

  it('that goes on for ever is stopped in time, and half a list is none', () => {
    const feed = `good.example\n${'a'.repeat(60)}!\n`;
    const started = performance.now();
    const content = parse(
      feed,
      { kind: 'regex', pattern: '^(?<value>(a+)+|good\\.example)$' },
      { regexTimeMs: 200 },
    );

    // Without an end, this would take longer than the earth has.
    expect(performance.now() - started).toBeLessThan(5000);
    expect(content.unreadable?.reason).toBe('regex-time');
    expect(content.unreadable?.text).toContain('line 2');
    expect(content.packed.count).toBe(0);
  });

  it('that cannot be used is refused with what is wrong with it', () => {
    const bad = (pattern: string) => parse('x\n', { kind: 'regex', pattern }).unreadable?.reason;

    expect(bad('(?<value>')).toBe('bad-pattern');
    expect(bad('(.*)')).toBe('bad-pattern');
    expect(bad(`(?<value>${'a'.repeat(3000)})`)).toBe('bad-pattern');
    // Asked for its groups only: nothing is matched with it before the time runs.
    expect(bad('(?<value>(?:(?:|){28})z)')).not.toBe('bad-pattern');
  });
});

describe('what a feed says about its indicators', () => {
  const format = {
    kind: 'csv',
    separator: ',',
    header: false,
    value: 1,
    expires: 2,
    confidence: 3,
    comment: 4,
  } as const;

  it('leaves out what has expired and what is not certain enough, and counts both', () => {
    const feed = [
      'old.example,2026-10-31,90,',
      'now.example,2026-11-01T00:00:00Z,90,',
      'new.example,2026-11-02 01:02:03,90,fresh',
      'unsure.example,,10,',
      'silent.example,,,',
    ].join('\n');
    const content = parse(feed, format, { confidenceMin: 50 });

    expect(indicators(content)).toEqual(['name:new.example', 'name:silent.example']);
    expect(content.leftOutByReason).toEqual({ expired: 2 });
    expect(content.leftOut).toBe(2);
    expect(content.belowConfidence).toBe(1);
    expect(content.notes).toEqual([
      {
        indicator: 'new.example',
        expiresAt: Date.UTC(2026, 10, 2, 1, 2, 3),
        confidence: 90,
        comment: 'fresh',
      },
    ]);
  });

  it('is read in the forms that sources use', () => {
    const later = NOW_MS / 1000 + 3600;
    const feed = [
      `seconds.example,${later},0.5,`,
      `milliseconds.example,${later * 1000},high,`,
      'zone.example,2026-11-02T00:00:00+0200,1.0,',
      'utc.example,2026/11/02 00:00:00 UTC,75%,',
      'nonsense.example,soon,very,"a\u0000b"',
    ].join('\n');

    expect(parse(feed, format).notes.map(({ indicator: _, ...facts }) => facts)).toEqual([
      { expiresAt: NOW_MS + 3_600_000, confidence: 50, comment: '' },
      { expiresAt: NOW_MS + 3_600_000, confidence: 85, comment: '' },
      { expiresAt: Date.UTC(2026, 10, 1, 22), confidence: 100, comment: '' },
      { expiresAt: Date.UTC(2026, 10, 2), confidence: 75, comment: '' },
      { expiresAt: null, confidence: null, comment: 'a b' },
    ]);
  });

  it('twice about one indicator holds as long and as much as either says', () => {
    const feed = 'a.example,2026-11-02,10,\na.example,2026-11-03,5,x\na.example,,,y\n';

    expect(parse(feed, format).notes).toEqual([
      { indicator: 'a.example', expiresAt: Date.UTC(2026, 10, 3), confidence: 10, comment: 'x' },
    ]);
  });

  it('is kept about two hundred thousand, and counted beyond', () => {
    const feed = Array.from({ length: 200_003 }, (_, index) => `n${index}.example #${index}`);
    const content = parse(feed.join('\n'), 'lines');

    expect(content.packed.count).toBe(200_003);
    expect(content.notes).toHaveLength(200_000);
    expect(content.notesLeftOut).toBe(3);
  });
});

describe('a format that is not declared', () => {
  it('is told from what stands behind a header of any usual length', () => {
    const header = '# licence, in many words\n'.repeat(2000);

    expect(parse(`${header}0.0.0.0 evil.example\n`, 'auto').detected).toBe('hosts');
  });

  it('is what most of its lines are, whatever the first ones are', () => {
    const hosts = '*.a.example\nb.example\n'.concat('0.0.0.0 c.example\n'.repeat(5));

    expect(parse(hosts, 'auto').detected).toBe('hosts');
  });

  it('of a table is found with the column that holds values', () => {
    const feed = 'date;what;who\n2026-01-01;evil.example;x.y\n2026-01-02;192.0.2.1;z\n';
    const content = parse(feed, 'auto');

    expect(indicators(content)).toEqual(['ip:192.0.2.1', 'name:evil.example']);
    expect(content.rejected).toBe(0);
  });

  it.each([
    ['<!DOCTYPE html>\n<html>', 'markup'],
    ['\n\n<HTML><body>login</body>', 'markup'],
    ['{"a": [1, 2]}', 'needs-mapping'],
    ['\u00ff\u00fea\u0000', 'encoding'],
    ['192.0.2.1 DE\n192.0.2.2 FR\n', 'unknown-format'],
    ['word and word\nand another one\nno list at all\n', 'unknown-format'],
  ])('is refused for %j as %s', (feed, reason) => {
    const content = parse(Buffer.from(feed, 'latin1'), 'auto');

    expect(content.unreadable?.reason).toBe(reason);
    expect(content.packed.count).toBe(0);
  });

  it.each([
    ['', 'lines'],
    ['# nothing today\n', 'lines'],
    ['! nothing today\n', 'adblock'],
    ['["evil.example"]', 'json'],
    ['$TTL 60\n@ SOA a. b. 1 2 3 4 5\n NS localhost.\nevil.example CNAME .\n', 'rpz'],
    ['{"type":"bundle","objects":[]}', 'stix'],
    ['{"response":{"Attribute":[]}}', 'misp-json'],
    ['uuid,event_id,category,type,value,comment,to_ids,date\n', 'misp-csv'],
    ['first,ip,port\n2026-01-01,192.0.2.1,80\n2026-01-02,192.0.2.2,81\n', 'csv'],
    ['192.0.2.1;x;y\n192.0.2.2;z;y\n', 'csv'],
  ])('is told for %j as %s', (feed, kind) => {
    const content = parse(feed, 'auto');

    expect(content.unreadable).toBeNull();
    expect(content.detected).toBe(kind);
  });
});
