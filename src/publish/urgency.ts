import { actionKey } from '../policy/action.ts';
import type { Member } from '../policy/members.ts';
import type { PolicyId } from '../policy/model.ts';
import type { PublishedState } from './state.ts';

/**
 * How urgent it is that a policy's devices hear of an edit: the highest severity (0 to 5) among the
 * members that it brought, took away or changed. 0 where it changed none, and for zones of no policy.
 */
export function createUrgencies(
  before: PublishedState,
  after: PublishedState,
): (policyId: PolicyId | null) => number {
  const known = new Map<PolicyId, number>();
  return (policyId) => {
    if (policyId === null) return 0;
    const found = known.get(policyId) ?? urgencyOf(policyId, before, after);
    known.set(policyId, found);
    return found;
  };
}

function urgencyOf(policyId: PolicyId, before: PublishedState, after: PublishedState): number {
  const [old, now] = [before, after].map(({ compiled }) => compiled.get(policyId)?.members ?? []);
  if (old === now) return 0;
  const differing = isSameList(old, now)
    ? now.filter((member, index) => !isSame(member, old[index]))
    : differenceOf(old, now);
  return differing.reduce((highest, { severity }) => Math.max(highest, severity), 0);
}

/** Nearly always: the same members in the same order, some of which hold other indicators. */
function isSameList(a: readonly Member[], b: readonly Member[]): boolean {
  return (
    a.length === b.length &&
    a.every(
      ({ source }, index) =>
        source.kind === b[index].source.kind && source.id === b[index].source.id,
    )
  );
}

function differenceOf(a: readonly Member[], b: readonly Member[]): Member[] {
  const byKey = (members: readonly Member[]) =>
    new Map(members.map((member) => [`${member.source.kind} ${member.source.id}`, member]));
  const [inA, inB] = [byKey(a), byKey(b)];
  const missing = (from: ReadonlyMap<string, Member>, other: ReadonlyMap<string, Member>) =>
    [...from].flatMap(([key, member]) => (isSame(member, other.get(key)) ? [] : [member]));
  return [...missing(inA, inB), ...missing(inB, inA)];
}

function isSame(a: Member, b: Member | undefined): boolean {
  if (b === undefined || a.sets !== b.sets || a.tier !== b.tier) return false;
  return a.action === b.action || actionKey(a.action) === actionKey(b.action);
}
