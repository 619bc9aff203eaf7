import fc from 'fast-check';
import type { Catalogue } from '../../src/indicators/catalogue.ts';
import { idSetFrom } from '../../src/indicators/id-set-codec.ts';
import type { IndicatorKind } from '../../src/indicators/indicator.ts';
import { packIndicators } from '../../src/indicators/pack-indicators.ts';
import { parseIndicator } from '../../src/indicators/parse-indicator.ts';
import { type Action, compareActions } from '../../src/policy/action.ts';
import type { MemberSets } from '../../src/policy/member-sets.ts';
import { type Member, TIERS, type Tier } from '../../src/policy/members.ts';
import type { TargetId } from '../../src/policy/model.ts';

/** A target or list of a generated policy: indicators as text. */
export interface Source {
  readonly tier: Tier;
  readonly severity: number;
  readonly action: Action;
  readonly indicators: readonly string[];
}

const PARSE = {
  ownerOctetsMax: 150,
  confirmBroad: true,
  confirmRoot: true,
  isPublicSuffix: () => false,
};

export function packLines(lines: readonly string[]) {
  return packIndicators(
    lines.flatMap((line) => {
      const parsed = parseIndicator(line, PARSE);
      if (!parsed.ok) throw new Error(`${line}: ${parsed.reason}`);
      return parsed.indicators;
    }),
  );
}

/** Members in the order that `resolveMembers` gives them. */
export function membersOf(catalogue: Catalogue, sources: readonly Source[]): Member[] {
  return sources
    .map((source, index): Member => {
      const ids = catalogue.intern(packLines(source.indicators));
      const sets: MemberSets = {
        subtree: idSetFrom(ids.subtree),
        exact: idSetFrom(ids.exact),
        below: idSetFrom(ids.below),
        prefix: idSetFrom(ids.prefix),
      };
      const { tier, severity, action } = source;
      const id = index as TargetId;
      return {
        source: { kind: 'target', id, name: `t${index}` },
        tier,
        severity,
        action,
        sets,
        viaBundles: [],
      };
    })
    .sort(
      (a, b) =>
        TIERS.indexOf(a.tier) - TIERS.indexOf(b.tier) ||
        b.severity - a.severity ||
        compareActions(a.action, b.action) ||
        a.source.id - b.source.id,
    );
}

/**
 * The meaning of a policy straight from the design's three paragraphs: every indicator of every
 * source is tried, the winner is found by comparing pairs. `query` is a name without final dot, or
 * an IPv4 address.
 */
export function naiveVerdict(
  sources: readonly Source[],
  query: string,
  trigger: 'name' | 'ip',
): Action | null {
  const covers = sources.flatMap((source) =>
    source.indicators.flatMap((text) => {
      const specificity = coverOf(text, query, trigger);
      return specificity === null ? [] : [{ source, specificity }];
    }),
  );
  covers.sort(
    (a, b) =>
      TIERS.indexOf(a.source.tier) - TIERS.indexOf(b.source.tier) ||
      b.specificity - a.specificity ||
      b.source.severity - a.source.severity ||
      compareActions(a.source.action, b.source.action),
  );
  return covers[0]?.source.action ?? null;
}

/** How specific an indicator covers a query; null when it does not. More is narrower. */
export function coverOf(text: string, query: string, trigger: 'name' | 'ip'): number | null {
  const { kind, value } = splitIndicator(text);
  if (value === '*') return trigger === 'name' ? 0 : null;
  if (trigger === 'ip') return kind === 'ip' ? prefixCover(value, query) : null;
  const labels = value.split('.').length;
  const isSame = value === query;
  const isBelow = query.endsWith(`.${value}`);
  switch (kind) {
    case 'host':
      return isSame ? labels * 10 + 2 : null;
    case 'name':
      return isSame ? labels * 10 + 1 : isBelow ? labels * 10 + 1 : null;
    case 'wildcard':
      return isBelow ? labels * 10 + 2 : null;
    default:
      return null;
  }
}

function splitIndicator(text: string): { kind: IndicatorKind; value: string } {
  const [kind, value] = text.split(/:(.*)/s) as [IndicatorKind, string];
  return { kind, value: value.replace(/^\*\./, '') };
}

function prefixCover(prefix: string, address: string): number | null {
  const [network = '', length = '32'] = prefix.split('/');
  const bits = Number(length);
  const number = (text: string) =>
    text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - bits);
  return Math.floor(number(network) / size) === Math.floor(number(address) / size) ? bits : null;
}

const LABEL = fc.constantFrom('a', 'b', 'c');
export const QUERY_NAME = fc
  .array(LABEL, { minLength: 1, maxLength: 5 })
  .map((labels) => labels.join('.'));
const INDICATOR_NAME = fc
  .array(LABEL, { minLength: 1, maxLength: 4 })
  .map((labels) => labels.join('.'));

const NAME_INDICATOR = fc
  .tuple(fc.constantFrom('name', 'name', 'host', 'wildcard'), INDICATOR_NAME)
  .map(([kind, name]) => `${kind}:${name}`);
/** All names there are: rare, so that it does not cover every generated policy. */
const ROOT_INDICATOR = fc.constant('wildcard:*');

/** Prefixes that nest and touch often: all within 10.0.0.0/24. */
export const PREFIX = fc
  .tuple(fc.integer({ min: 24, max: 32 }), fc.integer({ min: 0, max: 255 }))
  .map(([length, last]) => `ip:10.0.0.${(last >> (32 - length)) << (32 - length)}/${length}`);
export const ADDRESS = fc.integer({ min: 0, max: 255 }).map((last) => `10.0.0.${last}`);

const BLOCK_ACTION: fc.Arbitrary<Action> = fc.constantFrom<Action>(
  { kind: 'drop' },
  { kind: 'nxdomain' },
  { kind: 'nodata' },
  { kind: 'tcp-only' },
  { kind: 'redirect', to: 'garden.example.' },
  {
    kind: 'local-data',
    records: [
      { type: 'A', data: '192.0.2.1' },
      { type: 'A', data: '192.0.2.2' },
    ],
  },
);

/** A source of a DNS policy with name and address indicators. */
export const DNS_SOURCE: fc.Arbitrary<Source> = source(
  fc.oneof(
    { weight: 20, arbitrary: NAME_INDICATOR },
    { weight: 10, arbitrary: PREFIX },
    { weight: 1, arbitrary: ROOT_INDICATOR },
  ),
  BLOCK_ACTION,
);
export const IP_SOURCE: fc.Arbitrary<Source> = source(PREFIX, fc.constant({ kind: 'block' }));

function source(
  indicator: fc.Arbitrary<string>,
  block: fc.Arbitrary<Action>,
): fc.Arbitrary<Source> {
  return fc
    .record({
      tier: fc.constantFrom(...TIERS),
      severity: fc.integer({ min: 0, max: 5 }),
      block,
      indicators: fc.uniqueArray(indicator, { maxLength: 8 }),
    })
    .map(({ tier, severity, block, indicators }) => ({
      tier,
      severity,
      action: tier.endsWith('allow') ? { kind: 'allow' as const } : block,
      indicators,
    }));
}
