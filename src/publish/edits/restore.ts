import type { Account, AccountId, Device, UserList } from '../../policy/model.ts';
import {
  BACKUP_FORMAT,
  BACKUP_VERSION,
  type BackupDevice,
  type BackupDocument,
  type BackupList,
} from '../backup/index.ts';
import { createBehaviour } from './behaviours.ts';
import { createDevice } from './devices.ts';
import { accountOf, type Edit, refuse, refuseUnlessOperator } from './edit.ts';
import { changeEntries } from './list-entries.ts';
import { shareList } from './list-shares.ts';
import { createList } from './lists.ts';
import { type KeptTargets, restoreCatalogue } from './restore-catalogue.ts';
import { nothingNamed, restorePolicy } from './restore-policies.ts';
import {
  accountByLabel,
  openRestore,
  ownByName,
  predefinedByName,
  type RestoreRun,
} from './restore-run.ts';
import { refuseTcpOnlyForUnbound } from './tcp-only-guard.ts';
import { createUser } from './users.ts';

export interface RestoreOptions {
  /** What the document names and the server has not refuses the restore, or is left out of it. */
  readonly missing: 'refuse' | 'leave-out';
}

export interface Restored {
  readonly account: Account;
  readonly behaviours: number;
  readonly lists: number;
  readonly entries: number;
  /** Entries whose time was over; they are left out. */
  readonly entriesExpired: number;
  readonly policies: number;
  readonly devices: number;
  readonly users: number;
  readonly targets: number;
  readonly bundles: number;
  /** Login names that another user of the server has; they are left out. */
  readonly usersTaken: readonly string[];
  /** Devices that need a new TSIG key before they can read. */
  readonly devicesWithoutKey: readonly string[];
  /** Policies that were rolled back when the backup was made, and follow their members now. */
  readonly rollbacksLost: readonly string[];
  readonly targetsKept: KeptTargets;
  /** Sentences about what was missing, with `leave-out`. */
  readonly leftOut: readonly string[];
}

/**
 * Makes an empty account what the document says: whole, or with a ModelError that names everything
 * that stands in the way.
 */
export function restoreBackup(
  edit: Edit,
  document: BackupDocument,
  options: RestoreOptions,
): Restored {
  checkForm(document);
  refuseUnlessEmpty(edit);
  if (document.catalogue !== undefined) refuseUnlessOperator(edit);
  const run = openRestore({ ...edit, checksTcpOnlyLater: true }, options.missing === 'leave-out');
  const { catalogue } = document;
  const targetsKept = catalogue === undefined ? [] : restoreCatalogue(run, catalogue);
  for (const [index, behaviour] of document.behaviours.entries()) {
    run.attempt(`behaviours[${index}]`, () => createBehaviour(run.edit, behaviour));
  }
  const entriesExpired = document.lists
    .map((list, index) => restoreList(run, `lists[${index}]`, list))
    .reduce((sum, expired) => sum + expired, 0);
  for (const [index, policy] of (catalogue?.policies ?? []).entries()) {
    restorePolicy(run, {
      path: `catalogue.policies[${index}]`,
      document: policy,
      predefined: true,
    });
  }
  for (const [index, policy] of document.policies.entries()) {
    restorePolicy(run, { path: `policies[${index}]`, document: policy, predefined: false });
  }
  const devices = restoreDevices(run, document);
  const usersTaken = restoreUsers(run, document);
  run.attempt('devices', () => refuseTcpOnlyForUnbound(edit));
  run.close();
  return {
    account: accountOf(edit),
    behaviours: document.behaviours.length,
    lists: document.lists.length,
    entries: document.lists.reduce((sum, { entries }) => sum + entries.length, -entriesExpired),
    entriesExpired,
    policies: document.policies.length,
    devices: devices.length,
    users: document.users.length - usersTaken.length,
    targets: catalogue?.targets.length ?? 0,
    bundles: catalogue?.bundles.length ?? 0,
    usersTaken,
    devicesWithoutKey: devices
      .filter(({ access }) => access === 'key' || access === 'either')
      .map(({ name }) => name),
    rollbacksLost: document.policies.filter(({ rolledBack }) => rolledBack).map(({ name }) => name),
    targetsKept,
    leftOut: run.leftOut,
  };
}

