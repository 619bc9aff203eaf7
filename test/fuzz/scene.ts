import {
  CLASS,
  EDNS_OPTION,
  OPCODE,
  parseName,
  RRTYPE,
  type TsigKey,
} from '../../src/dns/index.ts';
import { makeQuery } from '../support/dns-query.ts';
import { servePolicy, startTestSluice, type TestSluice } from '../support/test-sluice.ts';

export interface FuzzScene extends TestSluice {
  /** Well-formed packets of every kind that the server knows. */
  readonly seeds: readonly Uint8Array[];
  /** An IP zone with nothing in it. */
  readonly emptyZone: string;
  /** One more revision of the RPZ zone. */
  change(): Promise<void>;
}

const NAMES = 400;

/** A running server with a zone of each kind, a key, and history. */
export async function openFuzzScene(): Promise<FuzzScene> {
  // Without a limit on answers over UDP, so that nearly every packet has one to look at.
  const server = await startTestSluice({
    yaml: [
      'sampleCatalogue: false',
      'dns:',
      '  rateLimit: { answersPerSecond: 0 }',
      '  identity: { version: some version, id: some server, nsid: some node }',
    ].join('\n'),
  });
  const lines = Array.from({ length: NAMES }, (_, index) => `name-${index}.example`);
  const addresses = ['198.51.100.0/24', '2001:db8::/48', 'nsname:ns.rogue.example'];
  const dns = await servePolicy(server, {
    name: 'corp',
    type: 'dns',
    lines: [...lines, ...addresses],
  });
  const ip = await servePolicy(server, { name: 'edge', type: 'ip', lines: addresses.slice(0, 2) });
  const key = await addKey(server, dns.policyId);
  const serials = [await serialOf(server, dns.zone), await serialOf(server, ip.zone)];
  await server.api('PATCH', `/targets/${dns.targetId}/indicators`, { add: ['late.example'] });
  await server.api('PATCH', `/targets/${ip.targetId}/indicators`, { add: ['198.51.101.1'] });
  const seeds = seedsOf({ rpz: dns.zone, ip: ip.zone, serials, key });
  let changes = 0;
  return {
    ...server,
    seeds,
    emptyZone: ip.zone.replace('block.', 'allow.'),
    async change() {
      changes += 1;
      const [add, remove] = [[`late-${changes}.example`], [`late-${changes - 1}.example`]];
      await server.api('PATCH', `/targets/${dns.targetId}/indicators`, { add, remove });
    },
  };
}

async function addKey({ api }: TestSluice, policyId: number): Promise<TsigKey> {
  const device = { name: 'by-key', type: 'dns', access: 'key', policyId };
  const made = await api<{ readonly device: { readonly id: number } }>('POST', '/devices', device);
  const { key, secret } = await api<{
    readonly key: { readonly name: string };
    readonly secret: string;
  }>('POST', `/devices/${made.device.id}/keys`, {});
  return {
    name: parseName(key.name),
    algorithm: 'hmac-sha256',
    secret: Uint8Array.from(Buffer.from(secret, 'base64')),
  };
}

async function serialOf({ api }: TestSluice, zone: string): Promise<number> {
  return (await api<{ readonly serial: number }>('GET', `/zones/${zone}`)).serial;
}

function seedsOf(known: {
  readonly rpz: string;
  readonly ip: string;
  readonly serials: readonly number[];
  readonly key: TsigKey;
}): Uint8Array[] {
  const { rpz, ip, serials, key } = known;
  const edns = { dnssecOk: true, options: [{ code: EDNS_OPTION.COOKIE, data: new Uint8Array(8) }] };
  const { NSID, EXPIRE, KEEPALIVE, PADDING } = EDNS_OPTION;
  const empty = [NSID, EXPIRE, KEEPALIVE, PADDING].map((code) => ({
    code,
    data: new Uint8Array(0),
  }));
  // Of our form, made by nobody.
  const foreign = Uint8Array.from({ length: 24 }, (_, at) => (at === 8 ? 1 : at));
  const asking = { options: [...empty, { code: EDNS_OPTION.COOKIE, data: foreign }] };
  const queries = [
    makeQuery(rpz, 'SOA'),
    makeQuery(rpz, 'SOA', { edns: asking }),
    makeQuery(rpz, 'AXFR', { edns: asking }),
    makeQuery(rpz, 'ANY', { edns }),
    makeQuery(rpz, 'AXFR'),
    makeQuery(rpz, 'AXFR', { key, edns }),
    makeQuery(rpz, 'IXFR', { have: serials[0] }),
    makeQuery(rpz, 'IXFR', { have: serials[0], edns: { udpPayloadSize: 4_096 }, key }),
    makeQuery(rpz, 'IXFR', { have: 1 }),
    makeQuery(`name-7.example.${rpz}`, 'A'),
    makeQuery(`a.b.name-7.example.${rpz}`, 'AAAA', { key }),
    makeQuery(`*.name-7.example.${rpz}`, 'CNAME'),
    makeQuery(`24.0.100.51.198.rpz-ip.${rpz}`, 'CNAME', { edns }),
    makeQuery(`0.100.51.198.rpz-ip.${rpz}`, 'A'),
    makeQuery(`48.zz.db8.2001.rpz-ip.${rpz}`, 'A'),
    makeQuery(`ns.rogue.example.rpz-nsdname.${rpz}`, 'A'),
    makeQuery(ip, 'TXT'),
    makeQuery(ip, 'AXFR', { edns }),
    makeQuery(ip, 'IXFR', { have: serials[1] }),
    makeQuery(`index.v4.${ip}`, 'PTR'),
    makeQuery(`0.v6.${ip}`, 'APL', { edns }),
    makeQuery(`7.100.51.198.q.${ip}`, 'TXT'),
    makeQuery(`${'0.'.repeat(24)}8.b.d.0.1.0.0.2.q.${ip}`, 'A'),
    makeQuery('sluice.internal.', 'NS'),
    makeQuery('version.bind.', 'TXT', { class: CLASS.CH }),
    makeQuery('\\000\\255.example.', RRTYPE.NULL),
    makeQuery(rpz, 'SOA', { opcode: OPCODE.NOTIFY }),
    makeQuery(rpz, 'SOA', { opcode: OPCODE.UPDATE, have: 1 }),
    makeQuery(rpz, 'SOA', { edns: { version: 1 } }),
  ];
  return queries.map(({ bytes }) => bytes);
}
