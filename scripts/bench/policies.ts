import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { askSerial } from './client.ts';
import { freshNames, generateRules } from './generate.ts';
import { residentOctets } from './processes.ts';
import { startEmptySluice } from './servers.ts';
import { median } from './statistics.ts';

/**
 * Many policies over one catalogue: how long they take to make, what they take in memory, and how
 * soon a change of a target that all of them hold is served by every zone, those of the devices
 * that pull them included.
 */
const { values } = parseArgs({
  options: {
    rules: { type: 'string', default: '1000000' },
    targets: { type: 'string', default: '200' },
    policies: { type: 'string', default: '1000' },
    members: { type: 'string', default: '20' },
    devices: { type: 'string', default: '0' },
    rounds: { type: 'string', default: '5' },
  },
});
const [RULES, TARGETS, POLICIES, MEMBERS, DEVICES, ROUNDS] = [
  values.rules,
  values.targets,
  values.policies,
  values.members,
  values.devices,
  values.rounds,
].map(Number);
const CHANGES = 1_000;

const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
const sluice = await startEmptySluice(folder);
try {
  await bench();
} finally {
  await sluice.stop();
  rmSync(folder, { recursive: true, force: true });
}

async function bench(): Promise<void> {
  say(
    `${POLICIES} policies of ${MEMBERS} of ${TARGETS} targets, ${RULES} indicators, ${DEVICES} devices; ${cpus().length} cores, Node ${process.version}`,
  );
  const targets = await makeTargets();
  const withoutPolicies = residentOctets(sluice.pid);
  say(`catalogue: ${megabytes(withoutPolicies)} MB resident`);

  const startedMs = performance.now();
  const ids = await makePolicies(targets);
  const createMs = performance.now() - startedMs;
  await makeDevices(ids);
  const withPolicies = residentOctets(sluice.pid);
  say(
    `created in ${(createMs / 1000).toFixed(1)} s, ${(createMs / POLICIES).toFixed(1)} ms each; ` +
      `${megabytes(withPolicies)} MB resident, ${Math.round((withPolicies - withoutPolicies) / POLICIES / 1024)} KB a policy`,
  );

  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const before = await zoneSerials();
    const add = freshNames(CHANGES, round);
    const start = performance.now();
    const { zones } = await sluice.api<{ zones: { zone: string; serial: number }[] }>(
      'PATCH',
      `/targets/${targets[0]}/indicators`,
      { add },
    );
    times.push(performance.now() - start);
    if (zones.length < POLICIES) throw new Error(`only ${zones.length} zones have a new serial`);
    await checkServed(zones, before);
  }
  say(
    `a change of ${CHANGES} indicators until every zone serves its new serial: ` +
      `${times.map((ms) => Math.round(ms)).join(', ')} ms; median ${Math.round(median(times) ?? 0)} ms`,
  );
  say(`${megabytes(residentOctets(sluice.pid))} MB resident afterwards`);
}

async function makeTargets(): Promise<readonly number[]> {
  const rules = generateRules(RULES);
  const lines = [...rules.blocked, ...rules.allowed, ...rules.local];
  const size = Math.ceil(lines.length / TARGETS);
  const ids: number[] = [];
  for (let index = 0; index < TARGETS; index++) {
    const { target } = await sluice.api<{ target: { id: number } }>('POST', '/targets', {
      name: `target ${index}`,
    });
    const part = lines.slice(index * size, (index + 1) * size);
    await sluice.api('PUT', `/targets/${target.id}/indicators`, part.join('\n'));
    ids.push(target.id);
  }
  return ids;
}

/** All hold the first target, so that one change reaches them all; the others are drawn. */
async function makePolicies(targets: readonly number[]): Promise<readonly number[]> {
  const random = createDraw(POLICIES);
  const ids: number[] = [];
  for (let index = 0; index < POLICIES; index++) {
    const chosen = new Set([targets[0]]);
    while (chosen.size < MEMBERS) chosen.add(targets[Math.floor(random() * targets.length)]);
    const { policy } = await sluice.api<{ policy: { id: number } }>('POST', '/policies', {
      name: `p${index}`,
      type: 'dns',
      attachments: [...chosen].map((id) => ({ kind: 'target', id })),
    });
    ids.push(policy.id);
  }
  return ids;
}

async function makeDevices(policies: readonly number[]): Promise<void> {
  for (let index = 0; index < DEVICES; index++) {
    await sluice.api('POST', '/devices', {
      name: `d${index}`,
      type: 'dns',
      sources: ['127.0.0.0/8'],
      access: 'source',
      policyId: policies[index % policies.length],
    });
  }
}

async function zoneSerials(): Promise<ReadonlyMap<string, number>> {
  const serials = new Map<string, number>();
  for (let offset = 0; ; offset += 1_000) {
    const { items, total } = await sluice.api<{
      items: { zone: string; serial: number }[];
      total: number;
    }>('GET', `/zones?limit=1000&offset=${offset}`);
    for (const { zone, serial } of items) serials.set(zone, serial);
    if (serials.size >= total) return serials;
  }
}

/** The answer told new serials: they are served, over DNS for zones that a device on this machine reads. */
async function checkServed(
  changed: readonly { readonly zone: string; readonly serial: number }[],
  before: ReadonlyMap<string, number>,
): Promise<void> {
  const served = await zoneSerials();
  for (const { zone, serial } of changed) {
    if (served.get(zone) !== serial || serial <= (before.get(zone) ?? 0))
      throw new Error(`${zone} serves ${served.get(zone)}, told was ${serial}`);
  }
  for (const { zone, serial } of changed.filter((_, index) => index % 50 === 0 && DEVICES > 0)) {
    const answered = await askSerial(sluice, zone).catch(() => null);
    if (answered !== null && answered !== serial)
      throw new Error(`${zone} answers ${answered}, told was ${serial}`);
  }
}

function createDraw(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function megabytes(octets: number): number {
  return Math.round(octets / 1024 / 1024);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
