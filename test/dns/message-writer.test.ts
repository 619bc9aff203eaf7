import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ednsOption } from '../../src/dns/edns.ts';
import { type Message, type ResourceRecord, readMessage } from '../../src/dns/message.ts';
import { createMessageWriter } from '../../src/dns/message-writer.ts';
import { parseName } from '../../src/dns/name.ts';
import { parseRdata } from '../../src/dns/parse-rdata.ts';
import { encodeRdata } from '../../src/dns/rdata.ts';
import { CLASS, EDNS_OPTION, RCODE, RRTYPE } from '../../src/dns/registry.ts';
import { record as anyRecord, longName } from './arbitraries.ts';
import { hex } from './write-whole.ts';

const name = parseName('www.Example.');

function record(owner: string, type: 'A' | 'NS' | 'TXT' | 'SOA', text: string): ResourceRecord {
  const rdata = encodeRdata(parseRdata(RRTYPE[type], text));
  return { name: parseName(owner), type: RRTYPE[type], class: CLASS.IN, ttl: 60, rdata };
}

function writerOf(octets: number) {
  const buffer = new Uint8Array(octets);
  const writer = createMessageWriter(buffer);
  writer.start({ id: 1, isResponse: true });
  return { buffer, writer, read: () => readMessage(buffer.slice(0, writer.finish())) as Message };
}

