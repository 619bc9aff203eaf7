import { describe, expect, it } from 'vitest';
import {
  decodeRdata,
  formatName,
  formatRdata,
  type Message,
  parseName,
  RCODE,
  type ResourceRecord,
  RRTYPE,
} from '../../src/dns/index.ts';
import { firstModel, READERS, randomEdit } from '../property/random-edits.ts';
import { type House, openHouse } from '../support/house.ts';
import { createRandom, type Random } from '../support/random.ts';
import { ALLOW, addList, addPolicy, addTarget, NXDOMAIN, zoneName } from '../support/scene.ts';

const ZONE = zoneName('rpz', 'corp');
const IP_ZONE = zoneName('block', 'edge');

async function openScene(): Promise<House> {
  const house = await openHouse();
  await house.edit((edit) => {
    const kits = addTarget(edit, 'kits', [
      'evil.example',
      'host:only.example',
      '*.below.example',
      'a.b.deep.example',
      '192.0.2.0/24',
      '2001:db8::/32',
      'fd00:1:ffff::/48',
      'nsname:ns.rogue.example',
    ]);
    const local = addTarget(edit, 'local', ['garden.example']);
    const own = addList(edit, 'own', ['shop.evil.example'], 'allow');
    const records = [
      { type: 'A', data: '192.0.2.80' },
      { type: 'A', data: '192.0.2.81' },
      { type: 'TXT', data: '"stopped"' },
    ] as const;
    addPolicy(edit, 'corp', 'dns', {
      targets: [
        [kits, NXDOMAIN],
        [local, { kind: 'local-data', records }],
      ],
      lists: [[own, ALLOW]],
    });
    const scanners = addTarget(edit, 'scanners', ['198.51.100.0/24', '2001:db8:1::/48']);
    addPolicy(edit, 'edge', 'ip', {
      targets: [[scanners, { kind: 'block' }]],
      source: '192.0.2.20',
    });
  });
  return house;
}

/** Answers as text: `owner type rdata`, or what there is instead. */
function said({ rcode, answers }: Message): readonly string[] | 'NODATA' | 'NXDOMAIN' {
  if (rcode === RCODE.NXDOMAIN) return 'NXDOMAIN';
  expect(rcode).toBe(RCODE.NOERROR);
  if (answers.length === 0) return 'NODATA';
  return answers.map(
    ({ name, type, rdata }) => `${formatName(name)} ${typeText(type)} ${formatRdata(type, rdata)}`,
  );
}

const typeText = (type: number): string =>
  Object.entries(RRTYPE).find(([, code]) => code === type)?.[0] ?? String(type);

describe('RFC 1034 section 4.3.2: names of an RPZ zone', () => {
  const ask = async (name: string, type: keyof typeof RRTYPE = 'A') =>
    said((await openScene()).ask(name === '' ? ZONE : `${name}.${ZONE}`, type));

  it('step 3a: a name that is there is answered with its records', async () => {
    expect(await ask('evil.example')).toEqual([`evil.example.${ZONE} CNAME .`]);
    expect(await ask('32.7.2.0.192.rpz-ip')).toBe('NXDOMAIN');
    expect(await ask('24.0.2.0.192.rpz-ip', 'CNAME')).toEqual([
      `24.0.2.0.192.rpz-ip.${ZONE} CNAME .`,
    ]);
    expect(await ask('32.zz.db8.2001.rpz-ip')).toEqual([`32.zz.db8.2001.rpz-ip.${ZONE} CNAME .`]);
    expect(await ask('ns.rogue.example.rpz-nsdname')).toHaveLength(1);
  });

  it('step 3a: the apex has SOA and NS, and no other data', async () => {
    expect(await ask('', 'SOA')).toEqual([
      expect.stringMatching(
        / SOA ns\.sluice\.internal\. hostmaster\.sluice\.internal\. \d+ 900 300 1209600 60$/,
      ),
    ]);
    expect(await ask('', 'NS')).toEqual([`${ZONE} NS localhost.`]);
    expect(await ask('', 'TXT')).toBe('NODATA');
  });

  it('step 3a: a CNAME answers every type, and other data only their own', async () => {
    for (const type of ['A', 'MX', 'CNAME', 'APL'] as const) {
      expect(await ask('evil.example', type)).toEqual([`evil.example.${ZONE} CNAME .`]);
    }
    expect(await ask('garden.example', 'A')).toEqual([
      `garden.example.${ZONE} A 192.0.2.80`,
      `garden.example.${ZONE} A 192.0.2.81`,
    ]);
    expect(await ask('garden.example', 'TXT')).toEqual([`garden.example.${ZONE} TXT "stopped"`]);
    expect(await ask('garden.example', 'AAAA')).toBe('NODATA');
  });

  it('step 3c: what a wildcard covers is answered under the name that was asked', async () => {
    expect(await ask('www.evil.example')).toEqual([`www.evil.example.${ZONE} CNAME .`]);
    expect(await ask('a.b.c.below.example')).toEqual([`a.b.c.below.example.${ZONE} CNAME .`]);
    expect(await ask('x.shop.evil.example')).toEqual([
      `x.shop.evil.example.${ZONE} CNAME rpz-passthru.`,
    ]);
  });

  it('step 3c: what nothing covers does not exist', async () => {
    expect(await ask('good.example')).toBe('NXDOMAIN');
    expect(await ask('www.only.example')).toBe('NXDOMAIN');
    expect(await ask('notevil.example')).toBe('NXDOMAIN');
  });
});

