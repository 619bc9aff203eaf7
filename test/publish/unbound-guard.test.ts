import { describe, expect, it } from 'vitest';
import type { ActionChoice, PolicyId, TargetId } from '../../src/policy/model.ts';
import {
  assignPolicy,
  changeIndicators,
  createDevice,
  createPolicy,
  createTarget,
  type Edit,
  grantEntitlement,
  revokeEntitlement,
  rollBackPolicy,
  updateDevice,
  updatePolicy,
} from '../../src/publish/edits/index.ts';
import { type House, openHouse } from '../support/house.ts';
import { addTarget, NXDOMAIN, zoneName } from '../support/scene.ts';

const TCP_ONLY: ActionChoice = { kind: 'tcp-only' };
const CRASH = { code: 'tcp-only-unbound' };
const ZONE = zoneName('rpz', 'one');

const policyOf = (edit: Edit, name: string, id: TargetId, action: ActionChoice): PolicyId =>
  createPolicy(edit, { name, type: 'dns', attachments: [{ kind: 'target', id, action }] }).id;

const deviceOf = (edit: Edit, policyId: PolicyId | null, profile = 'unbound') =>
  createDevice(edit, {
    name: 'u',
    type: 'dns',
    profile,
    access: 'source',
    sources: ['192.0.2.9'],
    policyId,
  });

const remove = (house: House, target: TargetId, indicator: string) => {
  house.time.now += 1_000;
  return house.edit((edit) => changeIndicators(edit, target, { remove: [indicator] }));
};

/** A policy that acted TCP-only by a name server at `serial`, and does no more. */
async function openPast(indicator: string) {
  const house = await openHouse();
  const { value } = await house.edit((edit) => {
    const target = addTarget(edit, 't', ['a.example', indicator]);
    return { target, policy: policyOf(edit, 'one', target, TCP_ONLY) };
  });
  const { serial } = house.zone(ZONE);
  await remove(house, value.target, indicator);
  return { house, serial, ...value };
}

describe('a change that would have a device with Unbound act TCP-only by name servers', () => {
  it.each(['nsname:bad.ns.example', 'nsip:192.0.2.0/24', 'nsip:2001:db8::/32'])(
    'is refused when it is a rollback (%s)',
    async (indicator) => {
      const { house, serial, policy } = await openPast(indicator);
      await house.edit((edit) => deviceOf(edit, policy));
      const served = house.zone(ZONE).serial;
      const back = (edit: Edit) => rollBackPolicy(edit, policy, { serial });
      await expect(house.edit(back)).rejects.toMatchObject({
        ...CRASH,
        message: expect.stringMatching(/"u".*"one"/),
      });
      expect(house.zone(ZONE).serial).toBe(served);
    },
  );

  it('is refused when the device, its profile or its policy comes after the rollback', async () => {
    const { house, serial, policy } = await openPast('nsname:bad.ns.example');
    await house.edit((edit) => rollBackPolicy(edit, policy, { serial }));
    await expect(house.edit((edit) => deviceOf(edit, policy))).rejects.toMatchObject(CRASH);
    const { value: device } = await house.edit((edit) => deviceOf(edit, null));
    const assign = (edit: Edit) => assignPolicy(edit, device.id, policy);
    await expect(house.edit(assign)).rejects.toMatchObject(CRASH);
    await house.edit((edit) => updateDevice(edit, device.id, { profile: 'bind' }));
    await house.edit(assign);
    const turn = (edit: Edit) => updateDevice(edit, device.id, { profile: 'unbound' });
    await expect(house.edit(turn)).rejects.toMatchObject(CRASH);
  });

  it('is refused when it grants the right to use the target', async () => {
    const house = await openHouse();
    const { value } = await house.edit((edit) => {
      const target = createTarget(edit, { name: 'paid', partner: true, attributes: {} }).id;
      changeIndicators(edit, target, { add: ['a.example', 'nsname:bad.ns.example'] });
      const grant = () => grantEntitlement(edit, { accountId: house.accountId, targetId: target });
      const { id } = grant();
      const policy = policyOf(edit, 'one', target, TCP_ONLY);
      revokeEntitlement(edit, id);
      deviceOf(edit, policy);
      return { target };
    });
    const grant = (edit: Edit) =>
      grantEntitlement(edit, { accountId: house.accountId, targetId: value.target });
    await expect(house.edit(grant)).rejects.toMatchObject(CRASH);
    await expect(
      house.publisher.preview(
        (draft) =>
          grant({ draft, settings: house.settings, accountId: house.accountId, system: true }),
        () => 0,
      ),
    ).rejects.toMatchObject(CRASH);
  });

  it('is not refused where the pair is with another device, or not TCP-only, or not of name servers', async () => {
    const house = await openHouse();
    await house.edit((edit) => {
      const servers = addTarget(edit, 'servers', ['nsname:bad.ns.example', 'nsip:192.0.2.0/24']);
      const names = addTarget(edit, 'names', ['a.example', '192.0.2.0/24', '*.b.example']);
      const both = { kind: 'target', id: names, action: TCP_ONLY };
      const attachments = [{ kind: 'target', id: servers, action: NXDOMAIN }, both];
      const policy = createPolicy(edit, { name: 'one', type: 'dns', attachments }).id;
      deviceOf(edit, policy);
      createDevice(edit, {
        name: 'b',
        type: 'dns',
        profile: 'bind',
        access: 'source',
        sources: ['192.0.2.8'],
        policyId: policyOf(edit, 'two', servers, TCP_ONLY),
      });
    });
    await house.edit((edit) => updatePolicy(edit, 1, { ttl: 300 }));
    expect(house.zone(ZONE).records).toBeGreaterThan(4);
  });
});
