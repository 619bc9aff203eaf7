import { describe, expect, it } from 'vitest';
import { isMalformed, readMessage } from '../../src/dns/index.ts';
import { createPlainQuery, readPlainQuery } from '../../src/dns/plain-query.ts';
import { makeQuery } from '../support/dns-query.ts';
import { createRandom } from '../support/random.ts';

const plain = createPlainQuery();

describe('a plain query', () => {
  it('is one question, with or without an OPT record', () => {
    expect(readPlainQuery(makeQuery('a.example.', 'SOA').bytes, plain)).toBe(true);
    expect(plain).toEqual({ questionEnd: 27, type: 6, hasEdns: false, dnssecOk: false });
    const { bytes } = makeQuery('a.example.', 'A', { edns: { dnssecOk: true } });
    expect(readPlainQuery(bytes, plain)).toBe(true);
    expect(plain).toEqual({ questionEnd: 27, type: 1, hasEdns: true, dnssecOk: true });
  });

  it('has no options, no other version, class or opcode, no SOA of an IXFR and nothing behind it', () => {
    const cookie = { code: 10, data: new Uint8Array(8) };
    const others = [
      makeQuery('a.example.', 'A', { edns: { options: [cookie] } }),
      makeQuery('a.example.', 'A', { edns: { version: 1 } }),
      makeQuery('a.example.', 'A', { class: 3 }),
      makeQuery('a.example.', 'A', { opcode: 4 }),
      makeQuery('a.example.', 'IXFR', { have: 7 }),
    ];
    for (const { bytes } of others) expect(readPlainQuery(bytes, plain)).toBe(false);
    const { bytes } = makeQuery('a.example.', 'A');
    expect(readPlainQuery(Uint8Array.of(...bytes, 0), plain)).toBe(false);
    for (let end = 0; end < bytes.length; end += 1) {
      expect(readPlainQuery(bytes.subarray(0, end), plain)).toBe(false);
    }
  });

  it('reads like a message whatever its octets are', () => {
    const random = createRandom(5);
    let read = 0;
    for (let round = 0; round < 20_000; round += 1) {
      const edns = random.chance(0.5) ? { edns: { dnssecOk: random.chance(0.5) } } : {};
      const { bytes } = makeQuery('ab.cde.example.', 'A', edns);
      for (let changes = random.below(3); changes > 0; changes -= 1) {
        bytes[random.below(bytes.length)] = random.below(256);
      }
      if (!readPlainQuery(bytes, plain)) continue;
      read += 1;
      const message = readMessage(bytes);
      if (isMalformed(message)) throw new Error(`${message.reason}: ${bytes}`);
      const { questions, answers, authorities, additionals, edns: opt, tsig } = message;
      expect(questions).toHaveLength(1);
      expect([...answers, ...authorities, ...additionals]).toEqual([]);
      expect({ opcode: message.opcode, isResponse: message.isResponse, tsig }).toEqual({
        opcode: 0,
        isResponse: false,
        tsig: null,
      });
      expect(opt?.options ?? []).toEqual([]);
      expect({ type: questions[0].type, class: questions[0].class }).toEqual({
        type: plain.type,
        class: 1,
      });
      expect(plain.questionEnd).toBe(12 + questions[0].name.length + 4);
      expect({ hasEdns: opt !== null, dnssecOk: opt?.dnssecOk ?? false }).toEqual({
        hasEdns: plain.hasEdns,
        dnssecOk: plain.dnssecOk,
      });
    }
    expect(read).toBeGreaterThan(5_000);
  });
});
