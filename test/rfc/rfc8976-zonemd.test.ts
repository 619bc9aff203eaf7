import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  encodeRdata,
  formatRdata,
  parseName,
  parseRdata,
  type ResourceRecord,
  RRTYPE,
  relativeLabels,
  rrtypeCode,
  serial,
} from '../../src/dns/index.ts';
import { canonicalOctets, zonemdRdata } from '../../src/zone/zone-digest.ts';
import { canonicalRrset } from '../../src/zone/zone-digest-order.ts';
import { naiveZoneDigest } from '../zone/naive-zone-digest.ts';

interface Example {
  readonly origin: string;
  readonly zone: string;
  readonly digest: string;
}

/** Appendix A, owners in full where the text leaves them to the line before. */
const SIMPLE: Example = {
  origin: 'example.',
  zone: `
    example. 86400 IN SOA ns1 admin 2018031900 1800 900 604800 86400
    example. 86400 IN NS ns1
    example. 86400 IN NS ns2
    example. 86400 IN ZONEMD 2018031900 1 1 c68090d90a7aed716bc459f9340e3d7c1370d4d24b7e2fc3a1ddc0b9a87153b9a9713b3c9ae5cc27777f98b8e730044c
    ns1 3600 IN A 203.0.113.63
    ns2 3600 IN AAAA 2001:db8::63`,
  digest:
    'c68090d90a7aed716bc459f9340e3d7c1370d4d24b7e2fc3a1ddc0b9a87153b9a9713b3c9ae5cc27777f98b8e730044c',
};

const COMPLEX: Example = {
  origin: 'example.',
  zone: `
    example. 86400 IN SOA ns1 admin 2018031900 1800 900 604800 86400
    example. 86400 IN NS ns1
    example. 86400 IN NS ns2
    example. 86400 IN ZONEMD 2018031900 1 1 a3b69bad980a3504e1cffcb0fd6397f93848071c93151f552ae2f6b1711d4bd2d8b39808226d7b9db71e34b72077f8fe
    ns1 3600 IN A 203.0.113.63
    NS2 3600 IN AAAA 2001:db8::63
    occluded.sub 7200 IN TXT "I'm occluded but must be digested"
    sub 7200 IN NS ns1
    duplicate 300 IN TXT "I must be digested just once"
    duplicate 300 IN TXT "I must be digested just once"
    foo.test. 555 IN TXT "out-of-zone data must be excluded"
    UPPERCASE 3600 IN TXT "canonicalize uppercase owner names"
    * 777 IN PTR dont-forget-about-wildcards
    mail 3600 IN MX 20 MAIL1
    mail 3600 IN MX 10 Mail2.Example.
    sortme 3600 IN AAAA 2001:db8::5:61
    sortme 3600 IN AAAA 2001:db8::3:62
    sortme 3600 IN AAAA 2001:db8::4:63
    sortme 3600 IN AAAA 2001:db8::1:65
    sortme 3600 IN AAAA 2001:db8::2:64
    non-apex 900 IN ZONEMD 2018031900 1 1 616c6c6f776564206275742069676e6f7265642e20616c6c6f776564206275742069676e6f7265642e20616c6c6f7765`,
  digest:
    'a3b69bad980a3504e1cffcb0fd6397f93848071c93151f552ae2f6b1711d4bd2d8b39808226d7b9db71e34b72077f8fe',
};

const MULTIPLE: Example = {
  origin: 'example.',
  zone: `
    example. 86400 IN SOA ns1 admin 2018031900 1800 900 604800 86400
    example. 86400 IN NS ns1.example.
    example. 86400 IN NS ns2.example.
    example. 86400 IN ZONEMD 2018031900 1 1 62e6cf51b02e54b9b5f967d547ce43136792901f9f88e637493daaf401c92c279dd10f0edb1c56f8080211f8480ee306
    example. 86400 IN ZONEMD 2018031900 1 2 08cfa1115c7b948c4163a901270395ea226a930cd2cbcf2fa9a5e6eb85f37c8a4e114d884e66f176eab121cb02db7d652e0cc4827e7a3204f166b47e5613fd27
    example. 86400 IN ZONEMD 2018031900 1 240 e2d523f654b9422a96c5a8f44607bbee
    example. 86400 IN ZONEMD 2018031900 241 1 e1846540e33a9e4189792d18d5d131f605fc283e
    ns1.example. 3600 IN A 203.0.113.63
    ns2.example. 86400 IN TXT "This example has multiple digests"
    NS2.EXAMPLE. 3600 IN AAAA 2001:db8::63`,
  digest:
    '62e6cf51b02e54b9b5f967d547ce43136792901f9f88e637493daaf401c92c279dd10f0edb1c56f8080211f8480ee306',
};

const ADDRESSES: readonly (readonly [string, string, string])[] = [
  ['a', '198.41.0.4', '2001:503:ba3e::2:30'],
  ['b', '199.9.14.201', '2001:500:200::b'],
  ['c', '192.33.4.12', '2001:500:2::c'],
  ['d', '199.7.91.13', '2001:500:2d::d'],
  ['e', '192.203.230.10', '2001:500:a8::e'],
  ['f', '192.5.5.241', '2001:500:2f::f'],
  ['g', '192.112.36.4', '2001:500:12::d0d'],
  ['h', '198.97.190.53', '2001:500:1::53'],
  ['i', '192.36.148.17', '2001:7fe::53'],
  ['j', '192.58.128.30', '2001:503:c27::2:30'],
  ['k', '193.0.14.129', '2001:7fd::1'],
  ['l', '199.7.83.42', '2001:500:9f::42'],
  ['m', '202.12.27.33', '2001:dc3::35'],
];

