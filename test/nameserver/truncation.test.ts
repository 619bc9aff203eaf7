import { describe, expect, it } from 'vitest';
import { RCODE } from '../../src/dns/index.ts';
import { ModelError } from '../../src/policy/model-error.ts';
import { changeAttachment } from '../../src/publish/edits/index.ts';
import { makeQuery } from '../support/dns-query.ts';
import { type House, openHouse, tsigKeyOf } from '../support/house.ts';
import { addKeyed, addPolicy, addTarget, zoneName } from '../support/scene.ts';
import {
  compareImages,
  followIxfr,
  formOf,
  imageOfAxfr,
  SAME_IMAGE,
} from '../support/zone-image.ts';

const ZONE = zoneName('rpz', 'corp');
const NAME = `evil.example.${ZONE}`;

const textRecords = (count: number, octets: number) =>
  Array.from({ length: count }, (_, index) => ({
    type: 'TXT' as const,
    data: `"${String(index).padStart(octets, 'x')}"`,
  }));

async function openScene(count: number, octets: number) {
  const house = await openHouse();
  const { value: keyId } = await house.edit((edit) => {
    const kits = addTarget(edit, 'kits', ['evil.example', 'host:one.example']);
    const records = textRecords(count, octets);
    const policy = addPolicy(edit, 'corp', 'dns', {
      targets: [[kits, { kind: 'local-data', records }]],
    });
    return addKeyed(edit, 'by-key', 'dns', policy);
  });
  return { ...house, key: tsigKeyOf(house, keyId) };
}

/** Octets of the answer over UDP. */
function sizeOf(house: House, udpPayloadSize: number | null): number {
  const edns = udpPayloadSize === null ? {} : { edns: { udpPayloadSize } };
  const answer = house.handle(makeQuery(NAME, 'TXT', edns).bytes);
  return answer.kind === 'message' ? answer.bytes.length : -1;
}

describe('an answer that does not fit into a datagram', () => {
  it('says TC and has no part of the RRset, with question and EDNS', async () => {
    const house = await openScene(20, 100);
    for (const edns of [{}, { edns: { udpPayloadSize: 4_096 } }]) {
      const answer = house.ask(NAME, 'TXT', edns);
      expect(answer).toMatchObject({
        rcode: RCODE.NOERROR,
        truncated: true,
        authoritative: true,
        answers: [],
      });
      expect(answer.questions).toHaveLength(1);
      expect(answer.edns === null).toBe(!('edns' in edns));
    }
  });

  it('is whole over TCP', async () => {
    const house = await openScene(20, 100);
    const answer = house.ask(NAME, 'TXT', { protocol: 'tcp' });
    expect(answer.truncated).toBe(false);
    expect(answer.answers).toHaveLength(20);
  });

  it('is signed all the same, within the limit', async () => {
    const house = await openScene(20, 100);
    const { key } = house;
    const answer = house.ask(NAME, 'TXT', { key, from: '203.0.113.1' });
    expect(answer).toMatchObject({ truncated: true, answers: [], tsig: { error: RCODE.NOERROR } });
  });
});

describe('the size of a datagram', () => {
  it('is at most 512 octets without EDNS, what the client takes with it, and never above ours', async () => {
    const house = await openScene(4, 200);
    expect(sizeOf(house, null)).toBeLessThanOrEqual(512);
    expect(sizeOf(house, 100)).toBeLessThanOrEqual(512);
    expect(sizeOf(house, 900)).toBeLessThanOrEqual(900);
    // Four records of 213 octets fit into 1,232 and into no less.
    expect(sizeOf(house, 1_232)).toBeGreaterThan(900);
    expect(house.ask(NAME, 'TXT', { edns: { udpPayloadSize: 1_232 } }).answers).toHaveLength(4);
    expect(house.ask(NAME, 'TXT', { edns: { udpPayloadSize: 900 } }).truncated).toBe(true);
  });

  it('counts the signature: what fits only without it is truncated', async () => {
    const house = await openScene(2, 190);
    const { key } = house;
    expect(house.ask(NAME, 'TXT').answers).toHaveLength(2);
    expect(house.ask(NAME, 'TXT', { key }).truncated).toBe(true);
  });
});

describe('the largest local data that a policy may have', () => {
  const LARGEST = 78;

  it('travel in queries, AXFR and IXFR', async () => {
    const house = await openScene(1, 10);
    const before = imageOfAxfr(house.transfer(ZONE).records);
    house.time.now += 1_000;
    const action = { kind: 'local-data', records: textRecords(LARGEST, 196) };
    await house.edit((edit) => changeAttachment(edit, 1, { kind: 'target', id: 1 }, { action }));
    expect(house.ask(NAME, 'TXT', { protocol: 'tcp' }).answers).toHaveLength(LARGEST);
    const { records, sizes } = house.transfer(ZONE);
    // The apex, two owners of which one has a wildcard, and the SOA again.
    expect(records).toHaveLength(2 + 3 * LARGEST + 1);
    for (const size of sizes) expect(size).toBeLessThan(50_000);
    const changes = house.transfer(ZONE, { have: before.serial });
    expect(formOf(changes.records)).toBe('full');
    const after = imageOfAxfr(records);
    expect(compareImages(followIxfr(before, changes.records), after)).toEqual(SAME_IMAGE);
  });

  it('are refused above that, since no message could carry them', async () => {
    const house = await openScene(1, 10);
    const action = { kind: 'local-data', records: textRecords(LARGEST + 1, 196) };
    const edit = house.edit((draft) =>
      changeAttachment(draft, 1, { kind: 'target', id: 1 }, { action }),
    );
    await expect(edit).rejects.toBeInstanceOf(ModelError);
    await expect(edit).rejects.toMatchObject({ code: 'local-data', field: 'action.records' });
  });
});
