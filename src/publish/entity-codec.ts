import { EMPTY_MEMBERS } from '../policy/member-sets.ts';
import type { ListEntry, Model } from '../policy/model.ts';
import type { EntityTypes } from './publisher.ts';
import type { EntityKind, StoredEntity, StoredState } from './store-port.ts';

/** The map of the model that holds each kind. */
export const COLLECTION = {
  account: 'accounts',
  target: 'targets',
  bundle: 'bundles',
  list: 'lists',
  policy: 'policies',
  device: 'devices',
  key: 'keys',
  token: 'tokens',
  user: 'users',
  session: 'sessions',
  behaviour: 'behaviours',
  entitlement: 'entitlements',
  held: 'heldChanges',
  feed: 'feeds',
} as const satisfies Record<EntityKind, keyof Model>;

/** What the database keeps of an entity: members and list entries have tables of their own. */
export function encodeEntity<Kind extends EntityKind>(
  kind: Kind,
  entity: EntityTypes[Kind],
): StoredEntity {
  const body = JSON.stringify(entity, (key, value) => {
    if (key === 'members' || key === 'entries') return undefined;
    return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value;
  });
  return { kind, id: entity.id, body };
}

/** The model as stored, with targets and lists still without members. */
export function decodeModel(state: Pick<StoredState, 'entities' | 'listEntries'>): Model {
  const model = emptyModel();
  for (const { kind, id, body } of state.entities) {
    // Actions of RPZ zones are no part of what people edit (rpz-actions in zone/).
    if (kind === 'rpz-action') continue;
    const collection: Map<number, unknown> = model[COLLECTION[kind]];
    collection.set(id, decodeEntity(kind, id, body));
  }
  const entries = new Map<number, Map<string, ListEntry>>();
  for (const { listId, ...entry } of state.listEntries) {
    const ofList = entries.get(listId) ?? new Map<string, ListEntry>();
    entries.set(listId, ofList.set(entry.value, entry));
  }
  for (const [id, list] of model.lists) {
    model.lists.set(id, { ...list, entries: entries.get(id) ?? new Map() });
  }
  return model;
}

export function emptyModel() {
  return {
    accounts: new Map(),
    targets: new Map(),
    bundles: new Map(),
    lists: new Map(),
    policies: new Map(),
    devices: new Map(),
    keys: new Map(),
    tokens: new Map(),
    users: new Map(),
    sessions: new Map(),
    behaviours: new Map(),
    entitlements: new Map(),
    heldChanges: new Map(),
    feeds: new Map(),
  } satisfies Model;
}

function decodeEntity(kind: EntityKind, id: number, body: string): unknown {
  const entity = JSON.parse(body) as Record<string, unknown>;
  switch (kind) {
    case 'account':
      // The first account has always been the one that runs the server.
      return {
        operator: id === 1,
        catalogs: 'both',
        handover: null,
        rightsLostAt: 0,
        createdAt: 0,
        updatedAt: 0,
        ...entity,
      };
    case 'target':
      return { ...entity, members: EMPTY_MEMBERS };
    case 'list':
      return { sharedWith: [], ...entity, members: EMPTY_MEMBERS, entries: new Map() };
    case 'policy':
      return { formerNames: [], rollback: null, ...entity };
    case 'device':
      return {
        hostnames: [],
        certificateName: null,
        recordsMax: null,
        scope: 'account',
        ...entity,
      };
    case 'key': {
      const secret = Uint8Array.from(Buffer.from(String(entity.secret), 'base64'));
      return { expiresAt: null, replacedBy: null, transfersMax: null, ...entity, secret };
    }
    default:
      return entity;
  }
}
