import { execFile } from 'node:child_process';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseName, serial } from '../../src/dns/index.ts';
import { Catalogue } from '../../src/indicators/index.ts';
import type { Action } from '../../src/policy/index.ts';
import { createVerdicts } from '../../src/policy/index.ts';
import { compileIp, IP_ACTION, ipRrsets, recordsOf, zoneText } from '../../src/zone/index.ts';
import { recordLines } from '../../src/zone/zone-text.ts';
import { membersOf } from '../property/policy-model.ts';
import {
  axfr,
  compareZones,
  type FakeInternet,
  findProgram,
  keepPeersTidy,
  makePeerFolder,
  readRecords,
  requirePeer,
  startKresd,
  startRecursor,
  startUnbound,
  untilVerdict,
  verdictOf,
} from './peers/index.ts';
import { openPolicyDrill, type PolicyDrill } from './policy-drill.ts';
import { findDisagreements, startDrillInternet } from './policy-questions.ts';
import { createDevice, type SluiceStage, startSluiceStage } from './sluice-stage.ts';

keepPeersTidy();

const run = promisify(execFile);
const SEED = 20_411;
const SAME = { onlyInFirst: [], onlyInSecond: [] };

/** What named-compilezone makes of a zone file, in the form that `axfr` has. */
async function compile(zone: string, path: string): Promise<string[]> {
  const compiled = `${path}.compiled`;
  const args = ['-i', 'none', '-k', 'ignore', '-F', 'text', '-s', 'full', '-o', compiled];
  await run(findProgram('named-compilezone')!, [...args, zone, path]);
  return readRecords((await readFile(compiled, 'utf8')).split('\n'));
}

describe.skipIf(!requirePeer('named-compilezone', 'dig'))('an exported zone file', () => {
  let internet: FakeInternet;
  let stage: SluiceStage;
  let drill: PolicyDrill;
  let path: string;

  beforeAll(async () => {
    internet = await startDrillInternet(SEED);
    stage = await startSluiceStage();
    drill = await openPolicyDrill(stage, SEED);
    await drill.update(10);
    const folder = await makePeerFolder('zone-file');
    path = join(folder, 'policy.zone');
    await writeFile(path, await stage.download(`/policies/${drill.policyId}/exports/rpz`));
  });
  afterAll(async () => {
    await stage?.stop();
    await internet?.stop();
  });

  it('is, to BIND, exactly the zone that is transferred', async () => {
    const { policyId, zone } = drill;
    const profile = 'bind';
    const sources = ['127.0.0.0/8'];
    await createDevice(stage, { name: 'reader', policyId, profile, access: 'source', sources });
    const transferred = await axfr(stage.dns, zone);
    expect(transferred.length).toBeGreaterThan(3_000);
    expect(compareZones(await compile(zone, path), transferred)).toEqual(SAME);
  });

  it.skipIf(!requirePeer('named-checkzone'))('is a good zone to named-checkzone', async () => {
    const args = ['-i', 'none', '-k', 'fail', drill.zone, path];
    const { stdout } = await run(findProgram('named-checkzone')!, args);
    expect(stdout).toContain(`loaded serial ${await drill.serial()}`);
  });

  it.skipIf(!requirePeer('kzonecheck'))('is a good zone to kzonecheck', async () => {
    await run(findProgram('kzonecheck')!, ['-o', drill.zone, path]);
  });

  it.skipIf(!requirePeer('unbound'))('makes Unbound enforce what the policy explains', async () => {
    const rpz = `rpz:\n  name: "${drill.zone}"\n  zonefile: "${path}"\n`;
    const extraOptions = `  cache-max-ttl: 0\n  module-config: "respip iterator"\n${rpz}`;
    const resolver = await startUnbound({ internet, extraOptions });
    const habits = { keepsWildcardByAddress: true, judgesAddressesOverTcp: true };
    const expected = await drill.expectations(habits);
    expect(await findDisagreements(resolver, expected)).toEqual([]);
    await resolver.stop();
  });

  it.skipIf(!requirePeer('pdns_recursor'))(
    'makes the PowerDNS Recursor enforce what the policy explains',
    async () => {
      const resolver = await startRecursor({ internet, rpzFile: { zone: drill.zone, path } });
      expect(await findDisagreements(resolver, await drill.expectations())).toEqual([]);
      await resolver.stop();
    },
  );

  it.skipIf(!requirePeer('kresd'))('makes Knot Resolver block names and free others', async () => {
    // It knows rules for names only, and no redirects.
    const target = await stage.call<{ target: { id: number } }>('POST', '/targets', {
      name: 'names',
    });
    const { id } = target.target;
    const add = ['alpha.example', 'host:a.beta.example', '*.b.beta.example'];
    await stage.call('PATCH', `/targets/${id}/indicators`, { add });
    const list = await stage.call<{ list: { id: number } }>('POST', '/lists', { name: 'free' });
    const free = { entries: ['b.alpha.example'] };
    await stage.call('PUT', `/lists/${list.list.id}/entries`, free);
    const policy = await stage.call<{ policy: { id: number } }>('POST', '/policies', {
      name: 'knot',
      type: 'dns',
      attachments: [
        { kind: 'target', id },
        { kind: 'list', id: list.list.id, action: { kind: 'allow' } },
      ],
    });
    const rpzPath = `${path}.knot`;
    const exported = `/policies/${policy.policy.id}/exports/rpz`;
    await writeFile(rpzPath, await stage.download(exported));
    const resolver = await startKresd({ internet, rpzPath });
    const blocked = {
      'alpha.example': true,
      'a.alpha.example': true,
      'c.a.alpha.example': true,
      'b.alpha.example': false,
      'c.b.alpha.example': false,
      'a.beta.example': true,
      'c.a.beta.example': false,
      'b.beta.example': false,
      'a.b.beta.example': true,
      'c.beta.example': false,
    };
    const shown: Record<string, boolean> = {};
    // What is freed passes its other policies, too, also the one that tells it where to ask: so the
    // answer to that says no more than that it is not blocked.
    for (const name of Object.keys(blocked)) {
      shown[name] = (await verdictOf(resolver, name)) === 'nxdomain';
    }
    expect(shown).toEqual(blocked);
    await stage.call('PATCH', `/targets/${id}/indicators`, { add: ['c.beta.example'] });
    await writeFile(`${rpzPath}.new`, await stage.download(exported));
    await rename(`${rpzPath}.new`, rpzPath);
    await untilVerdict(resolver, 'c.beta.example', 'nxdomain');
    await resolver.stop();
  });
});

