import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { zoneText } from '../../src/zone/index.ts';
import { openHouse, ROOT } from '../support/house.ts';
import { addPolicy, addTarget, BLOCK, zoneName } from '../support/scene.ts';
import {
  axfr,
  compareZones,
  type Endpoint,
  endpointFor,
  eventually,
  findProgram,
  keepPeersTidy,
  makePeerFolder,
  type Peer,
  readRecords,
  requirePeer,
  servedSerial,
  startKnot,
  type TsigKey,
} from './peers/index.ts';
import { type DeviceStatus, type SluicePrimary, startPrimary } from './sluice-primary.ts';

keepPeersTidy();

const run = promisify(execFile);
const SAME = { onlyInFirst: [], onlyInSecond: [] };
const IP_ZONES = ['block.fw.main.sluice.internal', 'allow.fw.main.sluice.internal'];
const CATALOG = 'catalog.main.sluice.internal';
const DIGESTED = [...IP_ZONES, CATALOG];
const RPZ = 'rpz.corp.main.sluice.internal';
const FOLLOW_MS_MAX = 20_000;
const TEST_MS_MAX = 90_000;
const UPDATES = 6;
/** What no update touches, so that the changes weigh less than the zones. */
const BASE = [
  ...Array.from({ length: 6_000 }, (_, at) => `11.${at >> 7}.${at & 127}.1`),
  ...Array.from({ length: 1_000 }, (_, at) => `2001:db8:ffff:${at.toString(16)}::/64`),
];
const ALLOWED = Array.from({ length: 2_000 }, (_, at) => `12.${at >> 7}.${at & 127}.0/28`);

/** What ldns-verify-zone says of a file; with `-Z` a ZONEMD must be there and right, though the zone is not signed. */
async function judge(file: string): Promise<string> {
  try {
    const { stdout, stderr } = await run(findProgram('ldns-verify-zone')!, ['-Z', file]);
    return stdout + stderr;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    return `refused: ${stdout}${stderr}`;
  }
}

const RIGHT = 'Zone is verified and complete\n';
const WRONG = /^refused: .*No ZONEMD matching the zone data was found/;

