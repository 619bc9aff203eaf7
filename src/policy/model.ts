import type { Brand } from '../dns/brand.ts';
import type { Action } from './action.ts';
import type { DeviceProfile } from './device-profiles.ts';
import type { MemberSets } from './member-sets.ts';

export type AccountId = Brand<number, 'AccountId'>;
export type TargetId = Brand<number, 'TargetId'>;
export type BundleId = Brand<number, 'BundleId'>;
export type ListId = Brand<number, 'ListId'>;
export type PolicyId = Brand<number, 'PolicyId'>;
export type DeviceId = Brand<number, 'DeviceId'>;
export type KeyId = Brand<number, 'KeyId'>;
export type TokenId = Brand<number, 'TokenId'>;
export type UserId = Brand<number, 'UserId'>;
export type SessionId = Brand<number, 'SessionId'>;
export type BehaviourId = Brand<number, 'BehaviourId'>;
export type EntitlementId = Brand<number, 'EntitlementId'>;
export type HeldChangeId = Brand<number, 'HeldChangeId'>;
export type FeedId = Brand<number, 'FeedId'>;

/** Owns policies, lists, behaviours, devices and users. */
export interface Account {
  readonly id: AccountId;
  /** One DNS label of its zones' names, lower case; fixed for life. */
  readonly label: string;
  readonly name: string;
  /** The account that runs the server: it keeps the catalogue (targets and bundles) and all accounts. */
  readonly operator: boolean;
  /** Which catalog zones list its zones (RFC 9432): its own, that of the server, or both of them. */
  readonly catalogs: 'both' | 'account' | 'server';
  /** While its zones change over from the one catalog to the other; null otherwise. */
  readonly handover: CatalogHandover | null;
  /** When it last lost the right to a partner target or a shared list (Unix milliseconds), 0 for never. */
  readonly rightsLostAt: number;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** A change of ownership under way: `announced` in the old catalog, then `listed` in both. */
export interface CatalogHandover {
  readonly phase: 'announced' | 'listed';
  /** When the phase ends (Unix milliseconds). */
  readonly until: number;
}

/** Lets an account use a partner target, until `expiresAt` (Unix milliseconds) if that is given. */
export interface Entitlement {
  readonly id: EntitlementId;
  readonly accountId: AccountId;
  readonly targetId: TargetId;
  /** Why: a contract's number, for example. */
  readonly note: string;
  readonly expiresAt: number | null;
  readonly createdAt: number;
}

export const DANGER_LEVELS = ['none', 'low', 'medium', 'high', 'critical'] as const;
export type DangerLevel = (typeof DANGER_LEVELS)[number];

export interface TargetAttributes {
  /** 0 (informational) to 5 (worst). */
  readonly severity: number;
  /** 0–100: how sure the source is. */
  readonly confidence: number;
  /** 0–100: how much harm is expected. */
  readonly risk: number;
  readonly danger: DangerLevel;
  /** For example `domain`, `ip`, `mixed`. Free text, lower case; empty when unknown. */
  readonly iocType: string;
  /** For example `phishing`, `malware`, `botnet`, `scanner`. */
  readonly threatType: string;
  /** `inbound`, `outbound`, `both` or empty. */
  readonly trafficType: string;
  readonly tags: readonly string[];
}

/** A named, maintained list of indicators with attributes: the atom of policies. */
export interface Target {
  readonly id: TargetId;
  readonly name: string;
  readonly description: string;
  readonly attributes: TargetAttributes;
  readonly supportsAllow: boolean;
  readonly partner: boolean;
  /** `built-in` (the canary), `sample` (from zones/) or `custom`. */
  readonly origin: 'built-in' | 'sample' | 'custom';
  readonly members: MemberSets;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** How a source is told who asks. Secrets are sealed in the database and never told again. */
export type FeedCredentials =
  | { readonly kind: 'none' }
  | { readonly kind: 'bearer'; readonly token: string }
  | { readonly kind: 'basic'; readonly user: string; readonly password: string }
  | { readonly kind: 'header'; readonly name: string; readonly value: string };

/** Where a feed comes from. */
export type FeedSource =
  | {
      readonly kind: 'http' | 'taxii';
      readonly url: string;
      readonly credentials: FeedCredentials;
      /** Whether the address may be private, loopback or reserved. */
      readonly allowPrivate: boolean;
    }
  /** A zone of another primary: a response policy zone, or one that lists addresses as RFC 5782 says. */
  | {
      readonly kind: 'transfer';
      /** Absolute, lower case, with its final dot. */
      readonly zone: string;
      readonly form: 'rpz' | 'dnsbl';
      /** An IPv4 or IPv6 literal. */
      readonly address: string;
      readonly port: number;
      readonly key: {
        readonly name: string;
        readonly algorithm: DeviceKey['algorithm'];
        /** Base64. */
        readonly secret: string;
      } | null;
    }
  /** Below the configured folder; a folder means all files in it. */
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'upload' };

/** A part of a JSON document or a column: how the format of a feed is described (feeds/ knows the rest). */
export type FeedFormatFields = Readonly<Record<string, string | number | boolean>> & {
  readonly kind: string;
};

/** Keeps a target current: fetched on a schedule, parsed, checked, and its difference published. */
export interface Feed {
  readonly id: FeedId;
  readonly targetId: TargetId;
  /** The name of the preset that it was made from; null for none. */
  readonly preset: string | null;
  readonly enabled: boolean;
  readonly source: FeedSource;
  readonly format: FeedFormatFields;
  readonly namesAs: 'name' | 'host';
  readonly schedule:
    | { readonly kind: 'interval'; readonly seconds: number }
    | { readonly kind: 'cron'; readonly expression: string };
  /** A run is put off by a random time up to this, so that not all ask at once. */
  readonly jitterSeconds: number;
  readonly limits: {
    readonly octetsMax: number;
    readonly seconds: number;
    readonly linesMax: number;
  };
  /** Beyond these a run is held until a person releases it; null never holds. */
  readonly gates: {
    readonly shrinkPercent: number | null;
    readonly growPercent: number | null;
    readonly rejectedPercent: number | null;
  };
  /** 0–100: indicators that say less of themselves are left out; null takes all. */
  readonly confidenceMin: number | null;
  /** How long an indicator stays after the source last told it, in seconds; null drops it at once. */
  readonly ttlSeconds: number | null;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** A stored query over target attributes. Every given condition must hold; a list means "any of". */
export interface BundleFilter {
  readonly severityMin?: number;
  readonly severityMax?: number;
  readonly confidenceMin?: number;
  readonly riskMin?: number;
  readonly danger?: readonly DangerLevel[];
  readonly iocType?: readonly string[];
  readonly threatType?: readonly string[];
  readonly trafficType?: readonly string[];
  readonly tags?: readonly string[];
  readonly partner?: boolean;
}

export interface Bundle {
  readonly id: BundleId;
  readonly name: string;
  readonly description: string;
  readonly filter: BundleFilter;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** One line of a user-defined list as the user wrote it. Times are in Unix milliseconds. */
export interface ListEntry {
  readonly value: string;
  readonly comment: string;
  readonly expiresAt: number | null;
  readonly createdAt: number;
}

/** A user-defined list. In an IP policy it acts by its own `action`. */
export interface UserList {
  readonly id: ListId;
  readonly accountId: AccountId;
  readonly name: string;
  readonly description: string;
  readonly action: 'block' | 'allow';
  /** By normalised value. */
  readonly entries: ReadonlyMap<string, ListEntry>;
  readonly members: MemberSets;
  /** Accounts that may read it and attach it to their policies. */
  readonly sharedWith: readonly AccountId[];
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** A redirect or local data with a name: defined once, used by many attachments, changed in one place. */
export interface Behaviour {
  readonly id: BehaviourId;
  readonly accountId: AccountId;
  readonly name: string;
  readonly description: string;
  readonly action: Extract<Action, { readonly kind: 'redirect' | 'local-data' }>;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** An action, or the name of one that is kept as a behaviour (`actionOfChoice` looks it up). */
export type ActionChoice = Action | { readonly kind: 'behaviour'; readonly id: BehaviourId };

export type Attachment =
  | { readonly kind: 'target'; readonly id: TargetId; readonly action: ActionChoice }
  | { readonly kind: 'bundle'; readonly id: BundleId; readonly action: ActionChoice }
  | { readonly kind: 'list'; readonly id: ListId; readonly action: ActionChoice };

export type PolicyType = 'ip' | 'dns';

/** A name that a policy had: its zones go on answering until then (Unix milliseconds). */
export interface FormerName {
  readonly name: string;
  readonly until: number;
}

/**
 * A policy that was rolled back: its zones keep an earlier content, whatever happens to its members,
 * until it is released. The content itself is kept beside the model (publish/).
 */
export interface Rollback {
  /** Serials whose content is served, by the zone of the policy that had them. */
  readonly serials: Readonly<Record<string, number>>;
  readonly at: number;
}

export interface Policy {
  readonly id: PolicyId;
  readonly accountId: AccountId;
  /** 1–8 letters and digits, lower case: a DNS label of the zone names. */
  readonly name: string;
  readonly type: PolicyType;
  readonly description: string;
  readonly predefined: boolean;
  /** TTL of every rule record, in seconds. */
  readonly ttl: number;
  /** DNS policies: the action that new attachments get when none is given. */
  readonly defaultAction: ActionChoice;
  /** IP policies: publish up to this many single addresses as A/AAAA records too; null publishes none. */
  readonly hostsMax: number | null;
  readonly attachments: readonly Attachment[];
  readonly excludedTargets: readonly TargetId[];
  readonly formerNames: readonly FormerName[];
  readonly rollback: Rollback | null;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export type DeviceType = 'ip' | 'dns' | 'roaming' | 'secondary';
export { DEVICE_PROFILES, type DeviceProfile } from './device-profiles.ts';

/** Where a NOTIFY goes. `address` is an IPv4 or IPv6 literal, or a host name that is looked up. */
export interface NotifyEndpoint {
  readonly address: string;
  readonly port: number;
}

/**
 * Pulls one policy, or as a secondary all zones of its account or of the server. `access` says what
 * identifies it: a TSIG key of its own, its source prefixes, the name in its client certificate, or
 * any of the three.
 */
export interface Device {
  readonly id: DeviceId;
  readonly accountId: AccountId;
  /** One DNS label, lower case, at most 16 octets. */
  readonly name: string;
  readonly description: string;
  readonly type: DeviceType;
  readonly profile: DeviceProfile;
  /** What a secondary may read; `account` for all others, where it says nothing. Only the operator has secondaries of the server. */
  readonly scope: 'account' | 'server';
  readonly access: 'key' | 'source' | 'certificate' | 'either';
  /** Prefixes in text form, for example `192.0.2.0/24` or `2001:db8::1/128`. */
  readonly sources: readonly string[];
  /** Host names whose addresses are sources too, looked up again and again. Lower case, with final dot. */
  readonly hostnames: readonly string[];
  /** Subject alternative name of its client certificate, for transfers over TLS; null for none. */
  readonly certificateName: string | null;
  /** Records that it can take, where that differs from its profile. */
  readonly recordsMax: number | null;
  readonly notify: readonly NotifyEndpoint[];
  readonly policyId: PolicyId | null;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** A device's TSIG key. The secret is sealed in the database and never leaves it in clear again. */
export interface DeviceKey {
  readonly id: KeyId;
  readonly deviceId: DeviceId;
  /** Absolute name in presentation form, lower case, with its final dot. */
  readonly name: string;
  readonly algorithm: 'hmac-sha256' | 'hmac-sha384' | 'hmac-sha512' | 'hmac-sha1' | 'hmac-md5';
  readonly secret: Uint8Array;
  /** When it is retired (Unix milliseconds), because a newer key takes over; null for never. */
  readonly expiresAt: number | null;
  /** The key that a rotation made to take over from it; null while none does. */
  readonly replacedBy: KeyId | null;
  /** Transfers that it may have signed for at the same time; null leaves it to the settings. */
  readonly transfersMax: number | null;
  readonly createdAt: number;
}

export type Role = 'admin' | 'editor' | 'viewer' | 'sensor';

/** An API token of an account; only its SHA-256 is kept. */
export interface ApiToken {
  readonly id: TokenId;
  readonly accountId: AccountId;
  readonly name: string;
  readonly role: Role;
  readonly sha256: string;
  readonly createdAt: number;
}

/** A person who logs in to the console with a password, or by OpenID Connect. */
export interface User {
  readonly id: UserId;
  readonly accountId: AccountId;
  /** What is typed at the login, lower case; no two users of the server have the same. */
  readonly name: string;
  readonly displayName: string;
  readonly role: Role;
  /** `scrypt$N$r$p$salt$hash`, salt and hash in base64url; null for who only comes by OpenID Connect. */
  readonly passwordHash: string | null;
  /** `issuer subject` of the OpenID Connect identity; null for none. */
  readonly oidcSubject: string | null;
  readonly disabled: boolean;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** A login that lasts; only the SHA-256 of its cookie is kept. Times are in Unix milliseconds. */
export interface Session {
  readonly id: SessionId;
  readonly userId: UserId;
  readonly sha256: string;
  readonly createdAt: number;
  readonly expiresAt: number;
}

/** A change above the configured limits: a request that waits until somebody confirms or discards it. */
export interface HeldChange {
  readonly id: HeldChangeId;
  readonly accountId: AccountId;
  readonly actor: string;
  /** As in the audit trail: `target.indicators.replace 12`. */
  readonly action: string;
  readonly request: {
    readonly method: string;
    /** Path with query, below the prefix of the API. */
    readonly path: string;
    /** JSON text, or what a text body held. */
    readonly body: string | null;
    /** Of a text body; null when the body is JSON, or there is none. */
    readonly textType: string | null;
    /** What its header If-Match said; checked again when it is confirmed. */
    readonly ifMatch: string | null;
  };
  /** Why it is held, as sentences. */
  readonly reasons: readonly string[];
  readonly expiresAt: number;
  readonly createdAt: number;
}

/** Everything a person can edit, at one moment. Immutable: an edit makes a new model. */
export interface Model {
  readonly accounts: ReadonlyMap<AccountId, Account>;
  readonly targets: ReadonlyMap<TargetId, Target>;
  readonly bundles: ReadonlyMap<BundleId, Bundle>;
  readonly lists: ReadonlyMap<ListId, UserList>;
  readonly policies: ReadonlyMap<PolicyId, Policy>;
  readonly devices: ReadonlyMap<DeviceId, Device>;
  readonly keys: ReadonlyMap<KeyId, DeviceKey>;
  readonly tokens: ReadonlyMap<TokenId, ApiToken>;
  readonly users: ReadonlyMap<UserId, User>;
  readonly sessions: ReadonlyMap<SessionId, Session>;
  readonly behaviours: ReadonlyMap<BehaviourId, Behaviour>;
  readonly entitlements: ReadonlyMap<EntitlementId, Entitlement>;
  readonly heldChanges: ReadonlyMap<HeldChangeId, HeldChange>;
  readonly feeds: ReadonlyMap<FeedId, Feed>;
}
