import { describe, expect, it } from 'vitest';
import { parseName, RCODE } from '../../src/dns/index.ts';
import { hashLabel } from '../../src/dns/name-hash.ts';
import { advanceHandovers } from '../../src/publish/edits/catalog-handover.ts';
import {
  assignPolicy,
  createAccount,
  createDevice,
  deleteDevice,
  deletePolicy,
  updateAccount,
  updatePolicy,
} from '../../src/publish/edits/index.ts';
import { ACCOUNT_LABEL, type House, openHouse, ROOT } from '../support/house.ts';
import { addPolicy, zoneName } from '../support/scene.ts';
import { followIxfr, formOf, imageOfAxfr, recordText } from '../support/zone-image.ts';

const OF_ACCOUNT = `catalog.${ACCOUNT_LABEL}.${ROOT}`;
const OF_SERVER = `catalog.${ROOT}`;
/** Secondaries of the account and of the server, and somebody else. */
const TIER = '192.0.2.90';
const OPERATOR_TIER = '192.0.2.91';
const STRANGER = '192.0.2.99';

/** A house with catalog zones and two secondaries. */
async function openCatalogHouse(): Promise<House> {
  const house = await openHouse({ defaults: { catalogs: true } });
  await house.edit((edit) => {
    const tier = { type: 'secondary', access: 'source' };
    createDevice(edit, { ...tier, name: 'tier-1', sources: [TIER] });
    createDevice(edit, { ...tier, name: 'tier-0', scope: 'server', sources: [OPERATOR_TIER] });
  });
  return house;
}

/** The records of a catalog zone without SOA and NS, relative to it, in no order. */
function recordsOf(house: House, catalog: string, from: string): string[] {
  const { records } = house.transfer(catalog, { from });
  return records
    .map(recordText)
    .filter((text) => !text.startsWith(catalog))
    .map((text) => text.replace(`.${catalog} 60 `, ' '))
    .sort();
}

const node = (zone: string): string => `${hashLabel(parseName(zone))}.zones`;

/** The member zones of a catalog zone. */
function membersOf(house: House, catalog: string, from: string): string[] {
  return recordsOf(house, catalog, from)
    .filter((text) => /^[0-9a-f]{32}\.zones PTR /.test(text))
    .map((text) => text.split(' ')[2]!)
    .sort();
}

describe('RFC 9432 section 4: a catalog zone', () => {
  it('has a SOA and the one NS invalid., and is a zone like any other', async () => {
    const house = await openCatalogHouse();
    const answer = house.ask(OF_ACCOUNT, 'NS', { from: TIER });
    expect(answer.rcode).toBe(RCODE.NOERROR);
    expect(answer.answers.map(recordText)).toEqual([`${OF_ACCOUNT} 60 NS invalid.`]);
    const soa = house.ask(OF_ACCOUNT, 'SOA', { from: TIER });
    expect(soa.answers).toHaveLength(1);
  });

  it('4.1 lists member zones by PTR, each below a label that stands for it', async () => {
    const house = await openCatalogHouse();
    await house.edit((edit) => addPolicy(edit, 'corp', 'dns', {}));
    const zone = zoneName('rpz', 'corp');
    const own = `rpz.d-corp.dev.${ACCOUNT_LABEL}.${ROOT}`;
    expect(recordsOf(house, OF_ACCOUNT, TIER)).toEqual(
      [
        `${node(zone)} PTR ${zone}`,
        `group.${node(zone)} TXT "rpz"`,
        `${node(own)} PTR ${own}`,
        `group.${node(own)} TXT "rpz"`,
        'version TXT "2"',
      ].sort(),
    );
  });

  it('4.2.1 says that it is of version 2, also when it has no members', async () => {
    const house = await openCatalogHouse();
    expect(recordsOf(house, OF_ACCOUNT, TIER)).toEqual(['version TXT "2"']);
    const answer = house.ask(`version.${OF_ACCOUNT}`, 'TXT', { from: TIER });
    expect(answer.answers.map(recordText)).toEqual([`version.${OF_ACCOUNT} 60 TXT "2"`]);
  });

  it('4.3.1 names the catalog that takes its members over, before that one lists them', async () => {
    const house = await openCatalogHouse();
    await house.edit((edit) => addPolicy(edit, 'corp', 'dns', {}));
    const zone = zoneName('rpz', 'corp');
    const coo = `coo.${node(zone)} PTR`;
    const inCatalogs = () => {
      const [own, server] = [
        recordsOf(house, OF_ACCOUNT, TIER),
        recordsOf(house, OF_SERVER, OPERATOR_TIER),
      ];
      const isListed = (records: string[]) => records.includes(`${node(zone)} PTR ${zone}`);
      const owner = (records: string[]) =>
        records.find((record) => record.startsWith(coo))?.slice(coo.length + 1);
      return [isListed(own), owner(own), isListed(server), owner(server)];
    };
    const advance = () => house.edit((edit) => advanceHandovers(edit));
    const choose = (catalogs: string) =>
      house.edit((edit) => updateAccount(edit, house.accountId, { catalogs }));
    expect(inCatalogs()).toEqual([true, undefined, true, undefined]);
    await choose('account');
    expect(inCatalogs()).toEqual([true, undefined, false, undefined]);

    await choose('server');
    expect(inCatalogs()).toEqual([true, OF_SERVER, false, undefined]);
    await advance();
    expect(inCatalogs()).toEqual([true, OF_SERVER, false, undefined]);
    house.time.now += 15 * 60_000;
    await advance();
    expect(inCatalogs()).toEqual([true, OF_SERVER, true, undefined]);
    await expect(choose('account')).rejects.toThrow('change over to another catalog until');
    house.time.now += 14 * 24 * 3_600_000;
    await advance();
    expect(inCatalogs()).toEqual([false, undefined, true, undefined]);

    await choose('account');
    expect(inCatalogs()).toEqual([false, undefined, true, OF_ACCOUNT]);
    // What was only announced can be taken back.
    await choose('server');
    expect(inCatalogs()).toEqual([false, undefined, true, undefined]);
  });

  it('4.3.2 puts response policy zones and IP zones into groups of their own', async () => {
    const house = await openCatalogHouse();
    await house.edit((edit) => addPolicy(edit, 'edge', 'ip', {}));
    const records = recordsOf(house, OF_ACCOUNT, TIER);
    for (const side of ['block', 'allow'] as const) {
      expect(records).toContain(`group.${node(zoneName(side, 'edge'))} TXT "ip"`);
    }
  });
});

