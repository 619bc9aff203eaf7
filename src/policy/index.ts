/**
 * What a policy means: which targets and lists are its members, and which verdict they give a name
 * or an address.
 *
 * Here: the model that people edit (as types), actions and their order, bundles, membership, the
 * verdict function over the catalogue, and why a verdict is what it is. Not here: how verdicts are
 * written as records (zone/), who may edit what and when it is stored (publish/).
 */
export {
  type Action,
  type ActionKind,
  actionKey,
  compareActions,
  type LocalRecord,
} from './action.ts';
export { bundleHolds } from './bundle.ts';
export { changedOwners, sameMembers } from './changed-owners.ts';
export { type Cover, type CoverQuery, findCovers } from './explain.ts';
export {
  differingOwners,
  EMPTY_MEMBERS,
  type MemberIds,
  type MemberSets,
  memberCount,
  memberOwners,
  withMembers,
} from './member-sets.ts';
export {
  actionOfChoice,
  entitledTargets,
  type Member,
  resolveMembers,
  TIERS,
  type Tier,
} from './members.ts';
export type { DeviceId } from './model.ts';
export { ModelError, type Refusal } from './model-error.ts';
export {
  type ActionNumber,
  actionOf,
  createVerdicts,
  NO_ACTION,
  NO_RULING,
  type Ruling,
  type Verdicts,
} from './verdicts.ts';
