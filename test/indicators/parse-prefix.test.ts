import { Address6 } from 'ip-address';
import { describe, expect, it } from 'vitest';
import { keyHex, outcome } from './parsing.ts';
import { createRandom } from './random.ts';

describe('interop.md, rule 4: addresses and prefixes', () => {
  it.each([
    ['192.0.2.1', 'ip:192.0.2.1'],
    ['192.0.2.1/32', 'ip:192.0.2.1'],
    ['192.0.2.0/24', 'ip:192.0.2.0/24'],
    ['192.0.2.77/24', 'ip:192.0.2.0/24'],
    ['255.255.255.255/9', 'ip:255.128.0.0/9'],
    ['2001:db8::1', 'ip:2001:db8::1'],
    ['2001:DB8:0:0:0:0:0:1/128', 'ip:2001:db8::1'],
    ['2001:db8::ffff/33', 'ip:2001:db8::/33'],
    ['2001:db8::192.0.2.1', 'ip:2001:db8::c000:201'],
  ])('%s is %s, host bits masked', (text, expected) => {
    expect(outcome(text)).toBe(expected);
  });

  it.each([
    ['::ffff:192.0.2.1', 'ip:192.0.2.1'],
    ['::ffff:c000:201', 'ip:192.0.2.1'],
    ['::ffff:192.0.2.1/120', 'ip:192.0.2.0/24'],
    ['::ffff:10.0.0.0/104', 'ip:10.0.0.0/8'],
    ['::ffff:10.0.0.0/95', 'ip:::fffe:0:0/95'],
    ['::ffff:10.0.0.0/64', 'ip:::/64'],
    ['::192.0.2.1', 'ip:::c000:201'],
  ])('%s is %s: only what lies in ::ffff:0:0/96 is IPv4', (text, expected) => {
    expect(outcome(text)).toBe(expected);
  });

  it.each(['0.0.0.0/0', '192.0.2.1/0', '::/0', '::ffff:0:0/96', 'nsip:0.0.0.0/0'])(
    '%s is never accepted',
    (text) => {
      expect(outcome(text)).toBe('!prefix-zero');
      expect(outcome(text, { confirmBroad: true })).toBe('!prefix-zero');
    },
  );

  it.each([
    ['10.0.0.0/7', 'ip:10.0.0.0/7'],
    ['128.0.0.0/1', 'ip:128.0.0.0/1'],
    ['2000::/15', 'ip:2000::/15'],
    ['::ffff:10.0.0.0/103', 'ip:10.0.0.0/7'],
    ['clientip:2000::/3', 'clientip:2000::/3'],
    ['0.0.0.0-127.255.255.255', 'ip:0.0.0.0/1'],
  ])('%s needs a confirmation', (text, expected) => {
    expect(outcome(text)).toBe('!prefix-too-short');
    expect(outcome(text, { confirmBroad: true })).toBe(expected);
  });

  it('lengths from /8 and /16 on need none', () => {
    expect(outcome('10.0.0.0/8')).toBe('ip:10.0.0.0/8');
    expect(outcome('2001::/16')).toBe('ip:2001::/16');
  });

  it.each([
    ['192.0.2.1/33', 'bad-prefix-length'],
    ['2001:db8::/129', 'bad-prefix-length'],
    ['192.0.2.0/024', 'bad-prefix-length'],
    ['192.0.2.0/', 'bad-prefix-length'],
    ['192.0.2.0/24/24', 'bad-prefix-length'],
    ['192.0.2.0/255.255.255.0', 'bad-prefix-length'],
    ['192.0.2.0/-1', 'bad-address'],
    ['192.0.02.1', 'bad-address'],
    ['192.0.2', 'bad-address'],
    ['192.0.2.1.', 'bad-address'],
    ['10/8', 'bad-address'],
    ['fe80::1%eth0', 'bad-address'],
    ['[2001:db8::1]', 'bad-address'],
    ['[2001:db8::1]:443', 'bad-address'],
    ['2001:db8::1::', 'bad-address'],
    ['2001:db8:', 'bad-address'],
    ['1:2:3:4:5:6:7:8:9', 'bad-address'],
    ['12345::', 'bad-address'],
  ])('%s is refused: %s', (text, reason) => {
    expect(outcome(text)).toBe(`!${reason}`);
  });

  it('the key is the length and the network address', () => {
    expect(keyHex('192.0.2.77/24')).toBe('18c0000200');
    expect(keyHex('2001:db8::1/64')).toBe(`4020010db8${'00'.repeat(12)}`);
  });

  it('IPv6 text means what the ip-address package reads in it', () => {
    const random = createRandom(0x6a11);
    for (let round = 0; round < 3000; round++) {
      const text = randomIpv6Text(random);
      const oracle = new Address6(text);
      if (oracle.isInSubnet(new Address6('::ffff:0:0/96'))) continue;
      expect([text, keyHex(text)]).toEqual([
        text,
        `80${oracle.bigInt().toString(16).padStart(32, '0')}`,
      ]);
      expect([text, outcome(text)]).toEqual([text, `ip:${oracle.correctForm()}`]);
    }
  });
});