describe('RFC 9432 section 5: as zones come and go', () => {
  it('5.1 a change is an incremental transfer of the records that differ', async () => {
    const house = await openCatalogHouse();
    await house.edit((edit) => addPolicy(edit, 'one', 'dns', {}));
    const before = imageOfAxfr(house.transfer(OF_ACCOUNT, { from: TIER }).records);
    await house.edit((edit) => addPolicy(edit, 'two', 'ip', {}));
    const { records } = house.transfer(OF_ACCOUNT, { from: TIER, have: before.serial });
    expect(formOf(records)).toBe('changes');
    const after = imageOfAxfr(house.transfer(OF_ACCOUNT, { from: TIER }).records);
    expect([...followIxfr(before, records).records.keys()].sort()).toEqual(
      [...after.records.keys()].sort(),
    );
    // The new SOA twice, around the old one; four zones with two records each.
    expect(records).toHaveLength(4 + 8);
  });

  it('5.1 an edit that makes and ends no zone leaves the catalog as it is', async () => {
    const house = await openCatalogHouse();
    const { value: policyId } = await house.edit((edit) => addPolicy(edit, 'one', 'dns', {}));
    const { value: other } = await house.edit((edit) => addPolicy(edit, 'two', 'dns', {}));
    const { serial } = house.zone(OF_ACCOUNT);
    await house.edit((edit) => updatePolicy(edit, policyId, { description: 'Another text' }));
    const device = [...house.publisher.model.devices.values()].find(
      ({ name }) => name === 'd-one',
    )!;
    await house.edit((edit) => assignPolicy(edit, device.id, other));
    expect(house.zone(OF_ACCOUNT).serial).toBe(serial);
  });

  it('5.3 zones of policies and devices that end are members no more', async () => {
    const house = await openCatalogHouse();
    const { value: policyId } = await house.edit((edit) => addPolicy(edit, 'one', 'dns', {}));
    const device = [...house.publisher.model.devices.values()].find(
      ({ name }) => name === 'd-one',
    )!;
    await house.edit((edit) => deleteDevice(edit, device.id));
    expect(membersOf(house, OF_ACCOUNT, TIER)).toEqual([zoneName('rpz', 'one')]);
    await house.edit((edit) => deletePolicy(edit, policyId));
    expect(membersOf(house, OF_ACCOUNT, TIER)).toEqual([]);
    expect(membersOf(house, OF_SERVER, OPERATOR_TIER)).toEqual([]);
  });

  it('5.4 a member keeps its label for as long as it is one, and a renamed policy has two', async () => {
    const house = await openCatalogHouse();
    const { value: policyId } = await house.edit((edit) => addPolicy(edit, 'old', 'dns', {}));
    const before = recordsOf(house, OF_ACCOUNT, TIER);
    await house.edit((edit) => updatePolicy(edit, policyId, { name: 'new' }));
    const after = recordsOf(house, OF_ACCOUNT, TIER);
    // Under its former name it goes on being served until the grace time is over.
    expect(before.filter((record) => !after.includes(record))).toEqual([]);
    expect(membersOf(house, OF_ACCOUNT, TIER)).toContain(zoneName('rpz', 'new'));
  });
});

