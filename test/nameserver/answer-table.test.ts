import { describe, expect, it } from 'vitest';
import { createPlainQuery, readPlainQuery } from '../../src/dns/plain-query.ts';
import { createAnswerTable } from '../../src/nameserver/answer-table.ts';
import type { ZoneSnapshot } from '../../src/zone/snapshot.ts';
import { makeQuery } from '../support/dns-query.ts';

// The table looks at no zone: it only gives back what it was given.
const ZONES = [{}, {}] as ZoneSnapshot[];
const asked = createPlainQuery();

function query(index: number, edns = false): Uint8Array {
  const { bytes } = makeQuery(`n${index}.example.`, 'A', edns ? { edns: {} } : {});
  expect(readPlainQuery(bytes, asked)).toBe(true);
  return bytes;
}

/** An answer in so far as the table is concerned: the question, and something of its own. */
function answerTo(bytes: Uint8Array, index: number): Uint8Array {
  return Uint8Array.of(...bytes.subarray(0, asked.questionEnd), index & 255, index >> 8);
}

describe('the table of answers', () => {
  it('gives each question its own answer or none, however many there are', () => {
    const table = createAnswerTable();
    const count = 40_000;
    for (let index = 0; index < count; index += 1) {
      const bytes = query(index, index % 2 === 1);
      table.put(bytes, asked, ZONES[index % 2], answerTo(bytes, index));
    }
    let found = 0;
    for (let index = 0; index < count; index += 1) {
      const bytes = query(index, index % 2 === 1);
      const place = table.find(bytes, asked);
      if (place === -1) continue;
      found += 1;
      expect(table.zone(place)).toBe(ZONES[index % 2]);
      expect(Buffer.from(table.answer(place, bytes))).toEqual(Buffer.from(answerTo(bytes, index)));
    }
    expect(found).toBeGreaterThan(10_000);
  }, 60_000);

  it('tells answers with EDNS from those without, takes in no long ones, and forgets all at once', () => {
    const table = createAnswerTable();
    const bytes = query(1);
    table.put(bytes, asked, ZONES[0], new Uint8Array(257));
    expect(table.find(bytes, asked)).toBe(-1);
    table.put(bytes, asked, ZONES[0], answerTo(bytes, 1));
    expect(table.find(bytes, asked)).not.toBe(-1);
    expect(table.find(query(1, true), asked)).toBe(-1);
    table.clear();
    expect(table.find(query(1), asked)).toBe(-1);
  });
});
