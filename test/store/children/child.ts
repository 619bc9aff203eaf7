import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface Child {
  /** Whole lines of its standard output so far. */
  readonly lines: () => readonly string[];
  /** Resolves when `count` lines are there; rejects when it ended before that. */
  readonly waitForLines: (count: number) => Promise<void>;
  /** SIGKILL, and waits until it is gone and all of its output was read. */
  readonly kill: () => Promise<void>;
}

/** Runs a program with this Node. `shell` wraps it, to set limits: it gets the command as "$@". */
export function startChild(script: URL, args: readonly string[], shell = ''): Child {
  const command = [process.execPath, fileURLToPath(script), ...args];
  const [program, programArgs] =
    shell === ''
      ? [command[0], command.slice(1)]
      : ['/bin/sh', ['-c', `${shell}; exec "$@"`, 'sh', ...command]];
  const child = spawn(program, programArgs, { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  let output = '';
  let isGone = false;
  void closed.then(() => {
    isGone = true;
  });
  child.stdout.setEncoding('utf8');
  child.stdout.on('data', (text: string) => {
    output += text;
  });
  const lines = () => output.split('\n').slice(0, -1);

  return {
    lines,
    waitForLines: async (count) => {
      while (lines().length < count) {
        if (isGone) throw new Error(`it ended after: ${output}`);
        await Promise.race([once(child.stdout, 'data'), closed]);
      }
    },
    kill: async () => {
      child.kill('SIGKILL');
      await closed;
    },
  };
}