describe('a message writer', () => {
  it('points to names that stand already in the message, in owners and in rdata', () => {
    const { buffer, writer } = writerOf(512);
    writer.question({ name, type: RRTYPE.NS, class: CLASS.IN });
    writer.record('answer', record('www.Example.', 'NS', 'ns.www.Example.'));
    writer.record('additional', record('ns.www.Example.', 'A', '192.0.2.1'));
    expect(buffer.slice(12, writer.finish())).toEqual(
      hex(`03 777777 07 4578616d706c65 00 0002 0001
           c00c 0002 0001 0000003c 0005 02 6e73 c00c
           c029 0001 0001 0000003c 0004 c0000201`),
    );
  });

  it('keeps the case of every name: equal octets share, other spellings do not', () => {
    const { writer, read } = writerOf(512);
    writer.question({ name, type: RRTYPE.A, class: CLASS.IN });
    writer.record('answer', record('WWW.Example.', 'A', '192.0.2.1'));
    writer.record('answer', record('www.EXAMPLE.', 'A', '192.0.2.1'));
    const after = writer.length();
    writer.record('answer', record('WWW.Example.', 'A', '192.0.2.2'));
    expect(writer.length() - after).toBe(2 + 10 + 4);
    expect(read().answers.map((answer) => answer.name)).toEqual([
      parseName('WWW.Example.'),
      parseName('www.EXAMPLE.'),
      parseName('WWW.Example.'),
    ]);
  });

  it('writes nothing of a record that does not fit, also when its names were half written', () => {
    const { writer, read } = writerOf(60);
    writer.question({ name: parseName('a.'), type: RRTYPE.SOA, class: CLASS.IN });
    const before = writer.length();
    const soa = record('soa.zone.', 'SOA', 'primary.zone. admin.zone. 1 2 3 4 5');
    expect(writer.record('answer', soa)).toBe(false);
    expect(writer.length()).toBe(before);
    // What the failed record had named must not be pointed to.
    expect(writer.record('answer', record('zone.', 'A', '192.0.2.1'))).toBe(true);
    expect(read().answers).toEqual([record('zone.', 'A', '192.0.2.1')]);
  });

  it('writes an RRset whole or not at all', () => {
    const rdatas = [1, 2, 3].map((last) => Uint8Array.of(192, 0, 2, last));
    const { rdata: _, ...owner } = record('a.', 'A', '192.0.2.1');
    const { writer, read } = writerOf(12 + 7 + 15 + 14 + 14);
    writer.question({ name: parseName('b.'), type: RRTYPE.A, class: CLASS.IN });
    expect(writer.rrset('answer', owner, rdatas)).toBe(false);
    expect(writer.rrset('answer', owner, rdatas.slice(1))).toBe(true);
    expect(read().answers.map((answer) => answer.rdata)).toEqual(rdatas.slice(1));
  });

  it('keeps room for EDNS and whatever is reserved, and gives it back with the next message', () => {
    const { buffer, writer } = writerOf(100);
    const big = record('.', 'TXT', `"${'x'.repeat(100 - 12 - 11 - 1)}"`);
    expect(writer.reserve(1)).toBe(true);
    expect(writer.record('answer', big)).toBe(false);
    writer.start({ id: 1 });
    expect(writer.edns({ udpPayloadSize: 1232 })).toBe(true);
    expect(writer.record('answer', big)).toBe(false);
    expect(writer.edns.length).toBe(1);
    expect(writer.reserve(78)).toBe(false);
    expect(writer.reserve(77)).toBe(true);
    writer.start({ id: 1 });
    expect(writer.record('answer', big)).toBe(true);
    expect(writer.finish()).toBe(buffer.length);
    expect(writer.reserve(1)).toBe(false);
  });

  it('writes the upper bits of an RCODE into the OPT record, whichever was set first', () => {
    const { writer, read } = writerOf(512);
    writer.edns({
      udpPayloadSize: 1232,
      dnssecOk: true,
      options: [{ code: 3, data: hex('6162') }],
    });
    writer.setRcode(RCODE.BADVERS);
    writer.setTruncated();
    expect(read()).toMatchObject({
      rcode: RCODE.BADVERS,
      truncated: true,
      isResponse: true,
      edns: {
        udpPayloadSize: 1232,
        version: 0,
        dnssecOk: true,
        options: [{ code: 3, data: hex('6162') }],
      },
    });
  });

  it('refuses what can only be a mistake of the program', () => {
    const { writer } = writerOf(512);
    writer.setRcode(RCODE.BADVERS);
    expect(() => writer.finish()).toThrow('without EDNS');
    writer.start({ id: 1 });
    writer.record('authority', record('a.', 'A', '192.0.2.1'));
    expect(() => writer.record('answer', record('a.', 'A', '192.0.2.1'))).toThrow('order');
    const cut = { ...record('a.', 'NS', 'b.'), rdata: hex('01 62 00 00') };
    expect(() => writer.record('authority', cut)).toThrow('rdata of 4 octets where its type has 3');
    expect(() => createMessageWriter(new Uint8Array(11))).toThrow(RangeError);
  });

  it('obeys a limit of its own and one for a single message', () => {
    const buffer = new Uint8Array(1000);
    const writer = createMessageWriter(buffer, 512);
    const txt = (octets: number) => record('.', 'TXT', `"${'x'.repeat(octets)}"`);
    writer.start({ id: 1 });
    while (writer.record('answer', txt(99)));
    expect(writer.length()).toBeLessThanOrEqual(512);
    expect(writer.length()).toBeGreaterThan(512 - 111);
    writer.start({ id: 1 }, 200);
    expect(writer.record('answer', txt(177))).toBe(false);
    expect(writer.record('answer', txt(176))).toBe(true);
    expect(writer.finish()).toBe(200);
    writer.start({ id: 1 }, 5000);
    expect(writer.record('answer', txt(250))).toBe(true);
    expect(writer.record('answer', txt(250))).toBe(false);
  });

  it('never points beyond what a pointer can reach, and reads back whole', () => {
    const { buffer, writer } = writerOf(65_535);
    const records: ResourceRecord[] = [];
    for (let i = 0; ; i += 1) {
      const next = record(
        `host${i % 3000}.zone${i % 700}.test.`,
        'NS',
        `ns${i % 3000}.zone${i % 300}.test.`,
      );
      if (!writer.record('answer', next)) break;
      records.push(next);
    }
    expect(writer.length()).toBeGreaterThan(65_400);
    const read = readMessage(buffer.slice(0, writer.finish())) as Message;
    expect(read.answers).toEqual(records);
  });

  it('tells equal labels under different names apart', () => {
    const { writer, read } = writerOf(65_535);
    const records = Array.from({ length: 900 }, (_, i) =>
      record(`a.b${i}.test.`, 'A', '192.0.2.1'),
    );
    for (const one of [...records, ...records]) expect(writer.record('answer', one)).toBe(true);
    expect(read().answers).toEqual([...records, ...records]);
  });

  it('reuses its tables: the next message owes nothing to the one before', () => {
    const buffer = new Uint8Array(4096);
    const reused = createMessageWriter(buffer);
    fc.assert(
      fc.property(fc.array(anyRecord, { maxLength: 8 }), (records) => {
        const fresh = createMessageWriter(new Uint8Array(4096));
        const written = [reused, fresh].map((writer) => {
          writer.start({ id: 7 });
          const fitted = records.filter((one) => writer.record('answer', one));
          return [writer.finish(), fitted.length];
        });
        expect(written[0]).toEqual(written[1]);
        const read = readMessage(buffer.slice(0, written[0][0])) as Message;
        expect(read.answers).toEqual(records.slice(0, written[0][1]));
      }),
    );
  });

  it('may be used in turns with another: both messages read back', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(1), anyRecord), { maxLength: 12 }), (steps) => {
        const both = [writerOf(8192), writerOf(8192)];
        for (const [turn, one] of steps) both[turn].writer.record('answer', one);
        for (const [turn, { read }] of both.entries()) {
          const records = steps.filter(([of]) => of === turn).map(([, one]) => one);
          expect(read().answers).toEqual(records);
        }
      }),
    );
  });

  it('undoes and goes on at any limit without a wrong pointer', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            anyRecord,
            longName.map((owner) => ({ ...record('a.', 'NS', 'b.'), name: owner })),
          ),
          { minLength: 1, maxLength: 12 },
        ),
        fc.integer({ min: 12, max: 700 }),
        (records, limit) => {
          const buffer = new Uint8Array(700);
          const writer = createMessageWriter(buffer, limit);
          writer.start({ id: 7 });
          const fitted = records.filter((one) => writer.record('answer', one));
          const length = writer.finish();
          expect(length).toBeLessThanOrEqual(limit);
          expect((readMessage(buffer.slice(0, length)) as Message).answers).toEqual(fitted);
        },
      ),
    );
  });
});

