import { describe, expect, it } from 'vitest';
import { readAuditRecord } from '../../src/publish/audit-record.ts';
import { createDevice, createKey, deleteKey, rotateKeys } from '../../src/publish/edits/index.ts';
import { keyWarnings } from '../../src/publish/key-warnings.ts';
import { memoryStore } from '../support/memory-store.ts';
import { aWhile, DAY_MS, DEVICE, openKeyRoom, openKeyScene, until } from './key-scene.ts';

const WEEK_MS = 7 * DAY_MS;

/** Device 1 with key 1, which key 2 is to take over from. */
async function openRotation(input: object = {}, store = memoryStore()) {
  const made = await openKeyScene(store);
  made.signs(1);
  await made.house.edit((edit) => rotateKeys(edit, DEVICE, input));
  return made;
}

const actionsOf = async ({ publisher }: Awaited<ReturnType<typeof openKeyScene>>['house']) =>
  (await publisher.changes({ limit: 10 })).map(({ actor, action }) => `${actor} ${action}`);

describe('a key that another takes over from', () => {
  it('ends a day after the device signed with the other, in a change of the server', async () => {
    const { house, key, signs, endOtherThan, pass, keyIds, errors } = await openRotation();
    const latest = house.time.now + WEEK_MS;
    expect(key(1)).toMatchObject({ replacedBy: 2, expiresAt: latest });
    pass(DAY_MS);
    signs(2);
    const end = await endOtherThan(1, latest);
    expect(end).toBe(house.time.now + DAY_MS);
    expect(key(2).expiresAt).toBeNull();
    // What it follows from is on disk before it.
    expect(await house.store.keyUses()).toMatchObject([{ keyId: 1 }, { keyId: 2 }]);
    const [change] = await house.publisher.changes({ limit: 1 });
    expect(change).toMatchObject({ actor: 'sluice', action: 'key.retire' });
    expect(readAuditRecord(change!.body).entities).toMatchObject([
      { kind: 'key', id: 1, before: { expiresAt: latest }, after: { expiresAt: end } },
    ]);
    pass(DAY_MS - 1);
    signs(1);
    await aWhile();
    expect(keyIds()).toEqual([1, 2]);
    pass(1);
    await until(() => keyIds().length === 1);
    expect(keyIds()).toEqual([2]);
    expect(errors).toEqual([]);
  });

  it('ends sooner when its end was sooner already', async () => {
    const { house, key, signs } = await openRotation({ overlap: 60 });
    const end = house.time.now + 60_000;
    signs(2);
    await aWhile();
    expect(key(1).expiresAt).toBe(end);
    expect(await actionsOf(house)).not.toContain('sluice key.retire');
  });

  it('goes on while the other was never seen, and without a fixed end for as long as that takes', async () => {
    const { key, signs, pass, endOtherThan, house } = await openRotation({ overlap: null });
    expect(key(1)).toMatchObject({ replacedBy: 2, expiresAt: null });
    pass(100 * DAY_MS);
    signs(1);
    await aWhile();
    expect(key(1).expiresAt).toBeNull();
    signs(2);
    expect(await endOtherThan(1, null)).toBe(house.time.now + DAY_MS);
  });

  it('is retired once: what the device signs afterwards moves its end no more', async () => {
    const { house, key, signs, pass, endOtherThan } = await openRotation();
    signs(2);
    const end = await endOtherThan(1, house.time.now + WEEK_MS);
    pass(DAY_MS / 2);
    signs(2);
    signs(1);
    await aWhile();
    expect(key(1).expiresAt).toBe(end);
    const made = (await actionsOf(house)).filter((action) => action === 'sluice key.retire');
    expect(made).toHaveLength(1);
  });

  it('ends with any of several rotations that the device came to know, and those before it only', async () => {
    const { house, key, signs, endOtherThan } = await openRotation({ overlap: null });
    await house.edit((edit) => rotateKeys(edit, DEVICE, { overlap: null }));
    signs(2);
    const end = await endOtherThan(1, null);
    expect(key(2)).toMatchObject({ replacedBy: 3, expiresAt: null });
    house.time.now += 1_000;
    signs(3);
    expect(await endOtherThan(2, null)).toBe(house.time.now + DAY_MS);
    expect(key(1).expiresAt).toBe(end);
  });

  it('is skipped over when the device goes straight to the newest', async () => {
    const { house, key, signs, endOtherThan } = await openRotation({ overlap: null });
    await house.edit((edit) => rotateKeys(edit, DEVICE, { overlap: null }));
    signs(3);
    await endOtherThan(1, null);
    expect([key(1), key(2), key(3)].map(({ expiresAt }) => expiresAt)).toEqual([
      house.time.now + DAY_MS,
      house.time.now + DAY_MS,
      null,
    ]);
  });

  it('is left to the next one when the one that was to take over is revoked, and else stays', async () => {
    const { house, key, signs } = await openRotation({ overlap: null });
    await house.edit((edit) => rotateKeys(edit, DEVICE, { overlap: null }));
    await house.edit((edit) => deleteKey(edit, DEVICE, 2));
    expect(key(1).replacedBy).toBe(3);
    await house.edit((edit) => deleteKey(edit, DEVICE, 3));
    expect(key(1)).toMatchObject({ replacedBy: null, expiresAt: null });
    await house.edit((edit) => createKey(edit, DEVICE, {}));
    signs(4);
    await aWhile();
    expect(key(1).expiresAt).toBeNull();
  });

  it('is none that merely stands beside others, nor one of another device', async () => {
    const { house, key, signs, endOtherThan } = await openKeyScene();
    const other = await house.edit((edit) => {
      createKey(edit, DEVICE, {});
      const { id } = createDevice(edit, { name: 'r2', type: 'dns', policyId: 1, access: 'key' });
      return createKey(edit, id, {});
    });
    signs(1);
    signs(2);
    signs(other.value.id);
    await aWhile();
    expect([1, 2, 3].map((id) => key(id).expiresAt)).toEqual([null, null, null]);
    // That the second was in use before the rotation is no sign of what replaces them.
    await house.edit((edit) => rotateKeys(edit, DEVICE, { overlap: null }));
    signs(2);
    await aWhile();
    expect([1, 2, 3, 4].map((id) => key(id).expiresAt)).toEqual([null, null, null, null]);
    signs(4);
    await endOtherThan(1, null);
    expect(key(2).expiresAt).toBe(house.time.now + DAY_MS);
    expect(key(3).expiresAt).toBeNull();
  });
});

