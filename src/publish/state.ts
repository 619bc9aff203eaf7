import type { Serial } from '../dns/serial.ts';
import type { Catalogue } from '../indicators/catalogue.ts';
import type { Model, PolicyId } from '../policy/model.ts';
import type { ActionTable } from '../zone/action-table.ts';
import type { CompiledPolicy } from '../zone/policy-zones.ts';
import type { RpzRendering } from '../zone/rpz-rendering.ts';
import type { PolicySide, ZoneBody, ZoneSnapshot } from '../zone/snapshot.ts';
import type { EntityKind } from './store-port.ts';

/** What zones of policies can hold. */
export type PolicyContent = Exclude<ZoneBody, { readonly kind: 'catalog' }>['content'];

/** What the zones of a policy keep while it is rolled back. */
export type Pin = ReadonlyMap<PolicySide, PolicyContent>;

/** Everything that is published, at one moment. A change makes a new state and swaps it in whole. */
export interface PublishedState {
  readonly model: Model;
  readonly nextIds: ReadonlyMap<EntityKind, number>;
  /** Follows the members, also while a policy is rolled back. */
  readonly compiled: ReadonlyMap<PolicyId, CompiledPolicy>;
  /** Of the policies that are rolled back. */
  readonly pins: ReadonlyMap<PolicyId, Pin>;
  /** By origin in presentation form. */
  readonly zones: ReadonlyMap<string, ZoneSnapshot>;
  /** The last serial of names that once were zones. */
  readonly tombstones: ReadonlyMap<string, Serial>;
}

/** How the members of one holder lie in the database: decides when its changes are folded into a new base. */
export interface StoredShape {
  readonly baseOctets: number;
  readonly deltaOctets: number;
  readonly deltas: number;
}

/** What lives beside the state: it only grows, and says nothing by itself. */
export interface Ledger {
  readonly catalogue: Catalogue;
  /** Owners below this id are in the database. */
  ownersStored: number;
  readonly actions: ActionTable;
  readonly renderings: (ttl: number) => RpzRendering;
  /** Owners that came with what was not committed, and that nobody may ever hold. */
  ownersTried: number;
  /** Actions up to this number are in the database. */
  actionsStored: number;
  readonly shapes: Map<string, StoredShape>;
}
