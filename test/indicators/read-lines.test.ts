import { describe, expect, it } from 'vitest';
import { LINE_OCTETS_MAX } from '../../src/indicators/parse-line.ts';
import {
  REJECTION_TEXT_OCTETS_MAX,
  REJECTIONS_KEPT_MAX,
  type ReadOptions,
  readIndicatorLines,
} from '../../src/indicators/read-lines.ts';
import { describeIndicator, PARSE_OPTIONS, unpack } from './parsing.ts';

function read(text: string | Uint8Array, options: Partial<ReadOptions> = {}) {
  const octets = typeof text === 'string' ? Buffer.from(text) : text;
  return readIndicatorLines(octets, { ...PARSE_OPTIONS, rejectionsShown: 20, ...options });
}

function indicatorsOf(text: string | Uint8Array, options: Partial<ReadOptions> = {}): string[] {
  return unpack(read(text, options).packed).map(describeIndicator);
}

function reasonsOf(text: string, options: Partial<ReadOptions> = {}): string[] {
  return read(text, options).rejections.map(({ line, reason }) => `${line} ${reason}`);
}

describe('a list, one indicator a line', () => {
  it('may hold every kind', () => {
    const text = [
      'evil.example',
      '*.evil.example',
      'host:www.evil.example',
      '192.0.2.1',
      '192.0.2.10-192.0.2.12',
      '2001:db8::/32',
      'nsname:ns.evil.example',
      'nsip:192.0.2.0/24',
      'clientip:2001:db8::1',
    ].join('\n');
    expect(indicatorsOf(text)).toEqual([
      'name:evil.example',
      'wildcard:*.evil.example',
      'host:www.evil.example',
      'ip:192.0.2.1',
      'ip:192.0.2.10/31',
      'ip:192.0.2.12',
      'ip:2001:db8::/32',
      'nsname:ns.evil.example',
      'nsip:192.0.2.0/24',
      'clientip:2001:db8::1',
    ]);
  });

  it('has comments, blanks, empty lines and line ends of any system', () => {
    const text =
      '\ufeff# head\r\n; head\r\n\r\n \t \r\na.example\r\n\tb.example  \r\n' +
      '192.0.2.0/24 ; SBL1\nc.example\t# note\nd.example #\n  # e.example\nf.example';
    expect(read(text)).toMatchObject({ lines: 11, rejected: 0, duplicates: 0 });
    expect(indicatorsOf(text)).toEqual([
      'name:a.example',
      'name:b.example',
      'ip:192.0.2.0/24',
      'name:c.example',
      'name:d.example',
      'name:f.example',
    ]);
  });

  it('has a comment only behind a blank', () => {
    expect(reasonsOf('evil.example#note')).toEqual(['1 bad-character']);
  });

  it('has as many lines as a text editor shows', () => {
    expect(read('').lines).toBe(0);
    expect(read('\n').lines).toBe(1);
    expect(read('a.example').lines).toBe(1);
    expect(read('a.example\n').lines).toBe(1);
    expect(read('a.example\n\n').lines).toBe(2);
  });

  it('is read from the middle of a larger buffer as well', () => {
    const outer = Buffer.from('xxa.example\nCO.EXAMPLE\nbücher.example\nyy');
    expect(read(outer.subarray(2, -3))).toMatchObject({
      packed: { count: 2 },
      rejectedByReason: { 'public-suffix': 1 },
    });
  });
});

describe('duplicates within a list', () => {
  it('are found after normalisation and counted', () => {
    const text = [
      'evil.example',
      'EVIL.example.',
      'evil.example # again',
      'bücher.example',
      'xn--bcher-kva.example',
      '192.0.2.1/24',
      '192.0.2.2/24',
      '::ffff:192.0.2.0/120',
      '2001:DB8::1',
      '2001:db8:0::1/128',
    ].join('\n');
    expect(read(text)).toMatchObject({ duplicates: 6, packed: { count: 4 } });
  });

  it('are counted per prefix of a range', () => {
    const result = read('192.0.2.12\n192.0.2.10-192.0.2.12');
    expect(result).toMatchObject({ duplicates: 1, packed: { count: 2 } });
  });

  it('are none between kinds', () => {
    const text = 'evil.example\n*.evil.example\nhost:evil.example\nnsname:evil.example';
    expect(read(text)).toMatchObject({ duplicates: 0, packed: { count: 4 } });
  });
});

