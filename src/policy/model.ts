import type { Brand } from '../dns/brand.ts';
import type { Action } from './action.ts';
import type { MemberSets } from './member-sets.ts';

export type AccountId = Brand<number, 'AccountId'>;
export type TargetId = Brand<number, 'TargetId'>;
export type BundleId = Brand<number, 'BundleId'>;
export type ListId = Brand<number, 'ListId'>;
export type PolicyId = Brand<number, 'PolicyId'>;
export type DeviceId = Brand<number, 'DeviceId'>;
export type KeyId = Brand<number, 'KeyId'>;
export type TokenId = Brand<number, 'TokenId'>;

/** Owns policies, lists and devices. `label` is one DNS label of its zones' names, lower case. */
export interface Account {
  readonly id: AccountId;
  readonly label: string;
  readonly name: string;
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

/** One line of a user-defined list as the user wrote it. `expiresAt` is in Unix milliseconds. */
export interface ListEntry {
  readonly value: string;
  readonly comment: string;
  readonly expiresAt: number | null;
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
  readonly createdAt: number;
  readonly updatedAt: number;
}

export type Attachment =
  | { readonly kind: 'target'; readonly id: TargetId; readonly action: Action }
  | { readonly kind: 'bundle'; readonly id: BundleId; readonly action: Action }
  | { readonly kind: 'list'; readonly id: ListId; readonly action: Action };

export type PolicyType = 'ip' | 'dns';

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
  readonly defaultAction: Action;
  /** IP policies: publish up to this many single addresses as A/AAAA records too; null publishes none. */
  readonly hostsMax: number | null;
  readonly attachments: readonly Attachment[];
  readonly excludedTargets: readonly TargetId[];
  readonly createdAt: number;
  readonly updatedAt: number;
}

export type DeviceType = 'ip' | 'dns' | 'roaming';
export const DEVICE_PROFILES = [
  'generic',
  'bind',
  'unbound',
  'powerdns',
  'knot',
  'nsd',
  'script',
] as const;
export type DeviceProfile = (typeof DEVICE_PROFILES)[number];

/** Where a NOTIFY goes. `address` is an IPv4 or IPv6 literal. */
export interface NotifyEndpoint {
  readonly address: string;
  readonly port: number;
}

/**
 * Pulls one policy. `access` says what identifies it: a TSIG key of its own, its source
 * prefixes, or either of the two.
 */
export interface Device {
  readonly id: DeviceId;
  readonly accountId: AccountId;
  /** One DNS label, lower case, at most 16 octets. */
  readonly name: string;
  readonly description: string;
  readonly type: DeviceType;
  readonly profile: DeviceProfile;
  readonly access: 'key' | 'source' | 'either';
  /** Prefixes in text form, for example `192.0.2.0/24` or `2001:db8::1/128`. */
  readonly sources: readonly string[];
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
  readonly createdAt: number;
}

export type Role = 'admin' | 'editor' | 'viewer' | 'sensor';

/** An API token; only its SHA-256 is kept. */
export interface ApiToken {
  readonly id: TokenId;
  readonly accountId: AccountId;
  readonly name: string;
  readonly role: Role;
  readonly sha256: string;
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
}
