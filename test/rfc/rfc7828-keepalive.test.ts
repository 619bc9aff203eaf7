import { describe, expect, it } from 'vitest';
import { EDNS_OPTION, ednsOption, type Message, RCODE } from '../../src/dns/index.ts';
import { openHouse } from '../support/house.ts';
import { addPolicy, addTarget, NXDOMAIN, zoneName } from '../support/scene.ts';

const ZONE = zoneName('rpz', 'corp');
const withContent = (...octets: number[]) => ({
  options: [{ code: EDNS_OPTION.KEEPALIVE, data: Uint8Array.from(octets) }],
});
const ASKED = withContent();

async function openScene(keepaliveMs: (() => number) | null = () => 12_345) {
  const house = await openHouse({ nameserver: keepaliveMs === null ? {} : { keepaliveMs } });
  await house.edit((edit) => {
    const kits = addTarget(edit, 'kits', ['evil.example']);
    addPolicy(edit, 'corp', 'dns', { targets: [[kits, NXDOMAIN]] });
  });
  return house;
}

/** Units of 100 ms; null without the option. */
function timeoutIn({ edns }: Message): number | null {
  const data = ednsOption(edns, EDNS_OPTION.KEEPALIVE);
  if (data === undefined) return null;
  expect(data).toHaveLength(2);
  return Buffer.from(data).readUInt16BE();
}

describe('RFC 7828 section 3.3.2: a server tells how long idle connections stay open', () => {
  it('over TCP and TLS, in units of 100 milliseconds', async () => {
    const house = await openScene();
    for (const protocol of ['tcp', 'tls'] as const) {
      expect(timeoutIn(house.ask(ZONE, 'SOA', { edns: ASKED, protocol }))).toBe(123);
    }
  });

  it('as it is at the moment, and no more than the option can hold', async () => {
    let now = 0;
    const house = await openScene(() => now);
    const ask = () => timeoutIn(house.ask(ZONE, 'SOA', { edns: ASKED, protocol: 'tcp' }));
    expect(ask()).toBe(0);
    now = 86_400_000;
    expect(ask()).toBe(0xffff);
  });

  it('in refusals and the first message of transfers as well', async () => {
    const house = await openScene();
    const refused = house.ask('www.example.', 'A', { edns: ASKED, protocol: 'tcp' });
    expect([refused.rcode, timeoutIn(refused)]).toEqual([RCODE.REFUSED, 123]);
    expect(timeoutIn(house.transfer(ZONE, { edns: ASKED }).messages[0])).toBe(123);
  });

  it('only to those who ask, and where it was told itself', async () => {
    const house = await openScene();
    expect(timeoutIn(house.ask(ZONE, 'SOA', { edns: {}, protocol: 'tcp' }))).toBeNull();
    const silent = await openScene(null);
    expect(timeoutIn(silent.ask(ZONE, 'SOA', { edns: ASKED, protocol: 'tcp' }))).toBeNull();
  });
});

describe('RFC 7828 section 3.3.1: over UDP', () => {
  it('the option is ignored, whatever is in it', async () => {
    const house = await openScene();
    for (const edns of [ASKED, withContent(1), withContent(0, 100)]) {
      const answer = house.ask(ZONE, 'SOA', { edns });
      expect([answer.rcode, timeoutIn(answer)]).toEqual([RCODE.NOERROR, null]);
    }
  });
});

describe('RFC 7828 section 3.2.1: in a query', () => {
  it('the option has no timeout; with content it is answered with FORMERR', async () => {
    const house = await openScene();
    for (const edns of [withContent(1), withContent(0, 100), withContent(0, 0, 100)]) {
      const answer = house.ask(ZONE, 'SOA', { edns, protocol: 'tcp' });
      expect(answer).toMatchObject({ rcode: RCODE.FORMERR, answers: [] });
    }
  });
});
