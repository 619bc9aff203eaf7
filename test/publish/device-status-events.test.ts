import { describe, expect, it } from 'vitest';
import { openDeviceStatusBook } from '../../src/publish/device-status.ts';
import { changeIndicators } from '../../src/publish/edits/index.ts';
import { openHouse } from '../support/house.ts';
import { memoryStore } from '../support/memory-store.ts';
import { addPolicy, addTarget, NXDOMAIN, zoneName } from '../support/scene.ts';

const ZONE = zoneName('rpz', 'corp');
const DEVICE = 1;

/** A book, and the events of a device that follows a policy whose zone goes from one serial to the next. */
async function openScene() {
  const house = await openHouse();
  await house.edit((edit) => {
    const target = addTarget(edit, 'bad', ['bad.example']);
    addPolicy(edit, 'corp', 'dns', { targets: [[target, NXDOMAIN]] });
  });
  const store = memoryStore();
  const book = await openDeviceStatusBook(store, () => house.time.now, {
    hasDevice: (id) => house.publisher.model.devices.has(id as never),
    hasZone: (origin) => house.publisher.state.zones.has(origin),
  });
  const event = (more: { address?: string; clientSerial?: number | null } = {}) => ({
    deviceId: DEVICE as never,
    zone: house.zone(ZONE),
    address: '192.0.2.10',
    protocol: 'tcp' as const,
    key: null,
    ...(more as { clientSerial?: never }),
  });
  return {
    house,
    store,
    book,
    row: () => book.row(DEVICE, ZONE),
    serial: () => house.zone(ZONE).serial,
    polls: (clientSerial?: number) => book.polled(event({ clientSerial: clientSerial ?? null })),
    transfers(completed: boolean, clientSerial: number | null = null) {
      const outcome = { octets: 100, durationMs: 1, completed };
      book.transferred({ ...event({ clientSerial }), kind: 'IXFR', ...outcome });
    },
    async changes() {
      house.time.now += 1_000;
      await house.edit((edit) =>
        changeIndicators(edit, 1, { add: [`n${house.time.now}.example`] }),
      );
    },
  };
}

describe('what a device holds', () => {
  it('is what it transferred last', async () => {
    const { house, row, serial, transfers } = await openScene();
    transfers(true);
    expect(row()).toMatchObject({ heldSerial: serial(), heldAt: house.time.now });
  });

  it('is the serial in its own IXFR question, newer or older than what it was sent', async () => {
    const { house, row, serial, transfers, polls, changes } = await openScene();
    const first = serial();
    transfers(true);
    await changes();
    polls(serial());
    expect(row()).toMatchObject({ heldSerial: serial(), transferredSerial: first });
    house.time.now += 1_000;
    transfers(false, first);
    expect(row()).toMatchObject({ heldSerial: first, heldAt: house.time.now });
  });

  it('is not told by an SOA query: who asks for a serial need not have it', async () => {
    const { row, polls, serial } = await openScene();
    polls();
    expect(row()).toMatchObject({ polledSerial: serial(), heldSerial: null });
  });

  it('is not what was cut off, which is remembered until a transfer is completed', async () => {
    const { house, row, serial, transfers, changes } = await openScene();
    transfers(true);
    const held = serial();
    await changes();
    transfers(false);
    expect(row()).toMatchObject({
      heldSerial: held,
      transferredSerial: held,
      cutSerial: serial(),
      cutAt: house.time.now,
      cutAddress: '192.0.2.10',
    });
    transfers(true);
    expect(row()).toMatchObject({ heldSerial: serial(), cutSerial: null, cutAt: null });
  });
});

describe('what went wrong with a NOTIFY', () => {
  const failure = {
    deviceId: DEVICE,
    origin: ZONE,
    address: '192.0.2.53',
    port: 5353,
    problem: 'REFUSED',
    at: 7_000,
  };

  it('is remembered until one is acknowledged, over a restart', async () => {
    const { book, store, row } = await openScene();
    book.notAcknowledged(failure);
    expect(row()).toMatchObject({
      notifyProblem: 'REFUSED',
      notifyProblemAt: 7_000,
      notifyProblemAddress: '192.0.2.53 port 5353',
      notifiedSerial: null,
    });
    await book.flush();
    expect(await store.deviceZoneStatus()).toMatchObject([{ notifyProblem: 'REFUSED' }]);
    book.acknowledged({ ...failure, serial: 9, at: 8_000 });
    expect(row()).toMatchObject({ notifiedSerial: 9, notifyProblem: null, notifyProblemAt: null });
  });

  it('is cut to a length, since others may say what they like', async () => {
    const { book, row } = await openScene();
    book.notAcknowledged({ ...failure, problem: 'x'.repeat(5_000) });
    expect(row()?.notifyProblem).toHaveLength(200);
  });

  it('does not count as a question: the device may follow either kind of zones', async () => {
    const { book } = await openScene();
    book.notAcknowledged(failure);
    expect(book.isFollowed(DEVICE, 'rpz.d-corp.dev.acme.sluice.internal.')).toBe(true);
  });
});

describe('the book', () => {
  it('writes many rows in parts, so that a commit gets in between', async () => {
    const { book, store, house } = await openScene();
    const sizes: number[] = [];
    const live = { hasDevice: () => true, hasZone: () => true };
    const put = store.putDeviceZoneStatus;
    store.putDeviceZoneStatus = (rows) => {
      sizes.push(rows.length);
      return put(rows);
    };
    const large = await openDeviceStatusBook(store, () => house.time.now, live);
    for (let deviceId = 1; deviceId <= 4_500; deviceId += 1) {
      large.acknowledged({ deviceId, origin: ZONE, serial: 1, address: '::1', at: 1 });
    }
    await large.flush();
    expect(sizes).toEqual([2_000, 2_000, 500]);
    expect(await store.deviceZoneStatus()).toHaveLength(4_500);
    expect(book.list()).toEqual([]);
  });

  it('writes after a failure what was not written, as it is then', async () => {
    const { book, store, serial, polls, changes } = await openScene();
    const put = store.putDeviceZoneStatus;
    polls();
    store.putDeviceZoneStatus = async () => {
      throw new Error('disk on fire');
    };
    await expect(book.flush()).rejects.toThrow('disk on fire');
    await changes();
    polls();
    store.putDeviceZoneStatus = put;
    await book.flush();
    expect(await store.deviceZoneStatus()).toMatchObject([{ polledSerial: serial() }]);
  });

  it('lets a secondary follow every zone, whatever it asks for', async () => {
    const { store, house } = await openScene();
    const book = await openDeviceStatusBook(store, () => house.time.now, {
      hasDevice: () => true,
      hasZone: () => true,
      followsAll: (id) => id === 2,
    });
    const zone = house.zone(ZONE);
    const asked = { zone, address: '::1', protocol: 'udp', key: null } as const;
    for (const deviceId of [1, 2]) book.polled({ ...asked, deviceId: deviceId as never });
    const own = 'rpz.other.dev.acme.sluice.internal.';
    expect([1, 2].map((id) => book.isFollowed(id, own))).toEqual([false, true]);
  });
});
