import type { IndicatorKind } from '../../indicators/indicator.ts';
import type { MemberSets } from '../../policy/member-sets.ts';
import type {
  Account,
  AccountId,
  Bundle,
  BundleId,
  Device,
  DeviceId,
  DeviceKey,
  ListId,
  Model,
  Policy,
  PolicyId,
  Target,
  TargetId,
  UserList,
} from '../../policy/model.ts';
import { ModelError, type ModelErrorCode } from '../../policy/model-error.ts';
import type { ModelDraft } from '../publisher.ts';

/** What the edits need from outside to stay pure. */
export interface EditSettings {
  /** Root of all zone names, absolute: `sluice.internal.`. */
  readonly root: string;
  /** TTL of policies that are made without one, in seconds; 60 when absent. */
  readonly policyTtl?: number;
  /** The longest owner, in octets, that fits below every origin that we make (interop.md rule 3). */
  readonly ownerOctetsMax: number;
  readonly isPublicSuffix: (name: string) => boolean;
  /** The kinds of indicators that these members hold. */
  readonly memberKinds: (members: MemberSets) => ReadonlySet<IndicatorKind>;
  /** What keys may use; the first is the default. */
  readonly keyAlgorithms: readonly DeviceKey['algorithm'][];
  readonly randomBytes: (octets: number) => Uint8Array;
}

/** One edit under way: the draft it writes to and on whose behalf. */
export interface Edit {
  readonly draft: ModelDraft;
  readonly settings: EditSettings;
  readonly accountId: AccountId;
  /** The server itself edits: it may write what is built in or predefined for everyone else. */
  readonly system: boolean;
}

/** A field of the request's path that names nothing: the same sentence for what is hidden and what is absent. */
export function notFound(what: string, id: unknown): ModelError {
  return new ModelError('not-found', {
    field: `${what} id`,
    value: id,
    rule: `There is no ${what} with this id in your account.`,
  });
}

export function refuse(
  code: ModelErrorCode,
  field: string,
  value: unknown,
  rule: string,
): ModelError {
  return new ModelError(code, { field, value, rule });
}

export function accountOf(edit: Edit): Account {
  const account = edit.draft.model.accounts.get(edit.accountId);
  if (account === undefined) throw notFound('account', edit.accountId);
  return account;
}

/** What a reader of the model may see: the account that asks. */
export interface Viewer {
  readonly model: Model;
  readonly accountId: AccountId;
}

export function viewerOf(edit: Edit): Viewer {
  return { model: edit.draft.model, accountId: edit.accountId };
}

export function findTarget(viewer: Viewer, id: number): Target {
  const target = viewer.model.targets.get(id as TargetId);
  if (target === undefined) throw notFound('target', id);
  return target;
}

export function findBundle(viewer: Viewer, id: number): Bundle {
  const bundle = viewer.model.bundles.get(id as BundleId);
  if (bundle === undefined) throw notFound('bundle', id);
  return bundle;
}

export function findList(viewer: Viewer, id: number): UserList {
  const list = viewer.model.lists.get(id as ListId);
  if (list === undefined || list.accountId !== viewer.accountId) throw notFound('list', id);
  return list;
}

/** Whether an account may see, duplicate and assign the policy. */
export function seesPolicy(accountId: AccountId, policy: Policy): boolean {
  return policy.predefined || policy.accountId === accountId;
}

export function findPolicy(viewer: Viewer, id: number): Policy {
  const policy = viewer.model.policies.get(id as PolicyId);
  if (policy === undefined || !seesPolicy(viewer.accountId, policy)) throw notFound('policy', id);
  return policy;
}

export function findDevice(viewer: Viewer, id: number): Device {
  const device = viewer.model.devices.get(id as DeviceId);
  if (device === undefined || device.accountId !== viewer.accountId) throw notFound('device', id);
  return device;
}

/** The first of `others` that has this name, compared without case, leaving out the one numbered `ownId`. */
export function holderOfName<Named extends { readonly id: number; readonly name: string }>(
  name: string,
  others: Iterable<Named>,
  ownId: number | null,
): Named | undefined {
  const wanted = name.toLowerCase();
  for (const other of others) {
    if (other.id !== ownId && other.name.toLowerCase() === wanted) return other;
  }
  return undefined;
}
