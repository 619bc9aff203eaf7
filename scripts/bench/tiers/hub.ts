import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Endpoint } from '../client.ts';
import { startProcess, stopProcess, until } from '../processes.ts';

/** Sluice, with the zones that it serves as a list. */
export interface HubServer extends Endpoint {
  readonly token: string;
  readonly apiUrl: string;
  api<Result>(method: string, path: string, body?: unknown): Promise<Result>;
  /** All but the catalog zones. */
  zones(): Promise<readonly { readonly zone: string; readonly serial: number }[]>;
  stop(): Promise<void>;
}

const MAIN = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));
const DNS_PORT = 53;
const HTTP_PORT = 8053;
const PAGE_ZONES = 500;

export async function startHub(folder: string, address: string): Promise<HubServer> {
  const config = join(folder, 'sluice.yaml');
  writeFileSync(
    config,
    `dataDirectory: ${JSON.stringify(join(folder, 'data'))}
sampleCatalogue: false
dns: { listen: [{ address: ${address}, port: ${DNS_PORT} }] }
log: { level: error }
`,
  );
  const child = startProcess(
    process.execPath,
    ['--max-semi-space-size=4', MAIN, '--config', config],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  await until(() => output.includes('sluice_'), 'Sluice does not start');
  const token = /sluice_\S+/.exec(output)![0];
  const apiUrl = `http://127.0.0.1:${HTTP_PORT}`;
  const api: HubServer['api'] = async (method, path, body) => {
    const isText = typeof body === 'string';
    const type = { 'content-type': isText ? 'text/plain' : 'application/json' };
    const response = await fetch(`${apiUrl}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : type) },
      ...(body === undefined ? {} : { body: isText ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text);
  };
  return {
    address,
    port: DNS_PORT,
    token,
    apiUrl,
    api,
    async zones() {
      const found: { zone: string; serial: number; side: string }[] = [];
      for (let offset = 0; ; offset += PAGE_ZONES) {
        const page = await api<{ items: typeof found }>(
          'GET',
          `/zones?limit=${PAGE_ZONES}&offset=${offset}`,
        );
        found.push(...page.items);
        if (page.items.length < PAGE_ZONES) break;
      }
      return found.filter(({ side }) => side !== 'catalog');
    },
    stop: () => stopProcess(child),
  };
}