describe.skipIf(!requirePeer('dig', 'ldns-verify-zone', 'knotd'))(
  'the digests of zones that Sluice serves',
  () => {
    let sluice: SluicePrimary;
    let folder: string;
    let inspector: TsigKey;
    let scanners: number;
    let good: number;
    const followers: { readonly zone: string; readonly deviceId: number; readonly peer: Peer }[] =
      [];

    beforeAll(async () => {
      folder = await makePeerFolder('zonemd');
      sluice = await startPrimary();
      scanners = await idOf('/targets', { name: 'Scanners' }, 'target');
      good = await idOf('/targets', { name: 'Good', supportsAllow: true }, 'target');
      await sluice.ok('PUT', `/targets/${scanners}/indicators`, BASE.join('\n'));
      await sluice.ok('PUT', `/targets/${good}/indicators`, ALLOWED.join('\n'));
      const attachments = [
        { kind: 'target', id: scanners, action: { kind: 'block' } },
        { kind: 'target', id: good, action: { kind: 'allow' } },
      ];
      await idOf('/policies', { name: 'fw', type: 'ip', hostsMax: 300, attachments }, 'policy');
      await idOf('/policies', { name: 'corp', type: 'dns' }, 'policy');
      inspector = (await addSecondary('look')).key;
      for (const zone of DIGESTED) {
        const listen = await endpointFor('knotd');
        const { id, key } = await addSecondary(`knot-${followers.length}`, listen);
        const secondary = { zone, primary: sluice, key };
        const peer = await startKnot({ listen, secondary, verifiesDigest: true });
        followers.push({ zone, deviceId: id, peer });
      }
    }, TEST_MS_MAX);
    afterAll(async () => {
      await Promise.all(followers.map(({ peer }) => peer.stop()));
      await sluice?.stop();
    });

    async function idOf(path: string, body: object, kind: string): Promise<number> {
      return Number((await sluice.ok('POST', path, body))[kind]?.id);
    }

    async function addSecondary(name: string, notify?: Endpoint) {
      const { device } = await sluice.ok('POST', '/devices', {
        name,
        type: 'secondary',
        notify: notify === undefined ? [] : [{ address: notify.address, port: notify.port }],
      });
      const id = Number(device?.id);
      const { key, secret } = await sluice.ok('POST', `/devices/${id}/keys`, {});
      const signs: TsigKey = {
        name: String(key?.name).replace(/\.$/, ''),
        algorithm: 'hmac-sha256',
        secret: String(secret),
      };
      return { id, key: signs };
    }

    /** What dig prints of a transfer, as it is. */
    async function dig(zone: string, type: string): Promise<string[]> {
      const { name, algorithm, secret } = inspector;
      const args = [
        `@${sluice.address}`,
        '-p',
        String(sluice.port),
        '+noall',
        '+answer',
        '+tries=1',
      ];
      const sign = ['-y', `${algorithm}:${name}:${secret}`];
      const { stdout } = await run(
        findProgram('dig')!,
        [...args, ...sign, '-t', type, '-q', zone],
        {
          env: { HOME: folder },
          maxBuffer: 64 * 1024 * 1024,
        },
      );
      return stdout.split('\n').filter((line) => line !== '' && !line.startsWith(';'));
    }

    async function fileOf(lines: readonly string[]): Promise<string> {
      const file = join(folder, 'transferred.zone');
      await writeFile(file, `${lines.join('\n')}\n`);
      return file;
    }

    async function changeAll(round: number): Promise<void> {
      await sluice.ok('PATCH', `/targets/${scanners}/indicators`, {
        add: [`198.51.100.${round}`, `2001:db8:1:${round}::/64`],
        remove: [BASE[round * 7]],
      });
      await sluice.ok('PATCH', `/targets/${good}/indicators`, {
        add: [`203.0.113.${round * 2}`],
        remove: [ALLOWED[round * 5]],
      });
      await idOf('/policies', { name: `extra${round}`, type: 'dns' }, 'policy');
    }

    it('are accepted by ldns-verify-zone as dig transfers them', async () => {
      for (const zone of DIGESTED) {
        const lines = await dig(zone, 'AXFR');
        expect(lines.filter((line) => /\tZONEMD\t/.test(line))).toHaveLength(1);
        expect(await judge(await fileOf(lines)), zone).toBe(RIGHT);
      }
    });

    it('are refused by it where a record is missing or another one', async () => {
      for (const zone of DIGESTED) {
        const lines = await dig(zone, 'AXFR');
        // The last line is the SOA once more.
        const last = lines.length - 2;
        expect(await judge(await fileOf(lines.toSpliced(last, 1))), zone).toMatch(WRONG);
        const other = lines.map((line, index) =>
          index === last ? line.replace(/^(\S+\s+)\d+/, '$161') : line,
        );
        expect(other).not.toEqual(lines);
        expect(await judge(await fileOf(other)), zone).toMatch(WRONG);
      }
    });

    it('are not in RPZ zones', async () => {
      const lines = await dig(RPZ, 'AXFR');
      expect(lines.length).toBeGreaterThan(3);
      expect(lines.filter((line) => line.includes('ZONEMD'))).toEqual([]);
    });

    it(
      'are right after each IXFR, whatever the serial that it begins with',
      async () => {
        const held = new Map<string, string[]>();
        for (const zone of DIGESTED) held.set(zone, await dig(zone, 'AXFR'));
        for (let round = 1; round <= UPDATES; round++) {
          await changeAll(round);
          for (const zone of DIGESTED) {
            const old = held.get(zone)!;
            const changes = await dig(zone, `IXFR=${serialOf(old[0]!)}`);
            expect(serialOf(changes[1]!)).toBe(serialOf(old[0]!));
            const next = applyChanges(old, changes);
            expect(next.filter((line) => /\tZONEMD\t/.test(line))).toHaveLength(1);
            expect(await judge(await fileOf(next)), zone).toBe(RIGHT);
            // Every second time the step is left for the next one, which then is a double one.
            if (round % 2 === 0) held.set(zone, next);
          }
        }
      },
      TEST_MS_MAX,
    );

    it(
      'satisfy Knot as a secondary that verifies them, by AXFR and by each IXFR',
      async () => {
        for (let round = UPDATES + 1; round <= 2 * UPDATES; round++) {
          await changeAll(round);
          for (const { zone, peer } of followers) {
            const [soa, ...rest] = await dig(zone, 'AXFR');
            const serial = serialOf(soa!);
            await eventually(
              `Knot serves serial ${serial} of ${zone}`,
              async () => (await servedSerial(peer, zone)) === serial,
              FOLLOW_MS_MAX,
            );
            expect(compareZones(await axfr(peer, zone), readRecords(rest))).toEqual(SAME);
          }
        }
        for (const { zone, peer, deviceId } of followers) {
          const rows: DeviceStatus[] = await sluice.statusOf(deviceId);
          const status = rows.find((row) => row.zone === `${zone}.`);
          expect(status?.transferred?.kind, zone).toBe('IXFR');
          expect(peer.log()).not.toMatch(/ZONEMD.*(fail|invalid|missing)/i);
          const verified = peer.log().match(/ZONEMD, verification successful/g) ?? [];
          expect(verified.length).toBeGreaterThan(UPDATES);
        }
      },
      TEST_MS_MAX,
    );

    it(
      'are what Knot looks at: it takes no zone without one',
      async () => {
        const listen = await endpointFor('knotd');
        const { key } = await addSecondary('knot-rpz', listen);
        const secondary = { zone: RPZ, primary: sluice, key };
        const peer = await startKnot({ listen, secondary, verifiesDigest: true });
        await eventually('Knot refuses the zone', async () => /ZONEMD/i.test(peer.log()));
        expect(await servedSerial(peer, RPZ)).toBeNull();
        await peer.stop();
      },
      TEST_MS_MAX,
    );
  },
);

