import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pull } from '../scripts/run-pull.ts';
import { keepPeersTidy, makePeerFolder, requirePeer, writeKeyFile } from './peers/index.ts';
import { type SluicePrimary, startPrimary } from './sluice-primary.ts';

keepPeersTidy();

const BLOCK = 'block.fw.main.sluice.internal';
/** More than a hundred pages of a thousand, so that the index has a level of groups. */
const HOSTS = 150_000;
const hosts = Array.from({ length: HOSTS }, (_, at) => {
  const address = 11 * 2 ** 24 + at * 4;
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');
});

describe.skipIf(!requirePeer('dig', 'dash'))('sluice-pull of a list with many pages', () => {
  let sluice: SluicePrimary;
  let args: string[];

  beforeAll(async () => {
    sluice = await startPrimary();
    const { ok } = sluice;
    const target = Number((await ok('POST', '/targets', { name: 'Addresses' })).target?.id);
    await ok('PUT', `/targets/${target}/indicators`, hosts.join('\n'));
    const attachments = [{ kind: 'target', id: target, action: { kind: 'block' } }];
    const made = await ok('POST', '/policies', { name: 'fw', type: 'ip', attachments });
    const policyId = Number(made.policy?.id);
    const device = await sluice.addDevice({ name: 'wall', type: 'ip', policyId });
    const keyFile = `${await makePeerFolder('pull')}/key`;
    await writeKeyFile(keyFile, device.key!);
    args = ['--server', sluice.address, '--port', String(sluice.port), '--key', keyFile];
  });
  afterAll(() => sluice?.stop());

  it.each(['pages', 'axfr'])('takes all of it by %s', async (method) => {
    const zones = ['--block', BLOCK, '--families', '4', '--method', method];
    const result = await pull([...args, ...zones, '--backend', 'print']);
    expect(result.code, result.stderr).toBe(0);
    const printed = new Set(result.stdout.trimEnd().split('\n'));
    expect(hosts.filter((host) => !printed.has(`block ${host}/32`))).toEqual([]);
  });
});
