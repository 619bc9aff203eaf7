import { isIPv4, isIPv6 } from 'node:net';
import fc from 'fast-check';
import ipAddress from 'ip-address';
import { describe, expect, it } from 'vitest';
import {
  formatIpv4,
  formatIpv6,
  isIpv4Mapped,
  parseIpv4,
  parseIpv6,
} from '../../src/dns/address.ts';
import { writeAddress } from '../../src/dns/address-octets.ts';
import { octets } from './arbitraries.ts';
import { hex } from './write-whole.ts';

/** Texts near enough to addresses that they are worth refusing. */
const almostIpv6 = fc
  .array(fc.constantFrom(':', '::', '0', 'f', 'ffff', '12345', '1.2.3.4', '.', '256', 'g', '%'), {
    maxLength: 12,
  })
  .map((parts) => parts.join(''));

describe('IPv4 addresses', () => {
  it.each([
    '',
    '1.2.3',
    '1.2.3.4.5',
    '01.2.3.4',
    '1.2.3.256',
    '1.2.3.',
    '1.2.3.4 ',
    '0x1.2.3.4',
    '1..2.3',
    '-1.2.3.4',
    '１.2.3.4',
  ])('are not %j', (text) => {
    expect(parseIpv4(text)).toBeNull();
  });

  it('read back as they are written', () => {
    fc.assert(
      fc.property(octets(4, 4), (address) => {
        expect(isIPv4(formatIpv4(address))).toBe(true);
        expect(parseIpv4(formatIpv4(address))).toEqual(address);
      }),
    );
  });
});

describe('RFC 4291 section 2.2: text forms of IPv6 addresses', () => {
  it.each([
    ['ABCD:EF01:2345:6789:ABCD:EF01:2345:6789', 'abcdef0123456789abcdef0123456789'],
    ['2001:DB8:0:0:8:800:200C:417A', '20010db80000000000080800200c417a'],
    ['2001:DB8::8:800:200C:417A', '20010db80000000000080800200c417a'],
    ['FF01::101', 'ff010000000000000000000000000101'],
    ['::1', '00000000000000000000000000000001'],
    ['::', '00000000000000000000000000000000'],
    ['1::', '00010000000000000000000000000000'],
    ['::13.1.68.3', '0000000000000000000000000d014403'],
    ['::FFFF:129.144.52.38', '00000000000000000000ffff81903426'],
    ['0:0:0:0:0:0:13.1.68.3', '0000000000000000000000000d014403'],
    ['1:2:3:4:5:6:7::', '00010002000300040005000600070000'],
  ])('reads %s', (text, expected) => {
    expect(parseIpv6(text)).toEqual(hex(expected));
  });

  it.each([
    '',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '::1:2:3:4:5:6:7:8',
    '12345::',
    'g::',
    '1.2.3.4::',
    '1.2.3.4:5::',
    '::1.2.3',
    '::1.2.3.4:5',
    'fe80::1%eth0',
    '1:',
    ':1',
    '::1:',
    '1:2:3:4:5:6:7:1.2.3.4',
    '1.2.3.4',
  ])('refuses %j', (text) => {
    expect(parseIpv6(text)).toBeNull();
  });

  it('takes exactly what the platform takes, zone ids aside', () => {
    fc.assert(
      fc.property(almostIpv6, (text) => {
        fc.pre(!text.includes('%'));
        expect(parseIpv6(text) !== null).toBe(isIPv6(text));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('RFC 5952 section 4: one text form', () => {
  it.each([
    ['2001:0db8::0001', '2001:db8::1'],
    ['2001:db8:0:0:0:0:2:1', '2001:db8::2:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:DB8::ABCD', '2001:db8::abcd'],
    ['::ffff:c000:201', '::ffff:192.0.2.1'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['1:0:0:0:0:0:0:0', '1::'],
  ])('writes %s as %s', (text, expected) => {
    expect(formatIpv6(parseIpv6(text) ?? new Uint8Array())).toBe(expected);
  });

  it('agrees with an independent implementation', () => {
    const sparse = fc
      .array(fc.constantFrom(0, 0, 0, 1, 0xab), { minLength: 16, maxLength: 16 })
      .map((list) => Uint8Array.from(list));
    fc.assert(
      fc.property(fc.oneof(sparse, octets(16, 16)), (address) => {
        expect(parseIpv6(formatIpv6(address))).toEqual(address);
        fc.pre(!isIpv4Mapped(address));
        const other = ipAddress.Address6.fromByteArray(Array.from(address)).correctForm();
        expect(formatIpv6(address)).toBe(other);
      }),
      { numRuns: 500 },
    );
  });
});

describe('addresses of peers', () => {
  /** What stands in the octets, null for no address. */
  const written = (text: string): Uint8Array | null => {
    const into = new Uint8Array(16).fill(0xee);
    const count = writeAddress(text, into);
    return count === 0 ? null : into.slice(0, count);
  };

  it('are read as the general parsers read them', () => {
    fc.assert(
      fc.property(fc.oneof(octets(4, 4), octets(16, 16)), (address) => {
        const text = address.length === 4 ? formatIpv4(address) : formatIpv6(address);
        fc.pre(!(address.length === 16 && isIpv4Mapped(address)));
        expect(written(text)).toEqual(address);
        expect(written(text.toUpperCase())).toEqual(address);
      }),
    );
  });

  it('that are none are refused, as are forms that sockets do not use', () => {
    fc.assert(
      fc.property(fc.oneof(almostIpv6, fc.string()), (text) => {
        const read = written(text);
        if (read === null) return;
        expect(read).toEqual(parseIpv4(text) ?? parseIpv6(text));
      }),
    );
    for (const text of [
      '',
      '::ffff:192.0.2.1',
      '1.2.3',
      '1.2.3.4.5',
      '1::2::3',
      ':1::',
      '1:',
      'x',
    ]) {
      expect(written(text)).toBeNull();
    }
  });

  it('with a run of zeros anywhere come out whole', () => {
    for (const text of ['::', '::1', '1::', '1:2:3:4:5:6:7:8', '1::8', '2001:db8:0:0:1::1']) {
      expect(written(text)).toEqual(parseIpv6(text));
    }
  });
});
