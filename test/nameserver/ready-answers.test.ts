import { describe, expect, it } from 'vitest';
import { formatName, RCODE } from '../../src/dns/index.ts';
import type { QueryLogEntry } from '../../src/nameserver/index.ts';
import { assignPolicy, changeIndicators } from '../../src/publish/edits/index.ts';
import { makeQuery } from '../support/dns-query.ts';
import { type House, type HouseOptions, openHouse } from '../support/house.ts';
import { addPolicy, addTarget, NXDOMAIN, zoneName } from '../support/scene.ts';

const ZONE = zoneName('rpz', 'corp');
const STRANGER = '203.0.113.1';

async function openScene(options: HouseOptions = {}) {
  const house = await openHouse(options);
  const { value: kits } = await house.edit((edit) => {
    const target = addTarget(edit, 'kits', ['kit.example', 'other.example']);
    addPolicy(edit, 'corp', 'dns', { targets: [[target, NXDOMAIN]] });
    return target;
  });
  return { house, kits };
}

/** The answers in these octets are the same object when they were given before. */
const isReady = (house: House, octets: Uint8Array): boolean => {
  house.handle(octets);
  const second = house.handle(octets);
  return house.handle(octets) === second;
};

describe('an answer that is given again', () => {
  it('is that of the question in its own case, with the id and RD of its query', async () => {
    const { house } = await openScene();
    const name = `Kit.eXample.${ZONE}`;
    expect(isReady(house, makeQuery(name, 'CNAME').bytes)).toBe(true);
    const again = house.ask(name, 'CNAME', { id: 4711, recursionDesired: true });
    expect(again).toMatchObject({ id: 4711, recursionDesired: true, rcode: RCODE.NOERROR });
    expect(formatName(again.questions[0].name)).toBe(name);
    expect(house.ask(name, 'CNAME', { id: 7 })).toMatchObject({ id: 7, recursionDesired: false });
    const [question] = house.ask(name.toLowerCase(), 'CNAME').questions;
    expect(formatName(question.name)).toBe(name.toLowerCase());
  });

  it('has an OPT record for those who sent one, with their DO', async () => {
    const { house } = await openScene();
    for (let round = 0; round < 3; round += 1) {
      expect(house.ask(ZONE, 'SOA').edns).toBeNull();
      expect(house.ask(ZONE, 'SOA', { edns: {} }).edns?.dnssecOk).toBe(false);
      expect(house.ask(ZONE, 'SOA', { edns: { dnssecOk: true } }).edns?.dnssecOk).toBe(true);
    }
  });

  it('goes with the snapshot that it was made of', async () => {
    const { house, kits } = await openScene();
    const name = `kit.example.${ZONE}`;
    expect(isReady(house, makeQuery(name, 'CNAME').bytes)).toBe(true);
    await house.edit((edit) => changeIndicators(edit, kits, { remove: ['kit.example'] }));
    expect(house.ask(name, 'CNAME').rcode).toBe(RCODE.NXDOMAIN);
    await house.edit((edit) => changeIndicators(edit, kits, { add: ['kit.example'] }));
    expect(house.ask(name, 'CNAME').rcode).toBe(RCODE.NOERROR);
  });

  it('is for those who may read the zone, as of now', async () => {
    const { house } = await openScene();
    expect(isReady(house, makeQuery(ZONE, 'SOA').bytes)).toBe(true);
    expect(house.ask(ZONE, 'SOA', { from: STRANGER }).rcode).toBe(RCODE.REFUSED);
    expect(house.refusals).toHaveLength(1);
    await house.edit((edit) => assignPolicy(edit, house.events[0].deviceId, null));
    expect(house.ask(ZONE, 'SOA').rcode).toBe(RCODE.REFUSED);
  });

  it('is not for those who must show a cookie first, even if it was given over TCP', async () => {
    const secrets = { active: new Uint8Array(16).fill(1), accepted: [] };
    const cookies = { secrets: () => secrets, required: true };
    const { house } = await openScene({ nameserver: { cookies } });
    for (let round = 0; round < 3; round += 1) {
      expect(house.ask(ZONE, 'SOA', { protocol: 'tcp' }).truncated).toBe(false);
      expect(house.ask(ZONE, 'SOA').truncated).toBe(true);
    }
  });

  it('is told of and logged like any other', async () => {
    const entries: QueryLogEntry[] = [];
    const { house } = await openScene({ nameserver: { queryLog: () => (e) => entries.push(e) } });
    for (let round = 0; round < 3; round += 1) house.ask(ZONE, 'SOA');
    expect(house.events.map(({ kind }) => kind)).toEqual(['polled', 'polled', 'polled']);
    expect(entries.map(({ name, rcode }) => `${name} ${rcode}`)).toEqual(
      Array(3).fill(`${ZONE} NOERROR`),
    );
  });
});
