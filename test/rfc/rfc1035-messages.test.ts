import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isMalformed, type Message, readMessage } from '../../src/dns/message.ts';
import { parseName } from '../../src/dns/name.ts';
import { CLASS, OPCODE, RCODE, RRTYPE } from '../../src/dns/registry.ts';
import { message as anyMessage } from '../dns/arbitraries.ts';
import { hex, writeWhole } from '../dns/write-whole.ts';

const QUERY = hex('beef 0100 0001 0000 0000 0000 03 777777 07 6578616d706c65 00 0001 0001');

function read(octets: Uint8Array): Message {
  const message = readMessage(octets);
  if (isMalformed(message)) throw new Error(message.reason);
  return message;
}

describe('RFC 1035 section 4.1.1: header', () => {
  it('is read field by field', () => {
    expect(read(hex('1234 a7b3 0000 0000 0000 0000'))).toEqual({
      id: 0x1234,
      isResponse: true,
      opcode: OPCODE.NOTIFY,
      authoritative: true,
      truncated: true,
      recursionDesired: true,
      recursionAvailable: true,
      authenticData: true,
      checkingDisabled: true,
      rcode: RCODE.NXDOMAIN,
      questions: [],
      answers: [],
      authorities: [],
      additionals: [],
      edns: null,
      tsig: null,
    });
  });
});

describe('RFC 1035 section 4.1.2: question', () => {
  it('is read with name, type and class', () => {
    expect(read(QUERY).questions).toEqual([
      { name: parseName('www.example.'), type: RRTYPE.A, class: CLASS.IN },
    ]);
  });

  it('keeps the case of the name', () => {
    const mixed = Uint8Array.from(QUERY);
    mixed[13] = 0x57;
    expect(read(mixed).questions[0].name).toEqual(parseName('Www.example.'));
  });
});

describe('RFC 1035 section 4.1: messages', () => {
  it('read back as they were written', () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        expect(readMessage(writeWhole(message))).toEqual(message);
      }),
    );
  });

  it('are malformed when cut short anywhere', () => {
    fc.assert(
      fc.property(anyMessage, fc.double({ min: 0, max: 1, maxExcluded: true }), (message, part) => {
        const octets = writeWhole(message);
        const cut = octets.subarray(0, Math.floor(part * octets.length));
        expect(readMessage(cut)).toMatchObject({ malformed: true });
      }),
    );
  });

  it('are malformed with octets left over', () => {
    expect(readMessage(Uint8Array.of(...QUERY, 0))).toMatchObject({
      malformed: true,
      reason: '1 octets after the last record',
    });
  });

  it('are malformed when the counts promise more than there is', () => {
    for (const count of [5, 7, 9, 11]) {
      const octets = Uint8Array.from(QUERY);
      octets[count] += 1;
      expect(readMessage(octets)).toMatchObject({ malformed: true });
      octets[count - 1] = 0xff;
      expect(readMessage(octets)).toMatchObject({ malformed: true });
    }
  });

  it('tell enough when malformed to answer FORMERR: id, opcode, RD and the question', () => {
    expect(readMessage(Uint8Array.of(...QUERY, 0))).toEqual({
      malformed: true,
      id: 0xbeef,
      reason: expect.any(String),
      opcode: OPCODE.QUERY,
      isResponse: false,
      recursionDesired: true,
      question: { name: parseName('www.example.'), type: RRTYPE.A, class: CLASS.IN },
      edns: null,
    });
  });

  it('have no id when there is no whole header, so that they are not answered', () => {
    for (let length = 0; length < 12; length += 1) {
      expect(readMessage(QUERY.subarray(0, length))).toMatchObject({ malformed: true, id: null });
    }
  });

  it('hold copies: the octets they came from may change', () => {
    const octets = Buffer.from(QUERY);
    const message = read(octets);
    octets.fill(0xff);
    expect(message.questions[0].name).toEqual(parseName('www.example.'));
  });
});

describe('RFC 2181 section 8: TTL', () => {
  it('counts as 0 with its top bit set', () => {
    const answer = hex('0001 8000 0000 0001 0000 0000 00 0001 0001 80000001 0004 01020304');
    expect(read(answer).answers[0].ttl).toBe(0);
  });
});

describe('RFC 2136 section 2.4: records of updates', () => {
  it('may be without rdata, so that an UPDATE can be answered NOTIMP rather than FORMERR', () => {
    const update = hex('0001 2800 0001 0001 0000 0000 00 0006 0001 c00c 0005 00ff 00000000 0000');
    expect(read(update).answers[0]).toMatchObject({ type: RRTYPE.CNAME, rdata: new Uint8Array() });
    const query = Uint8Array.from(update);
    query[2] = 0;
    expect(readMessage(query)).toMatchObject({ malformed: true });
  });
});
