import { setTimeout as sleep } from 'node:timers/promises';
import { untilServed } from '../client.ts';
import { freshNames, generateRules } from '../generate.ts';
import { interleave } from '../interleave.ts';
import { startKnot } from '../peers/knot.ts';
import { startNamed } from '../peers/named.ts';
import { reloadNsd, startNsd } from '../peers/nsd.ts';
import { writeZone } from '../peers/peer-zone.ts';
import { reloadPowerDns, startPowerDns } from '../peers/powerdns.ts';
import { treeProcessorMs } from '../processes.ts';
import { publishChange } from '../publish-change.ts';
import type { Aim, BenchContext, Row, Section, SectionFigures } from '../section.ts';
import type { Server } from '../server.ts';
import { restartSluice } from '../servers.ts';
import { formatCount } from '../statistics.ts';

const COUNTS = [10, 1_000];
/** Until V8 has compiled what a change goes through; of a server that needs longer, fewer. */
const WARMUP_ROUNDS = 60;
const WARMUP_MS = 8_000;
/** Changes are short and swing more than what else is measured. */
const ROUNDS_FACTOR = 3;
/** After a start, until a server does nothing any more. */
const REST_MS = 2_000;

/** From a change to the zone that is served, and to the secondary that has taken it. */
export const publish: Section = { name: 'publish', title: 'Changes', run };

async function run(context: BenchContext): Promise<SectionFigures> {
  const { rules } = context;
  const small = await measureSize(context, rules / 10, true);
  const full = await measureSize(context, rules, true);
  const large = await measureSize(context, rules * 5, false);
  const reloaded = await measureReloads(context);
  const rows = COUNTS.flatMap((count) => {
    const title = (size: number) =>
      `${formatCount(count)} changes until served, ${formatCount(size)} rules`;
    const published = full.published.get(count);
    return [
      row(title(rules / 10), small.published.get(count)),
      {
        ...row(title(rules), count === 1_000 ? { ...published, ...reloaded } : published),
        limit:
          'the processor time of the server, which is a row of its own; the flush to disk is a fraction of it.',
        aims: [timesFaster('BIND', 4), timesFaster('Knot', 100)],
      },
      {
        ...row(title(rules * 5), large.published.get(count)),
        aims: [
          {
            text: `at most 1.5 times as long as with ${formatCount(rules / 10)} rules`,
            of: { server: 'Sluice' },
            by: { server: 'Sluice', row: title(rules / 10) },
            atMost: 1.5,
          },
        ],
      },
      {
        ...row(
          `IXFR of ${formatCount(count)} changes, ${formatCount(rules)} rules`,
          full.incremental.get(count),
        ),
        limit: 'the rendering of the changes at the first question for them, and the connection.',
        aims: [timesFaster('Knot', 1)],
      },
      row(
        `processor time of the server, ${formatCount(count)} changes, ${formatCount(rules)} rules`,
        full.processor.get(count),
      ),
    ];
  });
  rows.push(
    row(`the first ${COUNTS[0]} changes after a start, ${formatCount(rules)} rules`, full.first),
  );
  return {
    text:
      'From the call of the admin API, or a DNS UPDATE of the same names, until a SOA query tells the new ' +
      `serial; each change adds names with their subtrees. The first ${WARMUP_ROUNDS} changes of each size, in which V8 compiles what they go ` +
      `through, or those of ${WARMUP_MS / 1000} seconds, do not count, but for the very first, which has a row. ` +
      'IXFR is the first transfer after a change, from the connection to the last octet. NSD and PowerDNS ' +
      'have no updates: theirs is one reload of the zone file, which was written before.',
    rows,
  };
}

interface SizeFigures {
  /** By the number of changes. */
  readonly published: Map<number, Row['samples']>;
  readonly incremental: Map<number, Row['samples']>;
  readonly processor: Map<number, Row['samples']>;
  /** Until the first change after a start was served. */
  readonly first: Record<string, number[]>;
}

async function measureSize(
  context: BenchContext,
  size: number,
  isWithPeers: boolean,
): Promise<SizeFigures> {
  const servers = await startServers(context, size, isWithPeers);
  const figures: SizeFigures = {
    published: new Map(),
    incremental: new Map(),
    processor: new Map(),
    first: {},
  };
  try {
    await sleep(REST_MS);
    let change = 0;
    for (const count of COUNTS) {
      const incremental: Record<string, number[]> = {};
      const processor: Record<string, number[]> = {};
      const measure = async (server: Server) => {
        const before = treeProcessorMs(server.pid);
        const { ms, from } = await publishChange(server, { add: freshNames(count, change++) });
        (processor[server.name] ??= []).push(treeProcessorMs(server.pid) - before);
        const transfer = await context.drainer.drain(server, { from });
        (incremental[server.name] ??= []).push(transfer.ms);
        return ms;
      };
      for (const server of servers) {
        const first = await warmUp(() => measure(server));
        if (count === COUNTS[0]) figures.first[server.name] = [first];
        for (const all of [incremental, processor]) all[server.name] = [];
      }
      const published = await interleave(servers, context.rounds * ROUNDS_FACTOR, measure);
      figures.published.set(count, published);
      figures.incremental.set(count, incremental);
      figures.processor.set(count, processor);
    }
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
  context.say(`changes of ${formatCount(size)} rules`);
  return figures;
}

/** Returns what the first time took. */
async function warmUp(run: () => Promise<number>): Promise<number> {
  const end = performance.now() + WARMUP_MS;
  const first = await run();
  for (let round = 1; round < WARMUP_ROUNDS && performance.now() < end; round++) await run();
  return first;
}

async function startServers(
  { stock, folder }: BenchContext,
  size: number,
  isWithPeers: boolean,
): Promise<Server[]> {
  const sluice = async () =>
    restartSluice(await stock.sluiceFolder(size, folder(`sluice-${size}`)));
  if (!isWithPeers) return [await sluice()];
  return Promise.all([
    sluice(),
    stock.peerFolder(size, folder(`bind-${size}`)).then(startNamed),
    stock.peerFolder(size, folder(`knot-${size}`)).then(startKnot),
  ]);
}

/** One sample each: it takes them as long as a start. */
async function measureReloads({ rules, stock, folder }: BenchContext): Promise<Row['samples']> {
  const samples: Record<string, number[]> = {};
  const content = generateRules(rules);
  const changed = { ...content, blocked: [...content.blocked, ...freshNames(1_000, 0)] };
  for (const [name, start, reload] of [
    ['nsd', startNsd, reloadNsd],
    ['powerdns', startPowerDns, reloadPowerDns],
  ] as const) {
    const own = await stock.peerFolder(rules, folder(name));
    const server = await start(own);
    await writeZone(`${own}/zone.db`, changed, 2);
    const startedAt = performance.now();
    const served = untilServed(server, startedAt, (serial) => serial === 2);
    await reload(server, own);
    samples[server.name] = [await served];
    await server.stop();
  }
  return samples;
}

function row(title: string, samples: Row['samples'] = {}): Row {
  return { title, unit: 'ms', samples };
}

function timesFaster(peer: string, times: number): Aim {
  return {
    text: times === 1 ? `as fast as ${peer}` : `at least ${times} times as fast as ${peer}`,
    of: { server: peer },
    by: { server: 'Sluice' },
    atLeast: times,
  };
}
