import type { AccountId } from '../policy/model.ts';
import type { EntityTypes } from './publisher.ts';

/** Kinds whose things are looked for by name. */
export type NamedKind =
  | 'account'
  | 'target'
  | 'bundle'
  | 'list'
  | 'behaviour'
  | 'policy'
  | 'device'
  | 'token'
  | 'user';
/** Those of them that belong to an account. */
export type OwnedKind = Exclude<NamedKind, 'account' | 'target' | 'bundle'>;

/**
 * Finds things by what they are called and counts what accounts own, so that making very many of
 * them in one change does not look at all others for each. Made for a kind when it is first asked.
 */
export interface NameIndex {
  /** What is found by the name, compared without case: see `namesOf`. Whatever account it belongs to. */
  named<Kind extends NamedKind>(kind: Kind, name: string): EntityTypes[Kind][];
  owned(kind: OwnedKind, accountId: AccountId): number;
  /** Tells it of every thing that is put or deleted, before that is done. */
  note(kind: keyof EntityTypes, id: number, after: EntityTypes[NamedKind] | null): void;
}

interface KindIndex {
  readonly idsByName: Map<string, Set<number>>;
  readonly countByAccount: Map<AccountId, number>;
}

export function createNameIndex(
  entitiesOf: <Kind extends NamedKind>(kind: Kind) => ReadonlyMap<number, EntityTypes[Kind]>,
): NameIndex {
  const indexes = new Map<string, KindIndex>();
  const indexOf = (kind: NamedKind): KindIndex => {
    let index = indexes.get(kind);
    if (index === undefined) {
      index = { idsByName: new Map(), countByAccount: new Map() };
      for (const entity of entitiesOf(kind).values()) add(index, entity);
      indexes.set(kind, index);
    }
    return index;
  };
  return {
    named(kind, name) {
      const ids = indexOf(kind).idsByName.get(name.toLowerCase()) ?? [];
      const entities = entitiesOf(kind);
      return [...ids].flatMap((id) => entities.get(id) ?? []);
    },
    owned: (kind, accountId) => indexOf(kind).countByAccount.get(accountId) ?? 0,
    note(kind, id, after) {
      const index = indexes.get(kind);
      if (index === undefined) return;
      const before = entitiesOf(kind as NamedKind).get(id);
      if (before !== undefined) remove(index, before);
      if (after !== null) add(index, after);
    },
  };
}

/** Names are what must not be given twice: also former ones of policies and what certificates say. */
function namesOf(entity: EntityTypes[NamedKind]): ReadonlySet<string> {
  const names = ['label' in entity ? entity.label : entity.name];
  if ('formerNames' in entity) names.push(...entity.formerNames.map(({ name }) => name));
  if ('certificateName' in entity && entity.certificateName !== null)
    names.push(entity.certificateName);
  return new Set(names.map((name) => name.toLowerCase()));
}

function add({ idsByName, countByAccount }: KindIndex, entity: EntityTypes[NamedKind]): void {
  for (const name of namesOf(entity)) {
    const ids = idsByName.get(name);
    if (ids === undefined) idsByName.set(name, new Set([entity.id]));
    else ids.add(entity.id);
  }
  if (!('accountId' in entity)) return;
  countByAccount.set(entity.accountId, (countByAccount.get(entity.accountId) ?? 0) + 1);
}

function remove({ idsByName, countByAccount }: KindIndex, entity: EntityTypes[NamedKind]): void {
  for (const name of namesOf(entity)) {
    const ids = idsByName.get(name);
    ids?.delete(entity.id);
    if (ids?.size === 0) idsByName.delete(name);
  }
  if (!('accountId' in entity)) return;
  countByAccount.set(entity.accountId, (countByAccount.get(entity.accountId) ?? 0) - 1);
}
