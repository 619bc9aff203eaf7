import { type Action, actionKey, compareActions } from './action.ts';
import { bundleHolds } from './bundle.ts';
import type { MemberSets } from './member-sets.ts';
import type {
  AccountId,
  ActionChoice,
  BundleId,
  ListId,
  Model,
  Policy,
  Target,
  TargetId,
} from './model.ts';

/** From the strongest: a cover of a higher tier decides whatever lower tiers say. */
export const TIERS = [
  'list-allow',
  'target-allow',
  'dynamic',
  'list-block',
  'target-block',
] as const;
export type Tier = (typeof TIERS)[number];

/** User-defined lists have no severity of their own; they count as the worst. */
const LIST_SEVERITY = 5;

/** A target or list that takes part in a policy, with what it does there. */
export interface Member {
  readonly source:
    | { readonly kind: 'target'; readonly id: TargetId; readonly name: string }
    | { readonly kind: 'list'; readonly id: ListId; readonly name: string };
  readonly tier: Tier;
  readonly severity: number;
  readonly action: Action;
  readonly sets: MemberSets;
  /** Bundles that brought the target; empty for one that is attached directly. */
  readonly viaBundles: readonly BundleId[];
}

/**
 * All members of a policy, the stronger first: by tier, then severity, then action. Between members
 * whose indicators are equally specific this order decides.
 */
export function resolveMembers(policy: Policy, model: Model): Member[] {
  return [...targetMembers(policy, model), ...listMembers(policy, model)].sort(compareMembers);
}

/**
 * The partner targets that a predefined policy may use: none, whoever owns it. Its devices and
 * readers are those of every account, so the entitlement of one of them would hand what a partner
 * sells to all.
 */
const NO_PARTNERS: ReadonlySet<TargetId> = new Set();

interface Brought {
  readonly target: Target;
  readonly action: Action;
  readonly direct: boolean;
  readonly viaBundles: readonly BundleId[];
}

function targetMembers(policy: Policy, model: Model): Member[] {
  const brought = new Map<TargetId, Brought>();
  const entitled = policy.predefined ? NO_PARTNERS : entitledTargets(policy.accountId, model);
  const mayUse = (target: Target): boolean => !target.partner || entitled.has(target.id);
  for (const attachment of policy.attachments) {
    if (attachment.kind === 'list') continue;
    const action = actionOfChoice(attachment.action, model);
    if (attachment.kind === 'target') {
      const target = model.targets.get(attachment.id);
      // A target that is attached directly uses its own attachment's action, whatever brings it too.
      if (target && mayUse(target))
        brought.set(target.id, { target, action, direct: true, viaBundles: [] });
    } else {
      const bundle = model.bundles.get(attachment.id);
      if (!bundle) continue;
      for (const target of model.targets.values()) {
        // A target that cannot be allowed stays out of a bundle that allows, however late it comes.
        if (action.kind === 'allow' && !target.supportsAllow) continue;
        if (mayUse(target) && bundleHolds(bundle.filter, target))
          bring(brought, target, action, bundle.id);
      }
    }
  }
  for (const target of model.targets.values()) {
    if (target.origin === 'built-in') {
      brought.set(target.id, {
        target,
        action: canaryAction(policy),
        direct: true,
        viaBundles: [],
      });
    }
  }
  for (const id of policy.excludedTargets) brought.delete(id);
  return [...brought.values()].map(({ target, action, viaBundles }) => ({
    source: { kind: 'target', id: target.id, name: target.name },
    tier: action.kind === 'allow' ? 'target-allow' : 'target-block',
    severity: target.attributes.severity,
    action,
    sets: target.members,
    viaBundles,
  }));
}

/** The action that a choice stands for now. Throws when its behaviour is gone, which edits refuse. */
export function actionOfChoice(choice: ActionChoice, model: Pick<Model, 'behaviours'>): Action {
  if (choice.kind !== 'behaviour') return choice;
  const behaviour = model.behaviours.get(choice.id);
  if (behaviour === undefined) throw new Error(`behaviour ${choice.id} is used and does not exist`);
  return behaviour.action;
}

/** The partner targets that an account may use. */
export function entitledTargets(
  accountId: AccountId,
  model: Pick<Model, 'entitlements'>,
): ReadonlySet<TargetId> {
  const targets = new Set<TargetId>();
  for (const entitlement of model.entitlements.values()) {
    if (entitlement.accountId === accountId) targets.add(entitlement.targetId);
  }
  return targets;
}

/** Brought by several bundles, the strongest action counts. */
function bring(
  brought: Map<TargetId, Brought>,
  target: Target,
  action: Action,
  via: BundleId,
): void {
  const known = brought.get(target.id);
  if (known?.direct) return;
  const stronger = known && compareActions(known.action, action) <= 0 ? known.action : action;
  const viaBundles = [...(known?.viaBundles ?? []), via];
  brought.set(target.id, { target, action: stronger, direct: false, viaBundles });
}

function canaryAction(policy: Policy): Action {
  return policy.type === 'ip' ? { kind: 'block' } : { kind: 'nxdomain' };
}

function listMembers(policy: Policy, model: Model): Member[] {
  return policy.attachments.flatMap((attachment) => {
    if (attachment.kind !== 'list') return [];
    const list = model.lists.get(attachment.id);
    if (!list) return [];
    // An IP list carries its action itself.
    const action: Action =
      policy.type === 'ip' ? { kind: list.action } : actionOfChoice(attachment.action, model);
    return [
      {
        source: { kind: 'list', id: list.id, name: list.name },
        tier: action.kind === 'allow' ? 'list-allow' : 'list-block',
        severity: LIST_SEVERITY,
        action,
        sets: list.members,
        viaBundles: [],
      } as const,
    ];
  });
}

function compareMembers(a: Member, b: Member): number {
  return (
    TIERS.indexOf(a.tier) - TIERS.indexOf(b.tier) ||
    b.severity - a.severity ||
    compareActions(a.action, b.action) ||
    compareText(actionKey(a.action), actionKey(b.action)) ||
    compareText(a.source.kind, b.source.kind) ||
    a.source.id - b.source.id
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
