import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatName, formatRdata, parseName, serial } from '../../src/dns/index.ts';
import { Catalogue, idSetFrom, idsOf, packIndicators } from '../../src/indicators/index.ts';
import type { Action } from '../../src/policy/index.ts';
import { createVerdicts, NO_ACTION } from '../../src/policy/index.ts';
import {
  compileIp,
  compileRpz,
  createActionTable,
  createRpzRendering,
  IP_ACTION,
  ipRrsets,
  type PositionedRecord,
  recordsOf,
  removedRecords,
  type ZoneBody,
  type ZoneSettings,
} from '../../src/zone/index.ts';
import { noPrefixes } from '../../src/zone/prefix-rows.ts';
import { NO_STATE, rpzState } from '../../src/zone/rpz-content.ts';
import { recordLines, sampleLines, zoneText } from '../../src/zone/zone-text.ts';
import { membersOf, type Source } from '../property/policy-model.ts';

const ORIGIN = parseName('rpz.corp.acme.sluice.internal.');
const SETTINGS: ZoneSettings = {
  origin: ORIGIN,
  primary: parseName('ns.sluice.internal.'),
  hostmaster: parseName('hostmaster.sluice.internal.'),
  refresh: 900,
  retry: 300,
  expire: 1_209_600,
  minimum: 60,
  apexTtl: 30,
};
const SERIAL = serial(4_000_000_000);
const NXDOMAIN: Action = { kind: 'nxdomain' };

function block(...indicators: string[]): Source {
  return { tier: 'target-block', severity: 3, action: NXDOMAIN, indicators };
}

function rpzOf(...sources: Source[]): { catalogue: Catalogue; body: ZoneBody & { kind: 'rpz' } } {
  const catalogue = new Catalogue();
  const rendering = createRpzRendering(60, createActionTable([]));
  const verdicts = createVerdicts(catalogue, membersOf(catalogue, sources), rendering.numberOf);
  return {
    catalogue,
    body: { kind: 'rpz', content: compileRpz(catalogue, verdicts), rendering },
  };
}

function ipOf(...sources: Source[]): ZoneBody & { kind: 'ip' } {
  const catalogue = new Catalogue();
  const number = ({ kind }: Action) => (kind === 'allow' ? IP_ACTION.allow : IP_ACTION.block);
  const verdicts = createVerdicts(catalogue, membersOf(catalogue, sources), number);
  const hosts = { v4: noPrefixes(1), v6: noPrefixes(4), leftOut: 0 };
  const v4 = compileIp(catalogue, verdicts, 1).block;
  const v6 = compileIp(catalogue, verdicts, 4).block;
  return { kind: 'ip', side: 'block', ttl: 120, content: { v4, v6, hosts } };
}

function textOf(body: ZoneBody, catalogue = new Catalogue()): string {
  const chunks = zoneText({ settings: SETTINGS, serial: SERIAL, body, digest: null }, catalogue);
  return Buffer.concat([...chunks]).toString('latin1');
}

/** Every rule of an RPZ zone, by another way than its text takes. */
function rulesOf({ catalogue, body }: ReturnType<typeof rpzOf>): PositionedRecord[] {
  const all = [...body.content].map(([from, ids]) => ({ from, to: NO_STATE, ids: idsOf(ids) }));
  return [...removedRecords(all, catalogue, body.rendering)];
}

/** Reads the owner of each line below the second `$TTL` back to wire form. */
function readRules(text: string): string[] {
  const [, rules = ''] = text.split(/^\$TTL 60\n/m);
  const lines = rules.split('\n').slice(0, -1);
  return lines.map((line) => {
    const space = line.indexOf(' ');
    const owner = parseName(line.slice(0, space), ORIGIN);
    return `${Buffer.from(owner).toString('hex')}${line.slice(space)}`;
  });
}

function expectedRules(records: readonly PositionedRecord[]): string[] {
  return records.map(({ labels, tail }) => {
    const type = (tail[0]! << 8) | tail[1]!;
    const name = { 1: 'A', 5: 'CNAME', 16: 'TXT', 28: 'AAAA' }[type];
    const owner = Buffer.from(concatName(labels, ORIGIN)).toString('hex');
    return `${owner} ${name} ${formatRdata(type, tail.subarray(10))}`;
  });
}

