import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Endpoint } from './client.ts';

const SCRIPT = fileURLToPath(new URL('../sluice-pull', import.meta.url));

export interface Pulled {
  readonly ms: number;
  readonly blocked: number;
  readonly allowed: number;
}

/** Runs sluice-pull as a firewall would, with a file in the place of the sets of the kernel. */
export async function pullPrefixes(
  server: Endpoint,
  options: {
    readonly block: string;
    /** Nothing of it is taken when it is not said. */
    readonly allow?: string;
    readonly method: 'pages' | 'axfr';
    readonly folder: string;
  },
): Promise<Pulled> {
  const { block, allow, method, folder } = options;
  const path = join(folder, 'prefixes');
  const output = openSync(path, 'w');
  const start = performance.now();
  const child = spawn(
    'sh',
    [
      ...[SCRIPT, '--server', server.address, '--port', String(server.port), '--method', method],
      ...['--block', block, '--backend', 'print', '--state-dir', folder],
      ...(allow === undefined ? [] : ['--allow', allow]),
    ],
    { stdio: ['ignore', output, 'inherit'] },
  );
  const [code] = await once(child, 'close');
  const ms = performance.now() - start;
  closeSync(output);
  if (code !== 0) throw new Error(`sluice-pull ended with code ${code}`);
  const text = readFileSync(path, 'latin1');
  return { ms, blocked: count(text, /^block /gm), allowed: count(text, /^allow /gm) };
}

function count(text: string, line: RegExp): number {
  return text.match(line)?.length ?? 0;
}
