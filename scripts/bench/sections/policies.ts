import { setTimeout as sleep } from 'node:timers/promises';
import { askSerials } from '../ask-serials.ts';
import { freshNames, generateRules } from '../generate.ts';
import { startKnot } from '../peers/knot.ts';
import { startNamed } from '../peers/named.ts';
import { startNsd } from '../peers/nsd.ts';
import { startPowerDns } from '../peers/powerdns.ts';
import { treeOctets } from '../processes.ts';
import type { BenchContext, PlotPoint, Row, Section, SectionFigures } from '../section.ts';
import { makeTarget, type SluiceServer, startEmptySluice } from '../servers.ts';
import { formatCount, median } from '../statistics.ts';

/** The figures are taken each time that there are so many. */
const STEPS = [1, 10, 100, 1_000];
const POLICIES = 1_000;
const TARGETS = 200;
/** Half of the targets, so that each policy has half of the indicators, and no two have the same. */
const MEMBERS = TARGETS / 2;
const CHANGES = 1_000;
const WARMUP_ROUNDS = 2;
const PEER_ZONES = 10;
const REST_MS = 5_000;
const GIGABYTE = 1e9;

/** Many policies over the same indicators. */
export const policies: Section = { name: 'policies', title: 'Many policies', run };

interface Step {
  readonly policies: number;
  readonly octets: number;
  /** Until the API answers, and until all zones have answered with their new serials. */
  readonly publishMs: readonly number[];
  readonly servedMs: readonly number[];
}

async function run(context: BenchContext): Promise<SectionFigures> {
  const { rules } = context;
  const steps = await measureSluice(context);
  const last = steps[steps.length - 1];
  const peers = await measurePeers(context);
  const points = (of: (step: Step) => number): PlotPoint[] =>
    steps.map((step) => ({ x: step.policies, y: of(step) }));
  const memoryLines = Object.fromEntries(
    Object.entries(peers).map(([name, [octets]]) => [
      name,
      [{ x: PEER_ZONES, y: octets / GIGABYTE }],
    ]),
  );
  const x = { label: 'policies', scale: 'log' } as const;
  const extrapolated = Object.fromEntries(
    Object.entries(peers).map(([name, [octets]]) => [
      name,
      [(octets * POLICIES) / PEER_ZONES / GIGABYTE],
    ]),
  );
  return {
    text:
      `${formatCount(rules)} indicators in ${TARGETS} targets; each policy holds ${MEMBERS} of them, drawn, the first ` +
      `always: about ${formatCount(rules / 2)} rules each, no two policies the same. The peers serve ${PEER_ZONES} zones of ` +
      `${formatCount(rules / 2)} rules, and their figure for ${formatCount(POLICIES)} is **extrapolated** from that: ` +
      `${POLICIES / PEER_ZONES} times as much. Publishing is the call of the API that adds ${formatCount(CHANGES)} ` +
      'indicators to the target that all policies hold, until it answers; by then it is committed to disk. ' +
      'Then a secondary that reads all zones asks for all their serials, which have to be the new ones.',
    rows: [
      {
        title: `memory with ${formatCount(POLICIES)} policies, peers extrapolated`,
        unit: 'GB',
        samples: { Sluice: [last.octets / GIGABYTE], ...extrapolated },
        aims: [{ text: 'under 1 GB', of: { server: 'Sluice' }, atMost: 1 }],
      },
      {
        title: `${formatCount(CHANGES)} indicators into ${formatCount(last.policies)} policies`,
        unit: 'ms',
        samples: { Sluice: last.publishMs },
        limit: 'the commit of all revisions to disk, and a look at each policy.',
      },
      {
        title: 'the same until all zones have answered with their new serials',
        unit: 'ms',
        samples: { Sluice: last.servedMs },
        limit: `the same; ${formatCount(last.policies)} questions and answers are the rest.`,
        aims: [{ text: 'under a second', of: { server: 'Sluice' }, atMost: 1_000 }],
      },
    ],
    plots: [
      {
        name: 'policies-memory',
        title: `Memory by number of policies of ${formatCount(rules / 2)} rules`,
        x,
        y: { label: 'GB', scale: 'log' },
        lines: { Sluice: points(({ octets }) => octets / GIGABYTE), ...memoryLines },
      },
      {
        name: 'policies-publish',
        title: `${formatCount(CHANGES)} indicators into all policies`,
        x,
        y: { label: 'ms until served', scale: 'log' },
        lines: { Sluice: points(({ servedMs }) => median(servedMs) ?? 0) },
      },
    ],
  };
}

