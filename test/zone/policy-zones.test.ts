import { describe, expect, it } from 'vitest';
import { Catalogue } from '../../src/indicators/index.ts';
import type { Policy } from '../../src/policy/model.ts';
import {
  applyIpDiff,
  applyRpzDiff,
  type CompiledPolicy,
  compilePolicy,
  createActionTable,
  createRpzRendering,
  type PolicyDiff,
  updatePolicy,
} from '../../src/zone/index.ts';
import { atOnce } from '../../src/zone/steps.ts';
import { membersOf, type Source } from '../property/policy-model.ts';

const rendering = createRpzRendering(60, createActionTable([]));

/** More than the number from which a policy is compiled anew instead of by what changed. */
const MANY = 12_000;

function source(kind: 'block' | 'allow' | 'nxdomain', indicators: string[]): Source {
  const tier = kind === 'allow' ? 'target-allow' : 'target-block';
  return { tier, severity: 3, action: { kind }, indicators };
}

function policy(type: Policy['type']): Policy {
  return { type, hostsMax: type === 'ip' ? 50 : null } as Policy;
}

/** Addresses with gaps and neighbours, some of them twice as networks. */
function addresses(count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, index) => {
    const number = (from + index) * 3 - (index % 2);
    return `ip:10.${(number >>> 16) & 255}.${(number >>> 8) & 255}.${number & 255}/32`;
  });
}

function names(count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, index) => `name:n${from + index}.k${index % 7}.example`);
}

const ALLOWED = ['ip:10.0.4.0/24', 'ip:10.0.128.7/32', 'ip:2001:db8::7/128'];
const NETWORKS = ['ip:10.0.128.0/20', 'ip:2001:db8::/48'];

/** Before and after a change, as sources of one catalogue. */
const CHANGES: [title: string, type: Policy['type'], before: Source[], after: Source[]][] = [
  [
    'a list that comes',
    'ip',
    [source('block', addresses(1)), source('allow', ALLOWED)],
    [source('block', [...addresses(MANY), ...NETWORKS]), source('allow', ALLOWED)],
  ],
  [
    'a list that goes',
    'ip',
    [source('block', [...addresses(MANY), ...NETWORKS]), source('allow', ALLOWED)],
    [source('block', addresses(5, 6_000)), source('allow', ALLOWED)],
  ],
  [
    'a list that gives way to another',
    'ip',
    [source('block', addresses(MANY)), source('allow', ALLOWED)],
    [source('block', addresses(MANY, 8_000)), source('allow', ALLOWED.slice(1))],
  ],
  [
    'names that come',
    'dns',
    [source('nxdomain', names(1))],
    [source('nxdomain', [...names(MANY), 'name:k1.example'])],
  ],
];

describe('a change of most of a policy', () => {
  it.each(CHANGES)('is what the policy is from nothing: %s', (_title, type, before, after) => {
    const catalogue = new Catalogue();
    const first = membersOf(catalogue, before);
    const second = membersOf(catalogue, after);
    const compiled = atOnce(compilePolicy(catalogue, policy(type), first, rendering));

    const update = atOnce(updatePolicy(catalogue, policy(type), compiled, second));

    const expected = atOnce(compilePolicy(catalogue, policy(type), second, rendering));
    expect(contentsOf(update.compiled)).toEqual(contentsOf(expected));
    expect(applied(compiled, update)).toEqual(contentsOf(expected));
  });

  it('says nothing of a zone that stays', () => {
    const catalogue = new Catalogue();
    const allow = source('allow', ALLOWED.slice(-1));
    const first = membersOf(catalogue, [source('block', addresses(MANY)), allow]);
    const second = membersOf(catalogue, [source('block', addresses(MANY, 6_000)), allow]);
    const compiled = atOnce(compilePolicy(catalogue, policy('ip'), first, rendering));

    const update = atOnce(updatePolicy(catalogue, policy('ip'), compiled, second));

    expect(update).toMatchObject({ kind: 'ip', lists: { allow: null } });
    expect(contentsOf(update.compiled)[1]).toBe(contentsOf(compiled)[1]);
  });
});

function contentsOf(compiled: CompiledPolicy): unknown[] {
  return compiled.kind === 'dns'
    ? [compiled.content]
    : [compiled.contents.block, compiled.contents.allow];
}

/** What the difference makes of the contents before. */
function applied(before: CompiledPolicy, update: PolicyDiff): unknown[] {
  if (before.kind === 'dns' && update.kind === 'dns') {
    return [update.moves === null ? before.content : applyRpzDiff(before.content, update.moves)];
  }
  if (before.kind !== 'ip' || update.kind !== 'ip')
    throw new Error('the kind of a policy is fixed');
  const { lists } = update;
  return (['block', 'allow'] as const).map((side) => {
    const diff = lists[side];
    return diff === null ? before.contents[side] : applyIpDiff(before.contents[side], diff);
  });
}
