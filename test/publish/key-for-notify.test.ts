import { describe, expect, it } from 'vitest';
import { formatName } from '../../src/dns/index.ts';
import { createKey, deleteKey, rotateKeys } from '../../src/publish/edits/index.ts';
import { keyForNotify } from '../../src/publish/key-for-notify.ts';
import { DAY_MS, DEVICE, openKeyScene } from './key-scene.ts';

async function openScene() {
  const made = await openKeyScene();
  const { house, book } = made;
  /** The id of the key that a NOTIFY is signed with now. */
  const signer = (attempts = 0): number | undefined => {
    const { keys } = house.publisher.model;
    const chosen = keyForNotify({
      keys,
      useOf: book.useOf,
      deviceId: DEVICE as never,
      attempts,
      now: house.time.now,
    });
    if (chosen === undefined) return undefined;
    return keys.values().find(({ name }) => name === formatName(chosen.name))?.id;
  };
  const rotate = (input: object) => house.edit((edit) => rotateKeys(edit, DEVICE, input));
  return { ...made, signer, rotate };
}

describe('a NOTIFY is signed', () => {
  it('with nothing when the device has no key', async () => {
    const { house, signer } = await openScene();
    await house.edit((edit) => deleteKey(edit, DEVICE, 1));
    expect(signer()).toBeUndefined();
  });

  it('with the newest key as long as the device was seen using none', async () => {
    const { signer, rotate } = await openScene();
    expect(signer()).toBe(1);
    await rotate({});
    expect(signer()).toBe(2);
  });

  it('with the key that the device uses until it is seen using the new one', async () => {
    const { signer, rotate, signs } = await openScene();
    signs(1);
    await rotate({});
    expect(signer()).toBe(1);
    signs(2);
    expect(signer()).toBe(2);
    // A part that lags behind does not bring the old one back.
    signs(1);
    expect(signer()).toBe(2);
  });

  it('with the new key when an acknowledgement was signed with it', async () => {
    const { signer, rotate, signs, book, tsig } = await openScene();
    signs(1);
    await rotate({});
    book.acknowledged({ key: tsig(2), address: '192.0.2.1', at: 1 });
    expect(signer()).toBe(2);
  });

  it('with the new key when the old one has ended, seen or not', async () => {
    const { house, signer, rotate, signs } = await openScene();
    signs(1);
    await rotate({});
    house.time.now += 7 * DAY_MS - 1;
    expect(signer()).toBe(1);
    // It is not removed in the very moment in which it ends.
    house.time.now += 1;
    expect(house.publisher.model.keys.size).toBe(2);
    expect(signer()).toBe(2);
  });

  it('with the newest on every other attempt after a failure, for a device that never asks', async () => {
    const { signer, rotate, signs, house } = await openScene();
    signs(1);
    expect([0, 1, 2, 3].map(signer)).toEqual([1, 1, 1, 1]);
    await rotate({ overlap: null });
    expect([0, 1, 2, 3].map(signer)).toEqual([1, 2, 1, 2]);
    signs(2);
    expect([0, 1].map(signer)).toEqual([2, 2]);
    await house.edit((edit) => createKey(edit, DEVICE, {}));
    expect([0, 1].map(signer)).toEqual([2, 3]);
  });
});
