import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { findProgram } from '../interop/peers/index.ts';

export const SCRIPT = fileURLToPath(new URL('../../scripts/sluice-pull', import.meta.url));

export interface PullResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly durationMs: number;
}

export interface RunningPull {
  readonly pid: number;
  readonly result: Promise<PullResult>;
}

const RUN_MS_MAX = 60_000;

interface PullSurroundings {
  /** Programs in this folder come before all others. */
  readonly tools?: string;
  readonly path?: string;
  /** For the temporary files of a run that will be killed and cannot remove them. */
  readonly temporary?: string;
}

/** Runs the script under dash, the strictest of the usual shells. */
export function startPull(args: readonly string[], around: PullSurroundings = {}): RunningPull {
  const path = around.path ?? `${process.env.PATH}:/usr/sbin:/sbin`;
  const child = spawn(findProgram('dash') ?? 'dash', [SCRIPT, ...args], {
    env: {
      PATH: around.tools === undefined ? path : `${around.tools}:${path}`,
      TMPDIR: around.temporary ?? tmpdir(),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: RUN_MS_MAX,
  });
  return { pid: child.pid!, result: finish(child) };
}

export function pull(args: readonly string[], around?: PullSurroundings): Promise<PullResult> {
  return startPull(args, around).result;
}

async function finish(child: ReturnType<typeof spawn>): Promise<PullResult> {
  const started = performance.now();
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (piece) => (stdout += piece));
  child.stderr?.on('data', (piece) => (stderr += piece));
  const [code] = await once(child, 'close');
  return { code, stdout, stderr, durationMs: performance.now() - started };
}
