import { describe, expect, it } from 'vitest';
import { rpzIndicatorText } from '../../src/feeds/formats/rpz-owner.ts';
import { formatPrefixKey } from '../../src/indicators/format-indicator.ts';
import { parseIndicator } from '../../src/indicators/parse-indicator.ts';
import { settlePrefixKey } from '../../src/indicators/prefix.ts';
import { prefixOwner } from '../../src/indicators/trigger-owner.ts';
import { createRandom } from '../indicators/random.ts';
import { FEED_OPTIONS, indicators, parse } from './parse-scene.ts';

const APEX = [
  '$TTL 60',
  'rpz.example. IN SOA localhost. root.rpz.example. (',
  '  1 ; serial',
  '  3600 600 86400 60 )',
  ' IN NS localhost.',
].join('\n');

describe('a response policy zone as a file', () => {
  it('has triggers of every kind, relative or absolute, in the forms of zone files', () => {
    const feed = [
      APEX,
      '$ORIGIN rpz.example.',
      'one CNAME . ; a note',
      'one.example CNAME .',
      'two.example 300 IN CNAME *.',
      '*.two.example IN 1h CNAME *.',
      'three.example.rpz.example. CNAME rpz-drop.',
      '*.four.example CNAME walled.garden.example.',
      'FIVE.example A 192.0.2.1',
      '  AAAA 2001:db8::1',
      '24.0.100.51.198.rpz-ip CNAME .',
      '128.57.zz.101.db8.2001.rpz-ip CNAME .',
      '48.zz.2.db8.2001.rpz-ip CNAME .',
      '32.9.113.0.203.rpz-nsip CNAME .',
      '32.8.113.0.203.rpz-client-ip CNAME .',
      'ns.evil.example.rpz-nsdname CNAME .',
      '$ORIGIN sub.rpz.example.',
      'six TXT "local; data" "more"',
      '@ CNAME .',
    ].join('\n');
    const content = parse(feed, 'auto');

    expect(content.detected).toBe('rpz');
    expect(content.rejections).toEqual([]);
    expect(indicators(content)).toEqual([
      'clientip:203.0.113.8',
      'host:five.example',
      'host:one.example',
      'host:six.sub',
      'host:three.example',
      'ip:198.51.100.0/24',
      'ip:2001:db8:101::57',
      'ip:2001:db8:2::/48',
      'name:two.example',
      'nsip:203.0.113.9',
      'nsname:ns.evil.example',
      'wildcard:*.four.example',
    ]);
    expect(content.duplicates).toBe(1);
    // Single labels are top-level domains wherever a query is asked.
    expect(content.guardedShown.map(({ text }) => text)).toEqual(['host:one', 'host:sub']);
  });

  it('takes its own exceptions out, and nothing around them', () => {
    const feed = [
      APEX,
      'evil.example.rpz.example. CNAME .',
      '*.evil.example.rpz.example. CNAME .',
      'ok.evil.example.rpz.example. CNAME rpz-passthru.',
      '*.free.example.rpz.example. CNAME rpz-passthru.',
      'bad.free.example.rpz.example. CNAME .',
      'old.example.rpz.example. CNAME old.example.',
      '32.1.2.0.192.rpz-ip.rpz.example. CNAME rpz-passthru.',
    ].join('\n');
    const content = parse(feed, 'rpz');

    expect(indicators(content)).toEqual(['host:bad.free.example', 'name:evil.example']);
    expect(content.exceptions).toBe(4);
    expect(content.rejected).toBe(0);
  });

  it('may leave out how the zone is called', () => {
    const feed = [
      '$TTL 30',
      '@ SOA rpz.example. hostmaster.example. 1 300 1800 604800 30',
      ' NS localhost.',
      'evil.example CNAME .',
      '*.evil.example CNAME .',
      'absolute.example. CNAME .',
    ].join('\n');
    const content = parse(feed, 'rpz');

    expect(indicators(content)).toEqual(['name:evil.example']);
    expect(content.rejections).toEqual([
      { line: 6, text: 'absolute.example. CNAME .', reason: 'out-of-zone' },
    ]);
  });

  it('keeps what is said behind a rule, also when two rules become one', () => {
    const feed = `${APEX}\n$ORIGIN rpz.example.\na.example CNAME . ; phishing\n*.a.example CNAME . ; kit\n`;

    expect(parse(feed, 'rpz').notes).toEqual([
      { indicator: 'a.example', expiresAt: null, confidence: null, comment: 'kit' },
    ]);
  });

  it('counts what is no rule by reason', () => {
    const feed = [
      APEX,
      '$INCLUDE other.zone',
      '$ORIGIN',
      '$ORIGIN rpz.example.',
      'a.example CNAME rpz-tcp-only.',
      'a.example CNAME rpz-unheard-of.',
      'a.example DNAME b.example.',
      'a.example RRSIG CNAME 8 2 60 1 2 3 rpz.example. x',
      'a.example',
      'elsewhere.test. CNAME .',
      '33.1.2.0.192.rpz-ip CNAME .',
      'x.rpz-ip CNAME .',
      'a\\.b.example CNAME .',
      'a.*.example CNAME .',
      'a.rpz-new CNAME .',
      'a.example TXT "not closed',
      'b.example TXT )',
      'c.example CNAME .',
    ].join('\n');
    const content = parse(feed, 'rpz');

    expect(content.rejectedByReason).toEqual({
      'other-directive': 1,
      'bad-syntax': 4,
      'not-a-block': 2,
      'other-record': 2,
      'out-of-zone': 1,
      'bad-prefix-length': 1,
      'bad-address': 1,
      'escape-not-allowed': 1,
      'wildcard-position': 1,
      'trigger-label': 1,
    });
    expect(indicators(content)).toEqual(['host:c.example']);
  });

  it('loses one line to a parenthesis that is never closed, not the rest', () => {
    const rules = Array.from({ length: 100 }, (_, index) => `n${index}.example CNAME .`);
    const feed = [APEX, '$ORIGIN rpz.example.', 'x.example TXT (', ...rules].join('\n');
    const content = parse(feed, 'rpz');

    expect(content.packed.count).toBe(100);
    expect(content.rejections).toEqual([
      { line: 7, text: 'x.example TXT (', reason: 'bad-syntax' },
    ]);
  });

  it('that blocks everything is stopped by the guard', () => {
    const content = parse(`${APEX}\n$ORIGIN rpz.example.\n* CNAME .\n*.com CNAME .\n`, 'rpz');

    expect(content.packed.count).toBe(0);
    expect(content.guardedShown).toEqual([
      { text: '*', covers: 'every name there is' },
      { text: '*.com', covers: 'com (top-level domain)' },
    ]);
  });

  it('names addresses as Sluice writes them, whatever the prefix is', () => {
    const random = createRandom(5);
    for (let round = 0; round < 5000; round++) {
      const octets = random(2) === 0 ? 4 : 16;
      // Many zero octets, since the runs of them are what the form is about.
      const address = Array.from({ length: octets }, () => (random(3) === 0 ? random(256) : 0));
      const key = Uint8Array.from([1 + random(octets * 8), ...address]);
      const settled = key.subarray(0, settlePrefixKey(key, 0, key.length));
      const text = rpzIndicatorText(ownerText(prefixOwner('ip', settled)));
      const parsed = parseIndicator(text ?? '', {
        ownerOctetsMax: 255,
        confirmBroad: true,
        isPublicSuffix: FEED_OPTIONS.guard.isPublicSuffix,
      });

      expect(parsed.ok && parsed.indicators.map(({ key: read }) => formatPrefixKey(read))).toEqual([
        formatPrefixKey(settled),
      ]);
    }
  });
});

function ownerText(owner: Uint8Array): string {
  const labels: string[] = [];
  for (let at = 0; at < owner.length; at += 1 + owner[at]) {
    labels.push(Buffer.from(owner.subarray(at + 1, at + 1 + owner[at])).toString('latin1'));
  }
  return labels.join('.');
}