describe('a zone as text', () => {
  it('begins with origin, TTL and apex, and then has the rules with relative owners', () => {
    const zone = rpzOf(block('name:evil.example', 'host:one.example', 'wildcard:low.example'));
    expect(textOf(zone.body, zone.catalogue).split('\n')).toEqual([
      '$ORIGIN rpz.corp.acme.sluice.internal.',
      '$TTL 30',
      '@ IN SOA ns.sluice.internal. hostmaster.sluice.internal. 4000000000 900 300 1209600 60',
      '@ IN NS localhost.',
      '$TTL 60',
      '*.low.example CNAME .',
      'one.example CNAME .',
      'evil.example CNAME .',
      '*.evil.example CNAME .',
      '',
    ]);
  });

  it('of an empty policy is its apex alone', () => {
    expect(textOf(rpzOf().body)).toMatch(/NS localhost\.\n\$TTL 60\n$/);
    expect(textOf(ipOf())).toContain('\n0.v4 APL \\# 0\n');
  });

  it('escapes what means something in zone files, so that every owner reads back to its octets', () => {
    const octet = fc.integer({ min: 0, max: 255 }).filter((value) => value < 65 || value > 90);
    const label = fc.array(octet, { minLength: 1, maxLength: 12 });
    const key = fc
      .array(label, { minLength: 1, maxLength: 4 })
      .map((labels) => Uint8Array.from(labels.flatMap((octets) => [octets.length, ...octets])));
    fc.assert(
      fc.property(fc.array(key, { maxLength: 20 }), (keys) => {
        const catalogue = new Catalogue();
        const hosts = packIndicators(keys.map((owner) => ({ kind: 'host', key: owner })));
        const ids = idSetFrom(catalogue.intern(hosts).exact);
        const rendering = createRpzRendering(60, createActionTable([]));
        const state = rpzState(rendering.numberOf(NXDOMAIN), NO_ACTION);
        const content = new Map(ids.size === 0 ? [] : [[state, ids] as const]);
        const body = { kind: 'rpz', content, rendering } as const;
        const text = textOf(body, catalogue);
        expect(text).toMatch(/^[\n -~]*$/);
        expect(readRules(text).sort()).toEqual(expectedRules(rulesOf({ catalogue, body })).sort());
      }),
      { numRuns: 100 },
    );
  });

  it('has every record of every action, also where they stand in several pieces', () => {
    const local: Action = {
      kind: 'local-data',
      records: [
        { type: 'A', data: '192.0.2.1' },
        { type: 'AAAA', data: '2001:db8::1' },
        { type: 'TXT', data: `"see ${'\\"; \\\\'.repeat(10)}"` },
      ],
    };
    const names = Array.from(
      { length: 9_000 },
      (_, index) => `name:n${index}.k${index % 9}.example`,
    );
    const zone = rpzOf(
      block(
        ...names,
        'ip:192.0.2.0/24',
        'ip:2001:db8::/32',
        'nsname:ns.example',
        'clientip:10.1.2.3/32',
      ),
      { ...block('name:local.example', 'name:k3.example'), action: local },
      { ...block('name:n5.k5.example'), tier: 'list-allow', action: { kind: 'allow' } },
      { ...block('wildcard:k4.example'), action: { kind: 'redirect', to: '*.garden.example.' } },
    );
    const chunks = [
      ...zoneText(
        { settings: SETTINGS, serial: SERIAL, body: zone.body, digest: null },
        zone.catalogue,
      ),
    ];
    expect(chunks.length).toBeGreaterThan(5);
    for (const chunk of chunks) expect(chunk.length).toBeLessThanOrEqual(64 * 1024);
    const text = Buffer.concat(chunks).toString('latin1');
    expect(readRules(text).sort()).toEqual(expectedRules(rulesOf(zone)).sort());
    expect(text).toContain('\n24.0.2.0.192.rpz-ip CNAME .\n');
    expect(text).toContain('\n32.zz.db8.2001.rpz-ip CNAME .\n');
  });

  it('makes room for one rule that is longer than a piece', () => {
    const records = Array.from({ length: 60 }, (_, index) => ({
      type: 'TXT' as const,
      data: Array.from({ length: 6 }, () => `"${index}${'\\001'.repeat(40)}"`).join(' '),
    }));
    const zone = rpzOf({
      ...block('name:a.example', 'name:b.example'),
      action: { kind: 'local-data', records },
    });
    const chunks = [
      ...zoneText(
        { settings: SETTINGS, serial: SERIAL, body: zone.body, digest: null },
        zone.catalogue,
      ),
    ];
    expect(Math.max(...chunks.map(({ length }) => length))).toBeGreaterThan(64 * 1024);
    const text = Buffer.concat(chunks).toString('latin1');
    expect(readRules(text)).toHaveLength(4 * records.length);
  });

  it('of an IP zone has its index and pages', () => {
    const addresses = Array.from(
      { length: 5_000 },
      (_, index) => `ip:10.${index % 200}.${(index * 7) % 256}.${(index * 13) % 256}/32`,
    );
    const body = ipOf(block(...new Set(addresses), 'ip:2001:db8::/32'));
    const text = textOf(body);
    const records = [...ipRrsets(body.content, ORIGIN, body.ttl)].flatMap((rrset) => [
      ...recordsOf(rrset),
    ]);
    const lines = [...recordLines(records, null)].map((line) => line.replace(' 120 IN ', ' '));
    expect(text.split('\n$TTL 120\n')[1]).toBe(`${lines.join('\n')}\n`);
    expect(text).toMatch(/\nindex\.v4 PTR 0\.v4\.rpz\.corp\.acme\.sluice\.internal\.\n/);
    expect(text).toContain('\n0.v6 APL 2:2001:db8::/32\n');
    expect(text).toMatch(/^@ IN TXT "v=1 side=block /m);
  });
});

describe('single records as lines', () => {
  it('are absolute below an origin, and relative without one', () => {
    const zone = rpzOf(block('name:evil.example'));
    const records = rulesOf(zone);
    expect([...recordLines(records, ORIGIN)]).toEqual([
      'evil.example.rpz.corp.acme.sluice.internal. 60 IN CNAME .',
      '*.evil.example.rpz.corp.acme.sluice.internal. 60 IN CNAME .',
    ]);
    expect(sampleLines(records, null, 1)).toEqual(['evil.example 60 IN CNAME .']);
  });
});