describe.skipIf(!requirePeer('named-compilezone', 'kzonecheck'))('an IP zone as a file', () => {
  it('is read back by BIND and Knot record by record, empty lists too', async () => {
    const folder = await makePeerFolder('ip-zone-file');
    const addresses = Array.from(
      { length: 9_000 },
      (_, index) => `ip:11.${index % 200}.${(index * 7) % 256}.${(index * 13) % 256}/32`,
    );
    const wide = Array.from(
      { length: 2_000 },
      (_, index) => `ip:2001:db8:${index.toString(16)}::/48`,
    );
    const origin = parseName('block.edge.acme.sluice.internal.');
    for (const indicators of [[...new Set(addresses), ...wide], []]) {
      const catalogue = new Catalogue();
      const source = { tier: 'target-block', severity: 3, action: { kind: 'block' } } as const;
      const number = (_: Action) => IP_ACTION.block;
      const members = membersOf(catalogue, [{ ...source, indicators }]);
      const verdicts = createVerdicts(catalogue, members, number);
      const v4 = compileIp(catalogue, verdicts, 1).block;
      const v6 = compileIp(catalogue, verdicts, 4).block;
      const hosts = {
        v4: v4[0]?.prefixes ?? noRows(1),
        v6: noRows(4),
        leftOut: 0,
      };
      const body = { kind: 'ip', side: 'block', ttl: 60, content: { v4, v6, hosts } } as const;
      const path = join(folder, `${indicators.length}.zone`);
      const name = parseName('ns.sluice.internal.');
      const times = { refresh: 900, retry: 300, expire: 1_209_600, minimum: 60, apexTtl: 60 };
      const settings = { origin, primary: name, hostmaster: name, ...times };
      const text = zoneText({ settings, serial: serial(1), body, digest: null }, catalogue);
      await writeFile(path, Buffer.concat([...text]));
      const zone = 'block.edge.acme.sluice.internal';
      await run(findProgram('kzonecheck')!, ['-o', zone, path]);
      const records = [...ipRrsets(body.content, origin, body.ttl)].flatMap((rrset) => [
        ...recordsOf(rrset),
      ]);
      const lines = readRecords([...recordLines(records, origin)]).map((line) =>
        line.replace(/ \\# 0$/, ''),
      );
      const below = (await compile(zone, path)).filter((line) => !line.startsWith(`${zone}.`));
      expect(compareZones(below, lines)).toEqual(SAME);
    }
  });
});

function noRows(words: 1 | 4) {
  return { words, count: 0, addresses: new Uint32Array(0), lengths: new Uint8Array(0) };
}
