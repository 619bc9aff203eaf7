import { EMPTY_MEMBERS } from '../policy/member-sets.ts';
import type { Model } from '../policy/model.ts';
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
  const maps: Record<EntityKind, Map<number, unknown>> = {
    account: model.accounts,
    target: model.targets,
    bundle: model.bundles,
    list: model.lists,
    policy: model.policies,
    device: model.devices,
    key: model.keys,
    token: model.tokens,
  };
  for (const { kind, id, body } of state.entities) maps[kind].set(id, decodeEntity(kind, body));
  const entries = new Map<
    number,
    Map<string, { value: string; comment: string; expiresAt: number | null }>
  >();
  for (const { listId, value, comment, expiresAt } of state.listEntries) {
    const ofList = entries.get(listId) ?? new Map();
    entries.set(listId, ofList.set(value, { value, comment, expiresAt }));
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
  } satisfies Model;
}

function decodeEntity(kind: EntityKind, body: string): unknown {
  const entity = JSON.parse(body) as Record<string, unknown>;
  switch (kind) {
    case 'target':
      return { ...entity, members: EMPTY_MEMBERS };
    case 'list':
      return { ...entity, members: EMPTY_MEMBERS, entries: new Map() };
    case 'key':
      return { ...entity, secret: Uint8Array.from(Buffer.from(String(entity.secret), 'base64')) };
    default:
      return entity;
  }
}
