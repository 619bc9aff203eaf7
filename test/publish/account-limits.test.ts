import { describe, expect, it } from 'vitest';
import type { AccountId } from '../../src/policy/model.ts';
import { ModelError } from '../../src/policy/model-error.ts';
import { BACKUP_FORMAT, BACKUP_NOTICE } from '../../src/publish/backup/backup-document.ts';
import type { BackupDocument } from '../../src/publish/backup/index.ts';
import {
  ACCOUNT_MAXIMA,
  createBehaviour,
  createDevice,
  createList,
  createPolicy,
  createToken,
  createUser,
  deleteBehaviour,
  duplicatePolicy,
  type Edit,
  restoreBackup,
  updatePolicy,
} from '../../src/publish/edits/index.ts';
import type { OwnedKind } from '../../src/publish/name-index.ts';
import { type EditScene, editScene } from './edits-scene.ts';

const MAKE: Readonly<Record<OwnedKind, (edit: Edit, name: string) => { readonly id: number }>> = {
  behaviour: (edit, name) =>
    createBehaviour(edit, { name, action: { kind: 'redirect', to: 'walled.example.' } }),
  list: (edit, name) => createList(edit, { name }),
  policy: (edit, name) => createPolicy(edit, { name, type: 'dns' }),
  device: (edit, name) => createDevice(edit, { name, type: 'dns' }),
  user: (edit, name) => createUser(edit, { name, role: 'viewer' }, null),
  token: (edit, name) => createToken(edit, { name, role: 'viewer' }).token,
};
const KINDS = Object.keys(MAKE) as OwnedKind[];

/** Puts copies of one thing until the account owns so many. */
function fill({ draft, ...edit }: Edit, kind: OwnedKind, count: number): void {
  const made = MAKE[kind]({ draft, ...edit }, 'x0');
  const maps = {
    behaviour: draft.model.behaviours,
    list: draft.model.lists,
    policy: draft.model.policies,
    device: draft.model.devices,
    user: draft.model.users,
    token: draft.model.tokens,
  };
  const first = (maps[kind] as ReadonlyMap<number, object>).get(made.id)!;
  for (let index = 1; index < count; index++) {
    draft.put(kind, { ...first, id: draft.nextId(kind), name: `x${index}` } as never);
  }
}

function refusalOf(run: () => unknown): ModelError {
  try {
    run();
  } catch (error) {
    if (error instanceof ModelError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

/** Runs an edit whose draft is thrown away, so that nothing of it has to be stored. */
function tryOut({ run }: EditScene, edit: (edit: Edit) => void): void {
  const done = new Error('done');
  const running = () =>
    run((given) => {
      edit(given);
      throw done;
    });
  expect(running).toThrow(done);
}

describe('an account', () => {
  it.each(KINDS)('has its limit for each kind: %s', (kind) => {
    tryOut(editScene(), (edit) => {
      fill(edit, kind, ACCOUNT_MAXIMA[kind] - 1);
      MAKE[kind](edit, 'last');
      const error = refusalOf(() => MAKE[kind](edit, 'more'));
      expect(error).toMatchObject({ code: 'account-full', field: 'account', value: 'acme' });
      expect(error.rule).toContain(`at most ${ACCOUNT_MAXIMA[kind]} `);
    });
  });

  it('that is full takes no duplicate and no restored thing either, and another one after a delete', () => {
    tryOut(editScene(), (edit) => {
      fill(edit, 'policy', ACCOUNT_MAXIMA.policy);
      expect(refusalOf(() => duplicatePolicy(edit, 1, { name: 'copy' })).code).toBe('account-full');
    });
    tryOut(editScene(), (edit) => {
      fill(edit, 'behaviour', ACCOUNT_MAXIMA.behaviour);
      deleteBehaviour(edit, 1);
      MAKE.behaviour(edit, 'again');
    });
    tryOut(editScene(), (edit) => {
      fill(edit, 'user', ACCOUNT_MAXIMA.user - 1);
      const users = ['ada', 'joan'].map((name) => {
        return { name, displayName: '', role: 'viewer' } as const;
      });
      const error = refusalOf(() =>
        restoreBackup(edit, { ...EMPTY_BACKUP, users }, { missing: 'refuse' }),
      );
      expect(error).toMatchObject({ code: 'account-full', field: 'users[1].account' });
    });
  });

  it('is measured by what it owns itself', () => {
    tryOut(editScene(), (edit) => {
      const other = {
        ...edit.draft.model.accounts.get(edit.accountId)!,
        id: 2 as AccountId,
        label: 'other',
      };
      edit.draft.put('account', other);
      fill({ ...edit, accountId: other.id }, 'list', ACCOUNT_MAXIMA.list);
      MAKE.list(edit, 'x0');
    });
  });
});

describe('a name', () => {
  it('is free again in the same change when its holder has another or is gone', () => {
    tryOut(editScene({ renameGraceMs: 0 }), (edit) => {
      const first = createPolicy(edit, { name: 'one', type: 'dns' });
      expect(refusalOf(() => createPolicy(edit, { name: 'ONE', type: 'ip' })).code).toBe(
        'name-taken',
      );
      updatePolicy(edit, first.id, { name: 'two' });
      createPolicy(edit, { name: 'one', type: 'dns' });
      expect(refusalOf(() => createPolicy(edit, { name: 'two', type: 'dns' })).code).toBe(
        'name-taken',
      );
      const { id } = MAKE.behaviour(edit, 'walled');
      deleteBehaviour(edit, id);
      MAKE.behaviour(edit, 'Walled');
    });
  });
});

const EMPTY_BACKUP: BackupDocument = {
  format: BACKUP_FORMAT,
  version: 1,
  createdAt: '2030-01-31T12:00:00.000Z',
  notice: BACKUP_NOTICE,
  account: { label: 'acme', name: 'Acme' },
  behaviours: [],
  lists: [],
  policies: [],
  devices: [],
  users: [],
};

describe('a restore of very much', () => {
  it('looks at each thing once, not at all others for each', () => {
    const policy = {
      type: 'dns',
      description: '',
      ttl: 60,
      defaultAction: { kind: 'nxdomain' },
      hostsMax: null,
      attachments: [],
      excludedTargets: [],
    } as const;
    const policies = Array.from({ length: 5_000 }, (_, index) => ({
      ...policy,
      name: `p${index}`,
    }));
    const devices = Array.from({ length: 10_000 }, (_, index) => ({
      name: `d${index}`,
      type: 'dns' as const,
      description: '',
      profile: 'unbound' as const,
      access: 'source' as const,
      sources: ['192.0.2.1'],
      hostnames: [],
      certificateName: `d${index}.example`,
      recordsMax: null,
      notify: [],
      policy: { name: `p${index % 5_000}`, predefined: false },
      keys: [],
    }));
    tryOut(editScene(), (edit) => {
      const { model } = edit.draft;
      const startedMs = performance.now();
      const document = { ...EMPTY_BACKUP, policies, devices };
      const restored = restoreBackup(edit, document, { missing: 'refuse' });
      expect(restored).toMatchObject({ policies: 5_000, devices: 10_000 });
      expect(model.devices.size).toBe(0);
      // Some 0.4 s; to look at all devices behind each of them alone takes more than three.
      expect(performance.now() - startedMs).toBeLessThan(2_500);
    });
  });
});
