import { sameMembers } from '../policy/changed-owners.ts';
import { type Member, resolveMembers } from '../policy/members.ts';
import type { Model, Policy, PolicyId, TargetId } from '../policy/model.ts';
import { diffBodies, hasSameForm } from '../zone/diff-bodies.ts';
import {
  type CompiledPolicy,
  compilePolicy,
  type PolicyDiff,
  updatePolicy,
} from '../zone/policy-zones.ts';
import type { PolicySide, Revision, ZoneBody } from '../zone/snapshot.ts';
import type { Steps } from '../zone/steps.ts';
import type { FinishedDraft } from './model-draft.ts';
import type { PlanOptions } from './plan-change.ts';
import type { PublishedState } from './state.ts';
import type { EntityKind } from './store-port.ts';
import { bodyOf, diffOfSide } from './zone-build.ts';
import { sidesOf, zonesOfPolicy } from './zone-names.ts';

/** What an edit does to what the zones of one side of a policy carry. */
export interface ContentLine {
  /** Null for a new policy. */
  readonly before: ZoneBody | null;
  readonly after: ZoneBody;
  /** Null when the content stays; `anew` when all records differ, so that no difference is worth telling. */
  readonly change: Revision['diff'] | 'anew' | null;
}

/** Of the policies that an edit reached. */
export type ContentLines = ReadonlyMap<PolicyId, ReadonlyMap<PolicySide, ContentLine>>;

export function* planPolicies(
  state: PublishedState,
  { model, touched }: Pick<FinishedDraft, 'model' | 'touched'>,
  pins: PublishedState['pins'],
  options: PlanOptions,
): Steps<{ readonly compiled: PublishedState['compiled']; readonly lines: ContentLines }> {
  const lines = new Map<PolicyId, ReadonlyMap<PolicySide, ContentLine>>();
  const isReached = createReach(state.model, model, touched);
  if (isReached === null) return { compiled: state.compiled, lines };
  const compiled = new Map(state.compiled);
  const sharing = createDiffSharing();
  for (const id of state.compiled.keys()) if (!model.policies.has(id)) compiled.delete(id);
  for (const policy of model.policies.values()) {
    if (!isReached(policy)) continue;
    yield;
    const planned = yield* planPolicy(state, policy, resolveMembers(policy, model), options);
    const pinBefore = state.pins.get(policy.id);
    const pinAfter = pins.get(policy.id);
    if (planned === null && pinBefore === pinAfter) continue;
    const next = planned?.compiled ?? state.compiled.get(policy.id)!;
    compiled.set(policy.id, next);
    const sides = sidesOf(policy).map((side) => {
      const after = bodyOf(next, side, policy, pinAfter);
      const before = bodyServed(state, policy.id, side, options);
      const follows = pinBefore === undefined && pinAfter === undefined;
      const known = follows && planned?.diff ? sharing(diffOfSide(planned.diff, side)) : undefined;
      return [side, { before, after, change: changeOf(before, after, known) }] as const;
    });
    lines.set(policy.id, new Map(sides));
  }
  return { compiled, lines };
}

/** Kinds that say something about content; devices, keys, tokens and people do not. */
const CONTENT_KINDS: readonly EntityKind[] = [
  'target',
  'bundle',
  'list',
  'policy',
  'behaviour',
  'entitlement',
];

/**
 * Which policies an edit may have reached: those that were touched or hold something that was, so
 * that an edit costs what it changes and not what there is. Null when it can have reached none.
 */
