import type { Serial } from '../dns/serial.ts';
import type { Catalogue } from '../indicators/catalogue.ts';
import type { PackedIndicators } from '../indicators/indicator.ts';
import type { MemberSets } from '../policy/member-sets.ts';
import type {
  Account,
  AccountId,
  ApiToken,
  Behaviour,
  Bundle,
  Device,
  DeviceKey,
  Entitlement,
  Feed,
  HeldChange,
  ListEntry,
  Model,
  Policy,
  Session,
  Target,
  User,
  UserList,
} from '../policy/model.ts';
import type { NamedKind, OwnedKind } from './name-index.ts';
import type { PublishedState } from './state.ts';
import type {
  ChangeQuery,
  EntityKind,
  Holder,
  LoggedChange,
  Store,
  StoredHistory,
} from './store-port.ts';

export interface EntityTypes {
  account: Account;
  target: Target;
  bundle: Bundle;
  list: UserList;
  policy: Policy;
  device: Device;
  key: DeviceKey;
  token: ApiToken;
  user: User;
  session: Session;
  behaviour: Behaviour;
  entitlement: Entitlement;
  held: HeldChange;
  feed: Feed;
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
  /** The model that the edit began with. */
  readonly base: Model;
  /** Unix milliseconds of this change. */
  readonly now: number;
  nextId<Kind extends EntityKind>(kind: Kind): EntityTypes[Kind]['id'];
  /** Things of a kind by a name of theirs, compared without case; accounts by their label. Of all accounts. */
  named<Kind extends NamedKind>(kind: Kind, name: string): readonly EntityTypes[Kind][];
  /** How many things of a kind an account owns. */
  owned(kind: OwnedKind, accountId: AccountId): number;
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
  /**
   * Gives a holder exactly these members, which were made ready with `Publisher.internInSlices`.
   * `whole` says that the source told all it holds; `absent` are members that it did not tell.
   * When it is not whole, `named` are members from before that it told again.
   */
  setMembers(
    holder: Holder,
    members: MemberSets,
    seen: {
      readonly whole: boolean;
      readonly absent: MemberSets | null;
      readonly named?: MemberSets;
    },
  ): MemberChange;
  /** What single members say of themselves, replacing what was said before. */
  putNotes(holder: Holder, bytes: Uint8Array): void;
  /** Lets a policy's zones keep the content that they had at these serials (by origin), or go on again. */
  rollBack(policyId: Policy['id'], serials: Readonly<Record<string, number>> | null): void;
  /** Entries of a user-defined list; its members are changed separately, with `changeMembers`. */
  putListEntries(listId: UserList['id'], entries: readonly ListEntry[]): void;
  deleteListEntries(listId: UserList['id'], values: readonly string[]): void;
}

/** Who changes something, for the audit trail. */
export interface Author {
  readonly actor: string;
  /** `policy.update 3`: what is done, then the ids of what it is done to. */
  readonly action: string;
  /** On whose behalf; null or absent for the server itself. */
  readonly accountId?: AccountId | null;
}

/** A change that is worked out and neither committed nor visible: what a dry run shows and a gate looks at. */
export interface PlannedChange {
  readonly before: PublishedState;
  readonly after: PublishedState;
  readonly changes: readonly ZoneChange[];
  readonly catalogue: Catalogue;
}

