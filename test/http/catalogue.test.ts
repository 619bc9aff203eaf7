import { describe, expect, it } from 'vitest';
import { resolveMembers } from '../../src/policy/members.ts';
import { createPolicy } from '../../src/publish/edits/index.ts';
import { type Scene, scene } from './scene.ts';

type Account = Awaited<ReturnType<Scene['addAccount']>>;

/** Target 1 is a partner's, target 2 is everybody's; both hold a name and an address. */
async function withPartner(): Promise<Scene & { readonly other: Account }> {
  const made = await scene();
  const { ok } = made;
  await ok('POST', '/targets', { name: 'Sold', partner: true });
  await ok('POST', '/targets', { name: 'Free' });
  await ok('PUT', '/targets/1/indicators', 'sold.example\n192.0.2.1\n');
  await ok('PUT', '/targets/2/indicators', 'free.example\n192.0.2.2\n');
  return { ...made, other: await made.addAccount('other') };
}

async function entitle({ asServer }: Scene, { accountId }: Pick<Account, 'accountId'>) {
  await asServer(({ draft }) =>
    draft.put('entitlement', {
      id: draft.nextId('entitlement'),
      accountId,
      targetId: 1 as never,
      note: 'contract 7',
      expiresAt: null,
      createdAt: draft.now,
    }),
  );
}

describe('the catalogue', () => {
  it('is read by every account and changed on behalf of the operator only', async () => {
    const { ok, other } = await withPartner();
    await ok('POST', '/bundles', { name: 'all' });
    expect(await other.ok('GET', '/targets')).toMatchObject({ total: 2 });
    expect(await other.ok('GET', '/bundles/1')).toMatchObject({ targetCount: 2 });
    for (const [method, url, body] of [
      ['POST', '/targets', { name: 'mine' }],
      ['PATCH', '/targets/2', { description: 'mine' }],
      ['DELETE', '/targets/2', undefined],
      ['PATCH', '/targets/2/indicators', { add: ['a.example'] }],
      ['PUT', '/targets/2/indicators', 'a.example\n'],
      ['POST', '/bundles', { name: 'mine' }],
      ['PATCH', '/bundles/1', { description: 'mine' }],
      ['DELETE', '/bundles/1', undefined],
    ] as const) {
      expect(await other.refused(method, url, body), `${method} ${url}`).toMatchObject({
        status: 403,
        type: '/api/v1/problems/catalogue-read-only',
        field: 'account',
        value: 'other',
      });
    }
  });

  it('names policies of other accounts with their account when it refuses to the operator', async () => {
    const { ok, refused, other } = await withPartner();
    const attachments = [{ kind: 'target', id: 2 }];
    await other.ok('POST', '/policies', { name: 'corp', type: 'dns', attachments });
    expect(await refused('DELETE', '/targets/2')).toMatchObject({
      status: 409,
      rule: 'Detach it first from policy "corp" of account "other".',
    });
    await ok('POST', '/bundles', { name: 'all' });
    await other.ok('POST', '/policies/1/attachments', { kind: 'bundle', id: 1 });
    expect(await refused('DELETE', '/bundles/1')).toMatchObject({
      rule: 'Detach it first from policy "corp" of account "other".',
    });
  });
});

