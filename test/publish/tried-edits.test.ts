import { describe, expect, it } from 'vitest';
import {
  assignPolicy,
  createDevice,
  createPolicy,
  deleteDevice,
  updatePolicy,
} from '../../src/publish/edits/index.ts';
import { openHouse } from '../support/house.ts';
import { addPolicy, addTarget, NXDOMAIN } from '../support/scene.ts';

const redirectTo = (to: string) => ({ kind: 'redirect', to }) as const;

describe('what was tried and not kept', () => {
  it('uses up no numbers of actions, and what is numbered afterwards is served as itself', async () => {
    const house = await openHouse();
    await house.edit((edit) => {
      const target = addTarget(edit, 'bad', ['bad.example']);
      addPolicy(edit, 'one', 'dns', { targets: [[target, redirectTo('first.example.')]] });
    });
    const attach = (to: string) => [{ kind: 'target', id: 1, action: redirectTo(to) }];
    for (let tried = 0; tried < 50; tried++) {
      const records = await house.publisher.preview(
        (draft) =>
          updatePolicy(
            { draft, settings: house.settings, accountId: house.accountId, system: true },
            1,
            { attachments: attach(`tried${tried}.example.`) },
          ),
        ({ changes }) => changes[0]!.recordsAdded,
      );
      expect(records).toBe(2);
    }
    await house.edit((edit) => updatePolicy(edit, 1, { attachments: attach('kept.example.') }));
    const actions = (await house.store.load()).entities.filter(({ kind }) => kind === 'rpz-action');
    // The first, the canary's and the one that was kept.
    expect(actions.map(({ id }) => id).sort()).toEqual([1, 2]);
    const { answers } = house.ask('bad.example.rpz.one.acme.sluice.internal.', 'CNAME');
    expect(Buffer.from(answers[0]!.rdata).toString('latin1')).toContain('kept');
  });
});

describe('the zone of a device without a policy', () => {
  it('keeps its serial through a restart, whatever TTL its last policy had', async () => {
    const house = await openHouse();
    await house.edit((edit) => {
      const target = addTarget(edit, 'bad', ['bad.example']);
      addPolicy(edit, 'one', 'dns', { targets: [[target, NXDOMAIN]], ttl: 300 });
    });
    house.time.now += 5_000;
    await house.edit((edit) => assignPolicy(edit, 1, null));
    const origin = 'rpz.d-one.dev.acme.sluice.internal.';
    const { serial } = house.zone(origin);
    expect((await house.restart()).zone(origin).serial).toBe(serial);
  });

  it('belongs to the device that has its name, also when it was made anew in one change', async () => {
    const house = await openHouse();
    const source = '192.0.2.77';
    const device = { name: 'd', type: 'dns', access: 'source', sources: [source] };
    await house.edit((edit) => {
      createPolicy(edit, { name: 'one', type: 'dns' });
      createDevice(edit, { ...device, policyId: 1 });
    });
    await house.edit((edit) => {
      deleteDevice(edit, 1);
      createDevice(edit, { ...device, policyId: 1 });
    });
    const origin = 'rpz.d.dev.acme.sluice.internal.';
    expect(house.zone(origin).deviceId).toBe(2);
    expect(house.ask(origin, 'SOA', { from: source }).answers).toHaveLength(1);
  });
});
