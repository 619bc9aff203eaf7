import type { Catalogue, IdsByForm } from '../indicators/catalogue.ts';
import { hasId, type IdSet, idsOf, intersectIds, subtractIds } from '../indicators/id-set.ts';
import { idSetFrom } from '../indicators/id-set-codec.ts';
import { MEMBER_FORMS, type MemberForm, type PackedIndicators } from '../indicators/indicator.ts';
import {
  EMPTY_MEMBERS,
  type MemberIds,
  type MemberSets,
  memberCount,
  withMembers,
} from '../policy/member-sets.ts';
import type { ListId, Model, PolicyId, TargetId } from '../policy/model.ts';
import { COLLECTION, encodeEntity } from './entity-codec.ts';
import { encodeMemberDelta, encodeMembers } from './member-codec.ts';
import { createNameIndex } from './name-index.ts';
import type { EntityTypes, MemberChange, ModelDraft } from './publisher.ts';
import type {
  Commit,
  EntityKind,
  Holder,
  StoredHistory,
  StoredListEntry,
  StoredNotes,
} from './store-port.ts';

/** What an edit did to one holder's members, for the database. */
export interface MemberEdit {
  readonly holder: Holder;
  readonly members: MemberSets;
  readonly deltas: readonly Uint8Array[];
}

/** Policies that an edit rolls back, with the serials that it names; null releases. */
export type Rollbacks = ReadonlyMap<PolicyId, Readonly<Record<string, number>> | null>;

export interface FinishedDraft {
  readonly model: Model;
  readonly nextIds: ReadonlyMap<EntityKind, number>;
  readonly memberEdits: readonly MemberEdit[];
  readonly rollbacks: Rollbacks;
  /** Everything that was written to, whether it is there now or gone. */
  readonly touched: readonly { readonly kind: EntityKind; readonly id: number }[];
  readonly entryEdits: readonly {
    readonly listId: number;
    readonly added: readonly string[];
    readonly removed: readonly string[];
  }[];
  readonly parts: Pick<
    Commit,
    | 'putEntities'
    | 'deleteEntities'
    | 'deleteMembers'
    | 'putListEntries'
    | 'deleteListEntries'
    | 'clearLists'
    | 'history'
    | 'putNotes'
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
  const rollbacks = new Map<PolicyId, Readonly<Record<string, number>> | null>();
  const history: StoredHistory[] = [];
  const notes = new Map<string, StoredNotes>();

