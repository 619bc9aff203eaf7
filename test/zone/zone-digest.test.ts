import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatName, parseName, type ResourceRecord, RRTYPE, serial } from '../../src/dns/index.ts';
import { Catalogue } from '../../src/indicators/index.ts';
import type { Action } from '../../src/policy/index.ts';
import { createVerdicts } from '../../src/policy/index.ts';
import { apexRrsets, soaRrset } from '../../src/zone/apex.ts';
import { catalogOf } from '../../src/zone/catalog-content.ts';
import { compileIp, IP_ACTION } from '../../src/zone/ip-compile.ts';
import type { IpContent } from '../../src/zone/ip-content.ts';
import { applyPrefixDiff, pagesOf } from '../../src/zone/ip-pages.ts';
import { plainRrsets } from '../../src/zone/plain-records.ts';
import { createPrefixCollector, noPrefixes, type PrefixRows } from '../../src/zone/prefix-rows.ts';
import { PENDING_DIGEST, type ZoneSettings } from '../../src/zone/snapshot.ts';
import { DIGEST_CHUNK_OCTETS, type DigestedZone, digestInput } from '../../src/zone/zone-digest.ts';
import { membersOf } from '../property/policy-model.ts';
import { createRandom } from '../support/random.ts';
import { naiveZoneDigest } from './naive-zone-digest.ts';

const SETTINGS: ZoneSettings = {
  origin: parseName('block.corp.acme.sluice.internal.'),
  primary: parseName('NS.Sluice.internal.'),
  hostmaster: parseName('Hostmaster.sluice.internal.'),
  refresh: 900,
  retry: 300,
  expire: 1_209_600,
  minimum: 60,
  apexTtl: 30,
};
const NO_HOSTS = { v4: noPrefixes(1), v6: noPrefixes(4), leftOut: 0 };

function ipZone(content: IpContent, at = 4_000_000_000): DigestedZone {
  return {
    settings: SETTINGS,
    serial: serial(at),
    body: { kind: 'ip', side: 'block', content, ttl: 120 },
  };
}

function digestOf(zone: DigestedZone): string {
  const hash = createHash('sha384');
  for (const piece of digestInput(zone)) hash.update(piece);
  return hash.digest('hex');
}

/** Every record of a zone, by the way that transfers and zone files take. */
function recordsOf(zone: DigestedZone): ResourceRecord[] {
  const { settings, serial: at, body } = zone;
  const { origin } = settings;
  return [
    soaRrset(settings, at),
    ...apexRrsets({ ...zone, digest: PENDING_DIGEST }),
    ...plainRrsets(body, origin),
  ].flatMap(({ labels, type, ttl, rdatas }) =>
    rdatas.map((rdata) => ({ name: concatName(labels, origin), type, class: 1, ttl, rdata })),
  );
}

function contentOf(prefixes: readonly string[], hosts: IpContent['hosts'] = NO_HOSTS): IpContent {
  const catalogue = new Catalogue();
  const number = ({ kind }: Action) => (kind === 'allow' ? IP_ACTION.allow : IP_ACTION.block);
  const source = {
    tier: 'target-block',
    severity: 3,
    action: { kind: 'drop' },
    indicators: [...new Set(prefixes)],
  } as const;
  const verdicts = createVerdicts(catalogue, membersOf(catalogue, [source]), number);
  return {
    v4: compileIp(catalogue, verdicts, 1).block,
    v6: compileIp(catalogue, verdicts, 4).block,
    hosts,
  };
}

/** Single addresses, which rise and are all different. */
function addressRows(words: 1 | 4, addresses: Iterable<number>): PrefixRows {
  const rows = createPrefixCollector(words);
  for (const address of [...new Set(addresses)].sort((a, b) => a - b)) {
    const row = new Uint32Array(words);
    row[0] = address;
    row[words - 1] = address;
    rows.add(row, 0, words * 32);
  }
  return rows.finish();
}

const octet = fc.integer({ min: 0, max: 255 });
const prefix4 = fc
  .tuple(octet, octet, octet, octet, fc.integer({ min: 8, max: 32 }))
  .map(([a, b, c, d, length]) => `ip:${a % 223}.${b}.${c}.${d}/${length}`)
  .map(networkText);
const prefix6 = fc
  .tuple(octet, octet, fc.integer({ min: 32, max: 128 }))
  .map(([a, b, length]) => networkText6(a, b, length));

/** The network of a prefix in text form: indicators have no host bits. */
function networkText(text: string): string {
  const [, address = '', length = ''] = /^ip:(.*)\/(\d+)$/.exec(text)!;
  const value = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - Number(length));
  const network = Math.floor(value / size) * size;
  const parts = [24, 16, 8, 0].map((shift) => Math.floor(network / 2 ** shift) % 256);
  return `ip:${parts.join('.')}/${length}`;
}

function networkText6(a: number, b: number, length: number): string {
  const bits = (0x20010db8n << 96n) | (BigInt(a) << 64n) | BigInt(b);
  const network = (bits >> BigInt(128 - length)) << BigInt(128 - length);
  const words = Array.from({ length: 8 }, (_, word) =>
    ((network >> BigInt(112 - word * 16)) & 0xffffn).toString(16),
  );
  return `ip:${words.join(':')}/${length}`;
}

