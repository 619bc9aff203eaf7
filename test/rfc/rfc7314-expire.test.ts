import { describe, expect, it } from 'vitest';
import { EDNS_OPTION, ednsOption, type Message, RCODE } from '../../src/dns/index.ts';
import { changeIndicators } from '../../src/publish/edits/index.ts';
import { openHouse, ROOT } from '../support/house.ts';
import { addPolicy, addTarget, NXDOMAIN, zoneName } from '../support/scene.ts';

const ZONE = zoneName('rpz', 'corp');
const EXPIRE_SECONDS = 1_234_567;
const ASKED = { options: [{ code: EDNS_OPTION.EXPIRE, data: new Uint8Array(0) }] };

async function openScene() {
  const house = await openHouse({ defaults: { expire: EXPIRE_SECONDS } });
  await house.edit((edit) => {
    const names = Array.from({ length: 3_000 }, (_, index) => `n${index}.example`);
    const kits = addTarget(edit, 'kits', names);
    addPolicy(edit, 'corp', 'dns', { targets: [[kits, NXDOMAIN]] });
  });
  const before = house.zone(ZONE).serial;
  house.time.now += 1_000;
  await house.edit((edit) => changeIndicators(edit, 1, { add: ['fresh.example'] }));
  return { house, before };
}

/** Seconds of the EXPIRE option; null without one. */
function expireIn({ edns }: Message): number | null {
  const data = ednsOption(edns, EDNS_OPTION.EXPIRE);
  if (data === undefined) return null;
  expect(data).toHaveLength(4);
  return Buffer.from(data).readUInt32BE();
}

describe('RFC 7314 section 3.2: a primary', () => {
  it('answers SOA queries that ask for it with the EXPIRE field of the SOA', async () => {
    const { house } = await openScene();
    for (const protocol of ['udp', 'tcp', 'tls'] as const) {
      expect(expireIn(house.ask(ZONE, 'SOA', { edns: ASKED, protocol }))).toBe(EXPIRE_SECONDS);
    }
  });

  it('answers AXFR and IXFR in their first message', async () => {
    const { house, before } = await openScene();
    const axfr = house.transfer(ZONE, { edns: ASKED });
    expect(axfr.messages.length).toBeGreaterThan(1);
    expect(axfr.messages.map(expireIn)).toEqual([
      EXPIRE_SECONDS,
      ...axfr.messages.slice(1).map(() => null),
    ]);
    for (const have of [before, house.zone(ZONE).serial]) {
      const ixfr = house.transfer(ZONE, { edns: ASKED, have });
      expect(expireIn(ixfr.messages[0])).toBe(EXPIRE_SECONDS);
    }
  });

  it('answers IXFR over UDP, whether the changes fit or not', async () => {
    const { house, before } = await openScene();
    for (const have of [before, 1]) {
      const { messages } = house.transfer(ZONE, { edns: ASKED, have, protocol: 'udp' });
      expect(messages.map(expireIn)).toEqual([EXPIRE_SECONDS]);
    }
  });

  it('says nothing to those who do not ask', async () => {
    const { house } = await openScene();
    expect(house.ask(ZONE, 'SOA', { edns: {} }).edns?.options).toEqual([]);
    expect(house.transfer(ZONE, { edns: {} }).messages[0].edns?.options).toEqual([]);
  });
});

describe('RFC 7314 section 3.4: for a zone that is not served', () => {
  it('there is no option in the answer, nor for those who may not read it', async () => {
    const { house } = await openScene();
    const edns = ASKED;
    expect(expireIn(house.ask('www.example.', 'SOA', { edns }))).toBeNull();
    expect(expireIn(house.ask(zoneName('rpz', 'other'), 'SOA', { edns }))).toBeNull();
    expect(expireIn(house.ask(ZONE, 'SOA', { edns, from: '203.0.113.1' }))).toBeNull();
    expect(expireIn(house.ask(ROOT, 'SOA', { edns }))).toBeNull();
  });
});

describe('RFC 7314 section 3.1: in a query', () => {
  it('the option is empty; with content it is answered with FORMERR', async () => {
    const { house } = await openScene();
    const edns = { options: [{ code: EDNS_OPTION.EXPIRE, data: new Uint8Array(4) }] };
    const answer = house.ask(ZONE, 'SOA', { edns });
    expect(answer).toMatchObject({ rcode: RCODE.FORMERR, answers: [] });
    expect(answer.edns?.options).toEqual([]);
  });
});