describe('the retirement of keys', () => {
  it('is made up for after a restart, of what was seen right before', async () => {
    const made = await openRotation({ overlap: null });
    await made.stop();
    made.signs(2);
    await made.book.flush();
    expect(made.key(1).expiresAt).toBeNull();
    const restarted = await openKeyRoom(made.house);
    expect(await restarted.endOtherThan(1, null)).toBe(made.house.time.now + DAY_MS);
  });

  it('holds after a restart: the old key keeps its end and is removed at it', async () => {
    const made = await openRotation({ overlap: null });
    made.signs(2);
    const end = await made.endOtherThan(1, null);
    await made.stop();
    const house = await made.house.restart({ time: made.house.time });
    const restarted = await openKeyRoom(house);
    expect(restarted.key(1)).toMatchObject({ expiresAt: end, replacedBy: 2 });
    restarted.pass(DAY_MS);
    await until(() => !restarted.keyIds().includes(1 as never));
  });

  it('is tried again after a failure of the store', async () => {
    const store = memoryStore();
    const { signs, endOtherThan, errors } = await openRotation({ overlap: null }, store);
    store.failNextCommit(new Error('disk on fire'));
    signs(2);
    await endOtherThan(1, null);
    expect(errors).toMatchObject([{ message: 'disk on fire' }]);
  });
});

describe('a device that goes back to a key that was taken over from', () => {
  it('is answered until that ends, and warned of', async () => {
    const { house, signs, use, endOtherThan, keyIds, pass, key } = await openRotation({
      overlap: null,
    });
    const warnings = () => keyWarnings([...house.publisher.model.keys.values()], use);
    expect(warnings()).toEqual([]);
    pass(1_000);
    signs(2);
    await endOtherThan(1, null);
    expect(warnings()).toEqual([]);
    pass(1_000);
    expect(signs(1, '192.0.2.77').answers).toHaveLength(1);
    expect(warnings()).toEqual([
      `Key "${key(1).name}" was still used on 2030-01-31T12:00:02.000Z from 192.0.2.77, after key "${key(2).name}" had taken over from it. It ends on 2030-02-01T12:00:01.000Z.`,
    ]);
    pass(DAY_MS);
    await until(() => keyIds().length === 1);
    expect(warnings()).toEqual([]);
  });
});
