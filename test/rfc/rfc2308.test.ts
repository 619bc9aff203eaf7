import { describe, expect, it } from 'vitest';
import { formatName, type Message, RCODE, RRTYPE } from '../../src/dns/index.ts';
import { type House, type HouseOptions, openHouse } from '../support/house.ts';
import { addPolicy, addTarget, BLOCK, NXDOMAIN, zoneName } from '../support/scene.ts';
import { serialIn } from '../support/transfer.ts';

const ZONE = zoneName('rpz', 'corp');
const IP_ZONE = zoneName('allow', 'edge');
const IP_READER = '192.0.2.20';

async function openScene(options: HouseOptions = {}): Promise<House> {
  const house = await openHouse(options);
  await house.edit((edit) => {
    const kits = addTarget(edit, 'kits', ['evil.example', '192.0.2.1']);
    addPolicy(edit, 'corp', 'dns', { targets: [[kits, NXDOMAIN]] });
    addPolicy(edit, 'edge', 'ip', { targets: [[kits, BLOCK]], source: IP_READER });
  });
  return house;
}

/** The SOA of a negative answer: no answer, one authority record, nothing else. */
function negativeSoa({ answers, authorities, additionals, authoritative }: Message) {
  expect([answers, additionals, authoritative]).toEqual([[], [], true]);
  expect(authorities.map(({ type }) => type)).toEqual([RRTYPE.SOA]);
  const [soa] = authorities;
  return { owner: formatName(soa.name), ttl: soa.ttl, serial: serialIn(soa) };
}

describe('RFC 2308 section 3: negative answers carry the SOA of their zone', () => {
  it('for a name that does not exist', async () => {
    const house = await openScene();
    const answer = house.ask(`good.example.${ZONE}`, 'A');
    expect(answer.rcode).toBe(RCODE.NXDOMAIN);
    expect(negativeSoa(answer)).toEqual({ owner: ZONE, ttl: 60, serial: house.zone(ZONE).serial });
  });

  it('for a type that a name does not have, and for a name that only has others below it', async () => {
    const house = await openScene();
    for (const name of [ZONE, `example.${ZONE}`]) {
      const answer = house.ask(name, 'MX');
      expect(answer.rcode).toBe(RCODE.NOERROR);
      expect(negativeSoa(answer)).toMatchObject({ owner: ZONE });
    }
  });

  it('in IP zones too, an empty one included', async () => {
    const house = await openScene();
    for (const [name, rcode] of [
      [`1.v4.${IP_ZONE}`, RCODE.NXDOMAIN],
      [`v4.${IP_ZONE}`, RCODE.NOERROR],
      [`1.2.0.192.q.${IP_ZONE}`, RCODE.NXDOMAIN],
    ] as const) {
      const answer = house.ask(name, 'A', { from: IP_READER });
      expect([name, answer.rcode]).toEqual([name, rcode]);
      expect(negativeSoa(answer)).toMatchObject({ owner: IP_ZONE });
    }
  });

  it('for a policy that does not exist: the SOA is that of the root', async () => {
    const house = await openScene();
    const answer = house.ask('rpz.other.acme.sluice.internal.', 'SOA');
    expect(answer.rcode).toBe(RCODE.NXDOMAIN);
    expect(negativeSoa(answer).owner).toBe('sluice.internal.');
  });

  it('but names between the root and the zones exist', async () => {
    const house = await openScene();
    for (const name of [
      'corp.acme.sluice.internal.',
      'acme.sluice.internal.',
      'sluice.internal.',
    ]) {
      const answer = house.ask(name, 'A');
      expect([name, answer.rcode]).toEqual([name, RCODE.NOERROR]);
      expect(negativeSoa(answer).owner).toBe('sluice.internal.');
    }
  });
});

describe('RFC 2308 sections 3 and 5: how long a negative answer may be kept', () => {
  it.each([
    { apexTtl: 3_600, minimum: 30, ttl: 30 },
    { apexTtl: 20, minimum: 300, ttl: 20 },
  ])(
    'is the smaller of SOA TTL $apexTtl and minimum $minimum',
    async ({ apexTtl, minimum, ttl }) => {
      const house = await openScene({ defaults: { apexTtl, minimum } });
      expect(negativeSoa(house.ask(`good.example.${ZONE}`, 'A')).ttl).toBe(ttl);
      expect(house.ask(ZONE, 'SOA').answers[0].ttl).toBe(apexTtl);
    },
  );
});