describe.skipIf(!requirePeer('ldns-verify-zone'))('the text of a zone with a digest', () => {
  it('is accepted by ldns-verify-zone, and one that is cut short is not', async () => {
    const folder = await makePeerFolder('zonemd');
    const house = await openHouse({ defaults: { catalogs: true, zonemd: true } });
    await house.edit((edit) => {
      const targets = [[addTarget(edit, 'scanners', BASE), BLOCK]] as const;
      addPolicy(edit, 'gate', 'ip', { targets, hostsMax: 250 });
    });
    for (const origin of [
      zoneName('block', 'gate'),
      zoneName('allow', 'gate'),
      `catalog.${ROOT}`,
    ]) {
      const text = Buffer.concat([...zoneText(house.zone(origin), house.publisher.catalogue)]);
      const file = join(folder, 'text.zone');
      await writeFile(file, text);
      expect(await judge(file), origin).toBe(RIGHT);
      const lines = text.toString().trimEnd().split('\n');
      await writeFile(file, `${lines.slice(0, -1).join('\n')}\n`);
      expect(await judge(file), origin).toMatch(WRONG);
    }
  });
});

const serialOf = (soa: string): number => Number(soa.trim().split(/\s+/)[6]);

/** RFC 1995 section 4, on the lines of dig: the SOA stands first and nowhere else in what comes back. */
function applyChanges(zone: readonly string[], changes: readonly string[]): string[] {
  const isSoa = (line: string): boolean => /\tSOA\t/.test(line);
  const held = new Set(zone.filter((line) => !isSoa(line)).map(squeezed));
  let isAdding = true;
  for (const line of changes.slice(1, -1)) {
    if (isSoa(line)) isAdding = !isAdding;
    else if (isAdding) held.add(squeezed(line));
    else if (!held.delete(squeezed(line))) throw new Error(`removed, but not there: ${line}`);
  }
  return [changes[0]!, ...held];
}

/** dig aligns its columns by what it has seen so far. */
const squeezed = (line: string): string => line.replace(/\s*\t\s*/g, '\t');
