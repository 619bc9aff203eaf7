import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { askSerial } from './client.ts';
import { freshNames, generateRules } from './generate.ts';
import { deviceAddress } from './load/addresses.ts';
import type { DevicesOutcome, DevicesStop, DevicesTask } from './load/devices.ts';
import type { DrainsOutcome, DrainsTask } from './load/drains.ts';
import { type Memory, type PhaseOutcome, renderLoad } from './load/load-report.ts';
import { startStalled } from './load/stalled.ts';
import { startThread } from './load/thread.ts';
import { processorSeconds, residentOctets } from './processes.ts';
import { makeDevice, makePolicy, startEmptySluice } from './servers.ts';

/**
 * Everything at once: devices that ask for the SOA each second and follow each new serial by IXFR,
 * clients that take the whole zone over and over, and an update each second. With `--stalled` the
 * same a second time, with clients beside them that ask for the zone and never read.
 */
const { values } = parseArgs({
  options: {
    devices: { type: 'string', default: '500' },
    transfers: { type: 'string', default: '50' },
    rules: { type: 'string', default: '1000000' },
    seconds: { type: 'string', default: '120' },
    changes: { type: 'string', default: '100' },
    stalled: { type: 'string', default: '0' },
    'stall-seconds': { type: 'string', default: '30' },
  },
});
const [DEVICES, TRANSFERS, RULES, SECONDS, CHANGES, STALLED, STALL_SECONDS] = [
  values.devices,
  values.transfers,
  values.rules,
  values.seconds,
  values.changes,
  values.stalled,
  values['stall-seconds'],
].map(Number);
/** The threads may take so long to end what they have begun. */
const THREAD_STOP_MS = 180_000;
const MEMORY_SAMPLE_MS = 250;
const REST_MS = 10_000;

const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
const sluice = await startEmptySluice(folder, { stallSeconds: STALL_SECONDS });
try {
  await bench();
} finally {
  await sluice.stop();
  rmSync(folder, { recursive: true, force: true });
}

async function bench(): Promise<void> {
  const { api } = sluice;
  const { policyId, targetId } = await makePolicy(api, generateRules(RULES));
  for (let index = 0; index < DEVICES; index++) {
    await makeDevice(api, { name: `d${index}`, sources: [deviceAddress(index)], policyId });
  }
  // The other clients are one device each kind: they are told apart by their addresses.
  await makeDevice(api, { name: 'drains', sources: ['127.0.101.0/24'], policyId });
  await makeDevice(api, { name: 'stalled', sources: ['127.0.201.0/24'], policyId });
  await makeDevice(api, { name: 'control', sources: ['127.0.0.1'], policyId });
  say(`${RULES} rules and ${DEVICES} devices are there`);

  const phases = [await runPhase('nobody stalls', targetId, 0)];
  if (STALLED > 0) {
    phases.push(await runPhase(`${STALLED} clients never read`, targetId, STALLED));
  }
  say(
    `${DEVICES} devices, ${TRANSFERS} clients that take the zone of ${RULES} rules over and over, ` +
      `${CHANGES} rules added and as many removed each second, for ${SECONDS} s; limit on stalls ` +
      `${STALL_SECONDS} s; no limit on answers; ${cpus().length} cores, Node ${process.version}`,
  );
  process.stdout.write(`${renderLoad(phases)}\n`);
}

async function runPhase(title: string, targetId: number, stalled: number): Promise<PhaseOutcome> {
  const { address, port, zone } = sluice;
  const server = { address, port };
  const before = await serverCounters();
  const processor = watchProcessor();
  const memory = watchMemory(sluice.pid);
  const startedAt = performance.now();
  const stalledClients =
    stalled === 0
      ? null
      : startStalled({ server, zone, clients: stalled, stallMs: STALL_SECONDS * 1000 });
  const drains = startThread<DrainsTask, 'stop', DrainsOutcome>(
    './drains.ts',
    { server, zone, clients: TRANSFERS },
    THREAD_STOP_MS,
  );
  const devices = startThread<DevicesTask, DevicesStop, DevicesOutcome>(
    './devices.ts',
    { server, zone, devices: DEVICES },
    THREAD_STOP_MS,
  );
  // All have asked for the SOA once before the first change.
  await sleep(2_000);
  const updates = await updateEachSecond(targetId);
  const devicesOutcome = await devices.stop({ serial: await askSerial(server, zone) });
  const stalledOutcome = (await stalledClients?.stop()) ?? null;
  const drainsOutcome = await drains.stop('stop');
  const seconds = (performance.now() - startedAt) / 1000;
  const usage = processor.taken();
  const measured = await memory.stop();
  const after = await serverCounters();
  say(title);
  return {
    title,
    seconds,
    devicesAsked: DEVICES,
    devices: devicesOutcome,
    drains: drainsOutcome,
    stalled: stalledOutcome,
    ...updates,
    ...usage,
    memory: measured,
    counters: new Map([...after].map(([name, value]) => [name, value - (before.get(name) ?? 0)])),
  };
}

/** Adds some rules and removes those added before, each second; the next one is left out while one is under way. */
async function updateEachSecond(
  targetId: number,
): Promise<Pick<PhaseOutcome, 'updateMs' | 'updatesLate'>> {
  const updateMs: number[] = [];
  let updatesLate = 0;
  let remove: string[] = [];
  const start = performance.now();
  for (let second = 0; second < SECONDS; second++) {
    const now = performance.now() - start;
    if (now > (second + 1) * 1000) {
      updatesLate++;
      continue;
    }
    await sleep(Math.max(0, second * 1000 - now));
    const add = freshNames(CHANGES, second);
    const asked = performance.now();
    await sluice.api('PATCH', `/targets/${targetId}/indicators`, { add, remove });
    updateMs.push(performance.now() - asked);
    remove = add;
  }
  await sluice.api('PATCH', `/targets/${targetId}/indicators`, { remove });
  return { updateMs, updatesLate };
}

function watchProcessor() {
  const server = processorSeconds(sluice.pid);
  const clients = process.cpuUsage();
  return {
    taken() {
      const { user, system } = process.cpuUsage(clients);
      return {
        serverSeconds: processorSeconds(sluice.pid) - server,
        clientSeconds: (user + system) / 1e6,
      };
    },
  };
}

function watchMemory(pid: number): { stop(): Promise<Memory> } {
  const start = residentOctets(pid);
  let max = start;
  const sample = (): number => {
    const now = residentOctets(pid);
    max = Math.max(max, now);
    return now;
  };
  const timer = setInterval(sample, MEMORY_SAMPLE_MS);
  return {
    async stop() {
      clearInterval(timer);
      const end = sample();
      await sleep(REST_MS);
      return { start, max, end, rest: residentOctets(pid) };
    },
  };
}

/** What the server has counted of its sockets and transfers, from its metrics. */
async function serverCounters(): Promise<Map<string, number>> {
  const lines = (await sluice.metrics()).matchAll(/^sluice_dns_server\{what="(\w+)"\} (\S+)$/gm);
  return new Map([...lines].map(([, name, value]) => [name, Number(value)]));
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
