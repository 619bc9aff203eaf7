import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach } from 'vitest';
import { ask } from './ask.ts';
import type { Endpoint } from './endpoint.ts';
import { eventually } from './eventually.ts';
import type { FakeInternet } from './fake-internet.ts';
import { findProgram } from './require-peer.ts';

/** A real program that runs for a test and answers (DNS, mostly) at its address and port. */
export interface Peer extends Endpoint {
  readonly program: string;
  readonly pid: number;
  /** Where its own queries and transfers come from: no other peer of this process has it. */
  readonly source: string;
  /** Temporary: configuration, zones, log. Gone after the tests unless one failed. */
  readonly folder: string;
  /** Where it resolves, if it is a resolver. */
  readonly internet: FakeInternet | null;
  log(): string;
  hasExited(): boolean;
  stop(): Promise<void>;
}

const READY_MS_MAX = 15_000;
const STOP_MS_MAX = 5_000;
const LOG_LINES_SHOWN = 60;

const running = new Set<Peer>();
const folders = new Set<string>();

export async function makePeerFolder(program: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `sluice-${program}-`));
  folders.add(folder);
  return folder;
}

/**
 * Starts a program in the foreground and waits until it answers a query, whatever the answer, or
 * until `answers` says so of a program that does not speak DNS.
 */
export async function startProgram(options: {
  readonly program: string;
  readonly args: readonly string[];
  readonly folder: string;
  readonly listen: Endpoint;
  readonly source?: string;
  readonly internet?: FakeInternet | undefined;
  readonly answers?: () => Promise<unknown>;
}): Promise<Peer> {
  const path = findProgram(options.program);
  if (path === null) throw new Error(`${options.program} is not installed`);
  const logPath = join(options.folder, 'log');
  const log = openSync(logPath, 'a');
  const child = spawn(path, options.args, { cwd: options.folder, stdio: ['ignore', log, log] });
  closeSync(log);
  await once(child, 'spawn');
  const peer: Peer = {
    ...options.listen,
    program: options.program,
    source: options.source ?? options.listen.address,
    pid: child.pid!,
    folder: options.folder,
    internet: options.internet ?? null,
    log: () => readFileSync(logPath, 'utf8'),
    hasExited: () => child.exitCode !== null || child.signalCode !== null,
    stop: async () => {
      running.delete(peer);
      await endProcess(child);
    },
  };
  running.add(peer);
  await untilReady(peer, options.answers ?? (() => answersDns(peer)));
  return peer;
}

function answersDns(peer: Peer): Promise<unknown> {
  return ask(peer, { name: 'ready.invalid', type: 'SOA', timeoutMs: 300 });
}

async function untilReady(peer: Peer, answers: () => Promise<unknown>): Promise<void> {
  try {
    // A program that has ended will never answer: that, too, ends the wait.
    await eventually(
      `${peer.program} answers`,
      async () => peer.hasExited() || (await answers()),
      READY_MS_MAX,
    );
    if (peer.hasExited()) throw new Error(`${peer.program} ended by itself`);
  } catch (error) {
    await peer.stop();
    throw new Error(`${String(error)}\n${lastLines(peer)}`);
  }
}

async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const inTime = await Promise.race([exited, sleep(STOP_MS_MAX, null, { ref: false })]);
  if (inTime === null) {
    child.kill('SIGKILL');
    await exited;
  }
}

function lastLines(peer: Peer): string {
  const lines = peer.log().trimEnd().split('\n').slice(-LOG_LINES_SHOWN);
  return `--- ${peer.program} (${peer.folder}), last lines of its log:\n${lines.join('\n')}`;
}

/**
 * Call once at the top of a test file. After a failed test the logs of all running peers are shown
 * and their folders stay; after the last test everything still running is stopped.
 */
export function keepPeersTidy(): void {
  let anyFailed = false;
  afterEach(({ task }) => {
    if (task.result?.state !== 'fail') return;
    anyFailed = true;
    for (const peer of running) console.error(lastLines(peer));
  });
  afterAll(async () => {
    await Promise.all([...running].map((peer) => peer.stop()));
    if (anyFailed) return;
    for (const folder of folders) await rm(folder, { recursive: true, force: true });
    folders.clear();
  });
}

// A test process that ends early takes its peers with it.
process.once('exit', () => {
  for (const peer of running) if (!peer.hasExited()) process.kill(peer.pid, 'SIGKILL');
});
