import { describe, expect, it } from 'vitest';
import { readAuditRecord } from '../../src/publish/audit-record.ts';
import { type House, openHouse, ROOT } from '../support/house.ts';
import { addList, addPolicy, BLOCK, zoneName } from '../support/scene.ts';

const OF_ACCOUNT = `catalog.acme.${ROOT}`;
const OF_SERVER = `catalog.${ROOT}`;
const BLOCKED = zoneName('block', 'gate');

async function openGate(): Promise<House> {
  const house = await openHouse();
  await house.edit((edit) => {
    const list = addList(edit, 'own', ['192.0.2.1']);
    addPolicy(edit, 'gate', 'ip', { lists: [[list, BLOCK]] });
  });
  return house;
}

/** What the audit trail says of the last start, zone by zone. */
async function renewedBy({ store }: House) {
  const [change] = await store.changes({ limit: 1 });
  expect(change).toMatchObject({ actor: 'sluice', action: 'renew zones at start' });
  return new Map(readAuditRecord(change!.body).zones.map(([origin, ...told]) => [origin, told]));
}

describe('the audit trail of a start that renews zones', () => {
  it('says whose they are, from which serial to which, and how many records went and came', async () => {
    const house = await openGate();
    const before = house.zone(BLOCKED);
    const again = await house.restart({ defaults: { zonemd: true } });
    const after = again.zone(BLOCKED);
    const told = await renewedBy(again);
    expect(told.get(BLOCKED)).toEqual([
      house.accountId,
      before.serial,
      after.serial,
      before.records,
      after.records,
    ]);
    expect(after.records).toBe(before.records + 1);
  });

  it('says which zones came and which went', async () => {
    const house = await openGate();
    const withCatalogs = await house.restart({ defaults: { catalogs: true } });
    const { serial, records } = withCatalogs.zone(OF_ACCOUNT);
    const made = await renewedBy(withCatalogs);
    expect(made.get(OF_ACCOUNT)).toEqual([house.accountId, null, serial, 0, records]);
    expect(made.get(OF_SERVER)?.slice(0, 2)).toEqual([0, null]);
    expect(made.has(BLOCKED)).toBe(false);
    const without = await withCatalogs.restart({ defaults: { catalogs: false } });
    const gone = await renewedBy(without);
    expect(gone.get(OF_ACCOUNT)).toEqual([0, serial, null, records, 0]);
  });
});
