import { setTimeout as sleep } from 'node:timers/promises';
import type { Asked } from '../asker/ask-steadily.ts';
import { startAsker } from '../asker/start-asker.ts';
import { type FeedServer, startFeedPolicy } from '../feed-policy.ts';
import { freshNames, generateRules } from '../generate.ts';
import { treeOctets } from '../processes.ts';
import type { BenchContext, Plot, Row, Section, SectionFigures } from '../section.ts';
import { formatCount, percentile } from '../statistics.ts';

const PER_SECOND = 200;
const CHANGES = 1_000;
const ROUNDS_MAX = 3;
const AT_REST_MS = 3_000;
/** After a run, until memory that it needed is given back. */
const REST_MS = 5_000;
/** Of the plot. */
const BUCKET_MS = 100;
const P99_MAX_MS = 10;

/** A large feed, and how quickly queries are answered while it is taken in. */
export const feed: Section = { name: 'feed', title: 'Taking in a feed', run };

interface Phase {
  readonly title: string;
  /** Until what came is served; absent when nothing comes. */
  readonly ms: number[];
  readonly p50: number[];
  readonly p99: number[];
  readonly longest: number[];
}

async function run(context: BenchContext): Promise<SectionFigures> {
  const { rules, folder, say } = context;
  const { blocked, allowed, local } = generateRules(rules);
  const lines = [...blocked, ...allowed, ...local];
  const [atRest, first, again] = [
    'nothing else under way',
    `a feed of ${formatCount(rules)} lines`,
    `the same, ${formatCount(CHANGES)} lines others`,
  ].map((title): Phase => ({ title, ms: [], p50: [], p99: [], longest: [] }));
  const memory: number[] = [];
  let shown: Asked[] = [];
  for (let round = 0; round < Math.min(ROUNDS_MAX, context.rounds); round++) {
    const server = await startFeedPolicy(folder(`sluice-${round}`));
    try {
      const asker = await startAsker(server, PER_SECOND);
      await sleep(AT_REST_MS);
      note(atRest, await asker.stop());
      const before = treeOctets(server.pid);
      shown = await takeIn(server, lines, first);
      await sleep(REST_MS);
      memory.push((treeOctets(server.pid) - before) / rules);
      const changed = [...lines.slice(CHANGES), ...freshNames(CHANGES, round)];
      await takeIn(server, changed, again);
      say(`${Math.round(first.ms[round])} ms, p99 ${first.p99[round].toFixed(1)} ms`);
    } finally {
      await server.stop();
    }
  }
  return {
    text:
      `A file of ${formatCount(rules)} lines is the feed of a policy that holds one name before; the time is from the ` +
      'call that has the feed run until what it brought is published. All the while another process asks ' +
      `for the SOA of its zone ${PER_SECOND} times a second, whether or not it is answered; what was never answered ` +
      'counts as answered at the end. Each sample is a percentile of one run on a fresh server.',
    rows: [
      ...[first, again].map(({ title, ms }) => ({
        title: `${title}, until served`,
        unit: 'ms',
        samples: { Sluice: ms },
      })),
      ...[atRest, first, again].flatMap(delayRows),
      {
        title: 'memory that is left over from the feed, per line',
        unit: 'octets',
        samples: { Sluice: memory },
      },
    ],
    plots: [delayPlot(shown, rules)],
  };
}

/** Has the feed run on these lines, and asks until a moment after its end. */
async function takeIn(
  server: FeedServer,
  lines: readonly string[],
  phase: Phase,
): Promise<Asked[]> {
  server.write(lines);
  const asker = await startAsker(server, PER_SECOND);
  const start = performance.now();
  await server.run();
  phase.ms.push(performance.now() - start);
  const asked = await asker.stop();
  note(phase, asked);
  return asked;
}

function note(phase: Phase, asked: readonly Asked[]): void {
  const times = asked.map(({ ms }) => ms);
  phase.p50.push(percentile(times, 0.5) ?? 0);
  phase.p99.push(percentile(times, 0.99) ?? 0);
  phase.longest.push(percentile(times, 1) ?? 0);
}

function delayRows({ title, ms, p50, p99, longest }: Phase): Row[] {
  const row = (what: string, samples: readonly number[]): Row => ({
    title: `SOA, ${title}: ${what}`,
    unit: 'ms',
    samples: { Sluice: samples },
  });
  const isFeed = ms.length > 0;
  return [
    row('p50', p50),
    {
      ...row('p99', p99),
      ...(isFeed ? { limit: 'slices of work of a few milliseconds, and the commit.' } : {}),
      aims: isFeed
        ? [{ text: `under ${P99_MAX_MS} ms`, of: { server: 'Sluice' }, atMost: P99_MAX_MS }]
        : [],
    },
    row('longest', longest),
  ];
}

/** The longest of each tenth of a second of the last round. */
function delayPlot(asked: readonly Asked[], rules: number): Plot {
  const longest = new Map<number, number>();
  for (const { at, ms } of asked) {
    const bucket = Math.floor(at / BUCKET_MS);
    longest.set(bucket, Math.max(longest.get(bucket) ?? 0, ms));
  }
  return {
    name: 'feed-delay',
    title: `SOA while a feed of ${formatCount(rules)} lines is taken in`,
    x: { label: 'seconds since the feed runs', scale: 'linear' },
    y: { label: 'ms, the longest of 100 ms', scale: 'log' },
    lines: {
      Sluice: [...longest].map(([bucket, ms]) => ({ x: (bucket * BUCKET_MS) / 1000, y: ms })),
    },
  };
}