function checkForm({ format, version }: BackupDocument): void {
  if (format !== BACKUP_FORMAT) {
    throw refuse('backup-form', 'format', format, `A backup has the format "${BACKUP_FORMAT}".`);
  }
  if (version !== BACKUP_VERSION) {
    const rule = `This server reads version ${BACKUP_VERSION} of backups.`;
    throw refuse('backup-form', 'version', version, rule);
  }
}

interface Owned {
  readonly accountId: AccountId;
  readonly name: string;
}

function refuseUnlessEmpty(edit: Edit): void {
  const { policies, lists, behaviours, devices } = edit.draft.model;
  const held: readonly (readonly [string, Iterable<Owned>])[] = [
    ['policy', policies.values().filter(({ predefined }) => !predefined)],
    ['list', lists.values()],
    ['behaviour', behaviours.values()],
    ['device', devices.values()],
  ];
  for (const [what, entities] of held) {
    const own = [...entities].find(({ accountId }) => accountId === edit.accountId);
    if (own === undefined) continue;
    const { label } = accountOf(edit);
    const rule = `A backup is restored into an empty account; this one has ${what} "${own.name}".`;
    throw refuse('account-not-empty', 'account', label, rule);
  }
}

/** Gives the number of entries whose time was over. */
function restoreList(run: RestoreRun, path: string, document: BackupList): number {
  const { edit } = run;
  const { name, description, action, entries } = document;
  const list = run.attempt(path, () => createList(edit, { name, description, action }));
  if (list === null) return 0;
  const { now } = edit.draft;
  const current = entries.filter(
    ({ expiresAt }) => expiresAt === null || !(Date.parse(expiresAt) <= now),
  );
  const add = current.map(({ value, comment, expiresAt }) => ({ value, comment, expiresAt }));
  // They were confirmed when they were added.
  const confirmed = { confirmBroad: true, confirmRoot: true };
  const changed = run.attempt(`${path}.entries`, () =>
    changeEntries(edit, list.id, { add, ...confirmed }),
  );
  if (changed !== null) restoreTimes(edit, list, current);
  for (const [index, label] of document.sharedWith.entries()) {
    const account = accountByLabel(run, label);
    const at = `${path}.sharedWith[${index}]`;
    if (account === undefined) run.missing(nothingNamed(at, 'account', label));
    // In the account that it was shared with, the list is its own now.
    else if (account.id !== edit.accountId) run.attempt(at, () => shareList(edit, list.id, label));
  }
  return entries.length - current.length;
}

function restoreTimes({ draft }: Edit, list: UserList, documents: BackupList['entries']): void {
  const held = draft.model.lists.get(list.id)!.entries;
  draft.putListEntries(
    list.id,
    documents.flatMap(({ value, createdAt }) => {
      const entry = held.get(value);
      const at = Date.parse(createdAt);
      return entry === undefined || !(at < draft.now) ? [] : [{ ...entry, createdAt: at }];
    }),
  );
}

function restoreDevices(run: RestoreRun, document: BackupDocument): Device[] {
  const made: (Device | null)[] = [];
  const policies = new Set(document.policies.map(({ name }) => name.toLowerCase()));
  for (const [index, device] of document.devices.entries()) {
    const path = `devices[${index}]`;
    const { policy: assigned, keys: _, ...fields } = device;
    const policy = assigned === null ? undefined : policyOfDevice(run, assigned);
    if (assigned !== null && policy === undefined) {
      // A policy of the backup that was refused is told of already.
      const isRefused = !assigned.predefined && policies.has(assigned.name.toLowerCase());
      if (!isRefused) run.missing(nothingNamed(`${path}.policy`, 'policy', assigned.name));
    }
    const policyId = policy?.id ?? null;
    made.push(run.attempt(path, () => createDevice(run.edit, { ...fields, policyId })));
  }
  return made.filter((device) => device !== null);
}

function policyOfDevice(run: RestoreRun, { name, predefined }: BackupDevice['policy'] & {}) {
  return predefined ? predefinedByName(run, name) : ownByName(run, 'policy', name);
}

/** Gives the names that other users of the server have: nobody else can be called that here. */
function restoreUsers(run: RestoreRun, { users }: BackupDocument): string[] {
  const taken: string[] = [];
  for (const [index, { name, displayName, role }] of users.entries()) {
    if (run.edit.draft.named('user', name).length > 0) {
      taken.push(name);
      continue;
    }
    const fields = { name, displayName, role, disabled: true };
    run.attempt(`users[${index}]`, () => createUser(run.edit, fields, null));
  }
  return taken;
}
