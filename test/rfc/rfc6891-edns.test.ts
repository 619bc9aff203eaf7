import { describe, expect, it } from 'vitest';
import { ednsOption, extendedErrorOption, udpResponseOctetsMax } from '../../src/dns/edns.ts';
import { type Message, readMessage } from '../../src/dns/message.ts';
import { EDNS_OPTION, EXTENDED_ERROR, RCODE } from '../../src/dns/registry.ts';
import { hex } from '../dns/write-whole.ts';

const HEADER = '0001 0000 0000 0000 0000 0001';
const opt = (octets: string) => readMessage(hex(`${HEADER} ${octets}`)) as Message;
const malformed = { malformed: true };

describe('RFC 6891 section 6.1.1: the OPT record', () => {
  it('is not among the additional records', () => {
    expect(opt('00 0029 04d0 00000000 0000')).toMatchObject({
      additionals: [],
      edns: { udpPayloadSize: 1232, version: 0, dnssecOk: false, extendedRcode: 0, options: [] },
    });
  });

  it('may stand before other records', () => {
    const twoRecords = '0001 0000 0000 0000 0000 0002';
    const message = readMessage(
      hex(`${twoRecords} 00 0029 04d0 00000000 0000 00 0001 0001 00000000 0004 01020304`),
    ) as Message;
    expect(message.edns).not.toBeNull();
    expect(message.additionals).toHaveLength(1);
  });

  it('comes once, from the root, in the additional section; all else is malformed', () => {
    const record = '00 0029 04d0 00000000 0000';
    expect(readMessage(hex(`0001 0000 0000 0000 0000 0002 ${record} ${record}`))).toMatchObject(
      malformed,
    );
    expect(readMessage(hex(`0001 0000 0000 0001 0000 0000 ${record}`))).toMatchObject(malformed);
    expect(readMessage(hex(`0001 0000 0000 0000 0001 0000 ${record}`))).toMatchObject(malformed);
    expect(opt('01 61 00 0029 04d0 00000000 0000')).toMatchObject(malformed);
  });
});

describe('RFC 6891 section 6.1.2: options', () => {
  it('survive whatever their code, in order and repeated', () => {
    const message = opt('00 0029 04d0 00000000 0010 fde9 0002 abcd 0003 0000 fde9 0002 0102');
    expect(message.edns?.options).toEqual([
      { code: 65001, data: hex('abcd') },
      { code: EDNS_OPTION.NSID, data: hex('') },
      { code: 65001, data: hex('0102') },
    ]);
    expect(ednsOption(message.edns, 65001)).toEqual(hex('abcd'));
    expect(ednsOption(message.edns, EDNS_OPTION.COOKIE)).toBeUndefined();
    expect(ednsOption(null, 65001)).toBeUndefined();
  });

  it('that do not add up make the message malformed', () => {
    expect(opt('00 0029 04d0 00000000 0005 fde9 0002 ab')).toMatchObject(malformed);
    expect(opt('00 0029 04d0 00000000 0003 fde9 00')).toMatchObject(malformed);
  });
});

describe('RFC 6891 section 6.1.3: the TTL field', () => {
  it('holds the upper RCODE bits, the version and the DO bit', () => {
    const message = readMessage(
      hex('0001 8001 0000 0000 0000 0001 00 0029 04d0 01008000 0000'),
    ) as Message;
    expect(message.rcode).toBe(RCODE.BADKEY);
    expect(message.edns).toMatchObject({ extendedRcode: 1, version: 0, dnssecOk: true });
  });

  it('of another version is read without its options, so that BADVERS can be answered', () => {
    expect(opt('00 0029 04d0 00010000 0003 ffffff')).toMatchObject({
      edns: { version: 1, options: [] },
    });
  });
});

describe('RFC 6891 section 6.2.3: payload sizes', () => {
  it('below 512 count as 512', () => {
    expect(opt('00 0029 0000 00000000 0000').edns?.udpPayloadSize).toBe(512);
  });

  it.each([
    [null, 1232, 512],
    [512, 1232, 512],
    [1000, 1232, 1000],
    [4096, 1232, 1232],
    [4096, 100, 512],
  ])('of %s with our maximum of %i allow an answer of %i octets', (size, ownMax, expected) => {
    const edns =
      size === null
        ? null
        : { udpPayloadSize: size, version: 0, dnssecOk: false, extendedRcode: 0, options: [] };
    expect(udpResponseOctetsMax(edns, ownMax)).toBe(expected);
  });
});

describe('RFC 8914 section 2: extended errors', () => {
  it('are a code and a text', () => {
    expect(extendedErrorOption(EXTENDED_ERROR['NOT-AUTHORITATIVE'], 'né')).toEqual({
      code: EDNS_OPTION.EDE,
      data: hex('0014 6e c3a9'),
    });
    expect(extendedErrorOption(EXTENDED_ERROR.PROHIBITED).data).toEqual(hex('0012'));
  });
});
