import { describe, expect, it } from 'vitest';
import { CLASS, formatName, OPCODE, RCODE, RRTYPE } from '../../src/dns/index.ts';
import { tcpClient } from '../server/tcp-client.ts';
import { framed, takeTransfer } from '../support/dns-clients.ts';
import { makeQuery } from '../support/dns-query.ts';
import { type House, openHouse } from '../support/house.ts';
import { addPolicy, addTarget, BLOCK, NXDOMAIN, zoneName } from '../support/scene.ts';
import { servePolicy, startTestSluice } from '../support/test-sluice.ts';
import { compareImages, imageOfAxfr, recordText, SAME_IMAGE } from '../support/zone-image.ts';

const ZONE = zoneName('rpz', 'corp');
const IP_ZONE = zoneName('block', 'edge');
const IP_READER = '192.0.2.20';

async function openScene(names = 2): Promise<House> {
  const house = await openHouse();
  await house.edit((edit) => {
    const indicators = Array.from({ length: names }, (_, index) => `name-${index}.example`);
    const kits = addTarget(edit, 'kits', [...indicators, '198.51.100.0/24']);
    addPolicy(edit, 'corp', 'dns', { targets: [[kits, NXDOMAIN]] });
    addPolicy(edit, 'edge', 'ip', { targets: [[kits, BLOCK]], source: IP_READER });
  });
  return house;
}

describe('RFC 5936 section 2.2: the messages of a transfer', () => {
  it('2.2.3: begin and end with the SOA, and carry every record once', async () => {
    const house = await openScene();
    const { records } = house.transfer(ZONE);
    expect(records.map(recordText)).toEqual([
      expect.stringContaining(`${ZONE} 60 SOA ns.sluice.internal. `),
      `${ZONE} 60 NS localhost.`,
      `24.0.100.51.198.rpz-ip.${ZONE} 60 CNAME .`,
      `name-0.example.${ZONE} 60 CNAME .`,
      `*.name-0.example.${ZONE} 60 CNAME .`,
      `name-1.example.${ZONE} 60 CNAME .`,
      `*.name-1.example.${ZONE} 60 CNAME .`,
      expect.stringContaining(`${ZONE} 60 SOA ns.sluice.internal. `),
    ]);
    expect(house.publisher.zones().find(({ origin }) => origin === ZONE)?.records).toBe(7);
  });

  it('2.2.3: carry an empty zone too', async () => {
    const house = await openScene();
    const zone = zoneName('allow', 'edge');
    const { records } = house.transfer(zone, { from: IP_READER });
    expect(records.map(recordText)).toEqual([
      expect.stringContaining(' SOA '),
      `${zone} 60 NS ns.sluice.internal.`,
      expect.stringContaining(' prefixes4=0 prefixes6=0 pages4=1 pages6=1 hosts=0 '),
      `index.v4.${zone} 60 PTR 0.v4.${zone}`,
      `0.v4.${zone} 60 APL `,
      `index.v6.${zone} 60 PTR 0.v6.${zone}`,
      `0.v6.${zone} 60 APL `,
      expect.stringContaining(' SOA '),
    ]);
  });

  it('2.2.1 and 2.2.2: have AA, the id and the question, every one of them', async () => {
    const house = await openScene(3_000);
    const zone = ZONE.toUpperCase();
    const { messages, sizes } = house.transfer(zone, { id: 4_711, recursionDesired: true });
    expect(messages.length).toBeGreaterThan(5);
    for (const message of messages) {
      expect(message).toMatchObject({
        id: 4_711,
        isResponse: true,
        opcode: OPCODE.QUERY,
        authoritative: true,
        truncated: false,
        recursionDesired: true,
        recursionAvailable: false,
        rcode: RCODE.NOERROR,
        questions: [{ type: RRTYPE.AXFR, class: CLASS.IN }],
        authorities: [],
        additionals: [],
      });
      expect(formatName(message.questions[0].name)).toBe(zone);
    }
    // Compression pointers reach no further, so messages aim at 16 KiB: full, but not by much.
    for (const size of sizes.slice(0, -1)) expect(size).toBeGreaterThan(15_000);
    for (const size of sizes) expect(size).toBeLessThan(17_000);
  });

  it('2.2.5: say EDNS in the first message to a client that did', async () => {
    const house = await openScene(3_000);
    const { messages } = house.transfer(ZONE, { edns: { dnssecOk: true } });
    expect(messages[0].edns).toMatchObject({ udpPayloadSize: 1232, version: 0, dnssecOk: true });
    expect(messages.slice(1).every(({ edns }) => edns === null)).toBe(true);
    expect(house.transfer(ZONE).messages[0].edns).toBeNull();
  });

  it('3.4: compress names, and expand to the same ones', async () => {
    const house = await openScene(400);
    const { sizes, records } = house.transfer(ZONE);
    const expanded = records.reduce(
      (sum, { name, rdata }) => sum + name.length + 10 + rdata.length,
      0,
    );
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(expanded * 0.6);
    expect(new Set(records.map(recordText)).size).toBe(records.length - 1);
  });
});

