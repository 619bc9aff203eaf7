import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { measureQueries } from './dnsperf.ts';
import { generateRules, type Rules } from './generate.ts';
import { startKnot } from './peers/knot.ts';
import { startNamed } from './peers/named.ts';
import { startNsd } from './peers/nsd.ts';
import { writeZones } from './peers/peer-zone.ts';
import { startPowerDns } from './peers/powerdns.ts';
import { renderReport } from './report.ts';
import type { Row } from './section.ts';
import type { Server } from './server.ts';
import { startSluice } from './servers.ts';

/**
 * How many queries a second are answered over UDP and over TCP, by dnsperf, for the SOA of a zone and
 * for names in it. The servers are asked one after the other within each round; the others are idle.
 */
const { values } = parseArgs({
  options: {
    rules: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '5' },
    servers: { type: 'string', default: 'Sluice,Knot,PowerDNS,NSD,BIND' },
  },
});
const RULES = Number(values.rules);
const ROUNDS = Number(values.rounds);
const SECONDS = Number(values.seconds);
const NAMES_MAX = 10_000;
/** What dnsperf gave up waiting for, as a share of what it asked: above it the rate says nothing. */
const LOST_SHARE_MAX = 0.01;

const PEERS = { Knot: startKnot, PowerDNS: startPowerDns, NSD: startNsd, BIND: startNamed };

const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
const servers: Server[] = [];
try {
  await bench();
} finally {
  await Promise.all(servers.map((server) => server.stop()));
  rmSync(folder, { recursive: true, force: true });
}

async function bench(): Promise<void> {
  const rules = generateRules(RULES);
  for (const name of values.servers.split(',')) servers.push(await start(name, rules));
  const questions = [
    { title: 'SOA', lines: (zone: string) => [`${zone} SOA`] },
    { title: 'names of the zone', lines: (zone: string) => namesIn(zone, rules) },
  ];
  const rows: Row[] = [];
  for (const { title, lines } of questions) {
    const files = new Map(servers.map((server) => [server, writeQuestions(title, server, lines)]));
    for (const transport of ['udp', 'tcp'] as const) {
      rows.push(await rateRow(title, transport, files));
    }
  }
  say(
    `${RULES} rules, medians of ${ROUNDS} rounds of ${SECONDS} s, dnsperf with one thread, 10 ` +
      `clients and 200 queries outstanding; no limits on answers, which Sluice and NSD have otherwise; no cookies are ` +
      `sent; PowerDNS with its packet cache; ${cpus().length} cores, Node ${process.version}`,
  );
  process.stdout.write(`${renderReport(rows)}\n`);
}

async function start(name: string, rules: Rules): Promise<Server> {
  const own = join(folder, name);
  mkdirSync(own);
  say(`starting ${name}`);
  if (name === 'Sluice') return startSluice(own, rules);
  const peer = PEERS[name as keyof typeof PEERS];
  if (peer === undefined)
    throw new Error(`--servers: ${name} is none of Sluice and ${Object.keys(PEERS).join(', ')}`);
  await writeZones([own], rules);
  return peer(own);
}

async function rateRow(
  title: string,
  transport: 'udp' | 'tcp',
  files: ReadonlyMap<Server, string>,
): Promise<Row> {
  const samples: Record<string, number[]> = {};
  for (let round = 0; round < ROUNDS; round++) {
    for (const [server, file] of files) {
      const rate = await measureQueries({ server, transport, file, seconds: SECONDS });
      const strange = [...rate.rcodes.keys()].filter((code) => !/^(NOERROR|NXDOMAIN)$/.test(code));
      if (strange.length > 0) throw new Error(`${server.name} answers with ${strange.join(', ')}`);
      if (rate.lost > rate.sent * LOST_SHARE_MAX) {
        throw new Error(`${server.name} left ${rate.lost} of ${rate.sent} queries unanswered`);
      }
      (samples[server.name] ??= []).push(rate.perSecond);
    }
  }
  say(`${title}, ${transport}`);
  return { title: `${title} by ${transport.toUpperCase()}`, unit: 'answers/s', samples };
}

function writeQuestions(
  title: string,
  server: Server,
  lines: (zone: string) => readonly string[],
): string {
  const file = join(folder, `${server.name}-${title.replaceAll(' ', '-')}`);
  writeFileSync(file, `${lines(server.zone).join('\n')}\n`);
  return file;
}

/** Half of them rules, a quarter names below rules, a quarter names that are not there. */
function namesIn(zone: string, { blocked }: Rules): string[] {
  const names = blocked.filter((rule) => !/^[0-9.]+$/.test(rule)).slice(0, NAMES_MAX);
  return names.map((name, index) => {
    if (index % 4 === 1) return `host${index}.${name}.${zone} CNAME`;
    return index % 4 === 3 ? `absent-${name}.${zone} CNAME` : `${name}.${zone} CNAME`;
  });
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