/** What an edit did to one zone. `fromSerial` is null for a new zone, `toSerial` for a deleted one. */
export interface ZoneChange {
  readonly origin: string;
  /** Whose zone it is; null for the catalog zone of the whole server. */
  readonly accountId: Account['id'] | null;
  /** The policy whose content the zone carries (after the edit, if it is still there). */
  readonly policyId: Policy['id'] | null;
  /** The device whose own zone it is; null for a policy's zones. */
  readonly deviceId: Device['id'] | null;
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
  /** Whose zone it is; null for the catalog zone of the whole server. */
  readonly accountId: number | null;
  /** The policy whose content it carries; null for the zone of a device without one, and for catalog zones. */
  readonly policyId: number | null;
  /** The device whose own zone it is; null for a policy's zones. */
  readonly deviceId: number | null;
  /** Whether it answers under a name that its policy had formerly. */
  readonly former: boolean;
  readonly side: 'rpz' | 'block' | 'allow' | 'catalog';
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

/** Of which policy, or which device, a verdict is asked, and for which query. */
export interface ExplainQuestion {
  readonly subject: { readonly policyId: number } | { readonly deviceId: number };
  readonly trigger: Explanation['trigger'];
  /** A name, or an address, as the trigger says. */
  readonly value: string;
  /** The zone that `serial` is of, where there is a pair; `block` when absent. */
  readonly side?: 'rpz' | 'block' | 'allow';
  /** A retained serial of the zone; what is served now when absent. */
  readonly serial?: number;
}

/** Why a name or address gets its verdict in a policy, or with a device. */
export interface Explanation {
  /** The query as understood: a name with final dot, or a prefix/address. */
  readonly query: string;
  readonly trigger: 'qname' | 'ip' | 'nsdname' | 'nsip' | 'client-ip';
  /** Null for a device without a policy. */
  readonly policy: { readonly id: number; readonly name: string } | null;
  /** The zone that was read for it, and the serial it had. */
  readonly zone: string;
  readonly serial: Serial;
  /** Whether the zone keeps an earlier content at this serial, whatever the members say. */
  readonly rolledBack: boolean;
  /** Exactly what the zone says at the serial; null when it says nothing. */
  readonly verdict: import('../policy/action.ts').Action | null;
  /**
   * Every covering indicator of every member of now, those included that are gone since, by falling
   * precedence.
   */
  readonly covers: readonly {
    /** In the text form of indicators: `evil.example`, `*.evil.example`, `host:x.example`, `192.0.2.0/24`, `nsip:…`. */
    readonly indicator: string;
    readonly kind: import('../indicators/indicator.ts').IndicatorKind;
    readonly source: {
      readonly kind: 'target' | 'list';
      readonly id: number;
      readonly name: string;
    };
    /**
     * Of the entry of a list that stands for it, or what the source of a target says of it; null when
     * nothing is said, and for what is gone.
     */
    readonly comment: string | null;
    /** When it ends by that (Unix milliseconds); null for never. */
    readonly expiresAt: number | null;
    /** Names of the bundles that brought the target; empty when attached directly. */
    readonly viaBundles: readonly string[];
    readonly tier: 'list-allow' | 'target-allow' | 'dynamic' | 'list-block' | 'target-block';
    readonly severity: number;
    readonly action: import('../policy/action.ts').Action;
    /** Unix milliseconds. */
    readonly firstSeen: number;
    readonly lastSeen: number;
    /** Whether its target or list held it at the serial, and whether it does now. */
    readonly heldThen: boolean;
    readonly heldNow: boolean;
    /** Whether the verdict follows from it. */
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
    by: Author,
    edit: (draft: ModelDraft) => Value,
    /** Looks at what would be committed; when it throws, nothing changes. */
    check?: (planned: PlannedChange) => void,
  ): Promise<Published<Value>>;
  /** A dry run: as `change`, in its turn, but what it works out is given to `look` and thrown away. */
  preview<Value>(
    edit: (draft: ModelDraft) => unknown,
    look: (planned: PlannedChange) => Value,
  ): Promise<Value>;
  /**
   * Gives ids to any number of indicators, in slices of a few milliseconds between which everything
   * else goes on. The ids are worth nothing before a change makes them members.
   */
  internInSlices(packed: PackedIndicators): Promise<MemberSets>;
  memberNotes(holder: Holder): Promise<Uint8Array | null>;
  /** The state that is served now. Take it once per question: it is replaced, never changed. */
  readonly state: PublishedState;
  readonly catalogue: Catalogue;
  /** The audit trail, newest first. */
  changes(query: ChangeQuery): Promise<readonly LoggedChange[]>;
  /** What happened to a holder's members, oldest first. */
  memberHistory(holder: Holder): Promise<readonly StoredHistory[]>;
  memberSizes: Store['memberSizes'];
  zones(): readonly ZoneSummary[];
  /** Members of a target or list as text, by form and then in id order, `limit` of them from `offset` on. */
  listMembers(holder: Holder, offset: number, limit: number): readonly string[];
  explain(question: ExplainQuestion): Promise<Explanation>;
}
