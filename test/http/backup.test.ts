import { describe, expect, it } from 'vitest';
import type { BackupDocument } from '../../src/publish/backup/index.ts';
import {
  createDevice,
  createPolicy,
  createTarget,
  type Edit,
  grantEntitlement,
  shareList,
} from '../../src/publish/edits/index.ts';
import { createRandom } from '../support/random.ts';
import { contentsOf, fillAccount, fillCatalogue } from './random-account.ts';
import { type Scene, scene } from './scene.ts';

/** A server whose first account has some of everything. */
async function filledScene(seed: number): Promise<Scene> {
  const made = await scene();
  const random = createRandom(seed);
  await made.asServer((edit) => fillCatalogue(edit, random));
  await made.asServer((edit) => fillAccount({ ...edit, system: false }, random));
  return made;
}

async function backupOf(made: Pick<Scene, 'call'>, query = ''): Promise<BackupDocument> {
  const answer = await made.call('GET', `/backup${query}`);
  expect(answer.status, answer.text).toBe(200);
  return JSON.parse(answer.text);
}

const RESTORE = '/restore?confirm=true';

/** A document without what differs between two accounts that mean the same, and without order of indicators. */
function shapeOf(document: BackupDocument): object {
  const { createdAt: _, account: __, users: ___, catalogue, ...shape } = document;
  const targets = catalogue?.targets.map(({ indicators, ...target }) => ({
    ...target,
    indicators: indicators.toSorted(),
  }));
  return { ...shape, catalogue: { ...catalogue, targets } };
}

describe('a backup', () => {
  it('names everything by name and holds no secret', async () => {
    const made = await filledScene(7);
    await made.ok('POST', '/devices/1/keys', {});
    await made.ok('POST', '/users', {
      name: 'ada',
      role: 'editor',
      password: 'correct horse battery',
    });
    const answer = await made.call('GET', '/backup');
    expect(answer.headers).toMatchObject({
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'content-disposition': 'attachment; filename="acme-2030-01-31.json"',
    });
    const document: BackupDocument = JSON.parse(answer.text);
    expect(document).toMatchObject({
      format: 'sluice-backup',
      version: 1,
      createdAt: '2030-01-31T12:00:00.000Z',
      account: { label: 'acme', name: 'acme' },
      users: [{ name: 'ada', displayName: '', role: 'editor' }],
    });
    expect(document.notice).toContain('TSIG keys have to be made anew');
    expect(document).not.toHaveProperty('catalogue');
    expect(document.devices[0]!.keys).toHaveLength(1);
    expect(document.policies[0]!.defaultAction).toEqual({ kind: 'behaviour', name: 'walled' });
    expect(document.lists.map(({ name }) => name)).toEqual(['Staff', 'partners', 'noise']);
    expect(document.lists[0]!.entries[0]).toMatchObject({
      comment: 'comment "0", and more',
      createdAt: '2030-01-31T12:00:00.000Z',
    });
    const { model } = made.publisher;
    const secret = Buffer.from([...model.keys.values()][0]!.secret).toString('base64');
    for (const hidden of [secret, 'scrypt', ...[...model.tokens.values()].map((t) => t.sha256)]) {
      expect(answer.text).not.toContain(hidden);
    }
    expect(answer.text).not.toMatch(/"(id|policyId|accountId|listId)":/);
  });

  it('is for admins, and the catalogue for the account that runs the server', async () => {
    const made = await scene();
    const other = await made.addAccount('beta');
    expect((await made.call('GET', '/backup', undefined, 'editor')).status).toBe(403);
    expect((await made.call('POST', '/restore', await backupOf(made), 'editor')).status).toBe(403);
    const problem = await other.refused('GET', '/backup?catalogue=true');
    expect(problem).toMatchObject({ status: 403, field: 'catalogue' });
    const withCatalogue = await backupOf(made, '?catalogue=true');
    const refused = await other.refused('POST', RESTORE, withCatalogue);
    expect(refused.status).toBe(403);
    expect(refused.type).toMatch(/(catalogue-read-only|not-allowed)$/);
  });
});