describe('RFC 1034 section 4.3.2: names of an IP zone', () => {
  const ask = async (name: string, type: keyof typeof RRTYPE) => {
    const house = await openScene();
    const from = '192.0.2.20';
    return said(house.ask(name === '' ? IP_ZONE : `${name}.${IP_ZONE}`, type, { from }));
  };

  it('are index, pages and the apex, and nothing else', async () => {
    expect(await ask('', 'NS')).toEqual([`${IP_ZONE} NS ns.sluice.internal.`]);
    expect(await ask('', 'TXT')).toEqual([expect.stringContaining(' TXT "v=1 side=block serial=')]);
    expect(await ask('index.v4', 'PTR')).toEqual([`index.v4.${IP_ZONE} PTR 0.v4.${IP_ZONE}`]);
    expect(await ask('0.v4', 'APL')).toEqual([`0.v4.${IP_ZONE} APL 1:198.51.100.0/24`]);
    expect(await ask('0.v6', 'APL')).toEqual([`0.v6.${IP_ZONE} APL 2:2001:db8:1::/48`]);
    for (const name of ['v4', 'v6', 'q']) expect(await ask(name, 'APL')).toBe('NODATA');
    for (const name of ['hosts', '1.v4', '00.v4', 'x.0.v4', 'v5', 'c6336400.v4', 'x.index.v4']) {
      expect(await ask(name, 'APL')).toBe('NXDOMAIN');
    }
  });
});