const ROOT_SERVERS: Example = {
  origin: 'root-servers.net.',
  zone: [
    'root-servers.net. 3600000 IN SOA a.root-servers.net. nstld.verisign-grs.com. 2018091100 14400 7200 1209600 3600000',
    ...ADDRESSES.flatMap(([letter, v4, v6]) => [
      `root-servers.net. 3600000 IN NS ${letter}.root-servers.net.`,
      `${letter}.root-servers.net. 3600000 IN AAAA ${v6}`,
      `${letter}.root-servers.net. 3600000 IN A ${v4}`,
    ]),
    'b.root-servers.net. 3600000 IN MX 20 mail.isi.edu.',
    'i.root-servers.net. 3600000 IN MX 10 mx.i.root-servers.org.',
    'root-servers.net. 3600000 IN ZONEMD 2018091100 1 1 f1ca0ccd91bd5573d9f431c00ee0101b2545c97602be0a978a3b11dbfc1c776d5b3e86ae3d973d6b5349ba7f04340f79',
  ].join('\n'),
  digest:
    'f1ca0ccd91bd5573d9f431c00ee0101b2545c97602be0a978a3b11dbfc1c776d5b3e86ae3d973d6b5349ba7f04340f79',
};

const EXAMPLES = [
  ['A.1, a simple zone', SIMPLE],
  ['A.2, a complex zone', COMPLEX],
  ['A.3, a zone with several digests', MULTIPLE],
  ['A.5, the ROOT-SERVERS.NET zone', ROOT_SERVERS],
] as const;

function recordsOf({ origin, zone }: Example): ResourceRecord[] {
  const apex = parseName(origin);
  return zone
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => {
      const [, owner, ttl, typeText, data] = /^(\S+) (\d+) IN (\S+) (.*)$/.exec(line)!;
      const type = rrtypeCode(typeText!)!;
      const rdata = encodeRdata(parseRdata(type, data!, apex));
      return { name: parseName(owner!, apex), type, class: 1, ttl: Number(ttl), rdata };
    });
}

/** The server's way: RRsets of the zone, without its own ZONEMD. */
function serverDigest({ origin, zone, digest }: Example): string {
  const apex = parseName(origin);
  const inZone = recordsOf({ origin, zone, digest }).filter(({ name, type }) => {
    const labels = relativeLabels(name, apex);
    return labels !== null && !(labels.length === 0 && type === RRTYPE.ZONEMD);
  });
  const rrsets = Map.groupBy(inZone, ({ name, type }) => `${Buffer.from(name)} ${type}`);
  const canonical = [...rrsets.values()].map((records) => {
    const [{ name, type, ttl }] = records as [ResourceRecord];
    const rdatas = records.map(({ rdata }) => rdata);
    return canonicalRrset({ labels: relativeLabels(name, apex)!, type, ttl, rdatas });
  });
  const hash = createHash('sha384');
  for (const piece of canonicalOctets(apex, canonical)) hash.update(piece);
  return hash.digest('hex');
}

describe('RFC 8976 section 2: the ZONEMD record', () => {
  it('is type 63: serial, scheme, hash algorithm and digest (2.2)', () => {
    const digest = Buffer.from(SIMPLE.digest, 'hex');
    const rdata = zonemdRdata(serial(2018031900), digest);
    expect(RRTYPE.ZONEMD).toBe(63);
    expect(Buffer.from(rdata).toString('hex')).toBe(`7848b91c0101${SIMPLE.digest}`);
  });

  it('is written as three numbers and hexadecimal digits (2.3)', () => {
    const rdata = zonemdRdata(serial(2018031900), Buffer.from(SIMPLE.digest, 'hex'));
    expect(formatRdata(RRTYPE.ZONEMD, rdata)).toBe(`2018031900 1 1 ${SIMPLE.digest}`);
  });

  it('has no digest of another size than its hash algorithm makes (2.2.4)', () => {
    expect(() => zonemdRdata(serial(1), new Uint8Array(64))).toThrow(RangeError);
  });
});

describe.each(EXAMPLES)('RFC 8976 appendix %s', (_, example) => {
  it('has the digest that the server makes', () => {
    expect(serverDigest(example)).toBe(example.digest);
  });

  it('has the digest that the naive judge of the other tests makes', () => {
    expect(naiveZoneDigest(parseName(example.origin), recordsOf(example))).toBe(example.digest);
  });

  it('has it in whatever order its records come', () => {
    const zone = example.zone.split('\n').reverse().join('\n');
    expect(serverDigest({ ...example, zone })).toBe(example.digest);
    expect(naiveZoneDigest(parseName(example.origin), recordsOf({ ...example, zone }))).toBe(
      example.digest,
    );
  });
});

describe('RFC 8976 section 3.3.1: the SIMPLE scheme', () => {
  it('takes the TTL and every octet into the digest', () => {
    const ttl = { ...SIMPLE, zone: SIMPLE.zone.replace('3600 IN A ', '3601 IN A ') };
    const address = { ...SIMPLE, zone: SIMPLE.zone.replace('203.0.113.63', '203.0.113.62') };
    expect(serverDigest(ttl)).not.toBe(SIMPLE.digest);
    expect(serverDigest(address)).not.toBe(SIMPLE.digest);
    expect(naiveZoneDigest(parseName('example.'), recordsOf(ttl))).toBe(serverDigest(ttl));
  });

  it('makes the SHA-512 digest of A.3 from the same octets', () => {
    expect(naiveZoneDigest(parseName('example.'), recordsOf(MULTIPLE), 'sha512')).toBe(
      '08cfa1115c7b948c4163a901270395ea226a930cd2cbcf2fa9a5e6eb85f37c8a4e114d884e66f176eab121cb02db7d652e0cc4827e7a3204f166b47e5613fd27',
    );
  });
});
