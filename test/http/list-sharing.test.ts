import { describe, expect, it } from 'vitest';
import { type Scene, scene } from './scene.ts';

type Account = Awaited<ReturnType<Scene['addAccount']>>;

/** List 1 of account acme with an address and a name, shared with account other. */
async function withShare(): Promise<Scene & { readonly other: Account }> {
  const made = await scene();
  const other = await made.addAccount('other');
  await made.ok('POST', '/lists', { name: 'Own servers' });
  await made.ok('PUT', '/lists/1/entries', { entries: ['192.0.2.1', 'shop.example'] });
  await made.ok('PUT', '/lists/1/shares/other', undefined, 'editor');
  return { ...made, other };
}

describe('a list that is shared', () => {
  it('is seen by the other account, read-only and with its owner', async () => {
    const { ok, other } = await withShare();
    expect(await ok('GET', '/lists/1')).toMatchObject({
      owner: 'acme',
      readOnly: false,
      sharedWith: ['other'],
    });
    const seen = { name: 'Own servers', owner: 'acme', readOnly: true, sharedWith: [] };
    expect(await other.ok('GET', '/lists/1')).toMatchObject(seen);
    expect(await other.ok('GET', '/lists')).toMatchObject({ total: 1, items: [seen] });
    expect(await other.ok('GET', '/lists?readOnly=false')).toMatchObject({ total: 0 });
    expect(await other.ok('GET', '/lists?owner=ACME')).toMatchObject({ total: 1 });
    expect(await ok('GET', '/lists?shared=true')).toMatchObject({ total: 1 });
    expect(await other.ok('GET', '/lists/1/entries')).toMatchObject({ total: 2 });
    for (const [method, url, body] of [
      ['PATCH', '/lists/1', { name: 'mine' }],
      ['DELETE', '/lists/1', undefined],
      ['PATCH', '/lists/1/entries', { add: ['a.example'] }],
      ['PUT', '/lists/1/entries', { entries: [] }],
      ['PUT', '/lists/1/shares/acme', undefined],
      ['DELETE', '/lists/1/shares/other', undefined],
    ] as const) {
      expect(await other.refused(method, url, body), `${method} ${url}`).toMatchObject({
        status: 403,
        type: '/api/v1/problems/list-shared',
        rule: 'List "Own servers" belongs to account "acme", which lets you read and attach it only.',
      });
    }
  });

  it('is nothing to accounts that it is not shared with', async () => {
    const made = await withShare();
    const third = await made.addAccount('third');
    expect(await third.ok('GET', '/lists')).toMatchObject({ total: 0 });
    expect(await third.refused('GET', '/lists/1')).toMatchObject({ status: 404 });
    expect(await third.refused('PATCH', '/lists/1', {})).toMatchObject({ status: 404 });
    await third.ok('POST', '/policies', { name: 'corp', type: 'dns' });
    expect(
      await third.refused('POST', '/policies/1/attachments', { kind: 'list', id: 1 }),
    ).toMatchObject({ status: 422, type: '/api/v1/problems/reference-unknown' });
  });

  it('acts in the policies of the other account, which follow its entries and action', async () => {
    const { ok, other } = await withShare();
    const attachments = [{ kind: 'list', id: 1 }];
    await other.ok('POST', '/policies', { name: 'fw', type: 'ip', attachments });
    expect(await other.ok('GET', '/policies/1')).toMatchObject({
      attachments: [{ name: 'Own servers', action: { kind: 'block' } }],
      counts: { block: { addresses4: 1 } },
    });
    const added = await ok('PATCH', '/lists/1/entries', { add: ['198.51.100.0/24'] });
    expect(added.zones).toMatchObject([{ zone: 'block.fw.other.sluice.internal.' }]);
    await ok('PATCH', '/lists/1', { action: 'allow' });
    expect(await other.ok('GET', '/policies/1')).toMatchObject({
      attachments: [{ action: { kind: 'allow' } }],
      counts: { block: { addresses4: 0 }, allow: { addresses4: 257 } },
    });
  });

  it('is taken back when nobody uses it', async () => {
    const { ok, other, refused } = await withShare();
    expect(await ok('DELETE', '/lists/1/shares/other')).toMatchObject({ list: { sharedWith: [] } });
    expect(await other.refused('GET', '/lists/1')).toMatchObject({ status: 404 });
    expect(await refused('DELETE', '/lists/1/shares/other')).toMatchObject({
      status: 404,
      field: 'label',
      rule: 'The list is not shared with account "other".',
    });
  });

  it('is kept while policies of the other account attach it, of which no name is told', async () => {
    const { ok, other, refused } = await withShare();
    const attachments = [{ kind: 'list', id: 1 }];
    await other.ok('POST', '/policies', { name: 'secret1', type: 'dns', attachments });
    await other.ok('POST', '/policies', { name: 'secret2', type: 'ip', attachments });
    await ok('POST', '/policies', { name: 'own', type: 'dns', attachments });
    const unshare = await refused('DELETE', '/lists/1/shares/other');
    expect(unshare).toMatchObject({
      status: 409,
      type: '/api/v1/problems/still-in-use',
      rule: 'The list is attached in 2 policies of account "other"; with detach=true it is detached there, too.',
    });
    const deletion = await refused('DELETE', '/lists/1');
    expect(deletion).toMatchObject({
      status: 409,
      rule: 'Detach it first from 2 policies of account "other", policy "own".',
    });
    expect(JSON.stringify([unshare, deletion])).not.toContain('secret');
  });

  it('is detached everywhere in the change that takes it back, when that is asked for', async () => {
    const { ok, other } = await withShare();
    const attachments = [{ kind: 'list', id: 1 }];
    await other.ok('POST', '/policies', { name: 'one', type: 'dns', attachments });
    await other.ok('POST', '/policies', { name: 'two', type: 'ip', attachments });
    await ok('POST', '/policies', { name: 'own', type: 'dns', attachments });
    const taken = await ok('DELETE', '/lists/1/shares/other?detach=true');
    expect(taken.zones).toMatchObject([
      { zone: 'block.two.other.sluice.internal.' },
      { zone: 'rpz.one.other.sluice.internal.' },
    ]);
    expect(await other.ok('GET', '/policies/1')).toMatchObject({ attachments: [] });
    expect(await ok('GET', '/policies/3')).toMatchObject({ attachments: [{ id: 1 }] });
  });

  it('is shared by the label of an account, once, and not with its own', async () => {
    const { call, ok, refused } = await withShare();
    expect(await ok('PUT', '/lists/1/shares/OTHER')).toMatchObject({
      list: { sharedWith: ['other'] },
      zones: [],
    });
    expect(await refused('PUT', '/lists/1/shares/nobody')).toMatchObject({
      status: 422,
      type: '/api/v1/problems/reference-unknown',
      field: 'label',
      value: 'nobody',
      rule: 'There is no account "nobody".',
    });
    expect(await refused('PUT', '/lists/1/shares/acme')).toMatchObject({
      status: 400,
      field: 'label',
      rule: 'The list belongs to account "acme" already.',
    });
    expect((await call('PUT', '/lists/1/shares/other', undefined, 'viewer')).status).toBe(403);
  });
});
