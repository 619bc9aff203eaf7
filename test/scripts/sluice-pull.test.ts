import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  eventually,
  findProgram,
  keepPeersTidy,
  requirePeer,
  startUnbound,
} from '../interop/peers/index.ts';
import { startDnsProxy } from './dns-proxy.ts';
import { makeFirewall } from './firewall.ts';
import { somePrefixes4, somePrefixes6 } from './ip-zone-text.ts';
import { ALLOW, type PullStage, startPullStage } from './pull-stage.ts';
import { type PullResult, pull, SCRIPT, startPull } from './run-pull.ts';

keepPeersTidy();

const readme = readFileSync(new URL('../../scripts/README.md', import.meta.url), 'utf8');
const run = promisify(execFile);
const installed = requirePeer('named', 'dig', 'dash', 'ip', 'nft', 'ipset');

describe.skipIf(!installed)('sluice-pull', () => {
  let stage: PullStage;
  beforeAll(async () => {
    stage = await startPullStage();
  });
  afterAll(() => stage?.end());

  describe.each(['nft', 'ipset'] as const)('with %s', (backend) => {
    const to = ['--backend', backend];
    const block4 = somePrefixes4(100).sort();
    const block6 = somePrefixes6(30).sort();

    it('creates the sets of the pair when asked, and fills them from a two-level index', async () => {
      await stage.serve({ serial: 10, prefixes4: block4, prefixes6: block6, twoLevels: true });
      await stage.serve({ zone: ALLOW, serial: 11, prefixes4: ['192.0.2.1/32'] });

      const result = await stage.pull(...to, '--create', '--allow', ALLOW);

      expectSuccess(result);
      expect(result.stdout).toBe('');
      expect(await stage.firewall.members(backend, 'sluice_block4')).toEqual(block4);
      expect(await stage.firewall.members(backend, 'sluice_block6')).toEqual(block6);
      expect(await stage.firewall.members(backend, 'sluice_allow4')).toEqual(['192.0.2.1/32']);
      expect(await stage.firewall.members(backend, 'sluice_allow6')).toEqual([]);
    });

    it('leaves the sets alone while the serials are those applied', async () => {
      const result = await stage.pull(...to, '--allow', ALLOW);
      expectSuccess(result);
      expect(result.stderr).toContain('nothing new: block serial 10, allow serial 11');
    });

    it('replaces the content when there is a new serial', async () => {
      const changed = ['198.51.100.0/24', '203.0.113.7/32'];
      await stage.serve({ serial: 20, prefixes4: changed, prefixes6: block6 });
      const result = await stage.pull(...to, '--allow', ALLOW);
      expectSuccess(result);
      expect(await stage.firewall.members(backend, 'sluice_block4')).toEqual(changed);
    });

    it('fills the sets again after something else emptied the firewall', async () => {
      if (backend === 'nft') await stage.firewall.run('nft', 'flush', 'ruleset');
      else await stage.firewall.run('ipset', 'flush', 'sluice_block4');
      const result = await stage.pull(...to, '--create', '--allow', ALLOW);
      expectSuccess(result);
      expect(await stage.firewall.members(backend, 'sluice_block4')).toHaveLength(2);
    });

    it('takes over an empty list', async () => {
      await stage.serve({ serial: 30 });
      expectSuccess(await stage.pull(...to));
      expect(await stage.firewall.members(backend, 'sluice_block4')).toEqual([]);
      expect(await stage.firewall.members(backend, 'sluice_block6')).toEqual([]);
    });

    it('transfers the zone with a TSIG key for method axfr', async () => {
      await stage.serve({ serial: 40, prefixes4: block4, prefixes6: block6, twoLevels: true });
      const result = await stage.pull(...to, '--method', 'axfr', '--key', stage.keyFile);
      expectSuccess(result);
      expect(await stage.firewall.members(backend, 'sluice_block4')).toEqual(block4);
      expect(await stage.firewall.members(backend, 'sluice_block6')).toEqual(block6);
    });

    it('touches only the family that it is told to', async () => {
      await stage.serve({ serial: 50, prefixes4: ['192.0.2.0/24'], prefixes6: [] });
      expectSuccess(await stage.pull(...to, '--families', '4'));
      expect(await stage.firewall.members(backend, 'sluice_block4')).toEqual(['192.0.2.0/24']);
      expect(await stage.firewall.members(backend, 'sluice_block6')).toEqual(block6);
      await stage.serve({ serial: 9 });
      expectSuccess(await stage.pull(...to, '--force'));
    });

    it('takes 100,000 prefixes in seconds, by both methods', async () => {
      const many = somePrefixes4(100_000);
      const size = { itemsPerRecord: 32, recordsPerPage: 100, twoLevels: true };
      await stage.serve({ serial: 60, prefixes4: many, ...size });
      const timings: string[] = [];
      for (const how of [
        ['--method', 'pages'],
        ['--method', 'axfr', '--key', stage.keyFile],
      ]) {
        const result = await stage.pull(...to, ...how, '--force');
        expectSuccess(result);
        expect(result.durationMs).toBeLessThan(20_000);
        timings.push(`${how[1]} ${(result.durationMs / 1000).toFixed(1)} s`);
      }
      console.info(`sluice-pull, 100,000 prefixes to ${backend}: ${timings.join(', ')}`);
      expect(await stage.firewall.members(backend, 'sluice_block4')).toHaveLength(100_000);
      await stage.serve({ serial: 61 });
    });
  });

  it('prints the pair in order of address for other scripts', async () => {
    await stage.serve({
      serial: 70,
      prefixes4: ['192.0.2.0/24', '20.0.0.0/8'],
      prefixes6: ['2001:db8::/32'],
    });
    await stage.serve({ zone: ALLOW, serial: 71, prefixes4: ['198.51.100.1/32'] });
    const result = await stage.pull('--backend', 'print', '--allow', ALLOW);
    expect(result.code).toBe(0);
    expect(result.stdout.split('\n')).toEqual([
      'block 20.0.0.0/8',
      'block 192.0.2.0/24',
      'block 2001:db8::/32',
      'allow 198.51.100.1/32',
      '',
    ]);
  });

  it('enforces the pair with the rules of the README', async () => {
    const firewall = await makeFirewall();
    const rules = join(stage.named.folder, 'readme.nft');
    await writeFile(rules, /```nft\n([^`]*)```/.exec(readme)?.[1] ?? 'no rules in the README');
    await firewall.run('nft', '-f', rules);
    await stage.serve({ serial: 75, prefixes4: ['198.51.100.0/24'] });
    await stage.serve({ zone: ALLOW, serial: 76, prefixes4: ['198.51.100.7/32'] });
    const state = join(stage.named.folder, 'readme-state');
    const args = stage.args(stage.named, '--allow', ALLOW, '--state-dir', state);
    expectSuccess(await pull(args, { tools: firewall.folder }));

    const sources = ['198.51.100.66', '198.51.100.7', '203.0.113.5'];
    expect(await firewall.connects(sources)).toEqual([false, true, true]);
    await firewall.remove();
  });

  it.skipIf(!requirePeer('unbound'))('reads through a resolver that keeps a cache', async () => {
    const prefixes4 = somePrefixes4(100);
    await stage.serve({ serial: 80, prefixes4, twoLevels: true });
    const resolver = await startUnbound({
      authority: { domain: 'sluice.internal', server: stage.named },
    });
    const args = stage.args(resolver, '--backend', 'print');
    const result = await pull(args);
    expectSuccess(result);
    expect(result.stderr).toContain('serial 80');
    expect(result.stdout.trim().split('\n')).toHaveLength(100);
    await resolver.stop();
  });

  it('starts again when the list changes while it reads, and applies the new one', async () => {
    await stage.serve({ serial: 90, prefixes4: ['192.0.2.0/24'] });
    let changed = false;
    const proxy = await startDnsProxy(stage.named, async (type) => {
      if (type === 'APL' && !changed) {
        changed = true;
        await stage.serve({ serial: 91, prefixes4: ['203.0.113.0/24'] });
      }
      return true;
    });
    const result = await pull(stage.args(proxy), { tools: stage.firewall.folder });
    expectSuccess(result);
    expect(result.stderr).toContain('the list changed, trying again');
    expect(await stage.firewall.members('nft', 'sluice_block4')).toEqual(['203.0.113.0/24']);
    await proxy.stop();
  });

  it('never shows the key on a command line', async () => {
    let seen = '';
    const proxy = await startDnsProxy(stage.named, async () => {
      seen += (await run('ps', ['-e', '-ww', '-o', 'args'])).stdout;
      return true;
    });
    const result = await pull(stage.args(proxy, '--backend', 'print', '--key', stage.keyFile));
    expect(result.code).toBe(0);
    expect(seen).toContain('dig');
    expect(seen).not.toContain(stage.key.secret);
    await proxy.stop();
  });

  it('lets one run at a time work, and takes over the lock of a run that was killed', async () => {
    let hold = true;
    const waiting: (() => void)[] = [];
    const proxy = await startDnsProxy(stage.named, async () => {
      if (hold) await new Promise<void>((resolve) => waiting.push(resolve));
      return true;
    });
    const first = startPull(stage.args(proxy, '--timeout', '30'), {
      tools: stage.firewall.folder,
      temporary: stage.named.folder,
    });
    while (waiting.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await stage.pull()).toMatchObject({
      code: 4,
      stderr: expect.stringContaining(`another run is at work (process ${first.pid})`),
    });
    process.kill(first.pid, 'SIGKILL');
    hold = false;
    for (const resolve of waiting) resolve();
    await first.result;
    expectSuccess(await stage.pull());
    await eventually('nothing of the killed run is left', async () => {
      const { stdout } = await run('ps', ['-e', '-ww', '-o', 'args']);
      return !stdout.includes(stage.stateFolder);
    });
    await proxy.stop();
  });
});

describe('The script', () => {
  it.skipIf(!requirePeer('dash'))('is plain POSIX sh for dash', async () => {
    await run('dash', ['-n', SCRIPT]);
    expect(readFileSync(SCRIPT, 'utf8').split('\n')[0]).toBe('#!/bin/sh');
  });

  // A linter, not a peer: it may be absent.
  const shellcheck = findProgram('shellcheck');
  it.skipIf(shellcheck === null)('passes shellcheck', async () => {
    await run(shellcheck!, ['-s', 'sh', SCRIPT]);
  });

  it('has each of its exit codes in the README', () => {
    const codes = [...readFileSync(SCRIPT, 'utf8').matchAll(/^E_[A-Z_]+=(\d+)/gm)];
    const listed = [...readme.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code));
    expect(codes.length).toBeGreaterThan(10);
    expect(listed).toEqual([0, ...codes.map(([, code]) => Number(code))]);
  });

  it('explains itself', async () => {
    expect(await pull(['--help'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('usage:'),
    });
  });
});

function expectSuccess(result: PullResult): void {
  expect(result.code, result.stderr).toBe(0);
}
