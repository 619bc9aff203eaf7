import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { type ChildSluice, freePorts, startChildSluice } from '../support/child-sluice.ts';
import { transferByTcp } from '../support/dns-clients.ts';
import { type ApiCaller, apiCaller } from '../support/http-caller.ts';
import { createRandom } from '../support/random.ts';
import { servePolicy, temporaryDirectory } from '../support/test-sluice.ts';
import {
  compareImages,
  followIxfr,
  imageOfAxfr,
  SAME_IMAGE,
  type ZoneImage,
} from '../support/zone-image.ts';

const SEED = 2_026;
/** Names of one version of the source; the next one has half of them. */
const NAMES = 12_000;
const STEP = NAMES / 2;
const PATIENCE_MS = 20_000;

interface Status {
  readonly running: { readonly phase: string } | null;
  readonly runs: number;
  readonly state: string;
}

/** Where a run is when the server dies, and how much later still. */
const MOMENTS = [
  { phase: 'fetch', laterMs: 0 },
  { phase: 'fetch', laterMs: 15 },
  { phase: 'parse', laterMs: 0 },
  { phase: 'publish', laterMs: 0 },
  { phase: 'publish', laterMs: 20 },
  { phase: 'publish', laterMs: 60 },
  { phase: 'publish', laterMs: 120 },
  { phase: 'publish', laterMs: 250 },
] as const;
const ORDER = ['waiting', 'fetch', 'parse', 'publish'];

/** The numbers of a version of the source: its content says which one it is. */
const firstOf = (version: number): number => version * STEP;

/** Puts a version in place at once, as whoever writes such files does. */
function writeVersion(directory: string, version: number): void {
  const lines = Array.from({ length: NAMES }, (_, at) => `n${firstOf(version) + at}.example`);
  writeFileSync(join(directory, '.next'), `${lines.join('\n')}\n`);
  renameSync(join(directory, '.next'), join(directory, 'list.txt'));
}

/** Which version a zone holds: throws when it is none, or a part of one. */
function versionIn(image: ZoneImage): number {
  const numbers = new Set<number>();
  for (const { name } of image.records.values()) {
    const found = /n(\d+)\W?example/.exec(Buffer.from(name).toString('latin1'));
    if (found !== null) numbers.add(Number(found[1]));
  }
  const first = Math.min(...numbers);
  expect([numbers.size, Math.max(...numbers) - first + 1]).toEqual([NAMES, NAMES]);
  return first / STEP;
}

async function look(child: ChildSluice, zone: string): Promise<ZoneImage> {
  return imageOfAxfr((await transferByTcp(child.dns, zone)).records);
}

async function statusOf(api: ApiCaller, feedId: number): Promise<Status> {
  return (await api<{ readonly status: Status }>('GET', `/feeds/${feedId}`)).status;
}

/** Waits until the run that is under way has come so far, or is over. */
async function reach(api: ApiCaller, feedId: number, phase: string): Promise<void> {
  for (;;) {
    const { running } = await statusOf(api, feedId);
    if (running === null || ORDER.indexOf(running.phase) >= ORDER.indexOf(phase)) return;
  }
}

async function runToEnd(api: ApiCaller, feedId: number): Promise<void> {
  await api('POST', `/feeds/${feedId}/run`);
  await expect
    .poll(async () => (await statusOf(api, feedId)).running, { timeout: PATIENCE_MS })
    .toBeNull();
}

it('kill -9 during fetch, merge and commit leaves a target with one version of its source or the next', async () => {
  const random = createRandom(SEED);
  const directory = temporaryDirectory();
  const files = join(directory, 'data', 'feeds');
  mkdirSync(files, { recursive: true });
  const ports = await freePorts();
  let child = startChildSluice(directory, ports);
  await child.started;
  const api = apiCaller(child.http, child.adminToken ?? '');
  const { targetId, zone } = await servePolicy(
    { api },
    { name: 'corp', type: 'dns', lines: ['x.example'] },
  );
  writeVersion(files, 0);
  const source = { kind: 'file', path: 'list.txt' };
  const { feed } = await api<{ feed: { id: number } }>('POST', '/feeds', { targetId, source });
  await runToEnd(api, feed.id);
  let version = 0;
  expect(versionIn(await look(child, zone))).toBe(version);
  const found: boolean[] = [];

  for (const { phase, laterMs } of MOMENTS) {
    const before = await look(child, zone);
    writeVersion(files, version + 1);
    await api('POST', `/feeds/${feed.id}/run`);
    await reach(api, feed.id, phase);
    await pause(laterMs + random.below(10));
    await child.kill();

    child = startChildSluice(directory, ports);
    await child.started;
    const after = await look(child, zone);
    const held = versionIn(after);
    expect([version, version + 1]).toContain(held);
    found.push(held > version);
    const { records } = await transferByTcp(child.dns, zone, { have: before.serial });
    expect(compareImages(followIxfr(before, records), after)).toEqual(SAME_IMAGE);

    // Nothing is in the way of the next run, which brings what the source has now.
    await runToEnd(api, feed.id);
    version += 1;
    expect(versionIn(await look(child, zone))).toBe(version);
    expect((await statusOf(api, feed.id)).state).toBe('ok');
  }
  // Some died before their commit.
  expect(found).toContain(false);
}, 180_000);
