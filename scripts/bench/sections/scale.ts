import { setTimeout as sleep } from 'node:timers/promises';
import { freshNames } from '../generate.ts';
import { startKnot } from '../peers/knot.ts';
import { startNamed } from '../peers/named.ts';
import { startNsd } from '../peers/nsd.ts';
import { startPowerDns } from '../peers/powerdns.ts';
import { treeOctets } from '../processes.ts';
import { publishChange } from '../publish-change.ts';
import type { BenchContext, Plot, PlotPoint, Section, SectionFigures } from '../section.ts';
import type { Server } from '../server.ts';
import { restartSluice } from '../servers.ts';
import { formatCount, median } from '../statistics.ts';

const CHANGES = 1_000;
const SAMPLES_MAX = 20;
const BUDGET_MS = 2_000;
const REST_MS = 3_000;
const PEERS = [startNamed, startKnot, startNsd, startPowerDns];
/** Those that take updates; the others read their zone file again, which is a start. */
const UPDATED = ['Sluice', 'BIND', 'Knot'];

/** Cost against the size of the zone. */
export const scale: Section = { name: 'scale', title: 'Cost against the size of the zone', run };

interface SizeFigures {
  readonly server: string;
  readonly size: number;
  readonly startMs: number;
  readonly transferMs: number;
  readonly publishMs: number | null;
  readonly octets: number;
}

async function run(context: BenchContext): Promise<SectionFigures> {
  const { rules, stock, folder } = context;
  const figures: SizeFigures[] = [];
  for (const size of [rules / 100, rules / 10, rules, rules * 5]) {
    const sluice = await stock.sluiceFolder(size, folder(`sluice-${size}`));
    figures.push(await measureOne(context, size, () => restartSluice(sluice)));
    for (const start of size > rules ? [] : PEERS) {
      const own = await stock.peerFolder(size, folder(`${start.name}-${size}`));
      figures.push(await measureOne(context, size, () => start(own)));
    }
    context.say(`${formatCount(size)} rules`);
  }
  return {
    text:
      `One server after the other, from ${formatCount(rules / 100)} to ${formatCount(rules)} rules, Sluice up to ${formatCount(rules * 5)}. A start ` +
      `is one sample; a transfer is warm, to one client; publishing adds ${formatCount(CHANGES)} names. NSD and PowerDNS read ` +
      'their zone file again to publish, which takes as long as their start.',
    rows: [],
    plots: [
      plot('scale-start', 'Start until served', 'ms', figures, ({ startMs }) => startMs),
      plot('scale-transfer', 'AXFR, one client', 'ms', figures, ({ transferMs }) => transferMs),
      plot(
        'scale-publish',
        '1,000 changes until served',
        'ms',
        figures,
        ({ publishMs }) => publishMs,
      ),
      plot('scale-memory', 'Memory of the process', 'MB', figures, ({ octets }) => octets / 1e6),
    ],
  };
}

async function measureOne(
  { drainer }: BenchContext,
  size: number,
  start: () => Promise<Server>,
): Promise<SizeFigures> {
  const server = await start();
  try {
    await sleep(REST_MS);
    const transferMs = await repeat(async () => (await drainer.drain(server)).ms);
    await sleep(REST_MS);
    const octets = treeOctets(server.pid);
    const publishMs = UPDATED.includes(server.name)
      ? await repeat(async (round) => {
          const { ms } = await publishChange(server, { add: freshNames(CHANGES, round) });
          return ms;
        })
      : null;
    return {
      server: server.name,
      size,
      startMs: server.startMs,
      transferMs,
      publishMs,
      octets,
    };
  } finally {
    await server.stop();
  }
}

/**
 * The median of the second half of several samples: in the first one, Sluice is compiled. What takes
 * seconds needs no second look for a point on a logarithmic axis.
 */
async function repeat(measure: (round: number) => Promise<number>): Promise<number> {
  const samples: number[] = [];
  const start = performance.now();
  while (samples.length < SAMPLES_MAX && performance.now() - start < BUDGET_MS) {
    samples.push(await measure(samples.length));
  }
  return median(samples.slice(samples.length >> 1)) ?? 0;
}

function plot(
  name: string,
  title: string,
  unit: string,
  figures: readonly SizeFigures[],
  of: (figure: SizeFigures) => number | null,
): Plot {
  const lines: Record<string, PlotPoint[]> = {};
  for (const figure of figures) {
    const y = of(figure);
    if (y !== null) (lines[figure.server] ??= []).push({ x: figure.size, y });
  }
  return {
    name,
    title,
    x: { label: 'rules', scale: 'log' },
    y: { label: unit, scale: 'log' },
    lines,
  };
}
