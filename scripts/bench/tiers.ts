import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { askSerial, type Endpoint } from './client.ts';
import { renderTable } from './report.ts';
import { median } from './statistics.ts';
import { type HubServer, startHub } from './tiers/hub.ts';
import { HUB_ADDRESS, inHub, makeNetwork, removeNetwork } from './tiers/network.ts';
import { startTier, type Tier, type TierKind } from './tiers/tier.ts';

/**
 * Sluice as the hidden primary of tiers of stock secondaries, each in a network namespace of its own
 * with the configuration that scripts/tier-config.ts writes: how long a change of one target takes
 * until all of them hold the new serial of every zone, and a new policy until all of them serve it.
 * Needs root. Nothing is reachable from outside of the namespaces.
 */
const { values } = parseArgs({
  options: {
    policies: { type: 'string', default: '100' },
    rules: { type: 'string', default: '1000' },
    tiers: { type: 'string', default: 'knot,knot,bind,bind,nsd,nsd' },
    rounds: { type: 'string', default: '5' },
    inside: { type: 'boolean', default: false },
  },
});
const [POLICIES, RULES, ROUNDS] = [values.policies, values.rules, values.rounds].map(Number);
const KINDS = values.tiers.split(',') as TierKind[];
const CHANGES = 100;
const CONVERGED_MS_MAX = 120_000;
/** Between two rounds of questions to one tier. */
const POLL_MS = 5;
const ANSWER_MS_MAX = 500;

if (values.inside) await bench();
else runInNamespaces();

function runInNamespaces(): void {
  makeNetwork(KINDS.length);
  try {
    const self = fileURLToPath(import.meta.url);
    execFileSync('ip', inHub(process.execPath, self, ...process.argv.slice(2), '--inside'), {
      stdio: 'inherit',
    });
  } finally {
    removeNetwork(KINDS.length);
  }
}

async function bench(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-tiers-'));
  const tiers: Tier[] = [];
  const hub = await startHub(folder, HUB_ADDRESS);
  try {
    const target = await makePolicies(hub);
    for (const [index, kind] of KINDS.entries()) {
      tiers.push(await startTier({ kind, index, hub, folder }));
    }
    const started = performance.now();
    const zones = await hub.zones();
    const taken = await convergence(hub, tiers, started);
    const updates: number[][] = [];
    for (let round = 0; round < ROUNDS; round++)
      updates.push(await updateOnce(hub, tiers, target, round));
    const followers = tiers.filter(({ followsCatalog }) => followsCatalog);
    const added: number[][] = [];
    for (let round = 0; round < ROUNDS; round++)
      added.push(await addPolicy(hub, followers, target, round));
    print(zones.length, tiers, followers, { taken, updates, added });
  } finally {
    for (const tier of tiers) await tier.stop();
    await hub.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Half of them DNS and half IP policies, all of one target, so that a change of it reaches every zone. */
async function makePolicies(hub: HubServer): Promise<number> {
  const { target } = await hub.api<{ target: { id: number } }>('POST', '/targets', { name: 'all' });
  const lines = Array.from({ length: RULES / 2 }, (_, index) => [
    `name${index}.tiers.example`,
    `11.${index >> 16}.${(index >> 8) & 255}.${index & 255}`,
  ]).flat();
  await hub.api('PUT', `/targets/${target.id}/indicators`, lines.join('\n'));
  for (let index = 0; index < POLICIES; index++) await makePolicy(hub, `p${index}`, target.id);
  return target.id;
}

async function makePolicy(hub: HubServer, name: string, target: number): Promise<void> {
  const isDns = Number(name.slice(1)) % 2 === 0;
  await hub.api('POST', '/policies', {
    name,
    type: isDns ? 'dns' : 'ip',
    attachments: [{ kind: 'target', id: target, action: { kind: isDns ? 'nxdomain' : 'block' } }],
  });
}

/** Changes the target that all zones hold; the time of each tier until it has every new serial. */
async function updateOnce(
  hub: HubServer,
  tiers: readonly Tier[],
  target: number,
  round: number,
): Promise<number[]> {
  const add = Array.from({ length: CHANGES / 2 }, (_, index) => [
    `new${index}.round${round}.example`,
    `12.${round}.${index >> 8}.${index & 255}`,
  ]).flat();
  const started = performance.now();
  await hub.api('PATCH', `/targets/${target}/indicators`, { add });
  return convergence(hub, tiers, started);
}

async function addPolicy(
  hub: HubServer,
  tiers: readonly Tier[],
  target: number,
  round: number,
): Promise<number[]> {
  const started = performance.now();
  await makePolicy(hub, `q${round}`, target);
  return convergence(hub, tiers, started);
}

/** Milliseconds since `started` until each tier has every zone as it is served now. */
async function convergence(
  hub: HubServer,
  tiers: readonly Tier[],
  started: number,
): Promise<number[]> {
  const zones = await hub.zones();
  return Promise.all(
    tiers.map(async (tier) => {
      const left = new Map(zones.map(({ zone, serial }) => [zone, serial]));
      const deadline = performance.now() + CONVERGED_MS_MAX;
      while (left.size > 0) {
        if (performance.now() > deadline) {
          throw new Error(`${tier.name} still lacks ${left.size} zones: ${[...left.keys()][0]}`);
        }
        for (const [zone, serial] of left) {
          if ((await serialAt(tier, zone)) !== serial) break;
          left.delete(zone);
        }
        if (left.size > 0) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
      return performance.now() - started;
    }),
  );
}

async function serialAt(tier: Endpoint, zone: string): Promise<number | null> {
  const late = new Promise<null>((resolve) =>
    setTimeout(() => resolve(null), ANSWER_MS_MAX).unref(),
  );
  return Promise.race([askSerial(tier, zone).catch(() => null), late]);
}

function print(
  zones: number,
  tiers: readonly Tier[],
  followers: readonly Tier[],
  times: {
    readonly taken: readonly number[];
    readonly updates: readonly (readonly number[])[];
    readonly added: readonly (readonly number[])[];
  },
): void {
  const { taken, updates, added } = times;
  const all = (rounds: readonly (readonly number[])[]): string =>
    `${Math.round(median(rounds.map((round) => Math.max(...round))) ?? 0)} ms`;
  const own = (rounds: readonly (readonly number[])[], index: number): string =>
    index < 0 ? '' : `${Math.round(median(rounds.map((round) => round[index]!)) ?? 0)} ms`;
  process.stdout.write(
    `${zones} zones of ${POLICIES} policies with ${RULES} rules, ${tiers.length} secondaries in network namespaces; ${cpus().length} cores, Node ${process.version}; medians of ${ROUNDS}\n\n`,
  );
  const rows = tiers.map((tier, index) => [
    tier.name,
    `${Math.round(taken[index]!)} ms`,
    own(updates, index),
    own(added, followers.indexOf(tier)),
  ]);
  process.stdout.write(
    `${renderTable([
      ['', 'all zones taken over', `${CHANGES} changes in every zone`, 'a new policy served'],
      ...rows,
      ['**all of them**', `${Math.round(Math.max(...taken))} ms`, all(updates), all(added)],
    ])}\n`,
  );
}