const content = fc
  .record({
    v4: fc.array(prefix4, { maxLength: 300, size: 'max' }),
    v6: fc.array(prefix6, { maxLength: 60, size: 'max' }),
    hosts4: fc.array(fc.integer({ min: 0, max: 0xffffffff }), { maxLength: 250, size: 'max' }),
    hosts6: fc.array(fc.integer({ min: 0, max: 0xffffffff }), { maxLength: 30, size: 'max' }),
  })
  .map(({ v4, v6, hosts4, hosts6 }) =>
    contentOf([...v4, ...v6], {
      v4: addressRows(1, hosts4),
      v6: addressRows(4, hosts6),
      leftOut: 3,
    }),
  );

describe('the digest of an IP zone', () => {
  it('is the one that its records have in any order', () => {
    fc.assert(
      fc.property(content, fc.integer({ min: 0, max: 0xffffffff }), (random, at) => {
        const zone = ipZone(random, at);
        const records = recordsOf(zone);
        expect(digestOf(zone)).toBe(naiveZoneDigest(SETTINGS.origin, records.toReversed()));
      }),
      { numRuns: 40 },
    );
  });

  it('of an empty list has its empty pages in it', () => {
    const zone = ipZone(contentOf([]));
    expect(digestOf(zone)).toBe(naiveZoneDigest(SETTINGS.origin, recordsOf(zone)));
  });

  it('follows changes that reach some of its pages', () => {
    const random = createRandom(8_976);
    const address = () => random.below(2 ** 32);
    const held = new Set(Array.from({ length: 20_000 }, address));
    let v4 = pagesOf(addressRows(1, held));
    expect(v4.length).toBeGreaterThan(10);
    for (let change = 0; change < 5; change++) {
      const removed = [...held].slice(change * 3, change * 3 + 40);
      const added = Array.from({ length: 40 }, address).filter((row) => !held.has(row));
      for (const row of removed) held.delete(row);
      for (const row of added) held.add(row);
      v4 = applyPrefixDiff(v4, { removed: addressRows(1, removed), added: addressRows(1, added) });
      const zone = ipZone({ v4, v6: [], hosts: NO_HOSTS }, 1_000 + change);
      expect(digestOf(zone)).toBe(naiveZoneDigest(SETTINGS.origin, recordsOf(zone)));
    }
  });

  it('is another one for another origin, serial or TTL with the same content', () => {
    const zone = ipZone(contentOf(['ip:192.0.2.0/24', 'ip:2001:db8::/32']));
    const others: DigestedZone[] = [
      { ...zone, settings: { ...SETTINGS, origin: parseName('allow.corp.acme.sluice.internal.') } },
      { ...zone, serial: serial(4_000_000_001) },
      { ...zone, body: { ...zone.body, ttl: 121 } },
    ];
    const digests = [zone, ...others].map(digestOf);
    expect(new Set(digests).size).toBe(4);
    for (const [index, other] of others.entries()) {
      const naive = naiveZoneDigest(other.settings.origin, recordsOf(other));
      expect(digests[index + 1]).toBe(naive);
    }
  });

  it('comes in pieces of bounded size, with an index of two levels too', () => {
    const random = createRandom(3_123);
    const v4 = pagesOf(
      addressRows(
        1,
        Array.from({ length: 150_000 }, () => random.below(2 ** 32)),
      ),
    );
    expect(v4.length).toBeGreaterThan(100);
    const zone = ipZone({ v4, v6: [], hosts: NO_HOSTS });
    const records = recordsOf(zone);
    const pieces = [...digestInput(zone)];
    for (const { length } of pieces) expect(length).toBeLessThanOrEqual(DIGEST_CHUNK_OCTETS);
    expect(pieces.length).toBeGreaterThan(10);
    const digested = records.filter(({ type }) => type !== RRTYPE.ZONEMD);
    const octets = digested.reduce(
      (sum, { name, rdata }) => sum + name.length + 10 + rdata.length,
      0,
    );
    expect(pieces.reduce((sum, { length }) => sum + length, 0)).toBe(octets);
    expect(digestOf(zone)).toBe(naiveZoneDigest(SETTINGS.origin, records));
  });

  it('is the same when every piece is written over the one before', () => {
    const zone = ipZone(
      contentOf(Array.from({ length: 20_000 }, (_, i) => `ip:10.1.${i >> 7}.${(i * 2) & 255}/32`)),
    );
    expect([...digestInput(zone)].length).toBeGreaterThan(1);
    const room = new Uint8Array(DIGEST_CHUNK_OCTETS);
    const hash = createHash('sha384');
    for (const piece of digestInput(zone, () => room)) hash.update(piece);
    expect(hash.digest('hex')).toBe(digestOf(zone));
  });
});

describe('the digest of a catalog zone', () => {
  it('is the one that its records have in any order', () => {
    const member = fc.record({
      origin: fc.stringMatching(/^[a-z0-9]{1,8}\.(rpz|block|allow)\.sluice\.internal\.$/),
      group: fc.stringMatching(/^[a-z0-9-]{1,20}$/),
      newOwner: fc.option(fc.stringMatching(/^[a-z]{1,8}\.catalog\.$/)),
    });
    const members = fc.uniqueArray(member, {
      selector: ({ origin }) => origin,
      maxLength: 600,
      size: 'max',
    });
    fc.assert(
      fc.property(members, (list) => {
        const zone: DigestedZone = {
          settings: { ...SETTINGS, origin: parseName('catalog.sluice.internal.') },
          serial: serial(7),
          body: { kind: 'catalog', content: catalogOf(list), ttl: 60 },
        };
        const naive = naiveZoneDigest(zone.settings.origin, recordsOf(zone));
        expect(digestOf(zone)).toBe(naive);
      }),
      { numRuns: 15 },
    );
  });
});
