import type { Catalogue, IdsByForm } from '../indicators/catalogue.ts';
import { hasId, type IdSet, idsOf, subtractIds } from '../indicators/id-set.ts';
import { idSetFrom } from '../indicators/id-set-codec.ts';
import { MEMBER_FORMS, type MemberForm, type PackedIndicators } from '../indicators/indicator.ts';
import {
  EMPTY_MEMBERS,
  type MemberIds,
  type MemberSets,
  withMembers,
} from '../policy/member-sets.ts';
import type { ListId, Model, TargetId } from '../policy/model.ts';
import { COLLECTION, encodeEntity } from './entity-codec.ts';
import { encodeMemberDelta } from './member-codec.ts';
import type { EntityTypes, MemberChange, ModelDraft } from './publisher.ts';
import type { Commit, EntityKind, Holder, StoredListEntry } from './store-port.ts';

/** What an edit did to one holder's members, for the database. */
export interface MemberEdit {
  readonly holder: Holder;
  readonly members: MemberSets;
  readonly deltas: readonly Uint8Array[];
}

export interface FinishedDraft {
  readonly model: Model;
  readonly nextIds: ReadonlyMap<EntityKind, number>;
  readonly memberEdits: readonly MemberEdit[];
  readonly parts: Pick<
    Commit,
    | 'putEntities'
    | 'deleteEntities'
    | 'deleteMembers'
    | 'putListEntries'
    | 'deleteListEntries'
    | 'clearLists'
  >;
}

/** A draft of the next model. Maps are copied when first written to; `finish` tells what to store. */
export function createDraft(options: {
  readonly model: Model;
  readonly catalogue: Catalogue;
  readonly now: number;
  readonly nextIds: ReadonlyMap<EntityKind, number>;
}): ModelDraft & { finish(): FinishedDraft } {
  const { catalogue, now } = options;
  let model = options.model;
  const nextIds = new Map(options.nextIds);
  const copied = new Set<EntityKind>();
  const touched = new Map<string, { kind: EntityKind; id: number }>();
  const memberEdits = new Map<string, { holder: Holder; deltas: Uint8Array[] }>();
  const entryEdits = new Map<
    string,
    StoredListEntry | { listId: number; value: string; gone: true }
  >();
  const cleared = new Set<number>();

  const writable = <Kind extends EntityKind>(kind: Kind): Map<number, EntityTypes[Kind]> => {
    const name = COLLECTION[kind];
    if (!copied.has(kind)) {
      model = { ...model, [name]: new Map(model[name] as ReadonlyMap<number, unknown>) };
      copied.add(kind);
    }
    return model[name] as unknown as Map<number, EntityTypes[Kind]>;
  };
  const put = <Kind extends EntityKind>(kind: Kind, entity: EntityTypes[Kind]): void => {
    writable(kind).set(entity.id, entity);
    touched.set(`${kind} ${entity.id}`, { kind, id: entity.id });
  };
  const putMembers = (holder: Holder, members: MemberSets): void => {
    if (holder.kind === 'target') {
      const target = model.targets.get(holder.id as TargetId);
      if (target) put('target', { ...target, members });
    } else {
      const list = model.lists.get(holder.id as ListId);
      if (list) put('list', { ...list, members });
    }
  };

  return {
    get model() {
      return model;
    },
    now,
    nextId(kind) {
      const id = nextIds.get(kind) ?? 1;
      nextIds.set(kind, id + 1);
      return id as EntityTypes[typeof kind]['id'];
    },
    put,
    delete(kind, id) {
      writable(kind).delete(id);
      touched.set(`${kind} ${id}`, { kind, id });
      if (kind === 'list') cleared.add(id);
      if (kind === 'target' || kind === 'list') memberEdits.delete(`${kind} ${id}`);
    },
    changeMembers(holder, change) {
      const before = membersOf(model, holder);
      const { after, added, removed, requested } = changedMembers(catalogue, before, change);
      const key = `${holder.kind} ${holder.id}`;
      const edit = memberEdits.get(key) ?? { holder, deltas: [] };
      const result = countChange(added, removed, requested);
      if (result.added > 0 || result.removed > 0) {
        edit.deltas.push(encodeMemberDelta(added, removed));
        memberEdits.set(key, edit);
        putMembers(holder, after);
      }
      return result;
    },
    putListEntries(listId, entries) {
      const list = model.lists.get(listId);
      if (!list) return;
      const next = new Map(list.entries);
      for (const entry of entries) {
        next.set(entry.value, entry);
        entryEdits.set(`${listId} ${entry.value}`, { listId, ...entry });
      }
      put('list', { ...list, entries: next });
    },
    deleteListEntries(listId, values) {
      const list = model.lists.get(listId);
      if (!list) return;
      const next = new Map(list.entries);
      for (const value of values) {
        next.delete(value);
        entryEdits.set(`${listId} ${value}`, { listId, value, gone: true });
      }
      put('list', { ...list, entries: next });
    },
    finish() {
      const isThere = ({ kind, id }: { kind: EntityKind; id: number }) =>
        (model[COLLECTION[kind]] as ReadonlyMap<number, unknown>).has(id);
      const all = [...touched.values()];
      const gone = all.filter((entity) => !isThere(entity));
      const entries = [...entryEdits.values()].filter(({ listId }) =>
        isThere({ kind: 'list', id: listId }),
      );
      return {
        model,
        nextIds,
        memberEdits: [...memberEdits.values()].map(({ holder, deltas }) => ({
          holder,
          deltas,
          members: membersOf(model, holder),
        })),
        parts: {
          putEntities: all.filter(isThere).map(({ kind, id }) => {
            const collection = model[COLLECTION[kind]] as ReadonlyMap<
              number,
              EntityTypes[typeof kind]
            >;
            return encodeEntity(kind, collection.get(id)!);
          }),
          deleteEntities: gone,
          deleteMembers: gone.flatMap(({ kind, id }) =>
            kind === 'target' || kind === 'list' ? [{ kind, id }] : [],
          ),
          putListEntries: entries.flatMap((entry) => ('gone' in entry ? [] : [entry])),
          deleteListEntries: entries.flatMap((entry) =>
            'gone' in entry ? [{ listId: entry.listId, value: entry.value }] : [],
          ),
          clearLists: [...cleared],
        },
      };
    },
  };
}

