import { describe, expect, it } from 'vitest';
import {
  CLASS,
  createMessageWriter,
  formatName,
  isMalformed,
  parseName,
  RRTYPE,
  readMessage,
} from '../../src/dns/index.ts';
import { recordsPart } from '../../src/nameserver/transfer-parts.ts';
import { recordTail, wildcardBelow } from '../../src/zone/records.ts';

const ORIGIN = parseName('rpz.corp.acme.sluice.internal.');
const TAIL = recordTail(RRTYPE.CNAME, 60, Uint8Array.of(0));

const labels = (text: string): Uint8Array => parseName(`${text}.`).slice(0, -1);

/** The owners as a client reads them, and the octets that the records take. */
function written(owners: readonly Uint8Array[]) {
  const buffer = new Uint8Array(65_535);
  const writer = createMessageWriter(buffer);
  writer.start({ id: 1, isResponse: true });
  writer.question({ name: ORIGIN, type: RRTYPE.IXFR, class: CLASS.IN });
  const at = writer.finish();
  const message = { buffer, start: 0, at, records: 0 };
  const records = owners.map((owner) => ({ labels: owner, tail: TAIL }));
  expect(recordsPart(records.values()).write(message)).toBe(true);
  buffer[6] = message.records >>> 8;
  buffer[7] = message.records & 0xff;
  const read = readMessage(buffer.slice(0, message.at));
  if (isMalformed(read)) throw new Error(read.reason);
  return { names: read.answers.map(({ name }) => formatName(name)), octets: message.at - at };
}

const below = (name: string): string => `${name}.rpz.corp.acme.sluice.internal.`;

describe('records of changes in a message', () => {
  it('have the owner once, and pointers for the wildcard below it and for further records', () => {
    const owner = labels('evil.example');
    const wildcard = wildcardBelow(owner);
    const { names, octets } = written([owner, owner, wildcard, wildcard]);
    expect(names).toEqual(
      ['evil.example', 'evil.example', '*.evil.example', '*.evil.example'].map(below),
    );
    const [first, again, star] = [owner.length + 2, 2, 2 + 2];
    expect(octets).toBe(first + again + star + again + 4 * TAIL.length);
  });

  it('have their owners whole where the one before is another', () => {
    const owners = ['evil.example', 'live.example', 'a.evil.example'].map(labels);
    const { names, octets } = written([...owners, wildcardBelow(labels('evil.example'))]);
    expect(names).toEqual(
      ['evil.example', 'live.example', 'a.evil.example', '*.evil.example'].map(below),
    );
    const whole = [...owners, wildcardBelow(owners[0]!)];
    expect(octets).toBe(whole.reduce((sum, { length }) => sum + length + 2 + TAIL.length, 0));
  });

  it('have a wildcard below the apex whole', () => {
    const { names } = written([new Uint8Array(0), wildcardBelow(new Uint8Array(0))]);
    expect(names).toEqual(['rpz.corp.acme.sluice.internal.', below('*')]);
  });
});
