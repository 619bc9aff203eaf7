import { describe, expect, it } from 'vitest';
import {
  createTarget,
  nextEntitlementExpiry,
  nextSessionExpiry,
  removeExpiredEntitlements,
  removeExpiredSessions,
} from '../../src/publish/edits/index.ts';
import { logIn, makeUser, withToken } from './people.ts';
import { scene } from './scene.ts';

const problem = (code: string) => `/api/v1/problems/${code}`;

/** An account beside the operator's, a partner target (1) with a name in it, and an ordinary one (2). */
async function withPartner() {
  const made = await scene();
  const { ok, asServer } = made;
  const opened = await ok('POST', '/accounts', { label: 'branch', name: 'Branch' });
  await asServer((edit) => createTarget(edit, { name: 'market', partner: true }));
  await ok('POST', '/targets', { name: 'plain' });
  await ok('PUT', '/targets/1/indicators', 'evil.example\n');
  return { ...made, branch: withToken(made, String(opened.secret)) };
}

/** The same, with the entitlement (1) and a policy (1) of the account that attaches the target. */
async function withMarketPolicy(entitlement: object = {}) {
  const made = await withPartner();
  await made.ok('POST', '/entitlements', { accountId: 2, targetId: 1, ...entitlement });
  const attachments = [{ kind: 'target', id: 1, action: { kind: 'nxdomain' } }];
  const created = await made.branch('POST', '/policies', {
    name: 'corp',
    type: 'dns',
    attachments,
  });
  expect(created.status, created.text).toBe(201);
  return made;
}

const ZONE = 'rpz.corp.branch.sluice.internal.';