describe('RFC 9432 section 7: who may read', () => {
  it("the catalog of an account is for its secondaries, that of the server for the operator's", async () => {
    const house = await openCatalogHouse();
    await house.edit((edit) => addPolicy(edit, 'corp', 'dns', { source: '192.0.2.10' }));
    const rcodes = (name: string) =>
      [TIER, OPERATOR_TIER, '192.0.2.10', STRANGER].map(
        (from) => house.ask(name, 'SOA', { from }).rcode,
      );
    const { NOERROR, REFUSED } = RCODE;
    expect(rcodes(OF_ACCOUNT)).toEqual([NOERROR, NOERROR, REFUSED, REFUSED]);
    expect(rcodes(OF_SERVER)).toEqual([REFUSED, NOERROR, REFUSED, REFUSED]);
    // Whatever a catalog lists can be pulled by who reads it.
    expect(rcodes(zoneName('rpz', 'corp'))).toEqual([NOERROR, NOERROR, NOERROR, REFUSED]);
    expect(rcodes(`rpz.d-corp.dev.${ACCOUNT_LABEL}.${ROOT}`)).toEqual([
      NOERROR,
      NOERROR,
      NOERROR,
      REFUSED,
    ]);
  });

  it('secondaries of one account see nothing of another, and all of them are in the catalog of the server', async () => {
    const house = await openCatalogHouse();
    await house.edit((edit) => addPolicy(edit, 'corp', 'dns', {}));
    const { value: branch } = await house.edit((edit) =>
      createAccount(edit, { label: 'branch', name: 'Branch' }),
    );
    await house.edit((edit) => addPolicy({ ...edit, accountId: branch.id }, 'corp', 'dns', {}));
    const ofBranch = `rpz.corp.branch.${ROOT}`;
    expect(membersOf(house, OF_ACCOUNT, TIER)).not.toContain(ofBranch);
    expect(house.ask(ofBranch, 'SOA', { from: TIER }).rcode).toBe(RCODE.REFUSED);
    expect(house.ask(`catalog.branch.${ROOT}`, 'SOA', { from: TIER }).rcode).toBe(RCODE.REFUSED);
    const all = membersOf(house, OF_SERVER, OPERATOR_TIER);
    expect(all).toContain(ofBranch);
    expect(all).toContain(zoneName('rpz', 'corp'));
  });
});

describe('a catalog zone after a restart', () => {
  it('has its serial and history, and its secondaries are owed nothing new', async () => {
    const house = await openCatalogHouse();
    await house.edit((edit) => addPolicy(edit, 'one', 'dns', {}));
    const before = imageOfAxfr(house.transfer(OF_ACCOUNT, { from: TIER }).records);
    await house.edit((edit) => addPolicy(edit, 'two', 'ip', {}));
    const again = await house.restart();
    const zone = again.zone(OF_ACCOUNT);
    expect(zone.serial).toBe(house.zone(OF_ACCOUNT).serial);
    const { records } = again.transfer(OF_ACCOUNT, { from: TIER, have: before.serial });
    expect(formOf(records)).toBe('changes');
    const after = imageOfAxfr(again.transfer(OF_ACCOUNT, { from: TIER }).records);
    expect([...followIxfr(before, records).records.keys()].sort()).toEqual(
      [...after.records.keys()].sort(),
    );
  });

  it('is gone, and comes back under a higher serial, when the setting goes off and on', async () => {
    const house = await openCatalogHouse();
    const { serial } = house.zone(OF_ACCOUNT);
    const without = await house.restart({ defaults: { catalogs: false } });
    expect(without.publisher.state.zones.has(OF_ACCOUNT)).toBe(false);
    const again = await without.restart({ defaults: { catalogs: true } });
    expect(again.zone(OF_ACCOUNT).serial).toBeGreaterThan(serial);
  });
});
