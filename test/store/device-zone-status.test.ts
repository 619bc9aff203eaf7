import { describe, expect, it } from 'vitest';
import { commitOf, entity, openTemporaryStore, statusOf } from './fixtures.ts';

describe('the status of a device and a zone', () => {
  it('is replaced as a whole and survives a restart', () => {
    const temporary = openTemporaryStore();
    const full = {
      deviceId: 1,
      origin: 'a.example.',
      notifiedSerial: 1,
      notifiedAt: 2,
      notifiedAddress: '192.0.2.1',
      polledSerial: 3,
      polledAt: 4,
      polledAddress: '2001:db8::1',
      transferredSerial: 4_294_967_295,
      transferredAt: 1_700_000_000_000,
      transferredAddress: '192.0.2.2',
      transferKind: 'IXFR',
      transferBytes: 5_000_000_000,
      notifyProblem: 'no answer',
      notifyProblemAt: 5,
      notifyProblemAddress: '192.0.2.1 port 53',
      cutSerial: 6,
      cutAt: 7,
      cutAddress: '192.0.2.3',
      heldSerial: 8,
      heldAt: 9,
    } as const;
    temporary.store.putDeviceZoneStatus([
      statusOf({ deviceId: 1, origin: 'a.example.', polledAt: 9 }),
    ]);
    temporary.store.putDeviceZoneStatus([full, statusOf({ deviceId: 1, origin: 'b.example.' })]);
    expect(temporary.reopen().deviceZoneStatus()).toEqual([
      full,
      statusOf({ deviceId: 1, origin: 'b.example.' }),
    ]);
  });

  it('is dropped by device and zone', () => {
    const { store } = openTemporaryStore();
    const rows = ['a.example.', 'b.example.'].map((origin) => statusOf({ deviceId: 1, origin }));
    store.putDeviceZoneStatus(rows);
    store.dropDeviceZoneStatus([rows[0], statusOf({ deviceId: 2, origin: 'b.example.' })]);
    expect(store.deviceZoneStatus()).toEqual([rows[1]]);
  });

  it('goes with its device, and what was reported too late with the next device', () => {
    const { store } = openTemporaryStore();
    const rows = [1, 2, 3].map((deviceId) => statusOf({ deviceId, origin: 'a.example.' }));
    store.commit(commitOf({ putEntities: [1, 2, 3].map((id) => entity('device', id)) }));
    store.putDeviceZoneStatus(rows);
    store.commit(commitOf({ deleteEntities: [{ kind: 'device', id: 1 }] }));
    expect(store.deviceZoneStatus()).toEqual(rows.slice(1));

    store.putDeviceZoneStatus(rows.slice(0, 1));
    store.commit(commitOf({ deleteEntities: [{ kind: 'device', id: 2 }] }));
    expect(store.deviceZoneStatus()).toEqual(rows.slice(2));
  });
});
