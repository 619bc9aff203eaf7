import type { IndicatorKind } from '../../indicators/indicator.ts';
import type { MemberSets } from '../../policy/member-sets.ts';
import type {
  Account,
  AccountId,
  Behaviour,
  BehaviourId,
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
import type { ZoneSnapshot } from '../../zone/snapshot.ts';
import type { NamedKind } from '../name-index.ts';
import type { EntityTypes, ModelDraft } from '../publisher.ts';

/** What the edits need from outside to stay pure. */
export interface EditSettings {
  /** Root of all zone names, absolute: `sluice.internal.`. */
  readonly root: string;
  /** TTL of policies that are made without one, in seconds; 60 when absent. */
  readonly policyTtl?: number;
  /** How long the old zones of a renamed policy go on answering, in milliseconds; two weeks when absent. */
  readonly renameGraceMs?: number;
  /** How long a change of catalog ownership is announced before it is carried out, in milliseconds; 15 minutes when absent. */
  readonly handoverAnnouncedMs?: number;
  /** The longest owner, in octets, that fits below every origin that we make (interop.md rule 3). */
  readonly ownerOctetsMax: number;
  readonly isPublicSuffix: (name: string) => boolean;
  /** The kinds of indicators that these members hold. */
  readonly memberKinds: (members: MemberSets) => ReadonlySet<IndicatorKind>;
  /** What keys may use; the first is the default. */
  readonly keyAlgorithms: readonly DeviceKey['algorithm'][];
  readonly randomBytes: (octets: number) => Uint8Array;
  /** The zones that are served now, by origin: what a policy can be rolled back to. None when absent. */
  readonly zones?: () => ReadonlyMap<string, ZoneSnapshot>;
}

/** One edit under way: the draft it writes to and on whose behalf. */
export interface Edit {
  readonly draft: ModelDraft;
  readonly settings: EditSettings;
  readonly accountId: AccountId;
  /** The server itself edits: it may write what is built in or predefined for everyone else. */
  readonly system: boolean;
  /**
   * Whoever makes very many edits in one change calls refuseTcpOnlyForUnbound once behind them all;
   * each of them would look at every device.
   */
  readonly checksTcpOnlyLater?: boolean;
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

/** A list that the account may read: its own, or one that another account shares with it. */
export function findList(viewer: Viewer, id: number): UserList {
  const list = viewer.model.lists.get(id as ListId);
  if (list === undefined || !seesList(viewer.accountId, list)) throw notFound('list', id);
  return list;
}

/** Whether an account may read the list and attach it to its policies. */
export function seesList(accountId: AccountId, list: UserList): boolean {
  return list.accountId === accountId || list.sharedWith.includes(accountId);
}

/** A list that this edit may change: its own. */
export function findWritableList(edit: Edit, id: number): UserList {
  const list = findList(viewerOf(edit), id);
  if (list.accountId !== edit.accountId) {
    const owner = edit.draft.model.accounts.get(list.accountId);
    const rule = `List "${list.name}" belongs to account "${owner?.label}", which lets you read and attach it only.`;
    throw refuse('list-shared', 'list id', id, rule);
  }
  return list;
}

export function findBehaviour(viewer: Viewer, id: number): Behaviour {
  const behaviour = viewer.model.behaviours.get(id as BehaviourId);
  if (behaviour === undefined || behaviour.accountId !== viewer.accountId) {
    throw notFound('behaviour', id);
  }
  return behaviour;
}

/** Targets and bundles are everybody's to use and the operator's to keep. */
export function refuseUnlessOperator(edit: Edit): void {
  if (edit.system || accountOf(edit).operator) return;
  const rule =
    'Targets and bundles are changed on behalf of the account that runs the server only.';
  throw refuse('catalogue-read-only', 'account', accountOf(edit).label, rule);
}

/** How a policy is called in a refusal: with its account, where that is not the one that asks. */
export function policyTitle(edit: Edit, policy: Policy): string {
  if (policy.accountId === edit.accountId) return `policy "${policy.name}"`;
  const owner = edit.draft.model.accounts.get(policy.accountId);
  return `policy "${policy.name}" of account "${owner?.label}"`;
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

/**
 * What is called so, compared without case, other than the one numbered `ownId`; in the account, where
 * one is given.
 */
export function holderOfName<Kind extends NamedKind>(
  { draft }: Pick<Edit, 'draft'>,
  kind: Kind,
  name: string,
  { ownId, accountId }: { readonly ownId: number | null; readonly accountId?: AccountId },
): EntityTypes[Kind] | undefined {
  const wanted = name.toLowerCase();
  return draft
    .named(kind, name)
    .find(
      (other) =>
        other.id !== ownId &&
        other.name.toLowerCase() === wanted &&
        (accountId === undefined || ('accountId' in other && other.accountId === accountId)),
    );
}
