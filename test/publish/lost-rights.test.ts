import { describe, expect, it } from 'vitest';
import type { AccountId, TargetId } from '../../src/policy/model.ts';
import {
  attach,
  changeIndicators,
  createAccount,
  createPolicy,
  createTarget,
  detach,
  type Edit,
  grantEntitlement,
  removeExpiredEntitlements,
  revokeEntitlement,
  rollBackPolicy,
  shareList,
  unshareList,
} from '../../src/publish/edits/index.ts';
import { openHouse } from '../support/house.ts';
import { addList, addReader, NXDOMAIN, setIndicators } from '../support/scene.ts';

const READER = '192.0.2.9';
const ZONE = 'rpz.one.cust.sluice.internal.';
const DAY_MS = 24 * 3_600_000;

/** A customer with a policy over a target of its own choice, and a partner target that it may use for a day. */
async function openCustomer() {
  const house = await openHouse();
  const made = await house.edit((edit) => {
    const partner = createTarget(edit, { name: 'paid', partner: true }).id;
    changeIndicators(edit, partner, { add: ['paid.example'] });
    const free = createTarget(edit, { name: 'free' }).id;
    setIndicators(edit, free, ['free.example']);
    const customer = createAccount(edit, { label: 'cust', name: 'Customer' }).id;
    const expiresAt = new Date(edit.draft.now + DAY_MS).toISOString();
    const entitlement = grantEntitlement(edit, {
      accountId: customer,
      targetId: partner,
      expiresAt,
    }).id;
    return { partner, free, customer, entitlement };
  });
  const { partner, free, customer, entitlement } = made.value;
  const asCustomer = async <Value>(change: (edit: Edit) => Value): Promise<Value> => {
    house.time.now += 1_000;
    const by = { actor: 'customer', action: 'edit' };
    const { value } = await house.publisher.change(by, (draft) =>
      change({ draft, settings: house.settings, accountId: customer as AccountId, system: false }),
    );
    return value;
  };
  const asOperator = async <Value>(change: (edit: Edit) => Value): Promise<Value> => {
    house.time.now += 1_000;
    return (await house.edit(change)).value;
  };
  const policy = await asCustomer((edit) => {
    const attachments = [partner, free].map((id) => ({ kind: 'target', id, action: NXDOMAIN }));
    const { id } = createPolicy(edit, { name: 'one', type: 'dns', attachments });
    addReader(edit, 'd', 'dns', id, READER);
    return id;
  });
  return {
    house,
    partner: partner as TargetId,
    entitlement,
    policy,
    asCustomer,
    asOperator,
    serial: () => house.zone(ZONE).serial,
    /** Whether the customer is served a rule for the name. */
    serves: (name: string): boolean =>
      house.ask(`${name}.${ZONE}`, 'CNAME', { from: READER }).answers.length > 0,
  };
}

describe('an earlier content with what an account has lost the right to', () => {
  it('is not rolled back to once the entitlement was revoked', async () => {
    const { serial, serves, asCustomer, asOperator, policy, entitlement } = await openCustomer();
    const entitled = serial();
    expect(serves('paid.example')).toBe(true);
    await asOperator((edit) => revokeEntitlement(edit, entitlement));
    expect(serves('paid.example')).toBe(false);
    await expect(
      asCustomer((edit) => rollBackPolicy(edit, policy, { serial: entitled })),
    ).rejects.toMatchObject({ code: 'not-allowed', field: 'serial', value: entitled });
    expect(serves('paid.example')).toBe(false);
  });

  it('is served no longer where a policy was rolled back to it before the entitlement ended', async () => {
    const { house, serial, serves, asCustomer, policy } = await openCustomer();
    const entitled = serial();
    const late = await asCustomer((edit) => addList(edit, 'late', ['late.example']));
    await asCustomer((edit) => attach(edit, policy, { kind: 'list', id: late }));
    await asCustomer((edit) => rollBackPolicy(edit, policy, { serial: entitled }));
    expect([serves('paid.example'), serves('late.example')]).toEqual([true, false]);
    house.time.now += DAY_MS;
    await house.publisher.change({ actor: 'server', action: 'expire' }, (draft) =>
      removeExpiredEntitlements({ draft }),
    );
    expect([serves('paid.example'), serves('late.example')]).toEqual([false, true]);
  });

  it('is served no longer where the policy does not attach the target any more', async () => {
    const { serial, serves, asCustomer, asOperator, policy, partner, entitlement } =
      await openCustomer();
    const entitled = serial();
    await asCustomer((edit) => detach(edit, policy, { kind: 'target', id: partner }));
    await asCustomer((edit) => rollBackPolicy(edit, policy, { serial: entitled }));
    await asCustomer((edit) => attach(edit, policy, { kind: 'target', id: partner }));
    await asCustomer((edit) => detach(edit, policy, { kind: 'target', id: partner }));
    expect(serves('paid.example')).toBe(true);
    await asOperator((edit) => revokeEntitlement(edit, entitlement));
    expect(serves('paid.example')).toBe(false);
  });

  it('may be one with a list that is shared no more', async () => {
    const { serial, serves, asCustomer, asOperator, policy } = await openCustomer();
    const list = await asOperator((edit) => {
      const id = addList(edit, 'shared', ['shared.example']);
      shareList(edit, id, 'cust');
      return id;
    });
    await asCustomer((edit) => attach(edit, policy, { kind: 'list', id: list }));
    const shared = serial();
    expect(serves('shared.example')).toBe(true);
    await asOperator((edit) => unshareList(edit, list, { label: 'cust', detach: true }));
    await expect(
      asCustomer((edit) => rollBackPolicy(edit, policy, { serial: shared })),
    ).rejects.toMatchObject({ code: 'not-allowed' });
    expect(serves('shared.example')).toBe(false);
  });

  it('does not keep the account from rolling back to what came afterwards', async () => {
    const { serial, serves, asCustomer, asOperator, policy, entitlement } = await openCustomer();
    await asOperator((edit) => revokeEntitlement(edit, entitlement));
    const after = serial();
    const late = await asCustomer((edit) => addList(edit, 'late', ['late.example']));
    await asCustomer((edit) => attach(edit, policy, { kind: 'list', id: late }));
    expect(serves('late.example')).toBe(true);
    await asCustomer((edit) => rollBackPolicy(edit, policy, { serial: after }));
    expect(serves('late.example')).toBe(false);
  });
});