async function measureSluice(context: BenchContext): Promise<Step[]> {
  const { rules, rounds, folder, say } = context;
  const sluice = await startEmptySluice(folder('sluice'));
  try {
    await sluice.api('POST', '/devices', {
      name: 'secondary',
      type: 'secondary',
      scope: 'account',
      access: 'source',
      sources: ['127.0.0.0/8'],
    });
    const targets = await makeTargets(sluice.api, rules);
    const draw = seeded(POLICIES);
    const steps: Step[] = [];
    let made = 0;
    let round = 0;
    for (const step of STEPS) {
      for (; made < step; made++) await makeOne(sluice.api, `p${made}`, choose(targets, draw));
      await sleep(REST_MS);
      const octets = treeOctets(sluice.pid);
      const publishMs: number[] = [];
      const servedMs: number[] = [];
      for (let index = -WARMUP_ROUNDS; index < rounds; index++) {
        const add = freshNames(CHANGES, round++);
        const published = await publishToAll(sluice, targets[0], add, step);
        if (index < 0) continue;
        publishMs.push(published.ms);
        servedMs.push(published.servedMs);
      }
      steps.push({ policies: step, octets, publishMs, servedMs });
      say(`${step} policies: ${Math.round(octets / 1e6)} MB, ${Math.round(servedMs[0])} ms`);
    }
    return steps;
  } finally {
    await sluice.stop();
  }
}

async function makeTargets(api: SluiceServer['api'], rules: number): Promise<number[]> {
  const { blocked, allowed, local } = generateRules(rules);
  const lines = [...blocked, ...allowed, ...local];
  const size = Math.ceil(lines.length / TARGETS);
  const ids: number[] = [];
  for (let index = 0; index < TARGETS; index++) {
    ids.push(await makeTarget(api, `t${index}`, lines.slice(index * size, (index + 1) * size)));
  }
  return ids;
}

function choose(targets: readonly number[], draw: () => number): number[] {
  const chosen = new Set([targets[0]]);
  while (chosen.size < MEMBERS) chosen.add(targets[Math.floor(draw() * targets.length)]);
  return [...chosen];
}

async function makeOne(
  api: SluiceServer['api'],
  name: string,
  targets: readonly number[],
): Promise<void> {
  const attachments = targets.map((id) => ({ kind: 'target', id }));
  await api('POST', '/policies', { name, type: 'dns', attachments });
}

async function publishToAll(
  sluice: Pick<SluiceServer, 'api' | 'address' | 'port'>,
  target: number,
  add: readonly string[],
  expected: number,
): Promise<{ readonly ms: number; readonly servedMs: number }> {
  const start = performance.now();
  const { zones } = await sluice.api<{ zones: readonly { zone: string; serial: number }[] }>(
    'PATCH',
    `/targets/${target}/indicators`,
    { add },
  );
  const ms = performance.now() - start;
  if (zones.length < expected) throw new Error(`only ${zones.length} zones have a new serial`);
  const serials = await askSerials(
    sluice,
    zones.map(({ zone }) => zone),
  );
  const servedMs = performance.now() - start;
  for (const [index, { zone, serial }] of zones.entries()) {
    if (serials[index] !== serial) throw new Error(`${zone} answers ${serials[index]}`);
  }
  return { ms, servedMs };
}

/** What each peer takes with ten zones, one peer after the other: they need several gigabytes. */
async function measurePeers({ rules, stock, folder, say }: BenchContext): Promise<Row['samples']> {
  const zones = Array.from({ length: PEER_ZONES }, (_, index) => `rpz${index}.bench.example.`);
  const samples: Record<string, number[]> = {};
  for (const start of [startNamed, startKnot, startNsd, startPowerDns]) {
    const server = await start(await stock.peerFolder(rules / 2, folder(start.name)), zones);
    await sleep(REST_MS);
    samples[server.name] = [treeOctets(server.pid)];
    await server.stop();
    say(`${server.name} with ${PEER_ZONES} zones: ${Math.round(samples[server.name][0] / 1e6)} MB`);
  }
  return samples;
}

function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