export function membersOf(model: Model, holder: Holder): MemberSets {
  const found =
    holder.kind === 'target'
      ? model.targets.get(holder.id as TargetId)
      : model.lists.get(holder.id as ListId);
  return found?.members ?? EMPTY_MEMBERS;
}

type MemberRequest = Parameters<ModelDraft['changeMembers']>[1];

/** Removes, then adds. Ids in `added` and `removed` are exactly those that really came and went. */
function changedMembers(catalogue: Catalogue, before: MemberSets, change: MemberRequest) {
  const wanted = internOrNone(catalogue, change.replace ?? change.add);
  const unwanted = change.remove ? catalogue.lookup(change.remove) : NO_IDS;
  const added: Record<MemberForm, Uint32Array> = { ...NO_IDS };
  const removed: Record<MemberForm, Uint32Array> = { ...NO_IDS };
  for (const form of MEMBER_FORMS) {
    const held = before[form];
    const wantedSet = idSetFrom(wanted[form]);
    const leaving: IdSet = change.replace
      ? subtractIds(held, wantedSet)
      : subtractIds(idSetFrom(unwanted[form].filter((id) => hasId(held, id))), wantedSet);
    removed[form] = idsOf(leaving);
    added[form] = idsOf(subtractIds(wantedSet, held));
  }
  const requested = MEMBER_FORMS.reduce((count, form) => count + wanted[form].length, 0);
  return { after: withMembers(before, added, removed), added, removed, requested };
}

const NO_IDS: MemberIds = {
  subtree: new Uint32Array(0),
  exact: new Uint32Array(0),
  below: new Uint32Array(0),
  prefix: new Uint32Array(0),
};

function internOrNone(catalogue: Catalogue, packed: PackedIndicators | undefined): IdsByForm {
  return packed === undefined ? NO_IDS : catalogue.intern(packed);
}

function countChange(added: MemberIds, removed: MemberIds, requested: number): MemberChange {
  const count = (ids: MemberIds) => MEMBER_FORMS.reduce((sum, form) => sum + ids[form].length, 0);
  return { added: count(added), removed: count(removed), unchanged: requested - count(added) };
}
