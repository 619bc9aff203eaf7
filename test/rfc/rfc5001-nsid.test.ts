import { describe, expect, it } from 'vitest';
import {
  CLASS,
  EDNS_OPTION,
  EXTENDED_ERROR,
  ednsOption,
  type Message,
  RCODE,
  RRTYPE,
} from '../../src/dns/index.ts';
import { createServerIdentity } from '../../src/nameserver/server-identity.ts';
import { openHouse } from '../support/house.ts';
import { addPolicy, addTarget, NXDOMAIN, zoneName } from '../support/scene.ts';

const ZONE = zoneName('rpz', 'corp');
const STRANGER = '203.0.113.1';
const asked = (content = '') => ({
  options: [{ code: EDNS_OPTION.NSID, data: Uint8Array.from(Buffer.from(content)) }],
});

async function openScene(identity = createServerIdentity(SILENT)) {
  const house = await openHouse({ nameserver: { identity } });
  await house.edit((edit) => {
    const kits = addTarget(edit, 'kits', ['evil.example']);
    addPolicy(edit, 'corp', 'dns', { targets: [[kits, NXDOMAIN]] });
  });
  return house;
}

const SILENT = { version: null, id: null, nsid: null };
const NAMED = { version: 'Sluice', id: 'west-2', nsid: 'nœud-2' };

function nsidIn({ edns }: Message): string | null {
  const data = ednsOption(edns, EDNS_OPTION.NSID);
  return data === undefined ? null : Buffer.from(data).toString();
}

describe('RFC 5001 section 2.2: a name server', () => {
  it('that has an identifier sends it to those who ask, whatever the answer is', async () => {
    const house = await openScene(createServerIdentity(NAMED));
    for (const protocol of ['udp', 'tcp', 'tls'] as const) {
      expect(nsidIn(house.ask(ZONE, 'SOA', { edns: asked(), protocol }))).toBe('nœud-2');
    }
    const refused = house.ask(ZONE, 'SOA', { edns: asked(), from: STRANGER });
    expect([refused.rcode, nsidIn(refused)]).toEqual([RCODE.REFUSED, 'nœud-2']);
    expect(nsidIn(house.transfer(ZONE, { edns: asked() }).messages[0])).toBe('nœud-2');
  });

  it('does not send it to others', async () => {
    const house = await openScene(createServerIdentity(NAMED));
    expect(nsidIn(house.ask(ZONE, 'SOA', { edns: {} }))).toBeNull();
    expect(house.ask(ZONE, 'SOA').edns).toBeNull();
  });

  it('that has none sends none', async () => {
    const house = await openScene();
    expect(nsidIn(house.ask(ZONE, 'SOA', { edns: asked() }))).toBeNull();
  });

  it('leaves it out of an answer that has no room for it', async () => {
    const nsid = 'x'.repeat(255);
    const house = await openScene(createServerIdentity({ ...NAMED, nsid }));
    const long = `${`${'a'.repeat(60)}.`.repeat(3)}www.example.`;
    const small = { ...asked(), udpPayloadSize: 512 };
    const answer = house.ask(long, 'A', { edns: small });
    expect(answer.rcode).toBe(RCODE.REFUSED);
    // 12 + 201 + 4 octets, an OPT record of 11, extended error 6, identifier 259: that fits.
    expect(nsidIn(answer)).toBe(nsid);
    const longest = `${`${'a'.repeat(60)}.`.repeat(4)}example.`;
    const tight = house.ask(longest, 'A', { edns: small });
    expect(tight).toMatchObject({ rcode: RCODE.REFUSED, questions: [{ type: RRTYPE.A }] });
    expect(tight.edns).not.toBeNull();
    expect(nsidIn(tight)).toBeNull();
  });
});

describe('RFC 5001 section 2.1: in a query', () => {
  it('a payload is ignored', async () => {
    const house = await openScene(createServerIdentity(NAMED));
    const answer = house.ask(ZONE, 'SOA', { edns: asked('who are you') });
    expect([answer.rcode, nsidIn(answer)]).toEqual([RCODE.NOERROR, 'nœud-2']);
  });
});

describe('RFC 4892 section 3: identity in class CHAOS', () => {
  const ask = (house: Awaited<ReturnType<typeof openScene>>, name: string, type: number) =>
    house.ask(name, type, { class: CLASS.CH, from: STRANGER, edns: {} });
  const textOf = ({ answers }: Message) =>
    answers.map(({ class: rrClass, ttl, rdata }) => {
      expect([rrClass, ttl]).toEqual([CLASS.CH, 0]);
      return Buffer.from(rdata.slice(1)).toString();
    });

  it('is told as configured, to anyone', async () => {
    const house = await openScene(createServerIdentity(NAMED));
    for (const name of ['version.bind.', 'VERSION.BIND.', 'version.server.']) {
      const answer = ask(house, name, RRTYPE.TXT);
      expect(answer).toMatchObject({ rcode: RCODE.NOERROR, authoritative: true });
      expect(textOf(answer)).toEqual(['Sluice']);
    }
    for (const name of ['id.server.', 'hostname.bind.']) {
      expect(textOf(ask(house, name, RRTYPE.TXT))).toEqual(['west-2']);
    }
  });

  it('is refused where it is not configured, and so is all else in that class', async () => {
    const silent = await openScene();
    const named = await openScene(createServerIdentity(NAMED));
    for (const answer of [
      ask(silent, 'version.bind.', RRTYPE.TXT),
      ask(silent, 'id.server.', RRTYPE.TXT),
      ask(named, 'authors.bind.', RRTYPE.TXT),
      ask(named, 'version.bind.', RRTYPE.A),
      ask(named, ZONE, RRTYPE.SOA),
      ask(named, ZONE, RRTYPE.AXFR),
    ]) {
      expect(answer).toMatchObject({ rcode: RCODE.REFUSED, answers: [] });
      const code = ednsOption(answer.edns, EDNS_OPTION.EDE)?.[1];
      expect(code).toBe(EXTENDED_ERROR['NOT-AUTHORITATIVE']);
    }
  });

  it('in class IN is a name like any other', async () => {
    const house = await openScene(createServerIdentity(NAMED));
    expect(house.ask('version.bind.', 'TXT').rcode).toBe(RCODE.REFUSED);
  });

  it('changes while the server runs', async () => {
    const identity = createServerIdentity(SILENT);
    const house = await openScene(identity);
    identity.use(NAMED);
    expect(textOf(ask(house, 'id.server.', RRTYPE.TXT))).toEqual(['west-2']);
    expect(nsidIn(house.ask(ZONE, 'SOA', { edns: asked() }))).toBe('nœud-2');
    identity.use(SILENT);
    expect(ask(house, 'id.server.', RRTYPE.TXT).rcode).toBe(RCODE.REFUSED);
    expect(nsidIn(house.ask(ZONE, 'SOA', { edns: asked() }))).toBeNull();
  });

  it('may be longer than one string of a TXT record', async () => {
    const house = await openScene(createServerIdentity({ ...NAMED, version: 'é'.repeat(200) }));
    const [record] = ask(house, 'version.bind.', RRTYPE.TXT).answers;
    expect([record.rdata[0], record.rdata[256]]).toEqual([255, 145]);
    expect(record.rdata).toHaveLength(402);
  });
});