describe('RFC 5936 section 2.2.1: refusals', () => {
  it('are REFUSED for who has no right to the zone', async () => {
    const house = await openScene();
    for (const [zone, from] of [
      [ZONE, '203.0.113.1'],
      [ZONE, IP_READER],
      [IP_ZONE, undefined],
    ] as const) {
      const { rcode, records } = house.transfer(zone, from === undefined ? {} : { from });
      expect([zone, rcode, records]).toEqual([zone, RCODE.REFUSED, []]);
    }
  });

  it('are NOTAUTH for a name that is not the apex of a zone', async () => {
    const house = await openScene();
    for (const name of [
      `name-0.example.${ZONE}`,
      `index.v4.${ZONE}`,
      zoneName('rpz', 'other'),
      'acme.sluice.internal.',
    ]) {
      expect([name, house.transfer(name).rcode]).toEqual([name, RCODE.NOTAUTH]);
    }
    expect(house.transfer('example.').rcode).toBe(RCODE.REFUSED);
  });

  it('4.2: are FORMERR over UDP, for which AXFR is not defined', async () => {
    const house = await openScene();
    expect(house.ask(ZONE, 'AXFR', { protocol: 'udp' }).rcode).toBe(RCODE.FORMERR);
  });
});

async function withNames(count: number) {
  const server = await startTestSluice();
  const lines = Array.from({ length: count }, (_, index) => `name-${index}.example`);
  const policy = await servePolicy(server, { name: 'corp', type: 'dns', lines });
  return { ...server, ...policy };
}

describe('RFC 5936 section 4.1: TCP', () => {
  it('carries large zones whole, several on one connection', async () => {
    const { dns, zone } = await withNames(20_000);
    const client = await tcpClient(dns);
    const first = imageOfAxfr((await takeTransfer(client, zone)).records);
    const second = imageOfAxfr((await takeTransfer(client, zone)).records);
    client.destroy();
    // The canary is in every policy.
    expect(first.records.size).toBeGreaterThanOrEqual(2 + 2 * 20_000);
    expect(compareImages(second, first)).toEqual(SAME_IMAGE);
  });

  it('carries a transfer and other answers side by side on one connection', async () => {
    const { dns, zone } = await withNames(2_000);
    const client = await tcpClient(dns);
    const axfr = makeQuery(zone, 'AXFR');
    const soa = makeQuery(zone, 'SOA');
    client.send(Buffer.concat([framed(axfr.bytes), framed(soa.bytes)]));
    const ids = new Set<number>();
    while (ids.size < 2) ids.add((await client.message()).readUInt16BE(0));
    client.destroy();
    expect([...ids].sort()).toEqual([axfr.id, soa.id].sort());
  });
});