describe('RFC 4592 section 2.2: what exists', () => {
  it('2.2.2: a node with nothing but others below it exists and has no data', async () => {
    const house = await openScene();
    const nodes = [
      'example',
      'b.deep.example',
      'deep.example',
      'below.example',
      'rogue.example.rpz-nsdname',
    ];
    for (const node of nodes)
      expect([node, said(house.ask(`${node}.${ZONE}`, 'A'))]).toEqual([node, 'NODATA']);
  });

  it('2.2.2: so do the nodes above the owners of address triggers', async () => {
    const house = await openScene();
    const inside = [
      'rpz-ip',
      '192.rpz-ip',
      '2.0.192.rpz-ip',
      '0.2.0.192.rpz-ip',
      '2001.rpz-ip',
      'zz.db8.2001.rpz-ip',
      '1.fd00.rpz-ip',
      'zz.ffff.1.fd00.rpz-ip',
    ];
    const outside = [
      '193.rpz-ip',
      '3.0.192.rpz-ip',
      '2002.rpz-ip',
      'zz.db9.2001.rpz-ip',
      'zz.rpz-ip',
      'rpz-nsip',
      'x.rpz-ip',
      '2.fd00.rpz-ip',
      'zz.fffe.1.fd00.rpz-ip',
      'zz.1.fd00.rpz-ip',
    ];
    for (const node of inside)
      expect([node, said(house.ask(`${node}.${ZONE}`, 'A'))]).toEqual([node, 'NODATA']);
    for (const node of outside)
      expect([node, said(house.ask(`${node}.${ZONE}`, 'A'))]).toEqual([node, 'NXDOMAIN']);
  });

  it('2.2.1: the wildcard itself can be asked for', async () => {
    const house = await openScene();
    expect(said(house.ask(`*.below.example.${ZONE}`, 'A'))).toEqual([
      `*.below.example.${ZONE} CNAME .`,
    ]);
  });

  it('2.2.1: an asterisk that is no wildcard of the zone is a label like any other', async () => {
    const house = await openScene();
    expect(said(house.ask(`*.x.below.example.${ZONE}`, 'A'))).toEqual([
      `*.x.below.example.${ZONE} CNAME .`,
    ]);
    expect(said(house.ask(`*.only.example.${ZONE}`, 'A'))).toBe('NXDOMAIN');
    expect(said(house.ask(`x.*.only.example.${ZONE}`, 'A'))).toBe('NXDOMAIN');
  });

  it('3.3.1: below the owner of a wildcard nothing is synthesised from it', async () => {
    const house = await openScene();
    expect(said(house.ask(`x.*.below.example.${ZONE}`, 'A'))).toBe('NXDOMAIN');
    expect(said(house.ask(`*.*.below.example.${ZONE}`, 'A'))).toBe('NXDOMAIN');
  });

  it('3.3.1: a wildcard for everything covers what no other name of the zone stands above', async () => {
    const house = await openScene();
    await house.edit((edit) => {
      const all = addTarget(edit, 'all', ['*', '203.0.113.0/24', 'nsname:ns.rogue.example']);
      addPolicy(edit, 'all', 'dns', { targets: [[all, NXDOMAIN]], source: '192.0.2.30' });
    });
    const zone = zoneName('rpz', 'all');
    const ask = (name: string) => said(house.ask(name, 'A', { from: '192.0.2.30' }));
    expect(ask(`a.b.${zone}`)).toEqual([`a.b.${zone} CNAME .`]);
    expect(ask(`*.${zone}`)).toEqual([`*.${zone} CNAME .`]);
    expect(ask(zone)).toBe('NODATA');
    // The triggers of addresses and name servers are names of the zone like any other.
    expect(ask(`24.1.113.0.203.rpz-ip.${zone}`)).toBe('NXDOMAIN');
    expect(ask(`x.rogue.example.rpz-nsdname.${zone}`)).toBe('NXDOMAIN');
    expect(ask(`x.rpz-nsip.${zone}`)).toEqual([`x.rpz-nsip.${zone} CNAME .`]);
  });
});

describe('RFC 1034 section 3.1 and RFC 4343: case', () => {
  it('does not matter for finding a name, and comes back as it was asked', async () => {
    const house = await openScene();
    const zone = 'rPz.Corp.ACME.sluice.Internal.';
    const { questions, answers } = house.ask(`WWW.eViL.Example.${zone}`, 'A');
    expect(formatName(questions[0].name)).toBe(`WWW.eViL.Example.${zone}`);
    expect(formatName(answers[0].name)).toBe(`WWW.eViL.Example.${zone}`);
  });
});

describe('RFC 1034 section 4.1: flags', () => {
  it('are AA for what is ours, RD as it came, and never RA', async () => {
    const house = await openScene();
    for (const recursionDesired of [true, false]) {
      const answer = house.ask(ZONE, 'SOA', { recursionDesired });
      expect(answer).toMatchObject({
        isResponse: true,
        authoritative: true,
        recursionDesired,
        recursionAvailable: false,
        truncated: false,
      });
    }
  });
});

/** A zone as text, to be looked up by the words of the RFCs alone. */
interface PlainZone {
  readonly origin: string;
  readonly rrsets: ReadonlyMap<string, readonly ResourceRecord[]>;
  /** Owners and every name between them and the apex. */
  readonly names: ReadonlySet<string>;
}

const parentOf = (name: string): string => name.replace(/^(?:[^.\\]|\\.)*\./, '');

function plainZone(origin: string, records: readonly ResourceRecord[]): PlainZone {
  const body = records.slice(0, -1);
  const rrsets = Map.groupBy(body, ({ name, type }) => `${formatName(name).toLowerCase()} ${type}`);
  const names = new Set<string>();
  for (const { name } of body) {
    for (let at = formatName(name).toLowerCase(); at.endsWith(origin); at = parentOf(at))
      names.add(at);
  }
  return { origin, rrsets, names };
}

