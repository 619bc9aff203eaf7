import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Firewall, makeFirewall } from '../scripts/firewall.ts';
import { type PullResult, pull } from '../scripts/run-pull.ts';
import {
  keepPeersTidy,
  makePeerFolder,
  requirePeer,
  type TsigKey,
  writeKeyFile,
} from './peers/index.ts';
import { type SluicePrimary, startPrimary } from './sluice-primary.ts';

keepPeersTidy();

const BLOCK = 'block.fw.main.sluice.internal';
const ALLOW = 'allow.fw.main.sluice.internal';
const REFUSED = 6;
const installed = requirePeer('dig', 'dash', 'ip', 'nft');

/** Blocked by every policy, so that a firewall can be tested. Its IPv6 twin is inside 2001:db8::/32. */
const CANARY = '192.0.2.53/32';
/** Enough addresses, never two beside each other, for several pages. */
const HOSTS = 8_000;
const hosts = Array.from({ length: HOSTS }, (_, at) => `11.${at >> 7}.${(at & 127) * 2}.1`);

describe.skipIf(!installed).each(['pages', 'axfr'])('sluice-pull by %s from Sluice', (method) => {
  let sluice: SluicePrimary;
  let firewall: Firewall;
  let folder: string;
  let target: number;
  let list: number;
  let keys: { readonly device: TsigKey; readonly stranger: TsigKey };

  beforeAll(async () => {
    sluice = await startPrimary();
    ({ target, list, keys } = await makeScene(sluice));
    firewall = await makeFirewall();
    folder = await makePeerFolder('pull');
  });
  afterAll(async () => {
    await firewall?.remove();
    await sluice?.stop();
  });

  async function run(key: TsigKey | null, ...more: string[]): Promise<PullResult> {
    const keyFile = join(folder, 'key');
    if (key !== null) await writeKeyFile(keyFile, key);
    const args = ['--server', sluice.address, '--port', String(sluice.port), '--create'];
    const zones = ['--block', BLOCK, '--allow', ALLOW, '--method', method];
    const state = ['--state-dir', join(folder, 'state'), '--wait', '0', '--timeout', '2'];
    const signed = key === null ? [] : ['--key', keyFile];
    return pull([...args, ...zones, ...state, '--verbose', ...signed, ...more], {
      tools: firewall.folder,
    });
  }

  async function sets(): Promise<Record<string, string[] | null>> {
    const names = ['block4', 'block6', 'allow4', 'allow6'];
    const members = await Promise.all(
      names.map((name) => firewall.members('nft', `sluice_${name}`)),
    );
    return Object.fromEntries(names.map((name, at) => [name, members[at] ?? null]));
  }

  it('is refused, and leaves no set, when the device may not read the policy', async () => {
    for (const key of [keys.stranger, null]) {
      const result = await run(key);
      expect(result.code, result.stderr).toBe(REFUSED);
    }
    expect(await firewall.members('nft', 'sluice_block4')).toBeNull();
  });

  it('fills the sets of both families', async () => {
    succeeded(await run(keys.device));
    expect(await sets()).toEqual({
      block4: [...hosts.map((host) => `${host}/32`), CANARY, '198.51.100.0/24'].sort(),
      block6: ['2001:db8::/32'],
      allow4: ['203.0.113.7/32'],
      allow6: [],
    });
  });

  it('finds nothing new while nothing changes', async () => {
    const result = await run(keys.device);
    succeeded(result);
    expect(result.stderr).toContain('nothing new');
  });

  it('takes over an update, with allows carved out of the blocks around them', async () => {
    await sluice.ok('PATCH', `/targets/${target}/indicators`, {
      add: ['192.0.2.77'],
      remove: ['11.0.0.1'],
    });
    await sluice.ok('PATCH', `/lists/${list}/entries`, {
      add: ['198.51.100.0/26', '198.51.100.128', '2001:db8:8000::/33'],
    });
    succeeded(await run(keys.device));
    expect(await sets()).toEqual({
      block4: [
        ...hosts.slice(1).map((host) => `${host}/32`),
        CANARY,
        '192.0.2.77/32',
        // What is left of 198.51.100.0/24.
        '198.51.100.64/26',
        '198.51.100.129/32',
        '198.51.100.130/31',
        '198.51.100.132/30',
        '198.51.100.136/29',
        '198.51.100.144/28',
        '198.51.100.160/27',
        '198.51.100.192/26',
      ].sort(),
      block6: ['2001:db8::/33'],
      allow4: ['198.51.100.0/26', '198.51.100.128/32', '203.0.113.7/32'].sort(),
      allow6: ['2001:db8:8000::/33'],
    });
  });

  it('lets in whom the list allows and nobody whom it blocks', async () => {
    const rules = [
      'add chain inet sluice input { type filter hook input priority filter; policy accept; }',
      'add rule inet sluice input ip saddr @sluice_allow4 accept',
      'add rule inet sluice input ip saddr @sluice_block4 drop',
    ];
    for (const rule of rules) await firewall.run('nft', rule);
    const sources = ['198.51.100.5', '198.51.100.128', '198.51.100.129', '192.0.2.77', '11.0.0.1'];
    expect(await firewall.connects(sources)).toEqual([true, true, false, false, true]);
  });

  it('keeps the last good sets when the right to read is taken away', async () => {
    const before = await sets();
    const { items } = await sluice.ok('GET', '/devices?q=wall');
    const device = (items as unknown as { id: number }[])[0]!;
    await sluice.ok('PUT', `/devices/${device.id}/policy`, { policyId: null });
    expect((await run(keys.device)).code).toBe(REFUSED);
    expect(await sets()).toEqual(before);
  });
});

async function makeScene(sluice: SluicePrimary) {
  const { ok } = sluice;
  const target = Number((await ok('POST', '/targets', { name: 'Addresses' })).target?.id);
  const text = ['# test', ...hosts, '198.51.100.0/24', '2001:db8::/32'].join('\n');
  await ok('PUT', `/targets/${target}/indicators`, text);
  const made = await ok('POST', '/lists', { name: 'Own', action: 'allow' });
  const list = Number(made.list?.id);
  await ok('PATCH', `/lists/${list}/entries`, { add: ['203.0.113.7'] });
  const addPolicy = async (name: string, attachments: object[]): Promise<number> =>
    Number((await ok('POST', '/policies', { name, type: 'ip', attachments })).policy?.id);
  const firewallPolicy = await addPolicy('fw', [
    { kind: 'target', id: target, action: { kind: 'block' } },
    { kind: 'list', id: list },
  ]);
  const otherPolicy = await addPolicy('other', [{ kind: 'list', id: list }]);
  const device = await sluice.addDevice({ name: 'wall', type: 'ip', policyId: firewallPolicy });
  const stranger = await sluice.addDevice({ name: 'other', type: 'ip', policyId: otherPolicy });
  return { target, list, keys: { device: device.key!, stranger: stranger.key! } };
}

function succeeded(result: PullResult): void {
  expect(result.code, result.stderr).toBe(0);
}
