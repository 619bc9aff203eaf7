import type { Catalogue } from '../../indicators/catalogue.ts';
import { formatIndicator } from '../../indicators/format-indicator.ts';
import { MEMBER_FORMS } from '../../indicators/indicator.ts';
import type {
  Account,
  AccountId,
  ActionChoice,
  Attachment,
  Device,
  Model,
  Policy,
  Target,
  UserList,
} from '../../policy/model.ts';
import { idSlices } from '../exports/id-slices.ts';
import {
  BACKUP_FORMAT,
  BACKUP_NOTICE,
  BACKUP_VERSION,
  type BackupAction,
  type BackupAttachment,
  type BackupDevice,
  type BackupDocument,
  type BackupEntry,
  type BackupList,
  type BackupPolicy,
  type BackupTarget,
} from './backup-document.ts';

interface BackupOptions {
  readonly model: Model;
  readonly catalogue: Catalogue;
  readonly accountId: AccountId;
  /** Targets with all their indicators, bundles and predefined policies, too. */
  readonly withCatalogue: boolean;
  /** Unix milliseconds. */
  readonly now: number;
}

/** The backup of an account as JSON (a BackupDocument), in small pieces that together are its text. */
export function* backupText(options: BackupOptions): Generator<string> {
  const { model, accountId, withCatalogue, now } = options;
  const account = model.accounts.get(accountId)!;
  const isOwn = (owned: { readonly accountId: AccountId }) => owned.accountId === accountId;
  const head: Omit<BackupDocument, 'behaviours' | 'lists' | 'policies' | 'devices' | 'users'> = {
    format: BACKUP_FORMAT,
    version: BACKUP_VERSION,
    createdAt: isoTime(now),
    notice: BACKUP_NOTICE,
    account: { label: account.label, name: account.name },
  };
  yield `${JSON.stringify(head).slice(0, -1)},`;
  if (withCatalogue) yield* catalogueText(options);
  const behaviours = model.behaviours.values().filter(isOwn);
  yield* listOf(
    'behaviours',
    behaviours.map(({ name, description, action }) => [
      JSON.stringify({ name, description, action }),
    ]),
  );
  yield ',';
  const lists = model.lists.values().filter(isOwn);
  yield* listOf(
    'lists',
    lists.map((list) => listText(list, model)),
  );
  yield ',';
  const policies = model.policies.values().filter((policy) => isOwn(policy) && !policy.predefined);
  yield* listOf(
    'policies',
    policies.map((policy) => [JSON.stringify(policyOf(policy, model))]),
  );
  yield ',';
  const devices = model.devices.values().filter(isOwn);
  yield* listOf(
    'devices',
    devices.map((device) => [JSON.stringify(deviceOf(device, model))]),
  );
  yield ',';
  const users = model.users.values().filter(isOwn);
  yield* listOf(
    'users',
    users.map(({ name, displayName, role }) => [JSON.stringify({ name, displayName, role })]),
  );
  yield '}\n';
}

function* catalogueText({ model, catalogue }: BackupOptions): Generator<string> {
  yield '"catalogue":{';
  const targets = model.targets.values().filter(({ origin }) => origin !== 'built-in');
  yield* listOf(
    'targets',
    targets.map((target) => targetText(target, catalogue)),
  );
  yield ',';
  yield* listOf(
    'bundles',
    model.bundles
      .values()
      .map(({ name, description, filter }) => [JSON.stringify({ name, description, filter })]),
  );
  yield ',';
  const predefined = model.policies.values().filter((policy) => policy.predefined);
  yield* listOf(
    'policies',
    predefined.map((policy) => [JSON.stringify(policyOf(policy, model))]),
  );
  yield '},';
}

function* targetText(target: Target, catalogue: Catalogue): Generator<string> {
  const { name, description, attributes, supportsAllow, partner } = target;
  const fields: Omit<BackupTarget, 'indicators'> = {
    name,
    description,
    attributes,
    supportsAllow,
    partner,
  };
  yield `${JSON.stringify(fields).slice(0, -1)},`;
  yield* listOf('indicators', indicatorTexts(target, catalogue));
  yield '}';
}

