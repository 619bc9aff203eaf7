import type { Serial } from '../dns/serial.ts';
import type { PackedIndicators } from '../indicators/indicator.ts';
import type {
  Account,
  ApiToken,
  Bundle,
  Device,
  DeviceKey,
  ListEntry,
  Model,
  Policy,
  Target,
  UserList,
} from '../policy/model.ts';
import type { EntityKind, Holder } from './store-port.ts';

export interface EntityTypes {
  account: Account;
  target: Target;
  bundle: Bundle;
  list: UserList;
  policy: Policy;
  device: Device;
  key: DeviceKey;
  token: ApiToken;
}

/** How one holder's members changed; `unchanged` counts requested additions that it held already. */
export interface MemberChange {
  readonly added: number;
  readonly removed: number;
  readonly unchanged: number;
}

/**
 * The model while an edit is being made. Reads see the writes made before them; nothing is visible
 * outside until the edit returns and its commit is on disk. An edit that throws changes nothing.
 */
export interface ModelDraft {
  readonly model: Model;
  /** Unix milliseconds of this change. */
  readonly now: number;
  nextId<Kind extends EntityKind>(kind: Kind): EntityTypes[Kind]['id'];
  /** Adds or replaces. A new target or list starts with EMPTY_MEMBERS; `changeMembers` fills it. */
  put<Kind extends EntityKind>(kind: Kind, entity: EntityTypes[Kind]): void;
  delete<Kind extends EntityKind>(kind: Kind, id: EntityTypes[Kind]['id']): void;
  /** Removes, then adds; `replace` removes everything that is not in it. */
  changeMembers(
    holder: Holder,
    change: {
      readonly add?: PackedIndicators;
      readonly remove?: PackedIndicators;
      readonly replace?: PackedIndicators;
    },
  ): MemberChange;
  /** Entries of a user-defined list; its members are changed separately, with `changeMembers`. */
  putListEntries(listId: UserList['id'], entries: readonly ListEntry[]): void;
  deleteListEntries(listId: UserList['id'], values: readonly string[]): void;
}

/** What an edit did to one zone. `fromSerial` is null for a new zone, `toSerial` for a deleted one. */
export interface ZoneChange {
  readonly origin: string;
  readonly fromSerial: Serial | null;
  readonly toSerial: Serial | null;
  readonly recordsRemoved: number;
  readonly recordsAdded: number;
}

export interface Published<Value> {
  readonly value: Value;
  /** Only zones that changed, in the order of their names. */
  readonly zones: readonly ZoneChange[];
}

/** Facts about a served zone for people: no record data. */
export interface ZoneSummary {
  readonly origin: string;
  readonly policyId: number;
  readonly side: 'rpz' | 'block' | 'allow';
  readonly serial: Serial;
  /** Resource records of the zone, the SOA counted once. */
  readonly records: number;
  /** Exact number of addresses of an IP zone's prefixes; null for RPZ. */
  readonly addresses4: bigint | null;
  readonly addresses6: bigint | null;
  readonly revisions: readonly {
    readonly fromSerial: Serial;
    readonly toSerial: Serial;
    readonly at: number;
    readonly recordsRemoved: number;
    readonly recordsAdded: number;
  }[];
}

/** Why a name or address gets its verdict in a policy. */
export interface Explanation {
  /** The query as understood: a name with final dot, or a prefix/address. */
  readonly query: string;
  readonly trigger: 'qname' | 'ip' | 'nsdname' | 'nsip' | 'client-ip';
  /** Null when nothing covers the query. */
  readonly verdict: import('../policy/action.ts').Action | null;
  /** Every covering indicator of every member, the deciding one first, then by falling precedence. */
  readonly covers: readonly {
    /** In the text form of indicators: `evil.example`, `*.evil.example`, `host:x.example`, `192.0.2.0/24`, `nsip:…`. */
    readonly indicator: string;
    readonly kind: import('../indicators/indicator.ts').IndicatorKind;
    readonly source: {
      readonly kind: 'target' | 'list';
      readonly id: number;
      readonly name: string;
    };
    /** Names of the bundles that brought the target; empty when attached directly. */
    readonly viaBundles: readonly string[];
    readonly tier: 'list-allow' | 'target-allow' | 'dynamic' | 'list-block' | 'target-block';
    readonly severity: number;
    readonly action: import('../policy/action.ts').Action;
    readonly decides: boolean;
  }[];
}

/** The one writer, as the edges see it. */
export interface Publisher {
  readonly model: Model;
  /**
   * Runs `edit` on a draft, resolves what it touches, commits, swaps the snapshots and wakes the
   * notifier, in this order. Changes run one after the other. Rejects with what `edit` threw (then
   * nothing changed) or with the store's error (then nothing changed either).
   */
  change<Value>(
    by: { readonly actor: string; readonly action: string },
    edit: (draft: ModelDraft) => Value,
  ): Promise<Published<Value>>;
  zones(): readonly ZoneSummary[];
  /** Members of a target or list as text, by form and then in id order, `limit` of them from `offset` on. */
  listMembers(holder: Holder, offset: number, limit: number): readonly string[];
  explain(
    policyId: Policy['id'],
    query: { readonly trigger: Explanation['trigger']; readonly value: string },
  ): Explanation;
}
