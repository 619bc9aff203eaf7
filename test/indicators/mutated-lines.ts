import { createRandom } from './random.ts';

type Random = (below: number) => number;

/** Lines of every shape that feeds have, for when the real ones are not there and beside them. */
const SEED_LINES = [
  'evil.example',
  'www.Evil-Site.example.',
  '*.wild.example',
  '_dmarc.mail.evil.co.example',
  '0.0.0.0.tracker.example',
  `${'a'.repeat(63)}.example`,
  `${'abcdefg.'.repeat(30)}example`,
  '192.0.2.77',
  '192.0.2.0/24',
  '10.0.0.0/7',
  '0.0.0.0/0',
  '203.0.113.9\t7',
  '192.0.2.10-192.0.2.20',
  '2001:db8::1',
  '2001:db8:0:1:2:3:4:5/64',
  '::ffff:192.0.2.1',
  '::ffff:c000:200/120',
  '2000::/15',
  '::1/128\t3',
  'bücher.example',
  'ｅｖｉｌ。example',
  'host:only.example',
  'nsip:2001:db8::/32',
  'evil.example # note',
  ' ; comment',
  'http://evil.example/x',
  'a\\.b\\032c.example',
  'evil.rpz-ip',
  'evil.0x7f',
  'com',
  '*',
];

/** What breaks parsers: separators, digits at their limits, other alphabets, halves of UTF-8, controls. */
const FRAGMENTS = [
  ...Array.from('.:/-*_#;@\\ \t\r%?\0|^~0159afxzAFXZ'),
  ...[
    '..',
    '::',
    '::ffff:',
    '*.',
    '0x',
    '00',
    '255',
    '256',
    '/0',
    '/8',
    '/32',
    '/128',
    '/129',
    '//',
  ],
  ...[
    '.com',
    '.co.example',
    '.rpz-',
    'rpz-ip',
    '.0x1f',
    '.12',
    'xn--',
    'name:',
    'IP:',
    '\\.',
    '\\046',
  ],
  ...[
    'ü',
    'ß',
    '。',
    '１',
    '\u00ad',
    '\u200d',
    '\u{1f4a9}',
    '\u2100',
    '\t5',
    '\t',
    ' #',
    '-192.0.2.9',
  ],
].map((fragment) => Buffer.from(fragment));
/** Mostly still an indicator with it, but another one. */
const HARMLESS = Buffer.from('abcdefxyz-0123456789_ABCDEF.');
const HALF_UTF8 = Buffer.from([0xc3]);

/** Lines (as octets, none with a line feed) that are real ones with one to four small wounds. */
export function* mutatedLines(
  count: number,
  seed: number,
  realLines: readonly string[] = [],
): Generator<Buffer> {
  const random = createRandom(seed);
  const seedLines = SEED_LINES.map((line) => Buffer.from(line));
  for (let index = 0; index < count; index++) {
    const isReal = realLines.length > 0 && random(2) === 0;
    const line = isReal
      ? Buffer.from(realLines[random(realLines.length)]!)
      : seedLines[random(seedLines.length)]!;
    yield withoutLineFeeds(mutate(line, random));
  }
}

function mutate(line: Buffer, random: Random): Buffer {
  let mutated = line;
  for (let wounds = random(3); wounds >= 0; wounds--) {
    const at = random(mutated.length + 1);
    const removed = random(4) === 0 ? random(4) : 0;
    const inserted = insertion(mutated, random);
    mutated = Buffer.concat([mutated.subarray(0, at), inserted, mutated.subarray(at + removed)]);
  }
  return mutated;
}

function insertion(line: Buffer, random: Random): Buffer {
  switch (random(12)) {
    case 0:
    case 1:
      return Buffer.alloc(0);
    case 2:
      return Buffer.from([random(256)]);
    case 3:
      return random(4) === 0 ? HALF_UTF8 : Buffer.from(line.subarray(0, random(line.length + 1)));
    case 4:
    case 5:
    case 6:
    case 7:
      return HARMLESS.subarray(random(HARMLESS.length)).subarray(0, 1 + random(2));
    default:
      return FRAGMENTS[random(FRAGMENTS.length)]!;
  }
}

function withoutLineFeeds(line: Buffer): Buffer {
  return Buffer.from(line.map((octet) => (octet === 0x0a ? 0x20 : octet)));
}
