import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { interleave } from '../interleave.ts';
import { startKnot } from '../peers/knot.ts';
import { compileNamedZone, startNamed, startNamedRaw } from '../peers/named.ts';
import { startNsd } from '../peers/nsd.ts';
import { loadPowerDnsLmdb, startPowerDns, startPowerDnsLmdb } from '../peers/powerdns.ts';
import type { BenchContext, Row, Section, SectionFigures } from '../section.ts';
import type { Server } from '../server.ts';
import { restartSluice } from '../servers.ts';
import { formatCount } from '../statistics.ts';

/** Something that is started again and again, and then ended. */
interface Starter {
  readonly name: string;
  start(): Promise<Server>;
}

/** From the start of a process until its zone is answered. */
export const start: Section = { name: 'start', title: 'Starting', run };

async function run(context: BenchContext): Promise<SectionFigures> {
  const { rules, rounds, stock, folder, say } = context;
  const sluiceFolder = await stock.sluiceFolder(rules, folder('sluice'));
  const largeFolder = await stock.sluiceFolder(rules * 5, folder('sluice-large'));
  const peer = async (name: string) => stock.peerFolder(rules, folder(name));
  const bind = await peer('bind');
  const bindRaw = await peer('bind-raw');
  await compileNamedZone(bindRaw);
  const lmdb = await peer('powerdns-lmdb');
  await loadPowerDnsLmdb(lmdb);
  const [knot, nsd, powerdns] = [await peer('knot'), await peer('nsd'), await peer('powerdns')];
  say('zones are prepared');

  const sluice: Starter = { name: 'Sluice', start: () => restartSluice(sluiceFolder) };
  const timed = async (starters: readonly Starter[]): Promise<Row['samples']> =>
    interleave(starters, rounds, async (starter) => {
      const server = await starter.start();
      await server.stop();
      return server.startMs;
    });
  const fromText = await timed([
    sluice,
    { name: 'BIND', start: () => startNamed(bind) },
    { name: 'Knot', start: () => startKnot(knot) },
    { name: 'NSD', start: () => startNsd(nsd) },
    { name: 'PowerDNS', start: () => startPowerDns(powerdns) },
  ]);
  say('from text');
  const fromOwnForm = await timed([
    sluice,
    { name: 'BIND', start: () => startNamedRaw(bindRaw) },
    { name: 'PowerDNS', start: () => startPowerDnsLmdb(lmdb) },
  ]);
  say('from forms of their own');
  const large = await timed([{ name: 'Sluice', start: () => restartSluice(largeFolder) }]);
  const withoutImage = await timed([
    {
      name: 'Sluice',
      start: () => {
        dropImage(sluiceFolder);
        return restartSluice(sluiceFolder);
      },
    },
  ]);
  return {
    text:
      'From the start of the process until it answers for the SOA of the zone, asked every 2 ms. Each was ' +
      'stopped in order before; what it reads is in the page cache. Peers start from a zone file, and from ' +
      'the form that suits them best: BIND from one of `named-compilezone -F raw`, PowerDNS from LMDB, ' +
      'which it reads only when it is asked.',
    rows: [
      {
        title: `${formatCount(rules)} rules, peers from text`,
        unit: 'ms',
        samples: fromText,
        aims: [
          {
            text: 'under a tenth of the fastest peer',
            of: { server: 'Sluice' },
            by: { server: 'best peer' },
            atMost: 0.1,
          },
        ],
      },
      {
        title: `${formatCount(rules)} rules, peers from their own forms`,
        unit: 'ms',
        samples: fromOwnForm,
        aims: [
          {
            text: 'no slower than PowerDNS from LMDB',
            of: { server: 'Sluice' },
            by: { server: 'PowerDNS' },
            atMost: 1,
          },
        ],
      },
      {
        title: `${formatCount(rules)} rules, the image deleted`,
        unit: 'ms',
        samples: withoutImage,
      },
      { title: `${formatCount(rules * 5)} rules`, unit: 'ms', samples: large },
    ],
  };
}

/** Takes away what is only a cache of the database. */
function dropImage(folder: string): void {
  const data = join(folder, 'data');
  if (!existsSync(data)) return;
  for (const name of readdirSync(data)) {
    if (name.endsWith('.image')) rmSync(join(data, name));
  }
}
