import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ParseFeedOptions } from '../../src/feeds/feed-content.ts';
import { fetchUpstream, type TransferSource } from '../../src/feeds/upstream/fetch-upstream.ts';
import {
  formatIndicator,
  INDICATOR_KINDS,
  type PackedIndicators,
} from '../../src/indicators/index.ts';
import {
  createTsigKey,
  keepPeersTidy,
  type Named,
  requirePeer,
  startNamed,
} from './peers/index.ts';

keepPeersTidy();

const RPZ = 'rpz.upstream.example';
const DNSBL = 'bl.upstream.example';
const BALLAST = 3_000;

const parse: ParseFeedOptions = {
  ownerOctetsMax: 159,
  linesMax: 1_000_000,
  indicatorsMax: 1_000_000,
  confidenceMin: null,
  nowMs: Date.now(),
  hashSeed: 1,
  guard: { names: [], prefixes: [], isPublicSuffix: () => false },
  namesAs: 'name',
  regexTimeMs: 1_000,
};

/** A response policy zone with a few rules that change and many that do not. */
function rpzText(serial: number, rules: readonly string[]): string {
  const ballast = Array.from({ length: BALLAST }, (_, at) => `ballast${at}.example CNAME .`);
  return [
    '$TTL 60',
    `@ SOA ns.upstream.example. hostmaster.upstream.example. ${serial} 900 300 1209600 60`,
    '@ NS localhost.',
    ...ballast,
    ...rules,
    '',
  ].join('\n');
}

const DNSBL_TEXT = [
  '$TTL 60',
  '@ SOA ns.upstream.example. hostmaster.upstream.example. 1 900 300 1209600 60',
  '@ NS localhost.',
  '2.0.0.127 A 127.0.0.2',
  '7.113.0.203 A 127.0.0.2',
  '7.113.0.203 TXT "seen scanning"',
  'evil.example A 127.0.1.2',
  '',
].join('\n');

function textsOf(packed: PackedIndicators): string[] {
  const texts: string[] = [];
  let from = 0;
  for (let index = 0; index < packed.count; index++) {
    const key = packed.keys.subarray(from, packed.ends[index]);
    texts.push(formatIndicator(INDICATOR_KINDS[packed.kinds[index]], key));
    from = packed.ends[index];
  }
  return texts.sort();
}

describe.skipIf(!requirePeer('named', 'dig'))('a zone of BIND as the source of a feed', () => {
  const key = createTsigKey('upstream.key');
  let primary: Named;

  beforeAll(async () => {
    const rules = [
      'evil.example CNAME .',
      '*.evil.example CNAME .',
      '32.7.113.0.203.rpz-ip CNAME .',
    ];
    primary = await startNamed({
      primaries: [
        { zone: RPZ, text: rpzText(1, rules), key },
        { zone: DNSBL, text: DNSBL_TEXT },
      ],
    });
  });
  afterAll(() => primary?.stop());

  const fetch = (have: number | null, source: Partial<TransferSource> = {}) =>
    fetchUpstream({
      source: {
        kind: 'transfer',
        zone: `${RPZ}.`,
        form: 'rpz',
        address: primary.address,
        port: primary.port,
        key: { name: key.name, algorithm: 'hmac-sha256', secret: key.secret },
        ...source,
      },
      have,
      parse,
      octetsMax: 10_000_000,
      idleMs: 5_000,
      signal: AbortSignal.timeout(20_000),
      onOctets: () => {},
    });

  it('comes whole and signed at first, and then is current', async () => {
    const first = await fetch(null);
    if (first.kind !== 'content') throw new Error('nothing came');
    const texts = textsOf(first.content.packed);
    expect(first).toMatchObject({ serial: 1, incremental: false });
    expect(texts).toHaveLength(BALLAST + 3);
    expect(texts).toEqual(
      expect.arrayContaining(['host:evil.example', '*.evil.example', '203.0.113.7']),
    );
    expect(await fetch(1)).toEqual({ kind: 'current', serial: 1 });
  });

  it('tells by IXFR what came and what went', async () => {
    const rules = [
      'evil.example CNAME .',
      'fresh.example CNAME *.',
      'passed.example CNAME rpz-passthru.',
    ];
    await primary.replaceZone(RPZ, rpzText(2, rules));
    const next = await fetch(1);
    if (next.kind !== 'content') throw new Error('nothing came');
    expect(next).toMatchObject({ serial: 2, incremental: true });
    expect(textsOf(next.content.packed)).toEqual(['host:fresh.example']);
    expect(textsOf(next.content.withdrawn)).toEqual([
      '*.evil.example',
      '203.0.113.7',
      'host:passed.example',
    ]);
  });

  it('is asked for whole when single records of several have changed', async () => {
    const data = (last: number) => ['local.example A 192.0.2.1', `local.example A 192.0.2.${last}`];
    await primary.replaceZone(RPZ, rpzText(3, data(2)));
    await primary.replaceZone(RPZ, rpzText(4, data(3)));
    const next = await fetch(3);
    if (next.kind !== 'content') throw new Error('nothing came');
    expect(next).toMatchObject({ serial: 4, incremental: false });
    expect(textsOf(next.content.packed)).toContain('host:local.example');
  });

  it('is refused without its key, and with a wrong one nothing is believed', async () => {
    await expect(fetch(null, { key: null })).rejects.toMatchObject({ reason: 'refused' });
    const wrong = { ...createTsigKey(key.name), algorithm: 'hmac-sha256' } as const;
    await expect(
      fetch(null, { key: { name: wrong.name, algorithm: 'hmac-sha256', secret: wrong.secret } }),
    ).rejects.toMatchObject({ reason: 'signature' });
    await expect(fetch(null, { port: 1 })).rejects.toMatchObject({ reason: 'connect' });
  });

  it('may list addresses and names as RFC 5782 says', async () => {
    const list = await fetch(null, { zone: `${DNSBL}.`, form: 'dnsbl', key: null });
    if (list.kind !== 'content') throw new Error('nothing came');
    expect(textsOf(list.content.packed)).toEqual(['203.0.113.7', 'evil.example']);
  });
});