describe('a restore', () => {
  it.each([1, 2, 3, 4, 5, 6])(
    'into an empty account of the same server gives the same zones and assignments (account %i)',
    async (seed) => {
      const made = await filledScene(seed);
      const other = await made.addAccount('beta');
      const document = await backupOf(made);
      made.time.now += 60_000;
      const changesBefore = await made.publisher.changes({ limit: 1_000 });
      const { restored, zones } = await other.ok('POST', RESTORE, document);
      expect(restored).toMatchObject({
        account: { name: 'beta' },
        behaviours: 2,
        lists: 3,
        policies: 4,
        devices: 4,
        entriesExpired: 0,
        leftOut: [],
      });
      expect(Number((zones as unknown as unknown[]).length)).toBeGreaterThan(6);
      const contents = contentsOf(made.publisher, made.accountId);
      expect(Object.keys(contents).length).toBe(12);
      expect(contentsOf(made.publisher, other.accountId)).toEqual(contents);
      // One change of the house: nobody ever sees half an account.
      const changes = await made.publisher.changes({ limit: 1_000 });
      expect(changes.length).toBe(changesBefore.length + 1);
      expect(shapeOf(await backupOf(other))).toEqual({
        ...shapeOf(document),
        devices: document.devices.map((device) => ({ ...device, keys: [] })),
      });
    },
  );

  it.each([11, 12, 13])(
    'of everything into a fresh server gives the same zones there (server %i)',
    async (seed) => {
      const made = await filledScene(seed);
      await made.asServer((edit) => {
        const policy = createPolicy(edit, {
          name: 'base',
          type: 'dns',
          predefined: true,
          attachments: [{ kind: 'target', id: 1 }],
          excludedTargets: [2],
        });
        const certificateName = 'edge.example';
        const device = { name: 'ready', type: 'dns', policyId: policy.id, certificateName };
        return createDevice({ ...edit, system: false }, device);
      });
      const document = await backupOf(made, '?catalogue=true');
      const fresh = await scene();
      const { restored } = await fresh.ok('POST', RESTORE, document);
      expect(restored).toMatchObject({ targets: 6, bundles: 2, policies: 4, devices: 5 });
      const contents = contentsOf(made.publisher, made.accountId);
      expect(contentsOf(fresh.publisher, fresh.accountId)).toEqual(contents);
      expect(shapeOf(await backupOf(fresh, '?catalogue=true'))).toEqual(shapeOf(document));
    },
  );

  it('changes targets that are there already, and tells which others stay', async () => {
    const made = await filledScene(21);
    const document = await backupOf(made, '?catalogue=true');
    const fresh = await scene();
    await fresh.ok('POST', '/targets', { name: 'target 0', attributes: { severity: 5 } });
    await fresh.ok('PUT', '/targets/1/indicators', 'gone.example\n');
    await fresh.ok('POST', '/targets', { name: 'extra' });
    const { restored } = await fresh.ok('POST', RESTORE, document);
    expect(restored!.targetsKept).toEqual(['extra']);
    const again = await backupOf(fresh, '?catalogue=true');
    const [first] = again.catalogue!.targets;
    expect(first!.attributes).toEqual(document.catalogue!.targets[0]!.attributes);
    expect([...first!.indicators].sort()).toEqual(
      [...document.catalogue!.targets[0]!.indicators].sort(),
    );
  });

  it('shows with dryRun what it would do, and does nothing', async () => {
    const made = await filledScene(31);
    const other = await made.addAccount('beta');
    const answer = await other.call('POST', '/restore?dryRun=true', await backupOf(made));
    expect(answer.status, answer.text).toBe(200);
    expect(answer.body.dryRun).toBe(true);
    expect((await other.ok('GET', '/policies')).total).toBe(0);
    expect((await backupOf(other)).lists).toEqual([]);
  });

  it('is refused by an account that is not empty', async () => {
    const made = await filledScene(41);
    const problem = await made.refused('POST', RESTORE, await backupOf(made));
    expect(problem).toMatchObject({ status: 409, field: 'account', value: 'acme' });
    expect(problem.rule).toMatch(
      /^A backup is restored into an empty account; this one has policy /,
    );
  });

  it('that names what is not there is refused with all the names, or leaves them out', async () => {
    const made = await filledScene(51);
    const document = await backupOf(made);
    const fresh = await scene();
    const problem = await fresh.refused('POST', RESTORE, document);
    expect(problem.status).toBe(422);
    const attached = document.policies.flatMap(({ attachments, excludedTargets }) => [
      ...attachments.filter(({ kind }) => kind !== 'list').map(({ name }) => name),
      ...excludedTargets,
    ]);
    const told = (problem.errors as { field: string; value: string; rule: string }[]) ?? [];
    expect(told.map(({ value }) => value).toSorted()).toEqual(attached.toSorted());
    expect(told[0]!.field).toMatch(/^policies\[\d\]\.(attachments|excludedTargets)\[\d\]/);
    expect(told[0]!.rule).toMatch(/^There is no (target|bundle) ".+" here\.$/);
    expect((await fresh.ok('GET', '/policies')).total).toBe(0);
    expect((await fresh.ok('GET', '/lists')).total).toBe(0);
    const { restored } = await fresh.ok('POST', `${RESTORE}&missing=leave-out`, document);
    expect(Number((restored!.leftOut as unknown as string[]).length)).toBe(attached.length);
    expect(restored).toMatchObject({ policies: 4, lists: 3 });
  });

  it('leaves out entries whose time is over, and counts them', async () => {
    const made = await filledScene(61);
    const document = await backupOf(made);
    const other = await made.addAccount('beta');
    made.time.now += 2 * 3_600_000;
    const { restored } = await other.ok('POST', RESTORE, document);
    const all = document.lists.flatMap(({ entries }) => entries);
    const expired = all.filter(
      ({ expiresAt }) => expiresAt !== null && Date.parse(expiresAt) <= made.time.now,
    );
    expect(expired.length).toBeGreaterThan(0);
    expect(restored).toMatchObject({
      entriesExpired: expired.length,
      entries: all.length - expired.length,
    });
  });

  it('brings users back disabled, unless somebody else has the name', async () => {
    const made = await scene();
    const password = 'correct horse battery';
    await made.ok('POST', '/users', { name: 'ada', role: 'admin', displayName: 'Ada', password });
    const document = await backupOf(made);
    const other = await made.addAccount('beta');
    const { restored } = await other.ok('POST', RESTORE, document);
    expect(restored).toMatchObject({ users: 0, usersTaken: ['ada'] });
    const fresh = await scene();
    expect((await fresh.ok('POST', RESTORE, document)).restored).toMatchObject({ users: 1 });
    const [user] = fresh.publisher.model.users.values();
    expect(user).toMatchObject({ name: 'ada', displayName: 'Ada', role: 'admin' });
    expect(user).toMatchObject({ disabled: true, passwordHash: null });
  });

  it('keeps lists shared, and attaches what other accounts share', async () => {
    const made = await scene();
    const beta = await made.addAccount('beta');
    const gamma = await made.addAccount('gamma');
    const shared = await gamma.ok('POST', '/lists', { name: 'common' });
    await gamma.ok('PUT', `/lists/${shared.list!.id}/entries`, { entries: ['bad.example'] });
    const own = await made.ok('POST', '/lists', { name: 'ours' });
    await made.asServer((edit) => {
      const ofGamma: Edit = { ...edit, accountId: gamma.accountId };
      shareList(ofGamma, Number(shared.list!.id), 'acme');
      shareList(edit, Number(own.list!.id), 'gamma');
      return shareList(edit, Number(own.list!.id), 'beta');
    });
    await made.ok('POST', '/policies', {
      name: 'corp',
      type: 'dns',
      attachments: [{ kind: 'list', id: shared.list!.id }],
    });
    const document = await backupOf(made);
    expect(document.lists[0]!.sharedWith).toEqual(['gamma', 'beta']);
    expect(document.policies[0]!.attachments).toEqual([
      { kind: 'list', name: 'common', account: 'gamma', action: { kind: 'nxdomain' } },
    ]);
    const problem = await beta.refused('POST', RESTORE, document);
    expect(problem).toMatchObject({ status: 422, value: 'common' });
    expect(problem.rule).toBe('Account "gamma" shares no list "common" with this account.');
    await made.asServer((edit) =>
      shareList({ ...edit, accountId: gamma.accountId }, Number(shared.list!.id), 'beta'),
    );
    await beta.ok('POST', RESTORE, document);
    expect(contentsOf(made.publisher, beta.accountId)).toEqual(
      contentsOf(made.publisher, made.accountId),
    );
    expect((await backupOf(beta)).lists[0]!.sharedWith).toEqual(['gamma']);
  });

  it('gives no partner target to an account without entitlement', async () => {
    const made = await scene();
    const beta = await made.addAccount('beta');
    await made.asServer((edit) => {
      const target = createTarget(edit, { name: 'market', partner: true });
      grantEntitlement(edit, { accountId: edit.accountId, targetId: target.id });
      return createPolicy(edit, {
        name: 'corp',
        type: 'dns',
        attachments: [{ kind: 'target', id: target.id }],
      });
    });
    const problem = await beta.refused('POST', RESTORE, await backupOf(made));
    expect(problem).toMatchObject({ status: 403, value: 'market' });
    expect(problem.type).toMatch(/not-entitled$/);
  });

  it('restores what may stay attached although nobody could attach it today', async () => {
    const made = await scene();
    const beta = await made.addAccount('beta');
    const list = await made.ok('POST', '/lists', { name: 'ours' });
    const entries = `/lists/${list.list!.id}/entries`;
    await made.ok('PUT', entries, { entries: ['192.0.2.1'] });
    const attachments = [{ kind: 'list', id: list.list!.id }];
    await made.ok('POST', '/policies', { name: 'edge', type: 'ip', attachments });
    await made.ok('PUT', `${entries}?confirm=true`, { entries: [] });
    await beta.ok('POST', RESTORE, await backupOf(made));
    expect((await backupOf(beta)).policies[0]!.attachments).toHaveLength(1);
  });

  it('tells everything that is wrong in a document', async () => {
    const { call, refused } = await scene();
    const good = await backupOf({ call });
    const bad = [
      [{ ...good, format: 'other' }, 'format'],
      [{ ...good, version: 2 }, 'version'],
      [{ ...good, policies: undefined }, 'policies'],
      [{ ...good, more: 1 }, 'more'],
    ] as const;
    for (const [document, field] of bad) {
      expect((await refused('POST', RESTORE, document)).field).toBe(field);
    }
    const list = { name: '', description: '', action: 'block', sharedWith: ['nobody'] };
    const entry = { comment: '', expiresAt: null, createdAt: '2030-01-01T00:00:00Z' };
    const problem = await refused('POST', RESTORE, {
      ...good,
      lists: [
        { ...list, entries: [] },
        { ...list, name: 'ours', entries: [{ ...entry, value: 'no good' }] },
      ],
    });
    const told = problem.errors as { field: string; value: unknown }[];
    expect(told.map(({ field }) => field)).toEqual([
      'lists[1].sharedWith[0]',
      'lists[0].name',
      'lists[1].entries.add[0]',
    ]);
  });

  it('keeps to what policies may hold: built-in targets stay in, predefined ones take no lists', async () => {
    const made = await scene();
    await made.asServer((edit) => createTarget(edit, { name: 'canary', origin: 'built-in' }));
    await made.ok('POST', '/lists', { name: 'ours' });
    const good = await backupOf(made, '?catalogue=true');
    const policy = {
      name: 'corp',
      type: 'dns',
      description: '',
      ttl: 60,
      defaultAction: { kind: 'nxdomain' },
      hostsMax: null,
      attachments: [],
      excludedTargets: [],
    };
    const attachments = [{ kind: 'list', name: 'ours', action: { kind: 'nxdomain' } }];
    const fresh = await scene();
    await fresh.asServer((edit) => createTarget(edit, { name: 'canary', origin: 'built-in' }));
    const problem = await fresh.refused('POST', RESTORE, {
      ...good,
      catalogue: { ...good.catalogue, policies: [{ ...policy, name: 'base', attachments }] },
      policies: [{ ...policy, attachments, excludedTargets: ['Canary'] }],
    });
    expect(problem.errors).toMatchObject([
      {
        type: '/api/v1/problems/list-in-predefined',
        field: 'catalogue.policies[0].attachments[0].kind',
      },
      {
        type: '/api/v1/problems/built-in',
        field: 'policies[0].excludedTargets[0]',
        value: 'Canary',
        rule: '"canary" is part of every policy, so that enforcement can be tested.',
      },
    ]);
  });

  it('is refused when it has more of a kind than an account may own', async () => {
    const { call, refused } = await scene();
    const good = await backupOf({ call });
    const action = { kind: 'nxdomain' };
    const behaviours = Array.from({ length: 1_001 }, (_, index) => {
      return { name: `b${index}`, description: '', action };
    });
    const problem = await refused('POST', RESTORE, { ...good, behaviours });
    expect(problem).toMatchObject({ status: 400, field: 'behaviours' });
  });
});
