import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { Endpoint } from './dns-clients.ts';
import { freePort } from './free-port.ts';

/** The server as a process of its own, started as `npm start` does. */
export interface ChildSluice {
  readonly dns: Endpoint;
  readonly http: Endpoint;
  /** Printed at the first start over a directory only. */
  readonly adminToken: string | null;
  /** Resolves when it answers; rejects with what it said when it ended instead. */
  readonly started: Promise<void>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
}

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const ADDRESS = '127.0.0.1';

/** Two ports that were free a moment ago, for DNS and HTTP. */
export async function freePorts(): Promise<{ readonly dns: number; readonly http: number }> {
  return { dns: await freePort(), http: await freePort() };
}

/** Starts it over a data directory that may hold a database already. */
export function startChildSluice(
  directory: string,
  ports: { readonly dns: number; readonly http: number },
): ChildSluice {
  const configFile = join(directory, 'sluice.yaml');
  writeFileSync(configFile, configText(directory, ports));
  const child = spawn(process.execPath, [MAIN], {
    env: { ...process.env, SLUICE_CONFIG: configFile },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = once(child, 'close');
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      output += text;
    });
  }
  const ready = async (): Promise<void> => {
    // The address of the API is printed when everything listens.
    while (!/^HTTP .*\n/m.test(output) || !output.endsWith('\n\n')) {
      const event = await Promise.race([once(child.stdout, 'data'), closed.then(() => 'closed')]);
      if (event === 'closed') throw new Error(`it ended: ${output}`);
    }
  };
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await closed;
  };
  onTestFinished(kill);
  return {
    dns: { address: ADDRESS, port: ports.dns },
    http: { address: ADDRESS, port: ports.http },
    get adminToken() {
      return /^ +(sluice_\S+)$/m.exec(output)?.[1] ?? null;
    },
    started: ready(),
    kill,
  };
}

function configText(directory: string, ports: { dns: number; http: number }): string {
  return [
    'sampleCatalogue: false',
    `dataDirectory: ${join(directory, 'data')}`,
    'dns:',
    `  listen: [{address: ${ADDRESS}, port: ${ports.dns}}]`,
    'http:',
    `  listen: {address: ${ADDRESS}, port: ${ports.http}}`,
    'log: {level: error}',
    '',
  ].join('\n');
}
