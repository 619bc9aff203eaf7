import { describe, expect, it } from 'vitest';
import { RCODE, RRTYPE } from '../../src/dns/index.ts';
import { openHouse } from '../support/house.ts';
import { addPolicy, addTarget, zoneName } from '../support/scene.ts';

const ZONE = zoneName('rpz', 'corp');

async function openScene() {
  const house = await openHouse();
  await house.edit((edit) => {
    const kits = addTarget(edit, 'kits', ['evil.example']);
    const records = [
      { type: 'A', data: '192.0.2.1' },
      { type: 'A', data: '192.0.2.2' },
      { type: 'AAAA', data: '2001:db8::1' },
      { type: 'TXT', data: '"stopped"' },
    ] as const;
    addPolicy(edit, 'corp', 'dns', { targets: [[kits, { kind: 'local-data', records }]] });
  });
  return house;
}

describe('RFC 8482 section 4.1: a query for ANY', () => {
  it.each(['udp', 'tcp'] as const)('is answered with one whole RRset over %s', async (protocol) => {
    const house = await openScene();
    const { answers, truncated } = house.ask(`evil.example.${ZONE}`, 'ANY', { protocol });
    expect(answers.map(({ type }) => type)).toEqual([RRTYPE.A, RRTYPE.A]);
    expect(truncated).toBe(false);
  });

  it('gets the SOA at the apex', async () => {
    const house = await openScene();
    expect(house.ask(ZONE, 'ANY').answers.map(({ type }) => type)).toEqual([RRTYPE.SOA]);
  });

  it('gets no data where there are none, and no name where there is none', async () => {
    const house = await openScene();
    expect(house.ask(`example.${ZONE}`, 'ANY')).toMatchObject({
      rcode: RCODE.NOERROR,
      answers: [],
    });
    expect(house.ask(`good.example.${ZONE}`, 'ANY').rcode).toBe(RCODE.NXDOMAIN);
  });
});