describe('entitlements', () => {
  it('are granted, changed and revoked by the account that runs the server', async () => {
    const { ok, call } = await withPartner();
    const created = await call('POST', '/entitlements', {
      accountId: 2,
      targetId: 1,
      note: 'Contract 17',
      expiresAt: '2031-01-01T00:00:00Z',
    });
    expect(created).toMatchObject({
      status: 201,
      body: {
        entitlement: {
          id: 1,
          account: { id: 2, label: 'branch' },
          target: { id: 1, name: 'market' },
          note: 'Contract 17',
          expiresAt: '2031-01-01T00:00:00.000Z',
          createdAt: '2030-01-31T12:00:00.000Z',
        },
        zones: [],
      },
    });
    const changed = await ok('PATCH', '/entitlements/1', { expiresAt: null });
    expect(changed.entitlement).toMatchObject({ note: 'Contract 17', expiresAt: null });
    expect(await ok('GET', '/entitlements/1')).toEqual(changed.entitlement);
    expect(await ok('GET', '/entitlements?accountId=2&targetId=1&q=17')).toMatchObject({
      total: 1,
    });
    expect(await ok('GET', '/entitlements?accountId=1')).toMatchObject({ total: 0 });
    expect(await ok('DELETE', '/entitlements/1')).toMatchObject({ revoked: { id: 1 } });
    expect(await ok('GET', '/entitlements')).toMatchObject({ total: 0 });
  });

  it('of its own are all that another account sees, and it changes none', async () => {
    const { ok, branch } = await withPartner();
    await ok('POST', '/entitlements', { accountId: 1, targetId: 1 });
    await ok('POST', '/entitlements', { accountId: 2, targetId: 1 });
    expect((await branch('GET', '/entitlements')).body).toMatchObject({
      total: 1,
      items: [{ id: 2 }],
    });
    expect((await branch('GET', '/entitlements/1')).status).toBe(404);
    const tries: [string, string, object?][] = [
      ['POST', '/entitlements', { accountId: 2, targetId: 1 }],
      ['PATCH', '/entitlements/2', { expiresAt: null }],
      ['DELETE', '/entitlements/2'],
    ];
    for (const [method, url, body] of tries) {
      expect(await branch(method, url, body), `${method} ${url}`).toMatchObject({
        status: 403,
        body: { type: problem('not-allowed') },
      });
    }
  });

  it('are refused for what is unknown, for ordinary targets, twice, and for times that are over', async () => {
    const { ok, refused } = await withPartner();
    const grant = (body: object) => refused('POST', '/entitlements', body);
    expect(await grant({ accountId: 9, targetId: 1 })).toMatchObject({
      status: 422,
      type: problem('reference-unknown'),
      field: 'accountId',
      value: 9,
    });
    expect(await grant({ accountId: 2, targetId: 9 })).toMatchObject({ field: 'targetId' });
    expect(await grant({ accountId: 2, targetId: 2 })).toMatchObject({
      status: 400,
      field: 'targetId',
      rule: 'Target "plain" is no partner target: every account may use it.',
    });
    for (const expiresAt of ['2030-01-31T12:00:00Z', 'tomorrow', '2040-01-01']) {
      expect(await grant({ accountId: 2, targetId: 1, expiresAt }), expiresAt).toMatchObject({
        status: 400,
        field: 'expiresAt',
        value: expiresAt,
      });
    }
    await ok('POST', '/entitlements', { accountId: 2, targetId: 1 });
    expect(await grant({ accountId: 2, targetId: 1 })).toMatchObject({
      status: 409,
      type: problem('entitled-already'),
    });
  });

  it('that are revoked take the target out of the zones at once, as an ordinary revision', async () => {
    const { ok, publisher } = await withMarketPolicy();
    const before = publisher.zones().find(({ origin }) => origin === ZONE)!;
    const revoked = await ok('DELETE', '/entitlements/1');
    expect(revoked.zones).toMatchObject([
      { zone: ZONE, fromSerial: before.serial, recordsRemoved: 2, recordsAdded: 0 },
    ]);
    const after = publisher.zones().find(({ origin }) => origin === ZONE)!;
    expect(after.records).toBe(before.records - 2);
    expect(after.revisions.at(-1)).toMatchObject({
      fromSerial: before.serial,
      toSerial: after.serial,
    });
    // The attachment is still there, so that a new entitlement brings it back.
    const granted = await ok('POST', '/entitlements', { accountId: 2, targetId: 1 });
    expect(granted.zones).toMatchObject([{ zone: ZONE, recordsAdded: 2 }]);
  });

  it('tell in a dry run what revoking them would take away', async () => {
    const { ok, publisher } = await withMarketPolicy();
    const before = publisher.model;
    expect(await ok('DELETE', '/entitlements/1?dryRun=true')).toMatchObject({
      dryRun: true,
      preview: { zones: [{ origin: ZONE, recordsRemoved: 2 }] },
    });
    expect(publisher.model).toBe(before);
  });

  it('end by themselves when their time is over', async () => {
    const made = await withMarketPolicy({ expiresAt: '2030-02-01T00:00:00Z' });
    const { publisher, asServer, time } = made;
    expect(nextEntitlementExpiry(publisher.model)).toBe(Date.UTC(2030, 1, 1));
    time.now = Date.UTC(2030, 1, 1) - 1;
    expect(await asServer(removeExpiredEntitlements)).toBe(0);
    time.now += 1;
    const { records } = publisher.zones().find(({ origin }) => origin === ZONE)!;
    expect(await asServer(removeExpiredEntitlements)).toBe(1);
    expect(publisher.zones().find(({ origin }) => origin === ZONE)?.records).toBe(records - 2);
    expect(nextEntitlementExpiry(publisher.model)).toBeNull();
  });
});

describe('sessions', () => {
  it('are removed when their time is over', async () => {
    const made = await scene();
    await makeUser(made);
    expect(nextSessionExpiry(made.publisher.model)).toBeNull();
    await logIn(made);
    const expiresAt = made.time.now + 43_200_000;
    expect(nextSessionExpiry(made.publisher.model)).toBe(expiresAt);
    made.time.now += 1;
    await logIn(made);
    made.time.now = expiresAt;
    expect(await made.asServer(removeExpiredSessions)).toBe(1);
    expect(nextSessionExpiry(made.publisher.model)).toBe(expiresAt + 1);
  });
});
