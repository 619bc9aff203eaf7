import { describe, expect, it } from 'vitest';
import { createAccount, createDevice, updateDevice } from '../../src/publish/edits/index.ts';
import { type House, openHouse, ROOT } from '../support/house.ts';
import { addList, addPolicy, BLOCK, zoneName } from '../support/scene.ts';

const CATALOG = `catalog.acme.${ROOT}`;
const OF_BRANCH = `rpz.corp.branch.${ROOT}`;

/** A house with an account `acme`, an account `branch` with a zone of its own, and a secondary of `acme`. */
async function openTier() {
  const house = await openHouse({ defaults: { catalogs: true } });
  const { value } = await house.edit((edit) => {
    const { id: branch } = createAccount(edit, { label: 'branch', name: 'Branch' });
    addPolicy({ ...edit, accountId: branch }, 'corp', 'dns', {});
    const notify = [{ address: '192.0.2.53', port: 53 }];
    return createDevice(edit, { name: 'tier', type: 'secondary', notify }).id;
  });
  return { house, tier: value };
}

/** What the secondary is owed, and takes it out of the outbox. */
async function takeOwed({ store }: House): Promise<string[]> {
  const owed = await store.owedNotifies();
  await store.settleNotifies({ acknowledged: owed, failed: [] });
  return owed.map(({ origin }) => origin).sort();
}

describe('what a secondary is owed', () => {
  it('is every zone of its account when it is new, and then what changes', async () => {
    const { house } = await openTier();
    expect(await takeOwed(house)).toEqual([CATALOG]);
    await house.edit((edit) => {
      const list = addList(edit, 'own', ['192.0.2.1']);
      addPolicy(edit, 'gate', 'ip', { lists: [[list, BLOCK]] });
    });
    const ofGate = ['allow', 'block'] as const;
    const ofDevice = ofGate.map((side) => `${side}.d-gate.dev.acme.${ROOT}`);
    const ofPolicy = ofGate.map((side) => zoneName(side, 'gate'));
    expect(await takeOwed(house)).toEqual([...ofDevice, ...ofPolicy, CATALOG].sort());
    await house.edit((edit) => addPolicy(edit, 'corp', 'dns', {}));
    const ofCorp = [`rpz.d-corp.dev.acme.${ROOT}`, zoneName('rpz', 'corp')];
    expect(await takeOwed(house)).toEqual([...ofCorp, CATALOG].sort());
  });

  it('is every zone of the server when it comes to have all of them, and no more after that', async () => {
    const { house, tier } = await openTier();
    await takeOwed(house);
    const scope = (to: string) => house.edit((edit) => updateDevice(edit, tier, { scope: to }));
    await scope('server');
    expect(await takeOwed(house)).toEqual([...house.publisher.state.zones.keys()].sort());
    expect(house.publisher.state.zones.has(OF_BRANCH)).toBe(true);
    await scope('account');
    expect(await takeOwed(house)).toEqual([CATALOG]);
  });

  it('is nothing of what it may read no more', async () => {
    const { house, tier } = await openTier();
    const scope = (to: string) => house.edit((edit) => updateDevice(edit, tier, { scope: to }));
    await scope('server');
    await scope('account');
    expect(await takeOwed(house)).toEqual([CATALOG]);
  });
});
