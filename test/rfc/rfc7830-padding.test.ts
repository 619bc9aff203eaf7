import { describe, expect, it } from 'vitest';
import { EDNS_OPTION, ednsOption, type Message, RCODE, type TsigKey } from '../../src/dns/index.ts';
import { changeIndicators } from '../../src/publish/edits/index.ts';
import { makeQuery } from '../support/dns-query.ts';
import {
  type AskOptions,
  collectMessages,
  type House,
  openHouse,
  tsigKeyOf,
} from '../support/house.ts';
import { addKeyed, addPolicy, addTarget, NXDOMAIN, zoneName } from '../support/scene.ts';
import { readAnswer } from '../support/transfer.ts';

const ZONE = zoneName('rpz', 'corp');
const BLOCK = 468;
/** Of transfers, so that few changes look like one another, and full messages too. */
const TRANSFER_BLOCK = 9 * BLOCK;
const PADDED = { options: [{ code: EDNS_OPTION.PADDING, data: new Uint8Array(40) }] };

async function openScene(): Promise<{ house: House; key: TsigKey; before: number }> {
  const house = await openHouse();
  let keyId = 0;
  await house.edit((edit) => {
    const names = Array.from({ length: 4_000 }, (_, index) => `n${index}.example`);
    const kits = addTarget(edit, 'kits', names);
    const policy = addPolicy(edit, 'corp', 'dns', { targets: [[kits, NXDOMAIN]] });
    keyId = addKeyed(edit, 'signer', 'dns', policy);
  });
  const before = house.zone(ZONE).serial;
  house.time.now += 1_000;
  await house.edit((edit) => changeIndicators(edit, 1, { add: ['fresh.example'] }));
  return { house, key: tsigKeyOf(house, keyId), before };
}

/** Octets of each message of the answer. */
function sizesOf(house: House, name: string, type: 'SOA' | 'A' | 'AXFR', options: AskOptions) {
  const { from, protocol = 'tls', ...more } = options;
  const nowSeconds = Math.floor(house.time.now / 1000);
  const query = makeQuery(name, type, { nowSeconds, ...more });
  const address = from === undefined ? {} : { address: from };
  return collectMessages(house.handle(query.bytes, { protocol, ...address }));
}

const paddingIn = ({ edns }: Message) => ednsOption(edns, EDNS_OPTION.PADDING);

describe('RFC 7830 section 4 and RFC 8467 section 4.1: answers over TLS', () => {
  it('to queries with padding are padded to a multiple of 468 octets', async () => {
    const { house, key } = await openScene();
    const queries = [
      [ZONE, 'SOA', {}],
      [`absent.${ZONE}`, 'A', {}],
      [ZONE, 'SOA', { from: '203.0.113.1' }],
      ['www.example.', 'A', {}],
      [ZONE, 'SOA', { key }],
      [ZONE, 'SOA', { key: { ...key, secret: new Uint8Array(32) } }],
    ] as const;
    for (const [name, type, more] of queries) {
      const [bytes] = sizesOf(house, name, type, { edns: PADDED, ...more });
      expect(bytes.length).toBe(BLOCK);
      // RFC 7830 section 3: zeros.
      expect(paddingIn(readAnswer(bytes))?.every((octet) => octet === 0)).toBe(true);
    }
  });

  it('have the padding behind all other options', async () => {
    const { house } = await openScene();
    const options = [...PADDED.options, { code: EDNS_OPTION.EXPIRE, data: new Uint8Array(0) }];
    const answer = house.ask(ZONE, 'SOA', { edns: { options }, protocol: 'tls' });
    expect(answer.edns?.options.map(({ code }) => code)).toEqual([
      EDNS_OPTION.EXPIRE,
      EDNS_OPTION.PADDING,
    ]);
  });

  it('to queries without padding are not padded', async () => {
    const { house } = await openScene();
    expect(paddingIn(house.ask(ZONE, 'SOA', { edns: {}, protocol: 'tls' }))).toBeUndefined();
    expect(house.ask(ZONE, 'SOA', { protocol: 'tls' }).edns).toBeNull();
  });
});

describe('RFC 7830 section 6: answers that are not encrypted', () => {
  it('are never padded', async () => {
    const { house } = await openScene();
    for (const protocol of ['udp', 'tcp'] as const) {
      const answer = house.ask(ZONE, 'SOA', { edns: PADDED, protocol });
      expect(answer.rcode).toBe(RCODE.NOERROR);
      expect(paddingIn(answer)).toBeUndefined();
    }
    const { messages } = house.transfer(ZONE, { edns: PADDED });
    expect(messages.map(paddingIn).filter((padding) => padding !== undefined)).toEqual([]);
  });
});

describe('RFC 9103: transfers over TLS', () => {
  it('to clients that pad have every message padded, the signature counted', async () => {
    const { house, key } = await openScene();
    for (const more of [{}, { key }]) {
      const messages = sizesOf(house, ZONE, 'AXFR', { edns: PADDED, ...more });
      expect(messages.length).toBeGreaterThan(2);
      const sizes = messages.map(({ length }) => length);
      expect(sizes.slice(0, -1)).toEqual(sizes.slice(1).map(() => 4 * TRANSFER_BLOCK));
      expect((sizes.at(-1) ?? 1) % TRANSFER_BLOCK).toBe(0);
    }
  });

  it('are the same transfer that others get', async () => {
    const { house, key, before } = await openScene();
    for (const have of [undefined, before, house.zone(ZONE).serial]) {
      const more = { key, ...(have === undefined ? {} : { have }) };
      const padded = house.transfer(ZONE, { edns: PADDED, protocol: 'tls', ...more });
      expect(padded.records).toEqual(house.transfer(ZONE, more).records);
      expect(padded.sizes.every((size) => size % TRANSFER_BLOCK === 0)).toBe(true);
    }
  });

  it('do not show how many of a few rules changed', async () => {
    const { house, before } = await openScene();
    const one = house.transfer(ZONE, { edns: PADDED, protocol: 'tls', have: before });
    house.time.now += 1_000;
    const add = Array.from({ length: 30 }, (_, index) => `more-${index}.example`);
    await house.edit((edit) => changeIndicators(edit, 1, { add }));
    const many = house.transfer(ZONE, { edns: PADDED, protocol: 'tls', have: before });
    expect(many.records.length).toBeGreaterThan(one.records.length + 50);
    expect([one.sizes, many.sizes]).toEqual([[TRANSFER_BLOCK], [TRANSFER_BLOCK]]);
  });

  it('to clients that do not pad have one OPT record and no padding', async () => {
    const { house } = await openScene();
    const { messages } = house.transfer(ZONE, { edns: {}, protocol: 'tls' });
    expect(messages.map(({ edns }) => edns === null)).toEqual(messages.map((_, at) => at > 0));
    expect(paddingIn(messages[0])).toBeUndefined();
  });
});
