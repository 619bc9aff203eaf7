import { setTimeout as sleep } from 'node:timers/promises';
import { freshNames } from '../generate.ts';
import { startKnot } from '../peers/knot.ts';
import { startNamed } from '../peers/named.ts';
import { startNsd } from '../peers/nsd.ts';
import { startPowerDns } from '../peers/powerdns.ts';
import { treeOctets } from '../processes.ts';
import { publishChange } from '../publish-change.ts';
import type { BenchContext, Section, SectionFigures } from '../section.ts';
import type { Server } from '../server.ts';
import { restartSluice } from '../servers.ts';
import { formatCount } from '../statistics.ts';

const UPDATES = 100;
const CHANGES = 1_000;
/** Updates after which the zone is transferred, as a secondary would that fell behind. */
const TRANSFER_EVERY = 10;
/** Transfers until what Sluice keeps ready is kept. */
const WARMUP = 3;
/** V8 gives back room that it does not need some eight seconds after it had need of it. */
const REST_MS = 15_000;

/** Of one zone: what it takes, and whether updates make it more. */
export const memory: Section = { name: 'memory', title: 'Memory of one zone', run };

interface Held {
  readonly octets: number;
  /** What a hundred updates add, in percent; null where they take too long to wait for. */
  readonly growthPercent: number | null;
}

async function run(context: BenchContext): Promise<SectionFigures> {
  const { rules, say } = context;
  const empty = await measureAll(context, 1, []);
  const full = await measureAll(context, rules, ['Sluice', 'BIND']);
  say('memory');
  const samples = (of: (name: string, held: Held) => number | null) =>
    Object.fromEntries(
      [...full].flatMap(([name, held]) => {
        const value = of(name, held);
        return value === null ? [] : [[name, [value]]];
      }),
    );
  return {
    text:
      'Memory of the process with all its children, what they share counted once (Pss), ' +
      `${REST_MS / 1000} seconds after the zone was transferred, ${WARMUP} times by Sluice, whose ready messages count. An update adds ${formatCount(CHANGES)} ` +
      `names with their subtrees and removes those of the update before; after each ${TRANSFER_EVERY}th ` +
      'the zone is transferred.',
    rows: [
      {
        title: 'the whole process, per rule',
        unit: 'octets',
        samples: samples((_, { octets }) => octets / rules),
        aims: [
          {
            text: 'under a quarter of the best peer',
            of: { server: 'Sluice' },
            by: { server: 'best peer' },
            atMost: 0.25,
          },
        ],
      },
      {
        title: 'above a process with one rule, per rule',
        unit: 'octets',
        samples: samples((name, { octets }) => (octets - (empty.get(name)?.octets ?? 0)) / rules),
      },
      {
        title: `growth after ${UPDATES} updates of ${formatCount(CHANGES)} changes`,
        unit: '%',
        samples: samples((_, { growthPercent }) => growthPercent),
        aims: [{ text: 'no growth, within 5 %', of: { server: 'Sluice' }, atMost: 5 }],
      },
    ],
  };
}

/** One server after the other, so that they do not take the memory from one another. */
async function measureAll(
  { stock, folder, drainer, say }: BenchContext,
  size: number,
  updated: readonly string[],
): Promise<Map<string, Held>> {
  const peer = (name: string) => stock.peerFolder(size, folder(`${name}-${size}`));
  const starts: readonly (() => Promise<Server>)[] = [
    async () => restartSluice(await stock.sluiceFolder(size, folder(`sluice-${size}`))),
    async () => startNamed(await peer('bind')),
    async () => startKnot(await peer('knot')),
    async () => startNsd(await peer('nsd')),
    async () => startPowerDns(await peer('powerdns')),
  ];
  const held = new Map<string, Held>();
  for (const start of starts) {
    const server = await start();
    const transfers = server.name === 'Sluice' ? WARMUP : 1;
    for (let index = 0; index < transfers; index++) await drainer.drain(server);
    await sleep(REST_MS);
    const octets = treeOctets(server.pid);
    let growthPercent: number | null = null;
    if (updated.includes(server.name)) {
      await updateAgainAndAgain(server, () => drainer.drain(server));
      await sleep(REST_MS);
      growthPercent = (treeOctets(server.pid) / octets - 1) * 100;
    }
    held.set(server.name, { octets, growthPercent });
    await server.stop();
    say(`${server.name} with ${formatCount(size)} rules: ${Math.round(octets / 1e6)} MB`);
  }
  return held;
}

async function updateAgainAndAgain(
  server: Server,
  transfer: () => Promise<unknown>,
): Promise<void> {
  let remove: string[] = [];
  for (let index = 0; index < UPDATES; index++) {
    const add = freshNames(CHANGES, index);
    await publishChange(server, { add, remove });
    remove = add;
    if (index % TRANSFER_EVERY === TRANSFER_EVERY - 1) await transfer();
  }
}
