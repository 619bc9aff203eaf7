import { BlockList, isIP } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  loadBuiltInTargets,
  loadSampleCatalogue,
  type SampleBundle,
  type SampleTarget,
} from '../../src/config/index.ts';
import { INDICATOR_KINDS, parseIndicator } from '../../src/indicators/index.ts';
import { DANGER_LEVELS } from '../../src/policy/model.ts';

const ZONES = join(import.meta.dirname, '../../zones');
const catalogue = loadSampleCatalogue(ZONES);
const builtIn = loadBuiltInTargets(ZONES);
const everyTarget = [...catalogue.targets, ...builtIn];

/** RFC 5737 and RFC 3849. */
const DOCUMENTATION = new BlockList();
for (const network of ['192.0.2.0', '198.51.100.0', '203.0.113.0']) {
  DOCUMENTATION.addSubnet(network, 24, 'ipv4');
}
DOCUMENTATION.addSubnet('2001:db8::', 32, 'ipv6');

function isDocumentationAddress(address: string): boolean {
  const family = isIP(address);
  return family !== 0 && DOCUMENTATION.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

/** `192.0.2.1`, `192.0.2.0/24` or a range: all of it in documentation space. */
function isDocumentationRange(value: string): boolean {
  const [address, length] = value.split('/');
  if (length !== undefined && Number(length) < (isIP(address) === 4 ? 24 : 32)) return false;
  return address.split('-').every(isDocumentationAddress);
}

/** RFC 2606: below `example`, or below one of the three second-level names. Never these themselves. */
function isDocumentationName(name: string): boolean {
  return /^([a-z0-9_-]+\.)+example$|^([a-z0-9_-]+\.)+example\.(com|net|org)$/.test(name);
}

function indicatorLines({ lines }: SampleTarget): string[] {
  return lines.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

/** Kind and value, read here anew, so that the check does not rest on what it checks. */
function written(line: string): { kind: string; value: string } {
  const explicit = /^([a-z]+):(?=[a-z0-9*])(.*)$/.exec(line);
  if (explicit !== null && INDICATOR_KINDS.some((kind) => kind === explicit[1])) {
    return { kind: explicit[1], value: explicit[2] };
  }
  if (line.startsWith('*.')) return { kind: 'wildcard', value: line.slice(2) };
  return { kind: /^[0-9a-f:./-]+$/.test(line) && /^\d|:/.test(line) ? 'ip' : 'name', value: line };
}

function matches({ filter }: SampleBundle, { attributes, partner }: SampleTarget): boolean {
  const among = (allowed: readonly string[] | undefined, values: readonly string[]) =>
    allowed === undefined || values.some((value) => allowed.includes(value));
  return (
    attributes.severity >= (filter.severityMin ?? 0) &&
    attributes.severity <= (filter.severityMax ?? 5) &&
    attributes.confidence >= (filter.confidenceMin ?? 0) &&
    attributes.risk >= (filter.riskMin ?? 0) &&
    among(filter.danger, [attributes.danger]) &&
    among(filter.iocType, [attributes.iocType]) &&
    among(filter.threatType, [attributes.threatType]) &&
    among(filter.trafficType, [attributes.trafficType]) &&
    among(filter.tags, attributes.tags) &&
    (filter.partner === undefined || filter.partner === partner)
  );
}

function kindsOf(target: SampleTarget): Set<string> {
  return new Set(indicatorLines(target).map((line) => written(line).kind));
}

describe('the targets of the sample catalogue', () => {
  it('are more than a dozen, each of a few dozen to a few hundred lines', () => {
    expect(catalogue.targets.length).toBeGreaterThanOrEqual(14);
    for (const target of catalogue.targets) {
      const { length } = indicatorLines(target);
      expect(length, target.file).toBeGreaterThanOrEqual(24);
      expect(length, target.file).toBeLessThanOrEqual(400);
    }
  });

  it.each(everyTarget.map((target) => [target.name, target] as const))(
    '%s: names and addresses are from documentation ranges only',
    (_, target) => {
      const real = indicatorLines(target).filter((line) => {
        const { kind, value } = written(line);
        const isAddress = kind === 'ip' || kind === 'nsip' || kind === 'clientip';
        return isAddress ? !isDocumentationRange(value) : !isDocumentationName(value);
      });
      expect(real).toEqual([]);
    },
  );

  it.each(everyTarget.map((target) => [target.name, target] as const))(
    '%s: every line is an indicator of the kind that it looks like, and none comes twice',
    (_, target) => {
      const lines = indicatorLines(target);
      const parsed = lines.map((line) =>
        parseIndicator(line, { ownerOctetsMax: 180, isPublicSuffix: () => false }),
      );
      const kinds = parsed.map((each) => (each.ok ? each.indicators[0].kind : each.reason));
      expect(kinds).toEqual(lines.map((line) => written(line).kind));
      expect(new Set(lines).size).toBe(lines.length);
    },
  );

  it('use every kind of indicator, and addresses of both families', () => {
    const lines = catalogue.targets.flatMap(indicatorLines);
    expect(new Set(lines.map((line) => written(line).kind))).toEqual(new Set(INDICATOR_KINDS));
    for (const kind of ['ip', 'nsip', 'clientip']) {
      const families = lines
        .map(written)
        .filter((each) => each.kind === kind)
        .map(({ value }) => isIP(value.split(/[/-]/)[0]));
      expect(new Set(families), kind).toEqual(new Set([4, 6]));
    }
    expect(lines.some((line) => line.includes('-') && written(line).kind === 'ip')).toBe(true);
  });

  it('spread over the whole range of every attribute', () => {
    const attributes = catalogue.targets.map((target) => target.attributes);
    const distinct = (key: keyof (typeof attributes)[number]) =>
      new Set(attributes.flatMap((each) => each[key]));
    expect(distinct('severity')).toEqual(new Set([0, 1, 2, 3, 4, 5]));
    expect(distinct('danger')).toEqual(new Set(DANGER_LEVELS));
    expect(distinct('trafficType')).toEqual(new Set(['inbound', 'outbound', 'both']));
    expect(distinct('confidence').size).toBeGreaterThanOrEqual(6);
    expect(distinct('risk').size).toBeGreaterThanOrEqual(6);
    expect(distinct('iocType').size).toBeGreaterThanOrEqual(4);
    expect(distinct('threatType').size).toBeGreaterThanOrEqual(10);
    expect(distinct('tags').size).toBeGreaterThanOrEqual(15);
  });

  it('have one allow list and one partner target among them', () => {
    const names = (chosen: (target: SampleTarget) => boolean) =>
      catalogue.targets.filter(chosen).map(({ name }) => name);
    expect(names((target) => target.supportsAllow)).toEqual(['Allowed partners']);
    expect(names((target) => target.partner)).toEqual(['Targeted attacks (partner)']);
  });

  it('keep their files whole, so that line numbers are those of the file', () => {
    const phishing = catalogue.targets.find(({ name }) => name === 'Phishing');
    expect(phishing?.lines.split('\n')[0]).toBe('# name: Phishing');
  });
});

describe('the built-in canary', () => {
  it('is one name and one address of each family', () => {
    expect(builtIn.map(({ name }) => name)).toEqual(['Canary']);
    expect(indicatorLines(builtIn[0])).toEqual([
      'canary.sluice.example',
      '192.0.2.53',
      '2001:db8::53',
    ]);
  });

  it('is covered by no other target, so that it is seen for itself', () => {
    const covering = catalogue.targets.flatMap(indicatorLines).filter((line) => {
      const { kind, value } = written(line);
      if (kind !== 'ip') return 'canary.sluice.example'.endsWith(value);
      const list = new BlockList();
      const [address, rest = ''] = value.split(/[/-]/);
      const family = isIP(address) === 4 ? 'ipv4' : 'ipv6';
      if (value.includes('/')) list.addSubnet(address, Number(rest), family);
      else list.addRange(address, rest || address, family);
      return list.check('192.0.2.53', 'ipv4') || list.check('2001:db8::53', 'ipv6');
    });
    expect(covering).toEqual([]);
  });
});

describe('the bundles, policies and devices of the sample catalogue', () => {
  it('each bundle holds several targets, but not all', () => {
    expect(catalogue.bundles).toHaveLength(4);
    for (const bundle of catalogue.bundles) {
      const held = catalogue.targets.filter((target) => matches(bundle, target));
      expect(held.length, bundle.name).toBeGreaterThanOrEqual(2);
      expect(held.length, bundle.name).toBeLessThan(catalogue.targets.length / 2);
    }
  });

  it('the bundles together use every condition that a filter knows', () => {
    const conditions = catalogue.bundles.flatMap(({ filter }) => Object.keys(filter));
    expect(new Set(conditions)).toEqual(
      new Set([
        'severityMin',
        'severityMax',
        'confidenceMin',
        'riskMin',
        'danger',
        'iocType',
        'threatType',
        'trafficType',
        'tags',
        'partner',
      ]),
    );
  });

  it('no bundle brings a partner target or the allow list into a policy', () => {
    const brought = catalogue.targets.filter((target) =>
      catalogue.bundles.some((bundle) => matches(bundle, target)),
    );
    expect(brought.filter((target) => target.partner || target.supportsAllow)).toEqual([]);
  });

  it('no policy attaches a partner target, which predefined ones would leave out', () => {
    const partners = catalogue.targets.filter(({ partner }) => partner).map(({ name }) => name);
    expect(partners).not.toEqual([]);
    for (const { name, attachments } of catalogue.policies) {
      const attached = attachments.filter(({ kind }) => kind === 'target');
      expect(
        attached.filter((target) => partners.includes(target.name)),
        name,
      ).toEqual([]);
    }
  });

  it('there are policies of both types, and together they use every action', () => {
    const types = catalogue.policies.map(({ type }) => type).sort();
    expect(types).toEqual(['dns', 'dns', 'ip', 'ip']);
    const actions = catalogue.policies.flatMap(({ attachments }) =>
      attachments.map(({ action }) => action.kind),
    );
    expect(new Set(actions)).toEqual(
      new Set([
        'allow',
        'block',
        'drop',
        'nxdomain',
        'nodata',
        'tcp-only',
        'redirect',
        'local-data',
      ]),
    );
  });

  it('an IP policy attaches only what has addresses', () => {
    for (const { name, attachments } of catalogue.policies.filter(({ type }) => type === 'ip')) {
      for (const { kind, name: attached } of attachments) {
        const targets = catalogue.targets.filter((target) =>
          kind === 'target'
            ? target.name === attached
            : catalogue.bundles.some((each) => each.name === attached && matches(each, target)),
        );
        const withAddresses = targets.filter((target) => kindsOf(target).has('ip'));
        expect(withAddresses.length, `${name}: ${attached}`).toBeGreaterThan(0);
      }
    }
  });

  // Interop.md: Unbound 1.17.1 crashes on TCP-ONLY with these triggers and mishandles CNAMEs there.
  it('only name triggers are redirected or sent to TCP', () => {
    for (const { attachments } of catalogue.policies) {
      for (const { kind, name, action } of attachments) {
        if (!['tcp-only', 'redirect', 'local-data'].includes(action.kind)) continue;
        expect(kind, name).toBe('target');
        const target = catalogue.targets.find((each) => each.name === name);
        const kinds = target === undefined ? ['none'] : [...kindsOf(target)];
        expect(
          kinds.every((each) => ['name', 'host', 'wildcard'].includes(each)),
          name,
        ).toBe(true);
      }
    }
  });

  it('the devices are a resolver and a firewall on this machine, known by their addresses', () => {
    const facts = catalogue.devices.map(({ name, type, sources }) => [name, type, sources]);
    expect(facts).toEqual([
      ['resolver', 'dns', ['127.0.0.0/8', '::1/128']],
      ['firewall', 'ip', ['127.0.0.0/8', '::1/128']],
    ]);
    for (const { policy, type } of catalogue.devices) {
      expect(catalogue.policies.find(({ name }) => name === policy)?.type).toBe(type);
    }
  });
});
