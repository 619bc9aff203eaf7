import { bundleHolds } from '../../policy/bundle.ts';
import { entitledTargets, resolveMembers } from '../../policy/members.ts';
import type {
  AccountId,
  BundleFilter,
  Device,
  Model,
  Policy,
  PolicyId,
  Target,
  TargetId,
  UserList,
} from '../../policy/model.ts';
import { targetsOfBundle } from '../../publish/edits/index.ts';

/**
 * What views look up again and again in a published model. Its maps are replaced, never changed, so
 * that each answer holds as long as its map: a list of a thousand policies looks at all devices once.
 */
function perMap<Source extends object, Found>(find: (source: Source) => Found) {
  const known = new WeakMap<Source, Found>();
  return (source: Source): Found => {
    const found = known.get(source) ?? find(source);
    known.set(source, found);
    return found;
  };
}

const devicesByPolicy = perMap((devices: Model['devices']) =>
  Map.groupBy(devices.values(), ({ policyId }) => policyId),
);

/** The devices of every account that are assigned to a policy. */
export function devicesOfPolicy(
  { devices }: Pick<Model, 'devices'>,
  id: PolicyId,
): readonly Device[] {
  return devicesByPolicy(devices).get(id) ?? [];
}

const entitledByAccount = perMap(
  (_entitlements: Model['entitlements']) => new Map<AccountId, ReadonlySet<TargetId>>(),
);

/** The partner targets that an account may use. */
export function entitledOf(
  model: Pick<Model, 'entitlements'>,
  accountId: AccountId,
): ReadonlySet<TargetId> {
  const byAccount = entitledByAccount(model.entitlements);
  const found = byAccount.get(accountId) ?? entitledTargets(accountId, model);
  byAccount.set(accountId, found);
  return found;
}

/** The partner targets that count in a policy: in predefined ones, which are everybody's, none. */
export function partnersOf(
  model: Pick<Model, 'entitlements'>,
  { predefined, accountId }: Pick<Policy, 'predefined' | 'accountId'>,
): ReadonlySet<TargetId> {
  return predefined ? NO_TARGETS : entitledOf(model, accountId);
}

const NO_TARGETS: ReadonlySet<TargetId> = new Set();

const heldByFilter = perMap(
  (_targets: Model['targets']) => new WeakMap<BundleFilter, readonly Target[]>(),
);

/** The targets that a bundle holds now. */
export function heldTargets(
  model: Pick<Model, 'targets'>,
  bundle: { readonly filter: BundleFilter },
): readonly Target[] {
  const known = heldByFilter(model.targets);
  const held = known.get(bundle.filter) ?? targetsOfBundle(bundle, model);
  known.set(bundle.filter, held);
  return held;
}

/** Ids of the targets that are members of a policy now, whatever brings them. */
export function memberTargets(policy: Policy, model: Model): ReadonlySet<number> {
  const members = resolveMembers(policy, model);
  return new Set(members.flatMap(({ source }) => (source.kind === 'target' ? [source.id] : [])));
}

/** Whether a target is among them: quicker for one target and many policies. */
export function holdsTarget(policy: Policy, target: Target, model: Model): boolean {
  if (policy.excludedTargets.includes(target.id)) return false;
  if (target.origin === 'built-in') return true;
  if (target.partner && !partnersOf(model, policy).has(target.id)) return false;
  return policy.attachments.some(({ kind, id, action }) => {
    if (kind === 'target') return id === target.id;
    const bundle = kind === 'bundle' ? model.bundles.get(id) : undefined;
    if (bundle === undefined || (action.kind === 'allow' && !target.supportsAllow)) return false;
    return bundleHolds(bundle.filter, target);
  });
}

/** Ids of the bundles or lists that a policy attaches. */
export function attachedIds(policy: Policy, kind: 'bundle' | 'list'): ReadonlySet<number> {
  return new Set(policy.attachments.flatMap((other) => (other.kind === kind ? [other.id] : [])));
}

/** Labels of the accounts that a list is shared with. */
export function sharedLabels(
  { sharedWith }: UserList,
  { accounts }: Pick<Model, 'accounts'>,
): string[] {
  return sharedWith.flatMap((id) => accounts.get(id)?.label ?? []).sort();
}
