import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

const START_TIMEOUT_MS = 300_000;
const STOP_TIMEOUT_MS = 20_000;

/** Starts a program that ends with us: a benchmark that fails leaves no server behind. */
export function startProcess(
  command: string,
  options: readonly string[],
  spawnOptions: SpawnOptions,
): ChildProcess {
  const child = spawn(command, [...options], spawnOptions);
  process.once('exit', () => child.kill('SIGKILL'));
  return child;
}

/** Resolves when the process is gone. */
export async function stopProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await gone;
  clearTimeout(timer);
}

export async function until(
  isTrue: () => boolean | Promise<boolean>,
  otherwise: string,
  timeoutMs = START_TIMEOUT_MS,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await isTrue())) {
    if (performance.now() > deadline) throw new Error(otherwise);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Resident memory of a process, in octets. */
export function residentOctets(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
}

/**
 * Memory that a process and its children take, in octets: what several of them hold together counts
 * once (NSD serves from a child that shares the zones with its parent).
 */
export function treeOctets(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
  const own = Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0) * 1024;
  return childrenOf(pid).reduce((sum, child) => sum + treeOctets(child), own);
}

/** Processor time that a process has taken, all threads, in seconds. */
export function processorSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The name in parentheses may hold spaces; user and system time are the 14th and 15th field.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND;
}

/** USER_HZ, which Linux has told programs since there is one. */
const CLOCK_TICKS_PER_SECOND = 100;

/** The same with its children, in milliseconds and finer than ticks of the clock. */
export function treeProcessorMs(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`).map((thread) => {
    const schedstat = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1');
    return Number(schedstat.split(' ')[0]) / 1e6;
  });
  const own = threads.reduce((sum, ms) => sum + ms, 0);
  return childrenOf(pid).reduce((sum, child) => sum + treeProcessorMs(child), own);
}

/**
 * Processor time of a process and its children, in seconds and to a hundredth: unlike
 * `treeProcessorMs` with that of threads that have ended, as a server has that makes one for each
 * connection.
 */
export function treeProcessorSeconds(pid: number): number {
  return childrenOf(pid).reduce(
    (sum, child) => sum + treeProcessorSeconds(child),
    processorSeconds(pid),
  );
}

function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    childrenOfThread(`/proc/${pid}/task/${thread}/children`).split(' ').filter(Boolean).map(Number),
  );
}

/** A thread may have ended since the folder was read: a server may have one for each connection. */
function childrenOfThread(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
