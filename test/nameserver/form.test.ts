import { describe, expect, it } from 'vitest';
import {
  CLASS,
  createMessageWriter,
  EDNS_OPTION,
  formatName,
  isMalformed,
  OPCODE,
  parseName,
  RCODE,
  RRTYPE,
  readMessage,
} from '../../src/dns/index.ts';
import { makeHeader, makeQuery } from '../support/dns-query.ts';
import { type House, openHouse } from '../support/house.ts';
import { addPolicy, addTarget, NXDOMAIN, zoneName } from '../support/scene.ts';

const ZONE = zoneName('rpz', 'corp');

async function openScene(): Promise<House> {
  const house = await openHouse();
  await house.edit((edit) => {
    const kits = addTarget(edit, 'kits', ['evil.example']);
    addPolicy(edit, 'corp', 'dns', { targets: [[kits, NXDOMAIN]] });
  });
  return house;
}

/** The answer to raw octets; null for silence. */
function answerTo(house: House, octets: Uint8Array) {
  const answer = house.handle(octets);
  if (answer.kind === 'none') return null;
  if (answer.kind === 'stream') throw new Error('a transfer over UDP');
  const message = readMessage(answer.bytes);
  if (isMalformed(message)) throw new Error(message.reason);
  return message;
}

/** A query with so many questions for the SOA of the zone. */
function withQuestions(count: number): Uint8Array {
  const buffer = new Uint8Array(512);
  const writer = createMessageWriter(buffer);
  writer.start({ id: 9, recursionDesired: true });
  for (let question = 0; question < count; question++) {
    writer.question({ name: parseName(ZONE), type: RRTYPE.SOA, class: CLASS.IN });
  }
  return buffer.slice(0, writer.finish());
}

describe('opcodes', () => {
  it('other than QUERY and NOTIFY are not implemented; id, opcode and RD come back', async () => {
    const house = await openScene();
    for (const opcode of [OPCODE.IQUERY, OPCODE.STATUS, 3, OPCODE.UPDATE, OPCODE.DSO, 15]) {
      expect(house.ask(ZONE, 'SOA', { opcode, id: 77, recursionDesired: true })).toMatchObject({
        id: 77,
        opcode,
        isResponse: true,
        rcode: RCODE.NOTIMP,
        recursionDesired: true,
        answers: [],
      });
    }
  });
});

describe('malformed queries', () => {
  it('with a whole header are told so, with the question as far as it could be read', async () => {
    const house = await openScene();
    const { bytes } = makeQuery(ZONE, 'SOA', { id: 5 });
    const withRest = Uint8Array.from([...bytes, 0]);
    expect(answerTo(house, withRest)).toMatchObject({
      id: 5,
      rcode: RCODE.FORMERR,
      questions: [{ type: RRTYPE.SOA }],
    });
    expect(answerTo(house, bytes.subarray(0, bytes.length - 1))).toMatchObject({
      id: 5,
      rcode: RCODE.FORMERR,
      questions: [],
    });
  });

  it('without one question are malformed: none, or two', async () => {
    const house = await openScene();
    for (const count of [0, 2]) {
      const answer = answerTo(house, withQuestions(count));
      expect(answer).toMatchObject({ id: 9, rcode: RCODE.FORMERR, questions: [], answers: [] });
    }
    expect(answerTo(house, withQuestions(1))).toMatchObject({ rcode: RCODE.NOERROR });
  });

  it('shorter than a header get no answer', async () => {
    const house = await openScene();
    const header = makeHeader({ id: 1 });
    for (let length = 0; length < 12; length++) {
      expect(answerTo(house, header.subarray(0, length))).toBeNull();
    }
  });

  it('and well-formed ones that say they are answers get none, or two servers would talk for ever', async () => {
    const house = await openScene();
    const { bytes } = makeQuery(ZONE, 'SOA');
    const asAnswer = Uint8Array.from(bytes);
    asAnswer[2] |= 0x80;
    expect(answerTo(house, asAnswer)).toBeNull();
    expect(answerTo(house, makeHeader({ id: 1, flags: 0x8000 }))).toBeNull();
    expect(answerTo(house, asAnswer.subarray(0, 20))).toBeNull();
  });
});

