import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatRdata } from '../../src/dns/format-rdata.ts';
import { parseName } from '../../src/dns/name.ts';
import { parseRdata, RdataError } from '../../src/dns/parse-rdata.ts';
import { decodeRdata, encodeRdata, rdataTypeCode } from '../../src/dns/rdata.ts';
import { RRTYPE, rrtypeName } from '../../src/dns/registry.ts';
import { serial } from '../../src/dns/serial.ts';
import { rdata as anyRdata, octets, uint16, zoneRdata } from './arbitraries.ts';
import { hex } from './write-whole.ts';

describe('rdata', () => {
  it('of every type reads back from its wire form, wherever it stands in a message', () => {
    fc.assert(
      fc.property(anyRdata, fc.nat(40), (rdata, offset) => {
        const wire = encodeRdata(rdata);
        const message = new Uint8Array(offset + wire.length + 5);
        message.set(wire, offset);
        expect(decodeRdata(rdataTypeCode(rdata), message, offset, wire.length)).toEqual(rdata);
      }),
    );
  });

  it('of every type in zone files reads back from its presentation form', () => {
    fc.assert(
      fc.property(zoneRdata, (rdata) => {
        const code = rdataTypeCode(rdata);
        const text = formatRdata(code, encodeRdata(rdata));
        expect(parseRdata(code, text)).toEqual(rdata);
      }),
    );
  });

  it('never throws on any octets, and what it accepts it encodes to something it accepts again', () => {
    const types = fc.oneof(fc.constantFrom(...Object.values(RRTYPE)), uint16);
    fc.assert(
      fc.property(types, octets(0, 60), (type, wire) => {
        const rdata = decodeRdata(type, wire, 0, wire.length);
        expect(typeof formatRdata(type, wire)).toBe('string');
        if (rdata === null) return;
        const again = encodeRdata(rdata);
        expect(decodeRdata(type, again, 0, again.length)).toEqual(rdata);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['an A of three octets', RRTYPE.A, '010203'],
    ['an AAAA of four', RRTYPE.AAAA, '01020304'],
    ['a CNAME with an octet too many', RRTYPE.CNAME, '01 61 00 00'],
    ['a CNAME without its root', RRTYPE.CNAME, '01 61'],
    ['an SOA without its minimum', RRTYPE.SOA, '00 00 00000001 00000002 00000003 00000004'],
    ['an SOA of one name', RRTYPE.SOA, '00'],
    ['an MX of a number', RRTYPE.MX, '000a'],
    ['a TXT whose string is cut short', RRTYPE.TXT, '03 6162'],
    ['a TXT without strings', RRTYPE.TXT, ''],
    ['a ZONEMD with a digest of eleven octets', RRTYPE.ZONEMD, `7848b91c 01 01 ${'ab'.repeat(11)}`],
    ['an OPT whose option is cut short', RRTYPE.OPT, '000a 0008 0102'],
    ['an OPT of half an option header', RRTYPE.OPT, '000a 00'],
  ])('is null for %s', (_, type, text) => {
    const wire = hex(text);
    expect(decodeRdata(type, wire, 0, wire.length)).toBeNull();
  });

  it('is null beyond the end of the message', () => {
    expect(decodeRdata(RRTYPE.A, hex('01020304'), 1, 4)).toBeNull();
    expect(decodeRdata(65280, hex('01020304'), 1, 4)).toBeNull();
  });

  it('cannot be encoded from what the type cannot hold', () => {
    expect(() => encodeRdata({ type: 'A', address: new Uint8Array(16) })).toThrow(RangeError);
    expect(() => encodeRdata({ type: 'TXT', strings: [new Uint8Array(256)] })).toThrow(RangeError);
    const short = { serial: serial(1), scheme: 1, hashAlgorithm: 1, digest: new Uint8Array(11) };
    expect(() => encodeRdata({ type: 'ZONEMD', ...short })).toThrow(RangeError);
  });
});

describe('the presentation form', () => {
  it.each([
    ['A', '192.0.2.1', 'c0000201'],
    ['AAAA', '2001:db8::1', '20010db8000000000000000000000001'],
    ['NS', 'localhost.', '09 6c6f63616c686f7374 00'],
    ['CNAME', '*.', '01 2a 00'],
    ['CNAME', '.', '00'],
    ['PTR', 'a\\.b.', '03 612e62 00'],
    ['MX', '10 mail.', '000a 04 6d61696c 00'],
    [
      'SOA',
      'n. h. 4294967295 900 300 1209600 60',
      '016e00 016800 ffffffff 00000384 0000012c 00127500 0000003c',
    ],
    [
      'TXT',
      '"v=1 side=block" "" "q\\"\\\\\\009"',
      '0e 763d3120736964653d626c6f636b 00 04 71225c09',
    ],
    [
      'ZONEMD',
      '2018031900 1 1 000102030405060708090aff',
      '7848b91c 01 01 000102030405060708090aff',
    ],
    ['TYPE65280', '\\# 3 0102ff', '0102ff'],
    ['TYPE65280', '\\# 0', ''],
  ])('of %s %s', (typeText, text, wireText) => {
    const type = RRTYPE[typeText as keyof typeof RRTYPE] ?? 65280;
    const wire = hex(wireText);
    expect(formatRdata(type, wire)).toBe(text);
    expect(encodeRdata(parseRdata(type, text))).toEqual(wire);
  });

  it('of ZONEMD takes a digest in several words', () => {
    const words = parseRdata(RRTYPE.ZONEMD, '1 1 1 0001020304 05060708 090AFF');
    expect(words).toEqual(parseRdata(RRTYPE.ZONEMD, '1 1 1 000102030405060708090aff'));
  });

  it('of TXT takes words without quotes and UTF-8', () => {
    expect(encodeRdata(parseRdata(RRTYPE.TXT, 'one  two\\032three\t"ä"'))).toEqual(
      hex('03 6f6e65 09 74776f 20 7468726565 02 c3a4'),
    );
  });

  it('completes relative names by the origin', () => {
    const rdata = parseRdata(RRTYPE.MX, '5 mail', parseName('example.'));
    expect(rdata).toEqual({ type: 'MX', preference: 5, exchange: parseName('mail.example.') });
  });

  it('shows OPT and TSIG for logs', () => {
    expect(formatRdata(RRTYPE.OPT, hex('0003 0002 6162 fde9 0000'))).toBe('NSID=6162 OPT65001=');
    const tsig = hex('0b 686d61632d736861323536 00 000000000001 012c 0002 abcd 1234 0010 0000');
    expect(formatRdata(RRTYPE.TSIG, tsig)).toBe('hmac-sha256. 1 300 2 q80= 4660 BADSIG 0');
  });

  it.each([
    [RRTYPE.A, '1.2.3', 'no address'],
    [RRTYPE.A, '192.0.2.1 192.0.2.2', 'too many fields'],
    [RRTYPE.A, '', 'a field is missing'],
    [RRTYPE.MX, '65536 a.', 'no number'],
    [RRTYPE.MX, '-1 a.', 'no number'],
    [RRTYPE.CNAME, 'a..b', 'empty-label'],
    [RRTYPE.TXT, '"open', 'not closed'],
    [RRTYPE.TXT, '"a"b', 'not closed'],
    [RRTYPE.TXT, 'a\\', 'not closed'],
    [RRTYPE.TXT, '\\256', 'bad escape'],
    [RRTYPE.TXT, '\\25', 'bad escape'],
    [RRTYPE.TXT, 'x'.repeat(256), 'longer than 255'],
    [RRTYPE.TXT, '', 'a field is missing'],
    [RRTYPE.ZONEMD, `1 1 1 ${'ab'.repeat(11)}`, '12 or more octets'],
    [RRTYPE.ZONEMD, `1 1 1 ${'ab'.repeat(12)}c`, '12 or more octets'],
    [RRTYPE.ZONEMD, `1 256 1 ${'ab'.repeat(12)}`, 'no number'],
    [RRTYPE.LOC, '52 22 23 N 4 53 32 E', 'in the form'],
  ])('%i %j is refused: %s', (type, text, reason) => {
    expect(() => parseRdata(type, text)).toThrow(RdataError);
    expect(() => parseRdata(type, text)).toThrow(reason);
    expect(() => parseRdata(type, text)).toThrow(rrtypeName(type));
  });

  it('never throws anything but RdataError', () => {
    const texts = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc
        .array(
          fc.constantFrom('"', '\\', ' ', '1', '300', 'a.', '\\#', '!', ':', '/', '\t', '\n'),
          { maxLength: 20 },
        )
        .map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(fc.constantFrom(1, 2, 6, 15, 16, 28, 42, 63, 65280), texts, (type, text) => {
        try {
          parseRdata(type, text);
        } catch (error) {
          expect(error).toBeInstanceOf(RdataError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
