import type { Brand } from '../dns/brand.ts';
import { type Catalogue, NONE } from '../indicators/catalogue.ts';
import { hasId, type IdSet } from '../indicators/id-set.ts';
import type { MemberForm } from '../indicators/indicator.ts';
import type { Action } from './action.ts';
import { type Member, TIERS } from './members.ts';

/** The number of an action in a policy's table; 0 means no verdict. */
export type ActionNumber = Brand<number, 'ActionNumber'>;
export const NO_ACTION = 0 as ActionNumber;

/**
 * A verdict with the tier it comes from, in one number: tier × 65,536 + action, 0 for none. Only
 * the tier decides whether something more specific may overrule it.
 */
export type Ruling = Brand<number, 'Ruling'>;
export const NO_RULING = 0 as Ruling;

const TIER_STEP = 0x10000;

function rulingOf(tier: number, action: ActionNumber): Ruling {
  return (tier * TIER_STEP + action) as Ruling;
}

export function actionOf(ruling: Ruling): ActionNumber {
  return (ruling % TIER_STEP) as ActionNumber;
}

/** Where a member's set is asked, in order of precedence among indicators with one and the same owner. */
export interface Probe {
  readonly ids: IdSet;
  readonly ruling: Ruling;
}

/**
 * The verdict function of one policy over the catalogue: what is said of an owner itself and of
 * what is below it. `own…` looks only at indicators with this very owner.
 */
export interface Verdicts {
  readonly selfProbes: readonly Probe[];
  readonly belowProbes: readonly Probe[];
  ownSelf(id: number): Ruling;
  ownBelow(id: number): Ruling;
  /** What the indicators above say of this owner and all below it. */
  inherited(id: number): Ruling;
  /** The ruling for the owner itself: a name as a query name, a prefix's addresses. */
  self(id: number): Ruling;
  /** The ruling for names below the owner that nothing more specific covers. */
  below(id: number): Ruling;
}

/**
 * Design, "What a policy means": the highest tier decides; inside a tier the most specific cover
 * (by inclusion: the name alone, then the name with its subtree, then what is above), then
 * severity, then strength of action, which is the order of `members`.
 */
export function createVerdicts(
  catalogue: Catalogue,
  members: readonly Member[],
  actionNumber: (action: Action) => ActionNumber,
): Verdicts {
  const selfProbes = probesOf(members, ['exact', 'subtree', 'prefix'], actionNumber);
  const belowProbes = probesOf(members, ['below', 'subtree'], actionNumber);
  const ownSelf = (id: number) => firstRuling(selfProbes, id);
  const ownBelow = (id: number) => firstRuling(belowProbes, id);
  const inherited = (id: number): Ruling => {
    const isPrefix = catalogue.isPrefix(id);
    let ruling = NO_RULING;
    for (let above = catalogue.parent(id); above !== NONE; above = catalogue.parent(above)) {
      ruling = stronger(ruling, isPrefix ? ownSelf(above) : ownBelow(above));
    }
    return ruling;
  };
  return {
    selfProbes,
    belowProbes,
    ownSelf,
    ownBelow,
    inherited,
    self: (id) => stronger(ownSelf(id), inherited(id)),
    below: (id) => stronger(ownBelow(id), inherited(id)),
  };
}

/** The more specific ruling stands unless the wider one comes from a higher tier. */
export function stronger(specific: Ruling, wide: Ruling): Ruling {
  if (specific === NO_RULING) return wide;
  if (wide === NO_RULING) return specific;
  return Math.floor(wide / TIER_STEP) < Math.floor(specific / TIER_STEP) ? wide : specific;
}

function probesOf(
  members: readonly Member[],
  forms: readonly MemberForm[],
  actionNumber: (action: Action) => ActionNumber,
): Probe[] {
  const probes: Probe[] = [];
  for (const [tierNumber, tier] of TIERS.entries()) {
    const ofTier = members.filter((member) => member.tier === tier);
    for (const form of forms) {
      for (const member of ofTier) {
        if (member.sets[form].size === 0) continue;
        // Tiers count from 1, so that no ruling is 0.
        const ruling = rulingOf(tierNumber + 1, actionNumber(member.action));
        probes.push({ ids: member.sets[form], ruling });
      }
    }
  }
  return probes;
}

function firstRuling(probes: readonly Probe[], id: number): Ruling {
  for (const probe of probes) if (hasId(probe.ids, id)) return probe.ruling;
  return NO_RULING;
}
