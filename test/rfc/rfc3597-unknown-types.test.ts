import { describe, expect, it } from 'vitest';
import { formatRdata } from '../../src/dns/format-rdata.ts';
import { type Message, readMessage } from '../../src/dns/message.ts';
import { createMessageWriter } from '../../src/dns/message-writer.ts';
import { parseName } from '../../src/dns/name.ts';
import { parseRdata } from '../../src/dns/parse-rdata.ts';
import { encodeRdata } from '../../src/dns/rdata.ts';
import { classCode, className, RRTYPE, rrtypeCode, rrtypeName } from '../../src/dns/registry.ts';
import { hex } from '../dns/write-whole.ts';

/** One answer whose rdata of type `type` is written as given, behind the question `example.`. */
function answerOf(type: number, rdata: Uint8Array): Uint8Array {
  const message = new Uint8Array(512);
  message.set(hex('0001 8000 0001 0001 0000 0000 07 6578616d706c65 00 0001 0001'));
  message.set(hex('c00c 0000 0001 00000000 0000'), 25);
  message.set([type >> 8, type & 0xff], 27);
  message.set([rdata.length >> 8, rdata.length & 0xff], 35);
  message.set(rdata, 37);
  return message.slice(0, 37 + rdata.length);
}

function writtenRdata(type: number, rdata: Uint8Array): Uint8Array {
  const buffer = new Uint8Array(512);
  const writer = createMessageWriter(buffer);
  const name = parseName('example.');
  writer.start({ id: 1 });
  writer.question({ name, type, class: 1 });
  writer.record('answer', { name, type, class: 1, ttl: 0, rdata });
  return buffer.slice(37, writer.finish());
}

describe('RFC 3597 section 3: transparency', () => {
  it('carries rdata of an unknown type through unchanged, also what looks like a pointer', () => {
    const rdata = hex('c00c 00 ff');
    const read = readMessage(answerOf(65280, rdata)) as Message;
    expect(read.answers[0].rdata).toEqual(rdata);
    expect(writtenRdata(65280, rdata)).toEqual(rdata);
  });
});

describe('RFC 3597 section 4: domain name compression', () => {
  it.each([
    ['NS', 'c00c', '07 6578616d706c65 00'],
    ['MX', '000a c00c', '000a 07 6578616d706c65 00'],
    ['MINFO', 'c00c c00c', '07 6578616d706c65 00 07 6578616d706c65 00'],
    ['RP', 'c00c 01 61 c00c', '07 6578616d706c65 00 01 61 07 6578616d706c65 00'],
    ['AFSDB', '0001 c00c', '0001 07 6578616d706c65 00'],
    ['SRV', '0001 0002 0003 c00c', '0001 0002 0003 07 6578616d706c65 00'],
    ['NAPTR', '0001 0002 01 53 01 54 00 c00c', '0001 0002 01 53 01 54 00 07 6578616d706c65 00'],
    ['PX', '0001 c00c c00c', '0001 07 6578616d706c65 00 07 6578616d706c65 00'],
    ['SIG', `${'00'.repeat(18)} c00c c00c`, `${'00'.repeat(18)} 07 6578616d706c65 00 c00c`],
  ] as const)('decompresses the names in %s', (type, compressed, expanded) => {
    const read = readMessage(answerOf(RRTYPE[type], hex(compressed))) as Message;
    expect(read.answers[0].rdata).toEqual(hex(expanded));
  });

  it('compresses only in the types of RFC 1035', () => {
    const target = parseName('a.example.');
    expect(writtenRdata(RRTYPE.CNAME, target)).toEqual(hex('01 61 c00c'));
    expect(writtenRdata(RRTYPE.MINFO, Uint8Array.of(...target, ...target))).toEqual(
      hex('01 61 c00c c025'),
    );
    expect(writtenRdata(RRTYPE.SRV, Uint8Array.of(0, 1, 0, 2, 0, 3, ...target))).toEqual(
      Uint8Array.of(0, 1, 0, 2, 0, 3, ...target),
    );
    expect(writtenRdata(RRTYPE.DNAME, target)).toEqual(Uint8Array.from(target));
  });

  it.each([
    ['a name that runs past its rdata', RRTYPE.SRV, '0001 0002 0003 02 61'],
    ['an octet behind the name', RRTYPE.NS, 'c00c 00'],
    ['a string that runs past its rdata', RRTYPE.NAPTR, '0001 0002 09 53'],
    ['no room for the numbers', RRTYPE.SOA, 'c00c c00c 00000001'],
  ])('takes %s for malformed', (_, type, rdata) => {
    expect(readMessage(answerOf(type, hex(rdata)))).toMatchObject({ malformed: true });
  });
});

describe('RFC 3597 section 5: text representation', () => {
  it('names types and classes by their numbers', () => {
    expect(rrtypeName(731)).toBe('TYPE731');
    expect(rrtypeCode('TYPE731')).toBe(731);
    expect(className(32)).toBe('CLASS32');
    expect(classCode('CLASS32')).toBe(32);
  });

  it.each([
    [731, '\\# 6 abcdef012345'],
    [62347, '\\# 0'],
  ])('writes and reads TYPE%i %s', (type, text) => {
    const wire = encodeRdata(parseRdata(type, text));
    expect(formatRdata(type, wire)).toBe(text);
  });

  it('reads hex in several words, and a known type in this form too', () => {
    expect(encodeRdata(parseRdata(731, '\\# 6 abcd ef 01 2345'))).toEqual(hex('abcdef012345'));
    expect(parseRdata(RRTYPE.A, '\\# 4 0A000001')).toEqual({ type: 'A', address: hex('0a000001') });
  });

  it.each([
    '\\# 4 0A0000',
    '\\# 4 0A00000',
    '\\# x 0A000001',
    '\\# 5 0A00000100',
    '\\# 4 0A00000G',
    '\\#',
  ])('refuses %s as an A', (text) => {
    expect(() => parseRdata(RRTYPE.A, text)).toThrow();
  });

  it('refuses octets that only a pointer makes a name', () => {
    expect(() => parseRdata(RRTYPE.MINFO, '\\# 5 00 02 6161 c0')).toThrow();
    expect(() => parseRdata(RRTYPE.MINFO, '\\# 3 00c000')).toThrow();
  });
});