describe('partner targets', () => {
  it('are attached with an entitlement of the account only', async () => {
    const made = await withPartner();
    const { other, refused } = made;
    await other.ok('POST', '/policies', { name: 'corp', type: 'dns' });
    const body = { kind: 'target', id: 1 };
    expect(await other.refused('POST', '/policies/1/attachments', body)).toMatchObject({
      status: 403,
      type: '/api/v1/problems/not-entitled',
      field: 'id',
      value: 1,
      rule: 'Target "Sold" comes from a partner, and account "other" has no entitlement to it.',
    });
    expect(
      await other.refused('POST', '/policies', { name: 'b', type: 'ip', attachments: [body] }),
    ).toMatchObject({ status: 403, field: 'attachments[0].id' });
    await entitle(made, other);
    await other.ok('POST', '/policies/1/attachments', body);
    // Each account has entitlements of its own, the operator too.
    await made.ok('POST', '/policies', { name: 'own', type: 'dns' });
    expect(await refused('POST', '/policies/2/attachments', body)).toMatchObject({ status: 403 });
  });

  it('that are attached stay when the entitlement ends, count for nothing, and are warned of', async () => {
    const made = await withPartner();
    const { asServer, other } = made;
    await entitle(made, other);
    const attachments = [{ kind: 'target', id: 1 }];
    await other.ok('POST', '/policies', { name: 'corp', type: 'dns', attachments });
    expect(await other.ok('GET', '/policies/1')).toMatchObject({
      counts: { records: 4 + 1 },
      warnings: [],
    });
    await asServer(({ draft }) => draft.delete('entitlement', 1 as never));
    const warned = {
      attachments: [{ id: 1, name: 'Sold' }],
      counts: { records: 2 },
      warnings: [
        'Target "Sold" comes from a partner and there is no entitlement to it: it counts for nothing here.',
      ],
    };
    expect(await other.ok('GET', '/policies/1')).toMatchObject(warned);
    // What is attached may be given another action, and be kept in a list that is sent whole.
    const action = { kind: 'drop' };
    await other.ok('PATCH', '/policies/1/attachments/target/1', { action });
    await other.ok('PATCH', '/policies/1', {
      attachments: [
        { kind: 'target', id: 1, action },
        { kind: 'target', id: 2 },
      ],
    });
    await entitle(made, other);
    expect(await other.ok('GET', '/policies/1')).toMatchObject({ warnings: [] });
  });

  it("are left out of predefined policies, whoever owns those, because they are everybody's", async () => {
    const made = await withPartner();
    const { ok, asServer, other } = made;
    await ok('POST', '/bundles', { name: 'all' });
    // The owner of the policies is entitled, and so is the account that looks.
    await ok('POST', '/entitlements', { accountId: made.accountId, targetId: 1 });
    await entitle(made, other);
    const attachments = [
      [{ kind: 'target', id: 1 }],
      [{ kind: 'target', id: 2 }],
      [{ kind: 'bundle', id: 1 }],
    ];
    for (const [index, attached] of attachments.entries()) {
      const body = { name: `pre${index}`, type: 'dns', attachments: attached };
      await asServer((edit) => createPolicy(edit, { ...body, predefined: true }));
      await asServer((edit) => createPolicy(edit, { ...body, name: `own${index}` }));
    }
    const { model } = made.publisher;
    const policies = [...model.policies.values()];
    for (const policy of policies) {
      // Every target that is attached or in the bundle, but those of partners where all may read.
      const named = policy.attachments.flatMap(({ kind, id }) =>
        kind === 'target' ? [id] : [1, 2],
      );
      const expected = named.filter((id) => !policy.predefined || id !== 1);
      const members = resolveMembers(policy, model).map(({ source }) => source.id);
      expect(members.toSorted(), policy.name).toEqual(expected);
      const listed = await ok('GET', `/policies?target=1&q=${policy.name}`);
      expect(listed.total, policy.name).toBe(expected.includes(1) ? 1 : 0);
    }
    const warnings = async (name: string) => {
      const { id } = policies.find((policy) => policy.name === name)!;
      return (await other.call('GET', `/policies/${id}`)).body.warnings;
    };
    expect(await warnings('pre0')).toEqual([
      'Target "Sold" comes from a partner and predefined policies are for accounts without an entitlement, too: it counts for nothing here.',
    ]);
    expect(await warnings('pre1')).toEqual([]);
    expect(await warnings('pre2')).toEqual([
      'Bundle "all" holds targets that come from partners, which predefined policies leave out, and count for nothing here: "Sold".',
    ]);
  });

  it('come with a bundle where the account is entitled, and are warned of where it is not', async () => {
    const made = await withPartner();
    const { ok, other } = made;
    await ok('POST', '/bundles', { name: 'all' });
    const attachments = [{ kind: 'bundle', id: 1 }];
    await other.ok('POST', '/policies', { name: 'fw', type: 'ip', attachments });
    expect(await other.ok('GET', '/policies/1')).toMatchObject({
      counts: { block: { addresses4: 1 } },
      warnings: [
        'Bundle "all" holds targets that come from partners without an entitlement and count for nothing here: "Sold".',
      ],
    });
    await entitle(made, other);
    expect(await other.ok('GET', '/policies/1')).toMatchObject({
      counts: { block: { addresses4: 2 } },
      warnings: [],
    });
  });

  it('say of themselves whether the account may use them', async () => {
    const made = await withPartner();
    const { other, ok } = made;
    const names = async (query: string) => {
      const page = await other.ok('GET', `/targets?${query}`);
      return (page.items as unknown as { name: string }[]).map(({ name }) => name);
    };
    expect(await names('entitled=false')).toEqual(['Sold']);
    expect(await names('sort=entitled')).toEqual(['Sold', 'Free']);
    await entitle(made, other);
    expect(await names('entitled=true')).toEqual(['Sold', 'Free']);
    expect(await names('partner=true&entitled=true')).toEqual(['Sold']);
    expect(await ok('GET', '/targets/1')).toMatchObject({ partner: true, entitled: false });
  });

  it('show their indicators to who is entitled, and to the operator', async () => {
    const made = await withPartner();
    const { other, ok } = made;
    expect(await other.refused('GET', '/targets/1/indicators')).toMatchObject({
      status: 403,
      type: '/api/v1/problems/not-entitled',
      field: 'target id',
    });
    await ok('GET', '/targets/1/indicators');
    await entitle(made, other);
    expect(await other.ok('GET', '/targets/1/indicators')).toMatchObject({ total: 2 });
  });

  it('of a predefined policy are refused or left out of a duplicate, as is asked for', async () => {
    const made = await withPartner();
    const { asServer, other } = made;
    const attachments = [1, 2].map((id) => ({ kind: 'target', id }));
    await asServer((edit) =>
      createPolicy(edit, { name: 'base', type: 'dns', predefined: true, attachments }),
    );
    expect(await other.refused('POST', '/policies/1/duplicate', { name: 'mine' })).toMatchObject({
      status: 403,
      type: '/api/v1/problems/not-entitled',
      field: 'leaveOutPartners',
      rule: expect.stringContaining('"Sold"'),
    });
    const left = await other.ok('POST', '/policies/1/duplicate', {
      name: 'mine',
      leaveOutPartners: true,
    });
    expect(left.policy).toMatchObject({ attachments: [{ name: 'Free' }] });
    await entitle(made, other);
    const whole = await other.ok('POST', '/policies/1/duplicate', { name: 'mine2' });
    expect(whole.policy).toMatchObject({ attachments: [{ name: 'Sold' }, { name: 'Free' }] });
  });

  it('take their entitlements with them when they are deleted', async () => {
    const made = await withPartner();
    await entitle(made, made.other);
    await made.ok('DELETE', '/targets/1');
    expect(made.publisher.model.entitlements.size).toBe(0);
  });
});
