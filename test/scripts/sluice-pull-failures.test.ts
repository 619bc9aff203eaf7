import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createTsigKey,
  endpointFor,
  keepPeersTidy,
  requirePeer,
  writeKeyFile,
} from '../interop/peers/index.ts';
import { startDnsProxy } from './dns-proxy.ts';
import type { IpZone } from './ip-zone-text.ts';
import { somePrefixes4 } from './ip-zone-text.ts';
import { BLOCK, type PullStage, startPullStage } from './pull-stage.ts';
import { pull } from './run-pull.ts';

keepPeersTidy();

const installed = requirePeer('named', 'dig', 'dash', 'ip', 'nft', 'ipset');
const GOOD = ['192.0.2.0/24', '198.51.100.7/32'];

describe.skipIf(!installed).each(['nft', 'ipset'] as const)(
  'sluice-pull with %s keeps the last good sets and says why',
  (backend) => {
    let stage: PullStage;
    let serial = 1_000;
    beforeAll(async () => {
      stage = await startPullStage();
      await stage.serve({ serial, prefixes4: GOOD });
      const result = await stage.pull('--backend', backend, '--create');
      expect(result).toMatchObject({ code: 0 });
    });
    afterAll(() => stage?.end());

    async function expectFailure(code: number, why: string | RegExp, ...more: string[]) {
      const result = await stage.pull('--backend', backend, ...more);
      expect(result.stderr).toMatch(why);
      expect(result).toMatchObject({ code, stdout: '' });
      expect(await stage.firewall.members(backend, 'sluice_block4')).toEqual(GOOD);
    }

    const broken = (zone: Partial<IpZone>) => stage.serve({ serial: ++serial, ...zone });

    it('5: when nothing answers', async () => {
      const nobody = await endpointFor('nobody');
      const port = String(nobody.port);
      await expectFailure(5, 'no answer', '--server', nobody.address, '--port', port);
    });

    it('5: when the server falls silent half-way, without waiting for each page', async () => {
      await broken({ prefixes4: somePrefixes4(240), itemsPerRecord: 1 });
      let pages = 0;
      const proxy = await startDnsProxy(stage.named, (type) => type !== 'APL' || ++pages <= 3);
      const started = performance.now();
      const port = String(proxy.port);
      await expectFailure(5, 'no answer', '--server', proxy.address, '--port', port);
      expect(performance.now() - started).toBeLessThan(10_000);
      await proxy.stop();
    });

    it('6: when the TSIG key is wrong', async () => {
      const wrong = join(stage.named.folder, 'wrong.key');
      await writeKeyFile(wrong, createTsigKey(stage.key.name));
      await expectFailure(6, 'does not verify', '--key', wrong);
      await writeKeyFile(wrong, createTsigKey('stranger'));
      await expectFailure(6, 'does not verify', '--key', wrong);
    });

    it('6: when the server does not let it transfer', async () => {
      await expectFailure(6, 'does not transfer', '--method', 'axfr');
      await expectFailure(6, 'REFUSED', '--block', 'elsewhere.example');
    });

    it('7: when the zone is not there', async () => {
      await expectFailure(7, 'no zone', '--block', `nothing.${BLOCK}`);
    });

    it('8: when the list changes during each try', async () => {
      const proxy = await startDnsProxy(stage.named, async (type) => {
        if (type === 'TXT') await broken({ prefixes4: somePrefixes4(3) });
        return true;
      });
      const to = ['--server', proxy.address, '--port', String(proxy.port)];
      await expectFailure(8, 'changed during each of 3 tries', ...to);
      await proxy.stop();
    });

    it('8: when summary and SOA never agree, as with a cache that holds both', async () => {
      await broken({ prefixes4: somePrefixes4(3), summary: { serial: 77 } });
      await expectFailure(8, 'TXT says 77');
    });

    it('9: when a page or a part of the index is missing', async () => {
      const prefixes4 = somePrefixes4(100);
      const breakLines = (lines: string[]) => lines.filter((line) => !line.startsWith('0.v4 APL'));
      await broken({ prefixes4, breakLines });
      await expectFailure(9, `no APL record at 0.v4.${BLOCK}.`);
      const withoutGroup = (lines: string[]) =>
        lines.filter((line) => !line.startsWith('80.index'));
      await broken({ prefixes4, twoLevels: true, breakLines: withoutGroup });
      await expectFailure(9, `no PTR record at 80.index.v4.${BLOCK}.`);
    });

    it('10: when fewer prefixes come than are announced, by both methods', async () => {
      await broken({ prefixes4: somePrefixes4(10), summary: { prefixes4: 11 } });
      await expectFailure(10, 'announces 11 IPv4 prefixes, 10 came');
      await expectFailure(10, '10 came', '--method', 'axfr', '--key', stage.keyFile);
      await broken({ prefixes6: ['2001:db8::/32'], summary: { prefixes6: 0 } });
      await expectFailure(10, 'announces 0 IPv6 prefixes, 1 came');
    });

    it.each<[string, string, Partial<IpZone>]>([
      [
        'a negated item',
        'negation',
        { prefixes4: ['X'], breakLines: replace('1:X', '!1:192.0.2.0/25') },
      ],
      ['all of IPv4', 'bad prefix', { prefixes4: ['0.0.0.0/0'] }],
      ['all of IPv6', 'bad prefix', { prefixes6: ['::/0'] }],
      [
        'the other family',
        'bad item',
        { prefixes4: ['X'], breakLines: replace('1:X', '2:2001:db8::/32') },
      ],
      ['a prefix twice', 'twice', { prefixes4: ['192.0.2.0/24', '192.0.2.0/24'] }],
      ['another version', 'version 2', { summary: { v: 2 } }],
      ['the other side', "side 'allow'", { summary: { side: 'allow' } }],
      ['no count', 'does not announce', { summary: { prefixes4: '' } }],
      ['no summary', 'no summary', { breakLines: replace('@ TXT', 'elsewhere TXT') }],
      [
        'a strange page',
        'strange name',
        { breakLines: replace('index.v4 PTR 0.v4', 'index.v4 PTR -x.v4') },
      ],
      [
        'a page elsewhere',
        'strange name',
        { breakLines: replace('index.v4 PTR 0.v4', 'index.v4 PTR 0.v4.example.') },
      ],
      [
        'an index that goes round',
        'levels',
        {
          breakLines: replace(
            'index.v4 PTR 0.v4',
            'index.v4 PTR a.index.v4\na.index.v4 PTR a.index.v4',
          ),
        },
      ],
    ])('11: when the zone has %s', async (_, why, zone) => {
      await broken(zone);
      await expectFailure(11, why);
    });

    it('12: when the server is behind what was applied', async () => {
      await stage.serve({ serial: 999, prefixes4: somePrefixes4(3) });
      await expectFailure(12, 'older than 1000');
    });

    it('13: when the set is absent, or of another type', async () => {
      await broken({ prefixes4: somePrefixes4(3) });
      await expectFailure(13, 'no set other4', '--block-set', 'other');
      if (backend === 'nft') {
        const definition = '{ type ipv4_addr; }';
        await stage.firewall.run('nft', 'add', 'set', 'inet', 'sluice', 'plain4', definition);
      } else {
        await stage.firewall.run('ipset', 'create', 'plain4', 'hash:ip');
      }
      await expectFailure(13, "the set plain4 is '", '--block-set', 'plain');
    });

    it('14: when the firewall refuses the change, as a whole', async () => {
      // nft refuses prefixes that overlap; ipset, a new set whose name is in use.
      await broken({ prefixes4: ['203.0.113.0/24', '203.0.113.128/25'] });
      if (backend === 'ipset') {
        await stage.firewall.run('ipset', 'create', 'sluice_block4-new', 'hash:ip');
        await stage.firewall.run('ipset', 'create', 'holder', 'list:set');
        await stage.firewall.run('ipset', 'add', 'holder', 'sluice_block4-new');
      }
      await expectFailure(14, `${backend} refused`);
      if (backend === 'ipset') await stage.firewall.run('ipset', 'destroy', 'holder');
      else expect(await stage.firewall.run('nft', 'list', 'sets')).toContain('0x000003e8');
    });

    it('15: when the state folder cannot be written', async () => {
      await expectFailure(15, 'state folder', '--state-dir', '/dev/null/state');
    });

    it('2: when an option is wrong, without repeating what may be a secret', async () => {
      await expectFailure(2, 'unknown option: --blok', '--blok', 'x');
      await expectFailure(2, 'option without a value', '--server');
      await expectFailure(2, '--port', '--port', '70000');
      await expectFailure(2, 'zone name', '--allow', 'a b.example');
      await expectFailure(2, '--block-set', '--block-set', 'x; flush ruleset');
      const table = 'inet sluice; flush ruleset';
      if (backend === 'nft') await expectFailure(2, '--table', '--table', table);
      const result = await stage.pull('--key', 'hmac-sha256:name:c2VjcmV0');
      expect(result.code).toBe(2);
      expect(result.stderr).not.toContain('c2VjcmV0');
    });

    it('3: when a program is not installed', async () => {
      const result = await pull(stage.args(stage.named, '--backend', backend), {
        path: '/nowhere',
      });
      expect(result).toMatchObject({ code: 3, stderr: expect.stringContaining('not installed') });
    });

    it('works again as soon as the zone is good', async () => {
      await stage.serve({ serial: 5_000, prefixes4: ['203.0.113.0/24'] });
      expect(await stage.pull('--backend', backend)).toMatchObject({ code: 0 });
      expect(await stage.firewall.members(backend, 'sluice_block4')).toEqual(['203.0.113.0/24']);
    });
  },
);

function replace(from: string, to: string): (lines: string[]) => string[] {
  return (lines) => lines.map((line) => line.replace(from, to));
}
