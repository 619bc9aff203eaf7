import type { Serial } from '../dns/serial.ts';
import type { Catalogue } from '../indicators/catalogue.ts';
import type { Model, PolicyId } from '../policy/model.ts';
import type { CompiledPolicy } from '../zone/policy-zones.ts';
import type { ZoneSnapshot } from '../zone/snapshot.ts';
import type { EntityKind } from './store-port.ts';

/** Everything that is published, at one moment. A change makes a new state and swaps it in whole. */
export interface PublishedState {
  readonly model: Model;
  readonly nextIds: ReadonlyMap<EntityKind, number>;
  readonly compiled: ReadonlyMap<PolicyId, CompiledPolicy>;
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
  readonly shapes: Map<string, StoredShape>;
}
