import type { Action } from '../../policy/action.ts';
import type {
  Behaviour,
  BundleFilter,
  Device,
  PolicyType,
  Role,
  TargetAttributes,
  UserList,
} from '../../policy/model.ts';

export const BACKUP_FORMAT = 'sluice-backup';
/** Raised when a reader of older documents would misunderstand a newer one. */
export const BACKUP_VERSION = 1;

export const BACKUP_NOTICE =
  'Secrets are not in here: TSIG keys have to be made anew, users come back disabled and without password, API tokens are left out. So are former names of policies and what a policy was rolled back to.';

/**
 * One account as a document that another account or server can take. Whatever points to something
 * else does so by its name, so that ids may be others there.
 */
export interface BackupDocument {
  readonly format: typeof BACKUP_FORMAT;
  readonly version: typeof BACKUP_VERSION;
  /** ISO 8601, as all times here. */
  readonly createdAt: string;
  readonly notice: string;
  readonly account: { readonly label: string; readonly name: string };
  /** All targets and bundles; of the account that runs the server only, and on request. */
  readonly catalogue?: BackupCatalogue;
  readonly behaviours: readonly BackupBehaviour[];
  readonly lists: readonly BackupList[];
  readonly policies: readonly BackupPolicy[];
  readonly devices: readonly BackupDevice[];
  readonly users: readonly BackupUser[];
}

export interface BackupCatalogue {
  readonly targets: readonly BackupTarget[];
  readonly bundles: readonly {
    readonly name: string;
    readonly description: string;
    readonly filter: BundleFilter;
  }[];
  /** Predefined policies. */
  readonly policies: readonly BackupPolicy[];
}

export interface BackupTarget {
  readonly name: string;
  readonly description: string;
  readonly attributes: TargetAttributes;
  readonly supportsAllow: boolean;
  readonly partner: boolean;
  /** In their text form. */
  readonly indicators: readonly string[];
}

export interface BackupBehaviour extends Pick<Behaviour, 'name' | 'description' | 'action'> {}

export interface BackupEntry {
  readonly value: string;
  readonly comment: string;
  readonly expiresAt: string | null;
  readonly createdAt: string;
}

export interface BackupList extends Pick<UserList, 'name' | 'description' | 'action'> {
  /** Labels of accounts. */
  readonly sharedWith: readonly string[];
  readonly entries: readonly BackupEntry[];
}

/** An action, or a behaviour of the account by its name. */
export type BackupAction = Action | { readonly kind: 'behaviour'; readonly name: string };

export interface BackupAttachment {
  readonly kind: 'target' | 'bundle' | 'list';
  readonly name: string;
  /** Label of the account that shares the list; absent for the account's own. */
  readonly account?: string;
  readonly action: BackupAction;
}

export interface BackupPolicy {
  readonly name: string;
  readonly type: PolicyType;
  readonly description: string;
  readonly ttl: number;
  readonly defaultAction: BackupAction;
  readonly hostsMax: number | null;
  readonly attachments: readonly BackupAttachment[];
  /** Names of targets. */
  readonly excludedTargets: readonly string[];
  /** The zones kept an earlier content when the backup was made; restored, they follow the members. */
  readonly rolledBack?: true;
}

export interface BackupDevice
  extends Pick<
    Device,
    | 'name'
    | 'type'
    | 'description'
    | 'profile'
    | 'access'
    | 'sources'
    | 'hostnames'
    | 'certificateName'
    | 'recordsMax'
    | 'notify'
  > {
  /** Absent in backups that were made before there were secondaries. */
  readonly scope?: Device['scope'];
  readonly policy: { readonly name: string; readonly predefined: boolean } | null;
  /** To know what has to be made anew: the secrets are not in here. */
  readonly keys: readonly {
    readonly name: string;
    readonly algorithm: string;
    /** Where the key has a limit of its own. */
    readonly transfersMax?: number;
  }[];
}

export interface BackupUser {
  readonly name: string;
  readonly displayName: string;
  readonly role: Role;
}