describe('addresses with a count', () => {
  const text = '192.0.2.1\t10\n2001:db8::1 \t 7 \n::ffff:192.0.2.2\t1\n192.0.2.4/30\t0\r\n';

  it('are read as addresses, the count checked and dropped', () => {
    for (const format of ['auto', 'address-count'] as const) {
      expect(indicatorsOf(text, { format })).toEqual([
        'ip:192.0.2.1',
        'ip:2001:db8::1',
        'ip:192.0.2.2',
        'ip:192.0.2.4/30',
      ]);
    }
  });

  it.each([
    ['192.0.2.1\tten', 'bad-count'],
    ['192.0.2.1\t-1', 'bad-count'],
    ['192.0.2.1\t12345678901', 'bad-count'],
    ['192.0.2.1\t1\t2', 'bad-count'],
    ['192.0.2.1\t', 'bad-count'],
    ['evil.example\t5', 'bad-address'],
    ['nsip:192.0.2.1\t5', 'bad-address'],
    ['0.0.0.0/0\t5', 'prefix-zero'],
    ['10.0.0.0/7\t5', 'prefix-too-short'],
  ])('%j is refused: %s', (line, reason) => {
    expect(reasonsOf(line, { format: 'address-count' })).toEqual([`1 ${reason}`]);
  });

  it('without the count are refused where it is declared, and allowed where it is not', () => {
    expect(reasonsOf('192.0.2.1', { format: 'address-count' })).toEqual(['1 bad-count']);
    expect(reasonsOf('192.0.2.1\n192.0.2.2\t5', { format: 'auto' })).toEqual([]);
  });

  it('are not allowed in a plain list', () => {
    expect(reasonsOf('192.0.2.1\t5', { format: 'plain' })).toEqual(['1 bad-address']);
  });
});

describe('rejections', () => {
  it('name line, text and reason, and are counted by reason', () => {
    const result = read('evil..example\n# comment\n\n a@b.example \n..\nok.example');
    expect(result).toMatchObject({
      lines: 6,
      rejected: 3,
      rejectedByReason: { 'empty-label': 2, 'at-sign': 1 },
      rejections: [
        { line: 1, text: 'evil..example', reason: 'empty-label' },
        { line: 4, text: 'a@b.example', reason: 'at-sign' },
        { line: 5, text: '..', reason: 'empty-label' },
      ],
    });
  });

  it('are shown up to the number asked for and never above the limit, but all counted', () => {
    const text = 'bad_\u2100\n'.repeat(REJECTIONS_KEPT_MAX + 50);
    expect(read(text, { rejectionsShown: 2 }).rejections).toHaveLength(2);
    expect(read(text, { rejectionsShown: 0 }).rejections).toEqual([]);
    const result = read(text, { rejectionsShown: 1e9 });
    expect(result.rejections).toHaveLength(REJECTIONS_KEPT_MAX);
    expect(result.rejectedByReason).toEqual({ idn: REJECTIONS_KEPT_MAX + 50 });
  });

  it('show long lines cut and control characters replaced', () => {
    const [rejection] = read(`\x1b[31m${'x'.repeat(1000)}`).rejections;
    expect(rejection!.text).toHaveLength(REJECTION_TEXT_OCTETS_MAX);
    expect(rejection!.text.slice(0, 6)).toBe('\ufffd[31mx');
  });

  it('take lines over the limit unread', () => {
    const comment = `# ${'x'.repeat(LINE_OCTETS_MAX)}\n`;
    expect(
      reasonsOf(`${comment}evil.example ${comment}${'x'.repeat(LINE_OCTETS_MAX + 1)}`),
    ).toEqual(['3 too-long']);
  });

  it('are what is left over when the list is full', () => {
    const text = 'a.example\nb.example\na.example\nc.example\n192.0.2.1-192.0.2.2\nd.example';
    const result = read(text, { indicatorsMax: 3 });
    expect(result).toMatchObject({
      packed: { count: 3 },
      duplicates: 1,
      rejectedByReason: { 'too-many': 2 },
    });
    expect(result.rejections.map(({ line }) => line)).toEqual([5, 6]);
  });
});

describe('what must be confirmed', () => {
  const text = 'com\nCo.Example.\n*.co.example\n10.0.0.0/7\n2000::/15\n0.0.0.0/0\n::/0\n*';

  it('is left out and reported', () => {
    expect(read(text)).toMatchObject({
      packed: { count: 0 },
      rejectedByReason: { 'public-suffix': 3, 'prefix-too-short': 2, 'prefix-zero': 2, root: 1 },
    });
  });

  it('is in when confirmed, but never length 0, and the root not without its own', () => {
    const broad = { confirmBroad: true };
    expect(indicatorsOf(text, broad)).toHaveLength(5);
    expect(read(text, broad).rejectedByReason).toEqual({ 'prefix-zero': 2, root: 1 });
    expect(indicatorsOf(text, { ...broad, confirmRoot: true }).at(-1)).toBe('wildcard:*');
  });
});

describe('names at the limit of 255 octets', () => {
  const name = (characters: number) => `${'abcdefg.'.repeat(40).slice(0, characters - 7)}example`;

  it.each([
    [253, 0],
    [254, 1],
  ])('with %d characters: %d rejected, with a final dot or without', (characters, rejected) => {
    const text = `${name(characters)}\n${name(characters)}.\n*.${name(characters)}`;
    const result = read(text, { ownerOctetsMax: 1000 });
    expect(result.rejected).toBe(3 * rejected);
    expect(result.packed.count).toBe(2 - 2 * rejected);
  });
});
