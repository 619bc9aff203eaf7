import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseIpv4 } from '../../src/dns/address.ts';
import { type AplItem, writeAplItem } from '../../src/dns/apl.ts';
import { formatRdata } from '../../src/dns/format-rdata.ts';
import { parseRdata } from '../../src/dns/parse-rdata.ts';
import { decodeRdata, encodeRdata } from '../../src/dns/rdata.ts';
import { RRTYPE } from '../../src/dns/registry.ts';
import { octets } from '../dns/arbitraries.ts';
import { hex } from '../dns/write-whole.ts';

const encode = (text: string): Uint8Array => encodeRdata(parseRdata(RRTYPE.APL, text));
const decode = (wire: Uint8Array) => decodeRdata(RRTYPE.APL, wire, 0, wire.length);

describe('RFC 3123 section 4: APL rdata', () => {
  it('is family, prefix, negation with length, and the address', () => {
    expect(encode('1:192.168.32.0/21')).toEqual(hex('0001 15 03 c0a820'));
    expect(encode('!1:192.168.38.0/28')).toEqual(hex('0001 1c 83 c0a826'));
    expect(encode('2:ff00::/8')).toEqual(hex('0002 08 01 ff'));
  });

  it('leaves out trailing zero octets whatever the prefix (4.1)', () => {
    expect(encode('1:10.0.0.0/16')).toEqual(hex('0001 10 01 0a'));
    expect(encode('1:0.0.0.0/32')).toEqual(hex('0001 20 00'));
    expect(encode('2:::/0')).toEqual(hex('0002 00 00'));
    expect(encode('2:2001:db8::1/128')).toEqual(hex('0002 80 10 20010db8000000000000000000000001'));
  });

  it('may be empty', () => {
    expect(encode('')).toEqual(new Uint8Array());
    expect(decode(new Uint8Array())).toEqual({ type: 'APL', items: [] });
    expect(formatRdata(RRTYPE.APL, new Uint8Array())).toBe('');
  });

  it.each([
    ['a trailing zero octet', '0001 08 02 0a00'],
    ['an IPv4 prefix over 32', '0001 21 01 0a'],
    ['an IPv6 prefix over 128', '0002 81 01 20'],
    ['an IPv4 address of five octets', '0001 20 05 0a00000001'],
    ['an item cut short', '0001 20 04 0a0000'],
    ['a header cut short', '0001 20'],
    ['a family that the RFC does not define', '0003 20 01 0a'],
  ])('is not read with %s, and then shown by RFC 3597', (_, octetsText) => {
    const wire = hex(octetsText);
    expect(decode(wire)).toBeNull();
    expect(formatRdata(RRTYPE.APL, wire)).toBe(
      `\\# ${wire.length} ${Buffer.from(wire).toString('hex')}`,
    );
  });

  it('is written item by item into a page exactly as a whole record is', () => {
    const address = fc.oneof(octets(4, 4), fc.constant(Uint8Array.of(10, 0, 0, 0)));
    const items = fc.array(
      address.map(
        (octets4): AplItem => ({ family: 1, prefixLength: 32, negated: false, address: octets4 }),
      ),
    );
    fc.assert(
      fc.property(items, (list) => {
        const page = new Uint8Array(20 * list.length);
        let end = 0;
        for (const item of list) end = writeAplItem(page, end, item);
        expect(page.subarray(0, end)).toEqual(encodeRdata({ type: 'APL', items: list }));
      }),
    );
  });
});

describe('RFC 3123 section 5: zone file syntax', () => {
  it.each([
    '1:192.168.32.0/21 !1:192.168.38.0/28',
    '1:192.168.42.0/26 1:192.168.42.64/26 1:192.168.42.128/25',
    '1:127.0.0.1/32 1:172.16.64.0/22',
    '1:224.0.0.0/4 2:ff00::/8',
  ])('reads and writes the example %s', (text) => {
    expect(formatRdata(RRTYPE.APL, encode(text))).toBe(text);
  });

  it.each([
    '3:10.0.0.0/8',
    '1:10.0.0.0',
    '1:10.0.0.0/33',
    '1:::/0',
    '2:10.0.0.0/8',
    '10.0.0.0/8',
    '!!1:10.0.0.0/8',
  ])('refuses %s', (text) => {
    expect(() => parseRdata(RRTYPE.APL, text)).toThrow('[!]afi:address/prefix');
  });

  it('keeps host bits: an item is an address with a prefix length', () => {
    expect(decode(encode('1:192.0.2.1/24'))).toMatchObject({
      items: [{ prefixLength: 24, address: parseIpv4('192.0.2.1') }],
    });
  });
});