function createReach(
  before: Model,
  after: Model,
  touched: FinishedDraft['touched'],
): ((policy: Policy) => boolean) | null {
  const ids = new Map<EntityKind, Set<number>>();
  for (const { kind, id } of touched) {
    if (!CONTENT_KINDS.includes(kind)) continue;
    const ofKind = ids.get(kind) ?? new Set();
    ids.set(kind, ofKind.add(id));
  }
  if (ids.size === 0) return null;
  const isTouched = (kind: EntityKind, id: number): boolean => ids.get(kind)?.has(id) ?? false;
  const targets = [...(ids.get('target') ?? [])].map((id) => id as TargetId);
  const isBuiltIn = (id: TargetId) =>
    (after.targets.get(id) ?? before.targets.get(id))?.origin === 'built-in';
  if (targets.some(isBuiltIn) || ids.has('entitlement')) return () => true;
  return (policy) =>
    isTouched('policy', policy.id) ||
    policy.attachments.some(
      ({ kind, id, action }) =>
        isTouched(kind, id) ||
        // Bundles follow targets as they come, change and go.
        (kind === 'bundle' && targets.length > 0) ||
        (action.kind === 'behaviour' && isTouched('behaviour', action.id)),
    );
}

/** A change of one target does the same to many policies: then it is one difference, in memory and on disk. */
function createDiffSharing() {
  let last: Revision['diff'] | null = null;
  return (diff: Revision['diff'] | null): Revision['diff'] | null => {
    if (diff === null || (last !== null && isSameDiff(last, diff))) return diff && last;
    last = diff;
    return diff;
  };
}

/** Only of RPZ zones: the lists of IP zones are seldom alike. */
function isSameDiff(a: Revision['diff'], b: Revision['diff']): boolean {
  if (a.kind !== 'rpz' || b.kind !== 'rpz' || a.moves.length !== b.moves.length) return false;
  return a.moves.every(({ from, to, ids }, index) => {
    const other = b.moves[index];
    return from === other.from && to === other.to && isSameIds(ids, other.ids);
  });
}

function isSameIds(a: Uint32Array, b: Uint32Array): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false;
  return true;
}

/** A policy compiled anew or updated, and its difference if it was there before; null when all stays. */
function* planPolicy(
  state: PublishedState,
  policy: Policy,
  members: readonly Member[],
  { catalogue, renderings }: PlanOptions,
): Steps<{ readonly compiled: CompiledPolicy; readonly diff: PolicyDiff | null } | null> {
  const known = state.compiled.get(policy.id);
  const rendering = renderings(policy.ttl);
  if (known === undefined) {
    const compiled = yield* compilePolicy(catalogue, policy, members, rendering);
    return { compiled, diff: null };
  }
  const hasTtl = known.kind === 'ip' || known.rendering === rendering;
  const sameTtl = hasTtl && state.model.policies.get(policy.id)?.ttl === policy.ttl;
  const sameHosts = known.kind === 'dns' || known.hostsMax === policy.hostsMax;
  if (sameTtl && sameHosts && sameMembers(known.members, members)) return null;
  const current = known.kind === 'dns' ? { ...known, rendering } : known;
  const diff = yield* updatePolicy(catalogue, policy, current, members);
  return { compiled: diff.compiled, diff };
}

/** What the zones of a policy carry now; null when it has none yet. */
export function bodyServed(
  state: PublishedState,
  id: PolicyId,
  side: PolicySide,
  { defaults }: Pick<PlanOptions, 'defaults'>,
): ZoneBody | null {
  const policy = state.model.policies.get(id);
  const account = policy && state.model.accounts.get(policy.accountId);
  if (policy === undefined || account === undefined) return null;
  const name = zonesOfPolicy(policy, account, defaults).find((zone) => zone.side === side);
  return (name && state.zones.get(name.origin)?.body) ?? null;
}

/** `known` is the difference as the update told it, null for none; undefined when it has to be looked for. */
function changeOf(
  before: ZoneBody | null,
  after: ZoneBody,
  known: Revision['diff'] | null | undefined,
): ContentLine['change'] {
  if (before === null) return null;
  if (!hasSameForm(before, after)) return 'anew';
  if (before.content === after.content) return null;
  return known === undefined ? diffBodies(before, after) : known;
}
