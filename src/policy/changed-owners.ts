import { EMPTY_IDS, type IdSet, unionIds } from '../indicators/id-set.ts';
import { actionKey } from './action.ts';
import { differingOwners, memberOwners } from './member-sets.ts';
import type { Member } from './members.ts';

/**
 * Every owner whose own verdict may differ between two lists of members: where a source came, went
 * or weighs differently all that it holds, else only what its sets differ in.
 */
export function changedOwners(before: readonly Member[], after: readonly Member[]): IdSet {
  const old = new Map(before.map((member) => [sourceKey(member), member]));
  let changed = EMPTY_IDS;
  for (const member of after) {
    const was = old.get(sourceKey(member));
    old.delete(sourceKey(member));
    if (was === undefined) changed = unionIds(changed, memberOwners(member.sets));
    else if (weighsSame(was, member))
      changed = unionIds(changed, differingOwners(was.sets, member.sets));
    else changed = unionIds(changed, unionIds(memberOwners(was.sets), memberOwners(member.sets)));
  }
  for (const gone of old.values()) changed = unionIds(changed, memberOwners(gone.sets));
  return changed;
}

/** Whether two lists of members mean the same, so that nothing has to be looked at. */
export function sameMembers(before: readonly Member[], after: readonly Member[]): boolean {
  return (
    before.length === after.length &&
    before.every((member, index) => {
      const other = after[index];
      return (
        sourceKey(member) === sourceKey(other) &&
        member.sets === other.sets &&
        weighsSame(member, other)
      );
    })
  );
}

function sourceKey({ source }: Member): string {
  return `${source.kind} ${source.id}`;
}

function weighsSame(a: Member, b: Member): boolean {
  return (
    a.tier === b.tier && a.severity === b.severity && actionKey(a.action) === actionKey(b.action)
  );
}