/** RFC 1034 section 4.3.2 and RFC 4592 section 3.3, as naively as they are written. */
function lookUp(zone: PlainZone, name: string, type: number): 'NXDOMAIN' | 'NODATA' | string[] {
  const wanted = name.toLowerCase();
  let node = wanted;
  if (!zone.names.has(wanted)) {
    let encloser = parentOf(wanted);
    while (!zone.names.has(encloser)) encloser = parentOf(encloser);
    node = `*.${encloser}`;
    if (!zone.names.has(node)) return 'NXDOMAIN';
  }
  const records = [type, RRTYPE.CNAME].flatMap((wantedType) => [
    ...(zone.rrsets.get(`${node} ${wantedType}`) ?? []),
  ]);
  const texts = new Set(
    records.map((record) => `${record.type} ${formatRdata(record.type, record.rdata)}`),
  );
  return texts.size === 0 ? 'NODATA' : [...texts].sort();
}

/** Names of the zone, names beside and below them, and names that only look like it. */
function nameToAsk(zone: PlainZone, random: Random): string {
  const known = random.pick([...zone.names]);
  const label = random.pick(['www', '*', 'a', '32', '0', 'rpz-ip', 'n7', 'v4', 'zz']);
  switch (random.below(4)) {
    case 0:
      return known;
    case 1:
      return `${label}.${known}`;
    case 2:
      return `${label}.x.${known}`;
    default:
      return known === zone.origin ? known : `${label}.${parentOf(known)}`;
  }
}

describe('any name of any zone', () => {
  it('gets what the RFCs say of the zone as it is transferred', async () => {
    const random = createRandom(4_592);
    const house = await openHouse();
    await house.edit((edit) => firstModel(edit, random));
    const types = [RRTYPE.A, RRTYPE.TXT, RRTYPE.PTR, RRTYPE.APL, RRTYPE.SOA, RRTYPE.CNAME];
    for (let round = 0; round < 8; round++) {
      for (const { origin, policyId, deviceId } of house.publisher.zones()) {
        // The zones of devices hold the same.
        if (policyId === null || deviceId !== null) continue;
        const from = READERS[policyId - 1];
        const zone = plainZone(origin, house.transfer(origin, { from }).records);
        for (let question = 0; question < 250; question++) {
          const name = nameToAsk(zone, random);
          // Check names are answered, but they are no records of the zone.
          if (name.endsWith(`.q.${origin}`) || name === `q.${origin}`) continue;
          const type = random.pick(types);
          const { rcode, answers } = house.ask(name, type, { from, protocol: 'tcp' });
          const texts = answers.map(
            (record) => `${record.type} ${formatRdata(record.type, record.rdata)}`,
          );
          const found =
            rcode === RCODE.NXDOMAIN ? 'NXDOMAIN' : texts.length === 0 ? 'NODATA' : texts.sort();
          expect([name, type, found]).toEqual([name, type, lookUp(zone, name, type)]);
          for (const answer of answers) expect(formatName(answer.name)).toBe(name);
        }
      }
      for (let edits = 0; edits < 5; edits++) await house.edit((edit) => randomEdit(edit, random));
    }
  });
});

describe('names that are too long or strange to be in a zone', () => {
  it('do not exist, and hurt nobody', async () => {
    const house = await openScene();
    const long = `${'a.'.repeat(100)}x.${ZONE}`;
    expect(said(house.ask(long, 'A'))).toBe('NXDOMAIN');
    expect(said(house.ask(`\\000\\255\\.\\032.${ZONE}`, 'A'))).toBe('NXDOMAIN');
    expect(said(house.ask(`\\000.evil.example.${ZONE}`, 'A'))).toHaveLength(1);
  });
});

describe('the SOA', () => {
  it('says what is configured', async () => {
    const house = await openHouse({
      defaults: { primary: 'primary.example', hostmaster: 'dns.example', refresh: 60, minimum: 7 },
    });
    await house.edit((edit) => {
      addPolicy(edit, 'corp', 'dns', { targets: [] });
    });
    const [{ type, rdata }] = house.ask(ZONE, 'SOA').answers;
    expect(decodeRdata(type, rdata, 0, rdata.length)).toMatchObject({
      mname: parseName('primary.example.'),
      rname: parseName('dns.example.'),
      refresh: 60,
      minimum: 7,
    });
  });
});