describe('classes', () => {
  it('other than IN are refused', async () => {
    const house = await openScene();
    for (const rrClass of [CLASS.CH, CLASS.HS, CLASS.NONE, CLASS.ANY, 257]) {
      expect(house.ask(ZONE, 'SOA', { class: rrClass }).rcode).toBe(RCODE.REFUSED);
    }
    expect(house.ask('version.bind.', 'TXT', { class: CLASS.CH }).rcode).toBe(RCODE.REFUSED);
  });
});

describe('EDNS', () => {
  it('above version 0 is answered BADVERS with our version, before anything else is looked at', async () => {
    const house = await openScene();
    for (const name of [ZONE, 'example.']) {
      const answer = house.ask(name, 'SOA', { edns: { version: 1 } });
      expect(answer).toMatchObject({ rcode: RCODE.BADVERS, answers: [], edns: { version: 0 } });
      expect(formatName(answer.questions[0].name)).toBe(name);
    }
  });

  it('comes back to who sent it: our payload size, the DO bit, no unknown options', async () => {
    const house = await openScene();
    const options = [
      { code: EDNS_OPTION.NSID, data: new Uint8Array(0) },
      { code: 65_001, data: Uint8Array.of(1, 2, 3) },
    ];
    for (const dnssecOk of [true, false]) {
      const { edns } = house.ask(ZONE, 'SOA', {
        edns: { udpPayloadSize: 4_096, dnssecOk, options },
      });
      expect(edns).toEqual({
        udpPayloadSize: 1232,
        version: 0,
        dnssecOk,
        extendedRcode: 0,
        options: [],
      });
    }
    expect(house.ask(ZONE, 'SOA').edns).toBeNull();
  });
});

describe('an OPT record in the answer to octets that are no message', () => {
  it('is there when one could be read before the fault, and not otherwise', async () => {
    const house = await openScene();
    const withOpt = makeQuery(ZONE, 'SOA', { edns: { dnssecOk: true } }).bytes;
    const answer = answerTo(house, Uint8Array.of(...withOpt, 0));
    expect(answer).toMatchObject({ rcode: RCODE.FORMERR, edns: { version: 0, dnssecOk: true } });
    const withoutOpt = Uint8Array.of(...makeQuery(ZONE, 'SOA').bytes, 0);
    expect(answerTo(house, withoutOpt)).toMatchObject({ rcode: RCODE.FORMERR, edns: null });
  });

  it('is in answers to NOTIFY and to other opcodes as in all others', async () => {
    const house = await openScene();
    for (const opcode of [OPCODE.NOTIFY, OPCODE.UPDATE, OPCODE.STATUS, 15]) {
      expect(house.ask(ZONE, 'SOA', { opcode, edns: {} }).edns).not.toBeNull();
      expect(house.ask(ZONE, 'SOA', { opcode }).edns).toBeNull();
    }
  });
});

describe('types that are no types of data', () => {
  it('are answered as types that a name does not have', async () => {
    const house = await openScene();
    for (const type of [
      RRTYPE.OPT,
      RRTYPE.TSIG,
      RRTYPE.MAILA,
      RRTYPE.MAILB,
      RRTYPE.TKEY,
      0,
      65_280,
    ]) {
      expect(house.ask(ZONE, type)).toMatchObject({ rcode: RCODE.NOERROR, answers: [] });
    }
  });
});

describe('the question', () => {
  it('comes back octet by octet, in the case that it had', async () => {
    const house = await openScene();
    for (const name of [
      ZONE.toUpperCase(),
      'rPz.cOrP.aCmE.sLuIcE.iNtErNaL.',
      'EXAMPLE.',
      `GoOd.${ZONE}`,
    ]) {
      const { questions } = house.ask(name, 'SOA');
      expect(questions.map((question) => formatName(question.name))).toEqual([name]);
    }
  });
});
