import { createSocket } from 'node:dgram';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { CLASS, createMessageWriter, parseName, RRTYPE } from '../../src/dns/index.ts';
import { freshNames, generateRules } from './generate.ts';
import { residentOctets } from './processes.ts';
import { startEmptySluice } from './servers.ts';

/**
 * A large feed from a file: how long from its octets on disk to the new serial being served, and how
 * quickly SOA queries are answered all the while. Then the same feed with a few lines changed.
 */
const { values } = parseArgs({
  options: {
    lines: { type: 'string', default: '1000000' },
    changes: { type: 'string', default: '1000' },
    'queries-per-second': { type: 'string', default: '200' },
  },
});
const [LINES, CHANGES, RATE] = [values.lines, values.changes, values['queries-per-second']].map(
  Number,
);
const ZONE = 'rpz.feed.main.sluice.internal.';

const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
const feeds = join(folder, 'data', 'feeds');
mkdirSync(feeds, { recursive: true });
const sluice = await startEmptySluice(folder);
try {
  await bench();
} finally {
  await sluice.stop();
  rmSync(folder, { recursive: true, force: true });
}

async function bench(): Promise<void> {
  say(`${LINES} lines; ${cpus().length} cores, Node ${process.version}`);
  const { blocked, allowed, local } = generateRules(LINES);
  const lines = [...blocked, ...allowed, ...local];
  const feedId = await makeFeed();
  await quiet('nothing else under way');
  const before = residentOctets(sluice.pid);

  await measure(feedId, lines, 'the first run');
  await sleep(15_000);
  const after = residentOctets(sluice.pid);
  say(`memory: ${megabytes(before)} MB before, ${megabytes(after)} MB fifteen seconds afterwards`);
  for (let round = 0; round < 3; round++) {
    const changed = [...lines.slice(CHANGES * (round + 1)), ...freshNames(CHANGES, round)];
    await measure(feedId, changed, `a run with ${CHANGES} changed lines`);
  }
}

async function makeFeed(): Promise<number> {
  const { target } = await sluice.api<{ target: { id: number } }>('POST', '/targets', {
    name: 'feed',
  });
  const { policy } = await sluice.api<{ policy: { id: number } }>('POST', '/policies', {
    name: 'feed',
    type: 'dns',
    attachments: [{ kind: 'target', id: target.id }],
  });
  await sluice.api('POST', '/devices', {
    name: 'feed',
    type: 'dns',
    sources: ['127.0.0.0/8'],
    access: 'source',
    policyId: policy.id,
  });
  writeFileSync(join(feeds, 'list.txt'), 'first.example\n');
  const { feed } = await sluice.api<{ feed: { id: number } }>('POST', '/feeds', {
    targetId: target.id,
    source: { kind: 'file', path: 'list.txt' },
    schedule: { kind: 'interval', seconds: 86_400 },
    gates: { shrinkPercent: null, growPercent: null, rejectedPercent: null },
    limits: { linesMax: 5_000_000 },
  });
  await runEnded(feed.id, 0);
  return feed.id;
}

/** Writes the list, runs the feed and asks for the SOA until its end. */
async function measure(feedId: number, lines: readonly string[], title: string): Promise<void> {
  writeFileSync(join(feeds, 'list.txt'), `${lines.join('\n')}\n`);
  const asker = startAsking();
  const started = await lastRunAt(feedId);
  const startMs = performance.now();
  await sluice.api('POST', `/feeds/${feedId}/run`);
  const run = await runEnded(feedId, started);
  const ms = performance.now() - startMs;
  await sleep(300);
  say(
    `${title}: ${(ms / 1000).toFixed(2)} s until served, +${run.added} −${run.removed}; ${await asker.stop()}`,
  );
}

async function quiet(title: string): Promise<void> {
  const asker = startAsking();
  await sleep(2_000);
  say(`${title}: ${await asker.stop()}`);
}

interface Run {
  readonly startedAt: string;
  readonly end: string;
  readonly reasons: readonly string[];
  readonly added: number;
  readonly removed: number;
}

async function runs(feedId: number): Promise<readonly Run[]> {
  return (await sluice.api<{ items: Run[] }>('GET', `/feeds/${feedId}/runs`)).items;
}

async function lastRunAt(feedId: number): Promise<number> {
  return Date.parse((await runs(feedId))[0]?.startedAt ?? '1970-01-01T00:00:00Z');
}

async function runEnded(feedId: number, after: number): Promise<Run> {
  for (;;) {
    const [run] = await runs(feedId);
    if (run !== undefined && Date.parse(run.startedAt) > after) {
      if (run.end !== 'published') throw new Error(`${run.end}: ${run.reasons.join(' ')}`);
      return run;
    }
    await sleep(50);
  }
}

/** Asks for the SOA at a steady rate, whatever the answers do, and says how long they took. */
function startAsking() {
  const socket = createSocket('udp4');
  const sentAt = new Map<number, number>();
  const times: number[] = [];
  let id = 0;
  socket.on('message', (message) => {
    const at = sentAt.get(message.readUInt16BE(0));
    if (at !== undefined) times.push(performance.now() - at);
    sentAt.delete(message.readUInt16BE(0));
  });
  const buffer = new Uint8Array(512);
  const timer = setInterval(() => {
    id = (id + 1) & 0xffff;
    const writer = createMessageWriter(buffer);
    writer.start({ id });
    writer.question({ name: parseName(ZONE), type: RRTYPE.SOA, class: CLASS.IN });
    sentAt.set(id, performance.now());
    socket.send(buffer.slice(0, writer.finish()), sluice.port, sluice.address);
  }, 1000 / RATE);
  return {
    async stop(): Promise<string> {
      clearInterval(timer);
      await sleep(200);
      socket.close();
      times.sort((a, b) => a - b);
      const at = (share: number) => (times[Math.floor(times.length * share)] ?? 0).toFixed(1);
      const longest = times.slice(-5).map((ms) => ms.toFixed(0));
      return `SOA p50 ${at(0.5)} p99 ${at(0.99)} ms over ${times.length} (${sentAt.size} unanswered), longest ${longest.join(' ')}`;
    },
  };
}

function megabytes(octets: number): number {
  return Math.round(octets / 1024 / 1024);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
