import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CLASS, encodeRdata, parseName, type ResourceRecord, RRTYPE } from '../../src/dns/index.ts';
import { askSerial, drainTransfer, update, waitForSerial } from './client.ts';
import { freshNames, generateRules } from './generate.ts';
import { startKnot, startNamed, writeZones } from './peers.ts';
import { residentOctets } from './processes.ts';
import { type Row, renderReport } from './report.ts';
import { restartSluice, type Server, type SluiceServer, startSluice } from './servers.ts';

const { values } = parseArgs({
  options: {
    rules: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '5' },
    json: { type: 'string' },
  },
});
const RULES = Number(values.rules);
const ROUNDS = Number(values.rounds);
const CHANGES = 1_000;
const CLIENTS = 8;
const WARMUP_ROUNDS = 3;

process.setMaxListeners(32);
const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
try {
  await bench();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function bench(): Promise<void> {
  say(
    `${RULES} rules, medians of ${ROUNDS} rounds, ${cpus().length} cores, Node ${process.version}`,
  );
  const empty = await emptyMemory();
  const rules = generateRules(RULES);
  await writeZones([join(folder, 'bind'), join(folder, 'knot')], rules);

  const first = await startSluice(join(folder, 'sluice'), rules);
  await first.stop();
  const sluice = await restartSluice(join(folder, 'sluice'));
  const bind = await startNamed(join(folder, 'bind'));
  const knot = await startKnot(join(folder, 'knot'));
  const servers = [sluice, bind, knot];
  const rows: Row[] = [];
  try {
    rows.push(row('start until served', 'ms', servers, (server) => [server.startMs]));
    rows.push(await transferRow('AXFR, first', 1, servers, 1));
    rows.push(await transferRow('AXFR, one client', 1, servers, ROUNDS));
    rows.push(await transferRow(`AXFR, ${CLIENTS} clients at once`, CLIENTS, servers, ROUNDS));
    rows.push(await octetsRow(servers));
    rows.push(
      ...(await changeRows(sluice, { ...first, ...sluice, targetId: first.targetId }, bind)),
    );
    const perRule = (server: Server) => [residentOctets(server.pid) / RULES];
    const aboveEmpty = (server: Server) => [
      (residentOctets(server.pid) - empty[server.name]) / RULES,
    ];
    rows.push(row('resident memory per rule, the whole process', 'octets', servers, perRule));
    rows.push(row('the same above a process without rules', 'octets', servers, aboveEmpty));
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
  process.stdout.write(`${renderReport(rows)}\n`);
  if (values.json !== undefined)
    writeFileSync(values.json, JSON.stringify({ rules: RULES, rounds: ROUNDS, rows }, null, 2));
}

/** What each server takes with next to nothing in it. */
async function emptyMemory(): Promise<Record<string, number>> {
  const rules = generateRules(1);
  const folders = { bind: join(folder, 'empty-bind'), knot: join(folder, 'empty-knot') };
  await writeZones(Object.values(folders), rules);
  const sluice = join(folder, 'empty-sluice');
  await (await startSluice(sluice, rules)).stop();
  const servers = [
    await restartSluice(sluice),
    await startNamed(folders.bind),
    await startKnot(folders.knot),
  ];
  await Promise.all(servers.map((server) => drainTransfer(server, server.zone)));
  const octets = servers.map((server) => [server.name, residentOctets(server.pid)]);
  await Promise.all(servers.map((server) => server.stop()));
  return Object.fromEntries(octets);
}

function row(
  title: string,
  unit: string,
  servers: readonly Server[],
  measure: (server: Server) => number[],
): Row {
  return {
    title,
    unit,
    samples: Object.fromEntries(servers.map((server) => [server.name, measure(server)])),
  };
}

/** The servers take turns within each round, so that a machine that changes its pace changes it for all. */
async function transferRow(
  title: string,
  clients: number,
  servers: readonly Server[],
  rounds: number,
): Promise<Row> {
  const samples: Record<string, number[]> = {};
  for (let round = 0; round < rounds; round++) {
    for (const server of servers) {
      const start = performance.now();
      await Promise.all(Array.from({ length: clients }, () => drainTransfer(server, server.zone)));
      (samples[server.name] ??= []).push(performance.now() - start);
    }
  }
  say(title);
  return { title, unit: 'ms', samples };
}

async function octetsRow(servers: readonly Server[]): Promise<Row> {
  const samples: Record<string, number[]> = {};
  for (const server of servers) {
    samples[server.name] = [(await drainTransfer(server, server.zone)).octets / RULES];
  }
  return { title: 'AXFR octets per rule', unit: 'octets', samples };
}

/** Publishing through the admin API against a dynamic update of the same number of rules, and the IXFR of it. */
async function changeRows(server: Server, api: SluiceServer, bind: Server): Promise<Row[]> {
  const publish: Record<string, number[]> = {};
  const incremental: Record<string, number[]> = {};
  // The first rounds warm both servers up and do not count.
  for (let round = -WARMUP_ROUNDS; round < ROUNDS; round++) {
    const names = freshNames(CHANGES, round + WARMUP_ROUNDS);
    const before = await askSerial(server, server.zone);
    const start = performance.now();
    await api.api('PATCH', `/targets/${api.targetId}/indicators`, { add: names });
    await waitForSerial(server, server.zone, before);
    const served = performance.now() - start;
    const { ms } = await drainTransfer(server, server.zone, before);

    const bindBefore = await askSerial(bind, bind.zone);
    const records = names.flatMap(recordsOf);
    const bindStart = performance.now();
    const answer = await update(bind, bind.zone, records);
    if (answer.rcode !== 0) throw new Error(`BIND refuses the update with RCODE ${answer.rcode}`);
    await waitForSerial(bind, bind.zone, bindBefore);
    const bindServed = performance.now() - bindStart;
    const { ms: bindMs } = await drainTransfer(bind, bind.zone, bindBefore);
    if (round < 0) continue;
    (publish[server.name] ??= []).push(served);
    (publish[bind.name] ??= []).push(bindServed);
    (incremental[server.name] ??= []).push(ms);
    (incremental[bind.name] ??= []).push(bindMs);
  }
  say('changes');
  return [
    { title: `publish ${CHANGES} changes until served`, unit: 'ms', samples: publish },
    { title: `IXFR of ${CHANGES} changes`, unit: 'ms', samples: incremental },
  ];
}

function recordsOf(name: string): ResourceRecord[] {
  const rdata = encodeRdata({ type: 'CNAME', target: parseName('.') });
  return [name, `*.${name}`].map((owner) => ({
    name: parseName(`${owner}.rpz.bench.example.`),
    type: RRTYPE.CNAME,
    class: CLASS.IN,
    ttl: 60,
    rdata,
  }));
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
