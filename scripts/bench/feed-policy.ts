import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeDevice, type SluiceServer, startEmptySluice } from './servers.ts';

/** What became of one run of a feed. */
export interface FeedRun {
  readonly startedAt: string;
  readonly end: string;
  readonly reasons: readonly string[];
  readonly added: number;
  readonly removed: number;
}

/** Sluice with a feed from a file, whose lines are a policy. */
export interface FeedServer extends Omit<SluiceServer, 'targetId'> {
  /** Writes the file, and returns when it is on disk. */
  write(lines: readonly string[]): void;
  /** Has the feed run, and returns when what it brought is published. */
  run(): Promise<FeedRun>;
}

const LINES_MAX = 5_000_000;
const DAY_SECONDS = 86_400;
const POLL_MS = 25;

export async function startFeedPolicy(folder: string): Promise<FeedServer> {
  const feeds = join(folder, 'data', 'feeds');
  mkdirSync(feeds, { recursive: true });
  const file = join(feeds, 'list.txt');
  const write = (lines: readonly string[]) => writeFileSync(file, `${lines.join('\n')}\n`);
  write(['first.example']);
  const server = await startEmptySluice(folder);
  const { api } = server;
  const { target } = await api<{ target: { id: number } }>('POST', '/targets', { name: 'feed' });
  const { policy } = await api<{ policy: { id: number } }>('POST', '/policies', {
    name: 'bench',
    type: 'dns',
    attachments: [{ kind: 'target', id: target.id }],
  });
  await makeDevice(api, { name: 'bench', sources: ['127.0.0.0/8'], policyId: policy.id });
  const { feed } = await api<{ feed: { id: number } }>('POST', '/feeds', {
    targetId: target.id,
    source: { kind: 'file', path: 'list.txt' },
    // Once when it is made, and then only when it is told to.
    schedule: { kind: 'interval', seconds: DAY_SECONDS },
    gates: { shrinkPercent: null, growPercent: null, rejectedPercent: null },
    limits: { linesMax: LINES_MAX },
  });
  const path = `/feeds/${feed.id}`;
  const lastRun = async () => (await api<{ items: FeedRun[] }>('GET', `${path}/runs`)).items[0];
  const runAfter = async (before: FeedRun | undefined): Promise<FeedRun> => {
    for (;;) {
      const run = await lastRun();
      if (run !== undefined && run.startedAt !== before?.startedAt) {
        if (run.end === 'published') return run;
        throw new Error(`the feed ends "${run.end}": ${run.reasons.join(' ')}`);
      }
      await sleep(POLL_MS);
    }
  };
  await runAfter(undefined);
  return {
    ...server,
    write,
    async run() {
      const before = await lastRun();
      await api('POST', `${path}/run`);
      return runAfter(before);
    },
  };
}
