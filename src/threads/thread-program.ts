import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ThreadSources } from './strip-program.ts';

/** What a thread is started with; its worker data holds this and whatever else the program wants. */
export interface ThreadProgram {
  /** The URL of its first module. */
  readonly program: string;
  readonly sources: ThreadSources;
}

/** The file that a worker is made from, whatever its program is. */
export const THREAD_BOOT = new URL('./thread-boot.mjs', import.meta.url);

const OCTETS_MAX = 16 * 1024 * 1024;
const STRIP_MS_MAX = 30_000;
const PRINTER = fileURLToPath(new URL('./print-program.ts', import.meta.url));

/**
 * For threads that are started while the server runs: a process of its own reads the program, once.
 * To do it here would hold up the main thread.
 *
 * Never throws. What could not be read is not there: the thread then loads it as Node does, and says
 * what is wrong with it.
 */
export async function threadProgram(program: URL): Promise<ThreadProgram> {
  const known = stripped.get(program.href) ?? stripElsewhere(program);
  stripped.set(program.href, known);
  return { program: program.href, sources: await known };
}

/** Programs do not change while they run, and there are two or three of them. */
const stripped = new Map<string, Promise<ThreadSources>>();

async function stripElsewhere(program: URL): Promise<ThreadSources> {
  try {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--no-warnings', PRINTER, program.href],
      { maxBuffer: OCTETS_MAX, timeout: STRIP_MS_MAX },
    );
    return new Map(JSON.parse(stdout) as [string, string][]);
  } catch {
    stripped.delete(program.href);
    return new Map();
  }
}