/** Groups of every length and case, runs of zeros, `::` in any place that the rules allow. */
function randomIpv6Text(random: (below: number) => number): string {
  const groups = Array.from({ length: 8 }, () => {
    if (random(2) === 0) return '0';
    const digits = random(0x10000 >> (4 * random(4)))
      .toString(16)
      .padStart(1 + random(4), '0');
    const group = digits.slice(-4);
    return random(3) === 0 ? group.toUpperCase() : group;
  });
  const start = random(8);
  let end = start;
  while (end < 8 && /^0+$/.test(groups[end]!)) end++;
  if (end === start || random(3) === 0) return groups.join(':');
  return `${groups.slice(0, start).join(':')}::${groups.slice(end).join(':')}`;
}

describe('interop.md, rule 4: ranges become the fewest prefixes', () => {
  it.each([
    ['192.0.2.10-192.0.2.20', 'ip:192.0.2.10/31 ip:192.0.2.12/30 ip:192.0.2.16/30 ip:192.0.2.20'],
    ['192.0.2.0-192.0.2.255', 'ip:192.0.2.0/24'],
    ['192.0.2.1 - 192.0.2.1', 'ip:192.0.2.1'],
    ['2001:db8::-2001:db8::2', 'ip:2001:db8::/127 ip:2001:db8::2'],
    ['2001:db8:: - 2001:db8:ffff:ffff:ffff:ffff:ffff:ffff', 'ip:2001:db8::/32'],
    ['::ffff:192.0.2.0-::ffff:192.0.2.3', 'ip:192.0.2.0/30'],
    ['192.0.2.1-::ffff:192.0.2.2', 'ip:192.0.2.1 ip:192.0.2.2'],
    ['255.255.255.254-255.255.255.255', 'ip:255.255.255.254/31'],
    [
      'ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
      'ip:ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127',
    ],
  ])('%s is %s', (text, expected) => {
    expect(outcome(text)).toBe(expected);
  });

  it.each([
    ['192.0.2.20-192.0.2.10', 'bad-range'],
    ['192.0.2.1-2001:db8::1', 'bad-range'],
    ['::1-::ffff:192.0.2.2', 'bad-range'],
    ['192.0.2.1-192.0.2.2-192.0.2.3', 'bad-range'],
    ['192.0.2.0/24-192.0.3.0/24', 'bad-address'],
    ['192.0.2.1-', 'bad-address'],
    ['0.0.0.0-255.255.255.255', 'prefix-zero'],
    ['::fffe:ffff:ffff-::1:0:0:0', 'prefix-zero'],
    ['1.0.0.0-20.0.0.0', 'prefix-too-short'],
  ])('%s is refused: %s', (text, reason) => {
    expect(outcome(text)).toBe(`!${reason}`);
  });
});
