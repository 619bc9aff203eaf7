import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GuardStage, startGuardStage } from './guard/served.ts';

const run = promisify(execFile);
const IN_PROCESS = fileURLToPath(new URL('./guard/in-process.ts', import.meta.url));

/**
 * How many times as long as its yardstick something may take. Behind each is what was measured on two
 * cores: a limit is about twice that, so that it says nothing of the machine, and fails when a hot
 * path has become three times as slow.
 */
const LIMITS = {
  transfer: 2.8, // 1.1 to 1.3
  publish: 2.5, // 1.0 to 1.4
  change: 9, // 3.8 to 4.1
  encoding: 7, // 2.8 to 3.9
  query: 12, // 4.5 to 6
};

interface InProcessRatios {
  readonly encoding: number;
  readonly query: number;
}

/**
 * Speed, held against yardsticks that run beside it: never against a clock. Each figure is the ratio of
 * two medians whose runs take turns. Where it is above its limit it is measured once more, because the
 * machine may have done something else for as long as one of them lasted; what is slow is slow twice.
 */
describe('with 100,000 rules', () => {
  let folder: string;
  let stage: GuardStage;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-guard-'));
    stage = await startGuardStage(folder);
  });
  afterAll(async () => {
    await stage?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('a transfer from ready frames keeps up with plain Node that pushes the same octets', async () => {
    await expectWithin('transfer', () => stage.transferRatio());
  });

  it('a change costs what changed: no more than in a zone with a tenth of the rules', async () => {
    await expectWithin('publish', () => stage.publishRatio());
  });

  it('a change of ten names costs a few questions of the admin API', async () => {
    await expectWithin('change', () => stage.changeRatio());
  });

  it('encoding a zone is a copy loop', async () => {
    await expectWithin('encoding', async () => (await inProcess()).encoding);
  });

  it('a query costs little more than a look into a Map', async () => {
    await expectWithin('query', async () => (await inProcess()).query);
  });
});

async function expectWithin(
  what: keyof typeof LIMITS,
  measure: () => Promise<number>,
): Promise<void> {
  const first = await measure();
  const ratio = first < LIMITS[what] ? first : Math.min(first, await measure());
  console.info(`${what}: ${ratio.toFixed(2)} times its yardstick, ${LIMITS[what]} at most`);
  expect(ratio).toBeLessThan(LIMITS[what]);
}

async function inProcess(): Promise<InProcessRatios> {
  const { stdout } = await run(process.execPath, [IN_PROCESS]);
  return JSON.parse(stdout);
}
