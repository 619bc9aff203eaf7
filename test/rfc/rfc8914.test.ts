import { describe, expect, it } from 'vitest';
import {
  CLASS,
  EDNS_OPTION,
  EXTENDED_ERROR,
  ednsOption,
  type Message,
  OPCODE,
  parseName,
  RCODE,
  RRTYPE,
  type TsigKey,
} from '../../src/dns/index.ts';
import { answerNotReady } from '../../src/nameserver/answer-not-ready.ts';
import { makeQuery } from '../support/dns-query.ts';
import { openHouse } from '../support/house.ts';
import { addPolicy, addTarget, NXDOMAIN, zoneName } from '../support/scene.ts';
import { readAnswer } from '../support/transfer.ts';

const ZONE = zoneName('rpz', 'corp');
const STRANGER = '203.0.113.1';
const edns = {};

async function openScene() {
  const house = await openHouse();
  await house.edit((edit) => {
    const kits = addTarget(edit, 'kits', ['evil.example']);
    addPolicy(edit, 'corp', 'dns', { targets: [[kits, NXDOMAIN]] });
  });
  return house;
}

/** The info code of the extended error; null without one. */
function extendedError({ edns }: Message): number | null {
  const data = ednsOption(edns, EDNS_OPTION.EDE);
  return data === undefined ? null : (data[0] << 8) | data[1];
}

describe('RFC 8914 section 4.19: Prohibited', () => {
  it('goes with a refusal for want of a right', async () => {
    const house = await openScene();
    for (const type of ['SOA', 'AXFR', 'IXFR'] as const) {
      const answer = house.ask(ZONE, type, { from: STRANGER, protocol: 'tcp', edns });
      expect(answer.rcode).toBe(RCODE.REFUSED);
      expect(extendedError(answer)).toBe(EXTENDED_ERROR.PROHIBITED);
    }
  });
});

describe('RFC 8914 section 4.21: Not Authoritative', () => {
  it('goes with a refusal of names that are not ours', async () => {
    const house = await openScene();
    const answer = house.ask('www.example.', 'A', { edns });
    expect(answer.rcode).toBe(RCODE.REFUSED);
    expect(extendedError(answer)).toBe(EXTENDED_ERROR['NOT-AUTHORITATIVE']);
  });

  it('goes with a transfer of what is no zone', async () => {
    const house = await openScene();
    for (const name of [`evil.example.${ZONE}`, zoneName('rpz', 'other')]) {
      const answer = house.ask(name, 'AXFR', { protocol: 'tcp', edns });
      expect(answer.rcode).toBe(RCODE.NOTAUTH);
      expect(extendedError(answer)).toBe(EXTENDED_ERROR['NOT-AUTHORITATIVE']);
    }
  });
});

describe('RFC 8914 section 4.15: Not Ready', () => {
  const answerTo = (bytes: Uint8Array) => {
    const answer = answerNotReady(bytes, { protocol: 'udp', address: STRANGER, port: 5353 });
    return answer.kind === 'message' ? readAnswer(answer.bytes) : null;
  };

  it('goes with SERVFAIL to every query while the server loads', () => {
    for (const type of ['SOA', 'AXFR', 'IXFR', 'A'] as const) {
      const query = makeQuery(ZONE.toUpperCase(), type, { edns, recursionDesired: true });
      const answer = answerTo(query.bytes);
      expect(answer).toMatchObject({
        id: query.id,
        rcode: RCODE.SERVFAIL,
        isResponse: true,
        authoritative: false,
        recursionDesired: true,
        questions: [{ name: parseName(ZONE.toUpperCase()), type: RRTYPE[type] }],
        answers: [],
      });
      expect(answer && extendedError(answer)).toBe(EXTENDED_ERROR['NOT-READY']);
    }
  });

  it('is for clients that sent EDNS', () => {
    expect(answerTo(makeQuery(ZONE, 'SOA').bytes)).toMatchObject({
      rcode: RCODE.SERVFAIL,
      edns: null,
    });
  });

  it('does not go to what is no query: FORMERR then, or nothing', () => {
    const { bytes } = makeQuery(ZONE, 'SOA', { edns });
    expect(answerTo(Uint8Array.of(...bytes, 0))).toMatchObject({ rcode: RCODE.FORMERR });
    const response = bytes.slice();
    response[2] |= 0x80;
    expect(answerTo(response)).toBeNull();
    expect(answerTo(bytes.slice(0, 11))).toBeNull();
  });
});

describe('RFC 8914 section 4.22: Not Supported', () => {
  it('goes with opcodes, classes and kinds of NOTIFY that there are not', async () => {
    const house = await openScene();
    const answers = [
      house.ask(ZONE, 'SOA', { opcode: OPCODE.UPDATE, edns }),
      house.ask(ZONE, 'SOA', { opcode: OPCODE.STATUS, edns }),
      house.ask(ZONE, 'A', { opcode: OPCODE.NOTIFY, edns }),
      house.ask(ZONE, 'SOA', { class: CLASS.HS, edns }),
    ];
    expect(answers.map(({ rcode }) => rcode)).toEqual([
      RCODE.NOTIMP,
      RCODE.NOTIMP,
      RCODE.NOTIMP,
      RCODE.REFUSED,
    ]);
    expect(answers.map(extendedError)).toEqual(answers.map(() => EXTENDED_ERROR['NOT-SUPPORTED']));
  });

  it('goes with AXFR over UDP', async () => {
    const house = await openScene();
    const answer = house.ask(ZONE, 'AXFR', { edns });
    expect(answer.rcode).toBe(RCODE.FORMERR);
    expect(extendedError(answer)).toBe(EXTENDED_ERROR['NOT-SUPPORTED']);
  });
});

describe('RFC 8914 section 4.1: Other', () => {
  it('says in its text which error of TSIG a signature has', async () => {
    const house = await openScene();
    const key: TsigKey = {
      name: parseName('nobody.example.'),
      algorithm: 'hmac-sha256',
      secret: new Uint8Array(32),
    };
    const answer = house.ask(ZONE, 'SOA', { key, edns });
    expect(answer.rcode).toBe(RCODE.NOTAUTH);
    expect(extendedError(answer)).toBe(EXTENDED_ERROR.OTHER);
    const text = ednsOption(answer.edns, EDNS_OPTION.EDE)?.slice(2) ?? [];
    expect(Buffer.from(text).toString()).toBe('TSIG BADKEY');
    expect(house.ask(ZONE, 'SOA', { key }).edns).toBeNull();
  });
});

describe('RFC 8914 section 3: extended errors', () => {
  it('are for clients that sent EDNS, and for answers that have something to explain', async () => {
    const house = await openScene();
    expect(house.ask(ZONE, 'SOA', { from: STRANGER }).edns).toBeNull();
    expect(extendedError(house.ask(ZONE, 'SOA', { edns }))).toBeNull();
    expect(extendedError(house.ask(`good.example.${ZONE}`, 'A', { edns }))).toBeNull();
  });
});