  const writable = <Kind extends EntityKind>(kind: Kind): Map<number, EntityTypes[Kind]> => {
    const name = COLLECTION[kind];
    if (!copied.has(kind)) {
      model = { ...model, [name]: new Map(model[name] as ReadonlyMap<number, unknown>) };
      copied.add(kind);
    }
    return model[name] as unknown as Map<number, EntityTypes[Kind]>;
  };
  const names = createNameIndex(
    <Kind extends EntityKind>(kind: Kind) =>
      model[COLLECTION[kind]] as unknown as ReadonlyMap<number, EntityTypes[Kind]>,
  );
  const put = <Kind extends EntityKind>(kind: Kind, entity: EntityTypes[Kind]): void => {
    names.note(kind, entity.id, entity as EntityTypes['policy']);
    writable(kind).set(entity.id, laterThan(options.model, kind, entity));
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
    base: options.model,
    now,
    nextId(kind) {
      const id = nextIds.get(kind) ?? 1;
      nextIds.set(kind, id + 1);
      return id as EntityTypes[typeof kind]['id'];
    },
    named: names.named,
    owned: names.owned,
    put,
    delete(kind, id) {
      names.note(kind, id, null);
      writable(kind).delete(id);
      touched.set(`${kind} ${id}`, { kind, id });
      if (kind === 'list') cleared.add(id);
      if (kind === 'target' || kind === 'list') memberEdits.delete(`${kind} ${id}`);
    },
    changeMembers(holder, change) {
      const before = membersOf(model, holder);
      const changed = changedMembers(catalogue, before, change);
      const { after, added, removed, wanted } = changed;
      const key = `${holder.kind} ${holder.id}`;
      const edit = memberEdits.get(key) ?? { holder, deltas: [] };
      const result = countChange(added, removed, countIds(wanted));
      const delta = encodeMemberDelta(added, removed);
      if (result.added > 0 || result.removed > 0) {
        edit.deltas.push(delta);
        memberEdits.set(key, edit);
        putMembers(holder, after);
      }
      const whole = change.replace !== undefined;
      if (whole || result.added + result.removed + result.unchanged > 0) {
        const seen = whole || result.unchanged === 0 ? null : encodeMembers(heldOf(before, wanted));
        const { added: came, removed: went } = result;
        const size = memberCount(after);
        const row = { holder, at: now, whole, added: came, removed: went, size, delta, seen };
        history.push({ ...row, absent: null });
      }
      return result;
    },
    setMembers(holder, members, { whole, absent, named = EMPTY_MEMBERS }) {
      const before = membersOf(model, holder);
      const added = withoutThose(members, before);
      const removed = withoutThose(before, members);
      const came = memberCount(added);
      const result: MemberChange = {
        added: came,
        removed: memberCount(removed),
        unchanged: memberCount(members) - came,
      };
      const delta = encodeMemberDelta(added, removed);
      const key = `${holder.kind} ${holder.id}`;
      if (result.added > 0 || result.removed > 0) {
        const edit = memberEdits.get(key) ?? { holder, deltas: [] };
        edit.deltas.push(delta);
        memberEdits.set(key, edit);
        putMembers(holder, members);
      }
      const hasAbsent = absent !== null && memberCount(absent) > 0;
      history.push({
        holder,
        at: now,
        whole,
        added: result.added,
        removed: result.removed,
        size: memberCount(members),
        delta,
        seen: whole || memberCount(named) === 0 ? null : encodeMembers(named),
        absent: hasAbsent ? encodeMembers(absent) : null,
      });
      return result;
    },
    putNotes: (holder, bytes) => void notes.set(`${holder.kind} ${holder.id}`, { holder, bytes }),
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
    rollBack(policyId, serials) {
      rollbacks.set(policyId, serials);
      const policy = model.policies.get(policyId);
      if (policy)
        put('policy', { ...policy, rollback: serials && { serials, at: now }, updatedAt: now });
    },
    finish() {
      const isThere = ({ kind, id }: { kind: EntityKind; id: number }) =>
        (model[COLLECTION[kind]] as ReadonlyMap<number, unknown>).has(id);
      const all = [...touched.values()];
      const gone = all.filter((entity) => !isThere(entity));
      const entries = [...entryEdits.values()].filter(({ listId }) =>
        isThere({ kind: 'list', id: listId }),
      );
      const isHeld = ({ holder }: { readonly holder: Holder }) => isThere(holder);
      return {
        model,
        nextIds,
        rollbacks,
        touched: all,
        entryEdits: entryEditsByList([...entryEdits.values()]),
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
          history: history.filter(isHeld),
          putNotes: [...notes.values()].filter(isHeld),
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
  return { after: withMembers(before, added, removed), added, removed, wanted };
}

/** What one side has and the other has not. */
function withoutThose(of: MemberSets, those: MemberSets): MemberSets {
  const rest = (form: MemberForm) => subtractIds(of[form], those[form]);
  return {
    subtree: rest('subtree'),
    exact: rest('exact'),
    below: rest('below'),
    prefix: rest('prefix'),
  };
}

/** Those of the ids that were members already. */
function heldOf(before: MemberSets, wanted: MemberIds): MemberSets {
  const held = (form: MemberForm) => intersectIds(before[form], idSetFrom(wanted[form]));
  return {
    subtree: held('subtree'),
    exact: held('exact'),
    below: held('below'),
    prefix: held('prefix'),
  };
}

/** An edit is told by its time, also from another in the same millisecond. */
function laterThan<Kind extends EntityKind>(
  model: Model,
  kind: Kind,
  entity: EntityTypes[Kind],
): EntityTypes[Kind] {
  const collection = model[COLLECTION[kind]] as ReadonlyMap<number, { updatedAt?: number }>;
  const before = collection.get(entity.id)?.updatedAt;
  if (before === undefined || !('updatedAt' in entity) || entity.updatedAt > before) return entity;
  return { ...entity, updatedAt: before + 1 };
}

function entryEditsByList(
  edits: readonly (StoredListEntry | { listId: number; value: string; gone: true })[],
): FinishedDraft['entryEdits'] {
  return [...Map.groupBy(edits, ({ listId }) => listId)].map(([listId, ofList]) => ({
    listId,
    added: ofList.flatMap((edit) => ('gone' in edit ? [] : [edit.value])),
    removed: ofList.flatMap((edit) => ('gone' in edit ? [edit.value] : [])),
  }));
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
  const came = countIds(added);
  return { added: came, removed: countIds(removed), unchanged: requested - came };
}

function countIds(ids: MemberIds): number {
  return MEMBER_FORMS.reduce((sum, form) => sum + ids[form].length, 0);
}
