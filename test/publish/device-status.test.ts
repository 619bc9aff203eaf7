import { describe, expect, it } from 'vitest';
import { openDeviceStatusBook } from '../../src/publish/device-status.ts';
import { assignPolicy, deleteDevice, deletePolicy } from '../../src/publish/edits/index.ts';
import { openHouse } from '../support/house.ts';
import { memoryStore } from '../support/memory-store.ts';
import { addPolicy, addTarget, NXDOMAIN } from '../support/scene.ts';

const POLICY_ZONE = 'rpz.corp.acme.sluice.internal.';
const OWN_ZONE = 'rpz.d-corp.dev.acme.sluice.internal.';
const DEVICE = 1;
const DAY_MS = 24 * 3_600_000;

/** A book over a house with one policy and one device, and a way to let the device ask for a zone. */
async function openScene(rowsMax?: number) {
  const house = await openHouse();
  await house.edit((edit) => {
    const target = addTarget(edit, 'bad', ['bad.example']);
    addPolicy(edit, 'corp', 'dns', { targets: [[target, NXDOMAIN]] });
  });
  const store = memoryStore();
  const open = () =>
    openDeviceStatusBook(
      store,
      () => house.time.now,
      {
        hasDevice: (id) => house.publisher.model.devices.has(id as never),
        hasZone: (origin) => house.publisher.state.zones.has(origin),
      },
      rowsMax,
    );
  const book = await open();
  const asks = (origin: string): void =>
    book.polled({
      deviceId: DEVICE as never,
      zone: house.zone(origin),
      address: '192.0.2.10',
      protocol: 'udp',
      key: null,
    });
  const followed = () => [POLICY_ZONE, OWN_ZONE].filter((zone) => book.isFollowed(DEVICE, zone));
  return { house, store, open, book, asks, followed };
}

describe('the zones that a device follows', () => {
  it('may be both kinds as long as it has asked for nothing', async () => {
    const { followed } = await openScene();
    expect(followed()).toEqual([POLICY_ZONE, OWN_ZONE]);
  });

  it('are those that it asks for, and the other kind only within a day of having asked', async () => {
    const { house, asks, followed } = await openScene();
    asks(POLICY_ZONE);
    expect(followed()).toEqual([POLICY_ZONE]);
    house.time.now += DAY_MS / 2;
    asks(OWN_ZONE);
    expect(followed()).toEqual([POLICY_ZONE, OWN_ZONE]);
    house.time.now += DAY_MS;
    asks(OWN_ZONE);
    expect(followed()).toEqual([OWN_ZONE]);
  });

  it('are known again after a restart', async () => {
    const { open, book, asks } = await openScene();
    asks(OWN_ZONE);
    await book.flush();
    const reopened = await open();
    expect(reopened.isFollowed(DEVICE, POLICY_ZONE)).toBe(false);
    expect(reopened.isFollowed(DEVICE, OWN_ZONE)).toBe(true);
  });

  it('may be both again for a device that was deleted and made anew', async () => {
    const { house, book, asks, followed } = await openScene();
    asks(OWN_ZONE);
    await house.edit((edit) => deleteDevice(edit, DEVICE));
    book.forgetEnded();
    expect(followed()).toEqual([POLICY_ZONE, OWN_ZONE]);
  });
});

describe('what is known of devices and zones', () => {
  const origins = (rows: readonly { readonly origin: string }[]): string[] =>
    rows.map(({ origin }) => origin);

  /** Rows for both zones, in memory and in the store, and an end of the policy and its zone. */
  async function openEnded() {
    const scene = await openScene();
    scene.asks(POLICY_ZONE);
    scene.asks(OWN_ZONE);
    await scene.book.flush();
    await scene.house.edit((edit) => {
      assignPolicy(edit, DEVICE, null);
      deletePolicy(edit, 1);
    });
    return scene;
  }

  it('is dropped when a zone ends, in memory and in the store', async () => {
    const { book, store } = await openEnded();
    book.forgetEnded();
    expect(origins(book.list())).toEqual([OWN_ZONE]);
    await book.flush();
    expect(origins(await store.deviceZoneStatus())).toEqual([OWN_ZONE]);
  });

  it('is dropped at a start when its zone is not there any more', async () => {
    const { store, open } = await openEnded();
    const reopened = await open();
    expect(origins(reopened.list())).toEqual([OWN_ZONE]);
    await reopened.flush();
    expect(origins(await store.deviceZoneStatus())).toEqual([OWN_ZONE]);
  });

  it('is not taken up of a zone that has ended meanwhile', async () => {
    const scene = await openScene();
    const zone = scene.house.zone(POLICY_ZONE);
    await scene.house.edit((edit) => {
      assignPolicy(edit, DEVICE, null);
      deletePolicy(edit, 1);
    });
    const asked = { address: '192.0.2.10', protocol: 'udp', key: null } as const;
    scene.book.polled({ deviceId: DEVICE as never, zone, ...asked });
    expect(scene.book.list()).toEqual([]);
  });

  it('is written even when memory had to let it go before', async () => {
    const { house, store, book, asks } = await openScene(1);
    asks(POLICY_ZONE);
    house.time.now += 1_000;
    asks(OWN_ZONE);
    expect(origins(book.list())).toEqual([OWN_ZONE]);
    await book.flush();
    expect(origins(await store.deviceZoneStatus()).sort()).toEqual([OWN_ZONE, POLICY_ZONE].sort());
  });

  it('is read at a start up to the limit, what was seen last', async () => {
    const { house, open, book, asks } = await openScene(1);
    asks(OWN_ZONE);
    house.time.now += 1_000;
    asks(POLICY_ZONE);
    await book.flush();
    expect(origins((await open()).list())).toEqual([POLICY_ZONE]);
  });

  it('is written with the next attempt when the store fails', async () => {
    const { store, book, asks } = await openScene();
    const put = store.putDeviceZoneStatus;
    asks(OWN_ZONE);
    store.putDeviceZoneStatus = () => Promise.reject(new Error('disk on fire'));
    await expect(book.flush()).rejects.toThrow('disk on fire');
    store.putDeviceZoneStatus = put;
    await book.flush();
    expect(origins(await store.deviceZoneStatus())).toEqual([OWN_ZONE]);
  });
});