function* indicatorTexts(target: Target, catalogue: Catalogue): Generator<[string]> {
  for (const form of MEMBER_FORMS) {
    for (const slice of idSlices(target.members[form])) {
      for (const id of slice) {
        const { kind, key } = catalogue.indicator(id, form);
        yield [JSON.stringify(formatIndicator(kind, key))];
      }
    }
  }
}

function* listText(list: UserList, model: Model): Generator<string> {
  const { name, description, action } = list;
  const sharedWith = labelsOf(list.sharedWith, model);
  const fields: Omit<BackupList, 'entries'> = { name, description, action, sharedWith };
  yield `${JSON.stringify(fields).slice(0, -1)},`;
  yield* listOf(
    'entries',
    list.entries.values().map(({ value, comment, expiresAt, createdAt }) => {
      const entry: BackupEntry = {
        value,
        comment,
        expiresAt: expiresAt === null ? null : isoTime(expiresAt),
        createdAt: isoTime(createdAt),
      };
      return [JSON.stringify(entry)];
    }),
  );
  yield '}';
}

function policyOf(policy: Policy, model: Model): BackupPolicy {
  const { name, type, description, ttl, hostsMax } = policy;
  return {
    name,
    type,
    description,
    ttl,
    defaultAction: actionOf(policy.defaultAction, model),
    hostsMax,
    attachments: policy.attachments.map((attachment) => attachmentOf(attachment, policy, model)),
    excludedTargets: policy.excludedTargets.map((id) => model.targets.get(id)!.name),
    ...(policy.rollback === null ? {} : { rolledBack: true as const }),
  };
}

function attachmentOf(attachment: Attachment, policy: Policy, model: Model): BackupAttachment {
  const action = actionOf(attachment.action, model);
  const { kind } = attachment;
  switch (attachment.kind) {
    case 'target':
      return { kind, name: model.targets.get(attachment.id)!.name, action };
    case 'bundle':
      return { kind, name: model.bundles.get(attachment.id)!.name, action };
    case 'list': {
      const list = model.lists.get(attachment.id)!;
      if (list.accountId === policy.accountId) return { kind, name: list.name, action };
      const [account] = labelsOf([list.accountId], model) as [string];
      return { kind, name: list.name, account, action };
    }
  }
}

function actionOf(choice: ActionChoice, model: Model): BackupAction {
  if (choice.kind !== 'behaviour') return choice;
  return { kind: 'behaviour', name: model.behaviours.get(choice.id)!.name };
}

function deviceOf(device: Device, model: Model): BackupDevice {
  const { name, type, description, scope, profile, access, sources, hostnames } = device;
  const { certificateName, recordsMax, notify } = device;
  const policy = device.policyId === null ? undefined : model.policies.get(device.policyId);
  const keys = model.keys.values().filter(({ deviceId }) => deviceId === device.id);
  return {
    name,
    type,
    description,
    scope,
    profile,
    access,
    sources,
    hostnames,
    certificateName,
    recordsMax,
    notify,
    policy: policy === undefined ? null : { name: policy.name, predefined: policy.predefined },
    keys: keys
      .map(({ name, algorithm, transfersMax }) => ({
        name,
        algorithm,
        ...(transfersMax === null ? {} : { transfersMax }),
      }))
      .toArray(),
  };
}

function labelsOf(ids: readonly AccountId[], model: Model): string[] {
  return ids.flatMap((id) => {
    const account: Account | undefined = model.accounts.get(id);
    return account === undefined ? [] : [account.label];
  });
}

/** A field of a JSON object that is a list; each item comes in parts of its text. */
function* listOf(field: string, items: Iterable<Iterable<string>>): Generator<string> {
  yield `${JSON.stringify(field)}:[`;
  let isFirst = true;
  for (const parts of items) {
    if (!isFirst) yield ',\n';
    isFirst = false;
    yield* parts;
  }
  yield ']';
}

function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
