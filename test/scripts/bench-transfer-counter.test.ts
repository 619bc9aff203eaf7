import { beforeAll, describe, expect, it } from 'vitest';
import { createTransferCounter } from '../../scripts/bench/transfer-counter.ts';
import { changeIndicators } from '../../src/publish/edits/index.ts';
import { makeQuery } from '../support/dns-query.ts';
import { collectMessages, type House, openHouse } from '../support/house.ts';
import { addPolicy, addTarget, NXDOMAIN, zoneName } from '../support/scene.ts';

const ZONE = zoneName('rpz', 'corp');

/** What a client would read from a connection: messages with their lengths in front. */
function answerTo(house: House, type: 'AXFR' | 'IXFR', zone = ZONE, have?: number): Buffer {
  const { bytes } = makeQuery(zone, type, have === undefined ? {} : { have });
  const messages = collectMessages(house.handle(bytes, { protocol: 'tcp' }));
  return Buffer.concat(
    messages.flatMap((message) => [
      Buffer.from([message.length >> 8, message.length & 0xff]),
      message,
    ]),
  );
}

/** Feeds an answer in pieces; the number of octets after which it was said to be over. */
function octetsUntilOver(octets: Buffer, pieceOctets: number): number | null {
  const counter = createTransferCounter();
  for (let at = 0; at < octets.length; at += pieceOctets) {
    if (counter.add(octets.subarray(at, at + pieceOctets))) return counter.octets();
  }
  return null;
}

let house: House;
let before: number;
beforeAll(async () => {
  house = await openHouse();
  const names = Array.from({ length: 3_000 }, (_, index) => `name-${index}.example`);
  const { value: kits } = await house.edit((edit) => {
    const id = addTarget(edit, 'kits', names);
    addPolicy(edit, 'corp', 'dns', { targets: [[id, NXDOMAIN]] });
    addPolicy(edit, 'empty', 'dns', {});
    return id;
  });
  before = house.zone(ZONE).serial;
  house.time.now += 1_000;
  await house.edit((edit) => changeIndicators(edit, kits, { add: ['fresh.example'] }));
});

describe('a client that only counts', () => {
  it.each([1, 7, 16_000, 1_000_000])(
    'sees the end of a zone with its last octet, in pieces of %i octets',
    (pieceOctets) => {
      const octets = answerTo(house, 'AXFR');
      expect(octets.length).toBeGreaterThan(40_000);
      expect(octetsUntilOver(octets, pieceOctets)).toBe(octets.length);
      expect(octetsUntilOver(octets.subarray(0, -1), pieceOctets)).toBeNull();
    },
  );

  it.each([1, 1_000_000])(
    'sees the end of a zone, of changes and of an answer that nothing is newer, of one message each, in pieces of %i octets',
    (pieceOctets) => {
      const { serial } = house.zone(ZONE);
      const answers = [
        answerTo(house, 'AXFR', zoneName('rpz', 'empty')),
        answerTo(house, 'IXFR', ZONE, before),
        answerTo(house, 'IXFR', ZONE, serial),
      ];
      for (const octets of answers) {
        expect(octetsUntilOver(octets, pieceOctets)).toBe(octets.length);
      }
    },
  );

  it('takes a refusal for no transfer', () => {
    const { bytes } = makeQuery(ZONE, 'AXFR');
    const [refusal] = collectMessages(
      house.handle(bytes, { protocol: 'tcp', address: '203.0.113.9' }),
    );
    const framed = Buffer.concat([Buffer.from([0, refusal.length]), refusal]);
    expect(() => createTransferCounter().add(framed)).toThrow(/RCODE 5/);
  });
});
