import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { formatRdata, parseName } from '../../src/dns/index.ts';
import { Catalogue } from '../../src/indicators/index.ts';
import type { Action } from '../../src/policy/index.ts';
import { createVerdicts } from '../../src/policy/index.ts';
import { RENDERING_VERSION } from '../../src/publish/zone-build.ts';
import {
  compileIp,
  compileRpz,
  createActionTable,
  createRpzRendering,
  encodeRules,
  IP_ACTION,
  ipRrsets,
  RPZ_START,
} from '../../src/zone/index.ts';
import { noPrefixes } from '../../src/zone/prefix-rows.ts';
import { membersOf, type Source } from '../property/policy-model.ts';

/** Enough of everything that rendering decides: nesting, every action, pages, buckets, groups. */
function sources(): Source[] {
  const base = { tier: 'target-block', severity: 3 } as const;
  const names = Array.from({ length: 400 }, (_, index) => `name:n${index}.k${index % 7}.example`);
  const addresses = Array.from(
    { length: 6_000 },
    (_, index) => `ip:10.${index % 200}.${(index * 7) % 256}.${(index * 13) % 256}/32`,
  );
  const local: Action = {
    kind: 'local-data',
    records: [
      { type: 'A', data: '192.0.2.1' },
      { type: 'TXT', data: '"blocked"' },
    ],
  };
  return [
    { ...base, action: { kind: 'nxdomain' }, indicators: [...names, ...new Set(addresses)] },
    { ...base, action: { kind: 'nodata' }, indicators: ['wildcard:k1.example', 'ip:10.0.0.0/12'] },
    { ...base, action: { kind: 'drop' }, indicators: ['host:drop.example'] },
    { ...base, action: { kind: 'tcp-only' }, indicators: ['name:tcp.example'] },
    {
      ...base,
      action: { kind: 'redirect', to: 'garden.example.' },
      indicators: ['name:go.example'],
    },
    { ...base, action: local, indicators: ['name:local.example'] },
    {
      tier: 'list-allow',
      severity: 5,
      action: { kind: 'allow' },
      indicators: ['name:n5.k5.example', 'ip:10.1.0.0/20'],
    },
  ];
}

function rpzDigest(): string {
  const catalogue = new Catalogue();
  const rendering = createRpzRendering(60, createActionTable([]));
  const verdicts = createVerdicts(catalogue, membersOf(catalogue, sources()), rendering.numberOf);
  const content = compileRpz(catalogue, verdicts);
  const buffer = new Uint8Array(2 ** 20);
  const encoded = encodeRules({
    catalogue,
    content,
    rendering,
    from: RPZ_START,
    to: null,
    buffer,
    messageStart: 0,
    at: 50,
    limit: buffer.length,
  });
  expect(encoded.next).toBeNull();
  return createHash('sha256').update(buffer.subarray(50, encoded.at)).digest('hex');
}

function ipDigest(): string {
  const catalogue = new Catalogue();
  const number = ({ kind }: Action) => (kind === 'allow' ? IP_ACTION.allow : IP_ACTION.block);
  const verdicts = createVerdicts(catalogue, membersOf(catalogue, sources()), number);
  const hosts = { v4: noPrefixes(1), v6: noPrefixes(4), leftOut: 0 };
  const v4 = compileIp(catalogue, verdicts, 1);
  const v6 = compileIp(catalogue, verdicts, 4);
  const hash = createHash('sha256');
  for (const side of ['block', 'allow'] as const) {
    const content = { v4: v4[side], v6: v6[side], hosts };
    for (const { labels, type, rdatas } of ipRrsets(content, parseName('z.example.'), 60)) {
      for (const rdata of rdatas) hash.update(labels).update(formatRdata(type, rdata));
    }
  }
  return hash.digest('hex');
}

describe('the rendering version', () => {
  /**
   * A zone that is compiled at start is taken for what was served under its serial when this number
   * is the same. So whoever changes what the same members are rendered to must raise it, and then
   * write the new digests here.
   */
  it('stands for exactly these octets', () => {
    expect({ version: RENDERING_VERSION, rpz: rpzDigest(), ip: ipDigest() }).toEqual({
      version: 2,
      rpz: '6d80cfebf48c5384509acb8951f46d45dea1a585bc8088a4b2537b16fa6ccf94',
      ip: '4318a7cee1d7e7a9c9c2b3413ee7ad041d9153207f4e54bd6a5db4f8351312a3',
    });
  });
});