describe('a message with padding', () => {
  const paddingOf = (message: Message) => ednsOption(message.edns, EDNS_OPTION.PADDING)?.length;

  it('has a multiple of the block, what is reserved behind it included', () => {
    fc.assert(
      fc.property(
        fc.array(anyRecord, { maxLength: 8 }),
        fc.integer({ min: 1, max: 600 }),
        fc.integer({ min: 0, max: 200 }),
        (records, paddingBlock, reserved) => {
          const buffer = new Uint8Array(8192);
          const writer = createMessageWriter(buffer);
          writer.start({ id: 7 });
          expect(writer.reserve(reserved)).toBe(true);
          expect(writer.edns({ udpPayloadSize: 1232, paddingBlock })).toBe(true);
          const fitted = records.filter((one) => writer.record('answer', one));
          const length = writer.finish();
          expect((length + reserved) % paddingBlock).toBe(0);
          const message = readMessage(buffer.slice(0, length)) as Message;
          expect(message.answers).toEqual(fitted);
          expect(paddingOf(message)).toBeLessThan(paddingBlock);
        },
      ),
    );
  });

  it('never has more than its limit, however large the block', () => {
    const buffer = new Uint8Array(8192);
    const writer = createMessageWriter(buffer);
    for (const [limit, padding] of [
      [512, 512 - 12 - 11 - 4 - 100],
      [127, 0],
    ]) {
      writer.start({ id: 7 }, limit);
      writer.reserve(100);
      expect(writer.edns({ udpPayloadSize: 1232, paddingBlock: 468 * 9 })).toBe(true);
      const length = writer.finish();
      expect(length).toBe(limit - 100);
      expect(paddingOf(readMessage(buffer.slice(0, length)) as Message)).toBe(padding);
    }
    writer.start({ id: 7 }, 126);
    writer.reserve(100);
    expect(writer.edns({ udpPayloadSize: 1232, paddingBlock: 468 })).toBe(false);
  });
});
