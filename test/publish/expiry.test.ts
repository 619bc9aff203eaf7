import { describe, expect, it, onTestFinished } from 'vitest';
import type { SessionId, UserId } from '../../src/policy/model.ts';
import {
  createAccount,
  createTarget,
  type Edit,
  grantEntitlement,
} from '../../src/publish/edits/index.ts';
import { startExpiryClock } from '../../src/publish/expiry.ts';
import { type Scene, scene } from '../http/scene.ts';
import { startTestSluice } from '../support/test-sluice.ts';

const SECOND_MS = 1_000;

/** The clock over the API's scene: time moves only when a test moves it. */
async function startClock({ publisher, time, asServer }: Scene) {
  const settings = await asServer((edit) => edit.settings);
  const errors: unknown[] = [];
  const clock = startExpiryClock({
    publisher,
    settings,
    clock: () => time.now,
    onError: (error) => errors.push(error),
  });
  onTestFinished(() => clock.stop());
  return {
    errors,
    /** Moves the time, and lets the clock look as the server does after a change. */
    pass(ms: number) {
      time.now += ms;
      clock.reschedule();
    },
  };
}

async function until(check: () => boolean): Promise<void> {
  while (!check()) await new Promise((resolve) => setTimeout(resolve, 5));
}

async function lastActions({ publisher }: Scene, limit: number): Promise<string[]> {
  const changes = await publisher.changes({ limit });
  return changes.map(({ action }) => action).toReversed();
}

describe('what ends by itself', () => {
  it('goes when its time comes, each kind in a change of its own', async () => {
    const made = await scene();
    const { ok, publisher, asServer, time } = made;
    await ok('POST', '/devices', { name: 'r1', type: 'dns' });
    await ok('POST', '/devices/1/keys');
    await ok('POST', '/devices/1/keys/rotate', { overlap: 10 });
    await ok('POST', '/lists', { name: 'mine' });
    const expiresAt = new Date(time.now + 10 * SECOND_MS).toISOString();
    await ok('PATCH', '/lists/1/entries', {
      add: [{ value: 'evil.example', expiresAt }, { value: 'stays.example' }],
    });
    await asServer((edit) => {
      const guest = createAccount(edit, { label: 'guest', name: 'Guest' });
      const target = createTarget(edit, { name: 'premium', partner: true });
      grantEntitlement(edit, { accountId: guest.id, targetId: target.id, expiresAt });
      putSession(edit, time.now + 10 * SECOND_MS);
    });
    const clock = await startClock(made);
    clock.pass(9 * SECOND_MS);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(publisher.model.keys.size).toBe(2);
    clock.pass(SECOND_MS);
    // The last of them.
    await until(() => publisher.model.sessions.size === 0);
    expect(clock.errors).toEqual([]);
    expect([...publisher.model.keys.keys()]).toEqual([2]);
    expect([...publisher.model.lists.values()][0]?.entries.size).toBe(1);
    expect(publisher.model.entitlements.size).toBe(0);
    expect(await lastActions(made, 4)).toEqual([
      'list.entries.expire',
      'entitlement.expire',
      'key.expire',
      'session.expire',
    ]);
  });

  it('takes former names of policies with it, and their zones', async () => {
    const made = await scene();
    const { ok, publisher } = made;
    await ok('POST', '/policies', { name: 'old', type: 'dns' });
    await ok('PATCH', '/policies/1', { name: 'new' });
    const origins = () => [...publisher.state.zones.keys()].sort();
    expect(origins()).toEqual(['rpz.new.acme.sluice.internal.', 'rpz.old.acme.sluice.internal.']);
    const clock = await startClock(made);
    const end = [...publisher.model.policies.values()][0]!.formerNames[0]!.until;
    clock.pass(end - made.time.now);
    await until(() => origins().length === 1);
    expect(origins()).toEqual(['rpz.new.acme.sluice.internal.']);
    expect(await lastActions(made, 1)).toEqual(['policy.former-name.expire']);
  });

  it('is tried again after a failure of the store, and does not hold up other kinds', async () => {
    const made = await scene();
    const { ok, publisher, time } = made;
    await ok('POST', '/devices', { name: 'r1', type: 'dns' });
    await ok('POST', '/devices/1/keys');
    await ok('POST', '/devices/1/keys/rotate', { overlap: 10 });
    await ok('POST', '/lists', { name: 'mine' });
    const expiresAt = new Date(time.now + 10 * SECOND_MS).toISOString();
    await ok('PATCH', '/lists/1/entries', { add: [{ value: 'evil.example', expiresAt }] });
    const settings = await made.asServer((edit) => edit.settings);
    const errors: unknown[] = [];
    let failures = 1;
    const clock = startExpiryClock({
      publisher: {
        get model() {
          return publisher.model;
        },
        change(by, edit) {
          if (by.action === 'list.entries.expire' && failures-- > 0) {
            return Promise.reject(new Error('disk on fire'));
          }
          return publisher.change(by, edit);
        },
      },
      settings,
      clock: () => time.now,
      onError: (error) => errors.push(error),
    });
    onTestFinished(() => clock.stop());
    time.now += 10 * SECOND_MS;
    clock.reschedule();
    const entries = () => [...publisher.model.lists.values()][0]!.entries.size;
    await until(() => publisher.model.keys.size === 1);
    expect(entries()).toBe(1);
    await until(() => entries() === 0);
    expect(errors).toHaveLength(1);
  });

  it('is gone from a running server within a second', async () => {
    const server = await startTestSluice();
    await server.api('POST', '/devices', { name: 'r1', type: 'dns' });
    await server.api('POST', '/devices/1/keys', {});
    await server.api('POST', '/devices/1/keys/rotate', { overlap: 1 });
    const begin = Date.now();
    const { keys } = server.sluice.publisher.model;
    expect(keys.size).toBe(2);
    await until(() => server.sluice.publisher.model.keys.size === 1);
    expect(Date.now() - begin).toBeLessThan(2 * SECOND_MS);
  });
});

function putSession({ draft }: Edit, expiresAt: number): void {
  draft.put('session', {
    id: draft.nextId('session') as SessionId,
    userId: 1 as UserId,
    sha256: '0'.repeat(64),
    createdAt: draft.now,
    expiresAt,
  });
}
