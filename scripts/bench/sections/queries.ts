import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { measureQueries } from '../dnsperf.ts';
import { generateRules, type Rules } from '../generate.ts';
import { startKnot } from '../peers/knot.ts';
import { startNamed } from '../peers/named.ts';
import { startNsd } from '../peers/nsd.ts';
import { startPowerDns } from '../peers/powerdns.ts';
import { treeProcessorSeconds } from '../processes.ts';
import type { Aim, BenchContext, Row, Section, SectionFigures } from '../section.ts';
import type { Server } from '../server.ts';
import { restartSluice } from '../servers.ts';
import { formatCount } from '../statistics.ts';
import { startEcho } from '../yardstick/start-plain-node.ts';

const PEERS = [startNamed, startKnot, startNsd, startPowerDns];
const SECONDS = 3;
/** Six servers, four rows: a round takes over a minute. */
const ROUNDS_MAX = 3;
const WARMUP_SECONDS = 1;
const NAMES_MAX = 10_000;
const REST_MS = 2_000;
/** What dnsperf gave up waiting for, as a share of what it asked: above it the rate says nothing. */
const LOST_SHARE_MAX = 0.01;
const TRANSPORTS = ['udp', 'tcp'] as const;

type Transport = (typeof TRANSPORTS)[number];

/** Answers a second. */
export const queries: Section = { name: 'queries', title: 'Queries', run };

async function run(context: BenchContext): Promise<SectionFigures> {
  const { rules, stock, folder, say } = context;
  const servers: Server[] = [];
  try {
    const sluice = await stock.sluiceFolder(rules, folder('sluice'));
    servers.push(await restartSluice(sluice));
    for (const start of PEERS) {
      servers.push(await start(await stock.peerFolder(rules, folder(start.name))));
      say(`${servers[servers.length - 1].name} serves`);
    }
    servers.push(await startEcho(servers[0].zone));
    await sleep(REST_MS);
    const content = generateRules(rules);
    const rows: Row[] = [];
    for (const { title, lines } of [
      { title: 'SOA', lines: (zone: string) => [`${zone} SOA`] },
      { title: 'names of the zone', lines: (zone: string) => namesIn(zone, content) },
    ]) {
      const files = writeQuestions(servers, folder(title.replaceAll(' ', '-')), lines);
      for (const transport of TRANSPORTS) {
        rows.push(...(await rateRows(context, title, transport, files)));
      }
    }
    return { text: textOf(context), rows };
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
}

/** How many answers a second, and what one of them costs the server. */
async function rateRows(
  { rounds, say }: BenchContext,
  title: string,
  transport: Transport,
  files: ReadonlyMap<Server, string>,
): Promise<Row[]> {
  const rates: Record<string, number[]> = {};
  const costs: Record<string, number[]> = {};
  for (const [server, file] of files)
    await measureQueries({ server, transport, file, seconds: WARMUP_SECONDS });
  for (let round = 0; round < Math.min(ROUNDS_MAX, rounds); round++) {
    for (const [server, file] of files) {
      const { perSecond, costUs } = await measureOne(server, transport, file);
      (rates[server.name] ??= []).push(perSecond);
      (costs[server.name] ??= []).push(costUs);
    }
  }
  say(`${title}, ${transport}`);
  const by = `by ${transport.toUpperCase()}`;
  return [
    {
      title: `${title} ${by}`,
      unit: 'answers/s',
      better: 'more',
      samples: rates,
      limit: LIMITS[transport],
      aims: AIMS[transport],
    },
    { title: `${title} ${by}, processor time of an answer`, unit: 'µs', samples: costs },
  ];
}

async function measureOne(server: Server, transport: Transport, file: string) {
  const before = treeProcessorSeconds(server.pid);
  const rate = await measureQueries({ server, transport, file, seconds: SECONDS });
  const spent = treeProcessorSeconds(server.pid) - before;
  const strange = [...rate.rcodes.keys()].filter((code) => !/^(NOERROR|NXDOMAIN)$/.test(code));
  if (strange.length > 0) throw new Error(`${server.name} answers with ${strange.join(', ')}`);
  if (rate.lost > rate.sent * LOST_SHARE_MAX)
    throw new Error(`${server.name} left ${rate.lost} of ${rate.sent} queries unanswered`);
  return { perSecond: rate.perSecond, costUs: (spent * 1e6) / rate.sent };
}

const LIMITS: Readonly<Record<Transport, string>> = {
  udp: 'two system calls a query, of which plain Node needs as many; Node has none for several at once.',
  tcp: 'dnsperf, which takes one of the cores: plain Node that only sends back is hardly faster.',
};

const AIMS: Readonly<Record<Transport, readonly Aim[]>> = {
  udp: [
    {
      text: 'at least as many as BIND',
      of: { server: 'Sluice' },
      by: { server: 'BIND' },
      atLeast: 1,
    },
  ],
  tcp: [
    {
      text: 'at least 1.5 times the best peer',
      of: { server: 'Sluice' },
      by: { server: 'best peer' },
      atLeast: 1.5,
    },
  ],
};

function writeQuestions(
  servers: readonly Server[],
  folder: string,
  lines: (zone: string) => readonly string[],
): ReadonlyMap<Server, string> {
  return new Map(
    servers.map((server) => {
      const file = join(folder, server.name.replaceAll(' ', '-'));
      writeFileSync(file, `${lines(server.zone).join('\n')}\n`);
      return [server, file];
    }),
  );
}

/** Half of them rules, a quarter names below rules, a quarter names that are not there. */
function namesIn(zone: string, { blocked }: Rules): string[] {
  const names = blocked.filter((rule) => !/^[0-9.]+$/.test(rule)).slice(0, NAMES_MAX);
  return names.map((name, index) => {
    if (index % 4 === 1) return `host${index}.${name}.${zone} CNAME`;
    return index % 4 === 3 ? `absent-${name}.${zone} CNAME` : `${name}.${zone} CNAME`;
  });
}

function textOf({ rules }: BenchContext): string {
  return (
    `A zone of ${formatCount(rules)} rules, dnsperf for ${SECONDS} s with one thread, ten clients and 200 queries outstanding. ` +
    `Names are ${formatCount(NAMES_MAX)}: half of them rules, a quarter names below rules, a quarter that are not there. ` +
    'Limits on answers are off where a server has them; PowerDNS has its packet cache; NSD has ' +
    'one serving process, the others as many threads as they come with. "Plain Node" sends each query ' +
    'back with one bit changed. Processor time is that of all threads and children of the server, ' +
    'divided by what was asked.'
  );
}
