import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import { parseConfig } from '../../src/config/index.ts';
import { startSluice } from '../../src/sluice.ts';
import { generateRules } from './generate.ts';

/**
 * Exports of a large policy: how long each takes a client (curl, in a process of its own), and how
 * long anything else had to wait meanwhile, which is the longest time that the event loop was held.
 */
const { values } = parseArgs({ options: { rules: { type: 'string', default: '1000000' } } });
const RULES = Number(values.rules);
const DNS_PORT = 15_453;
const HTTP_PORT = 18_453;
const API = `http://127.0.0.1:${HTTP_PORT}/api/v1`;

const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
const sluice = await startSluice({
  config: parseConfig(
    [
      `dataDirectory: ${JSON.stringify(folder)}`,
      'sampleCatalogue: false',
      `dns: { listen: [{ address: 127.0.0.1, port: ${DNS_PORT} }] }`,
      `http: { listen: { address: 127.0.0.1, port: ${HTTP_PORT} } }`,
    ].join('\n'),
    'bench',
  ),
  zonesDirectory: fileURLToPath(new URL('../../zones', import.meta.url)),
  version: '0.0.0',
  log: pino({ level: 'error' }),
});
const authorization = `Bearer ${sluice.adminToken}`;
try {
  await bench();
} finally {
  await sluice.stop();
  rmSync(folder, { recursive: true, force: true });
}

async function bench(): Promise<void> {
  say(`${RULES} rules and as many addresses; ${cpus().length} cores, Node ${process.version}`);
  const names = await makePolicy('names', 'dns', generateRules(RULES).blocked);
  const addresses = await makePolicy('gate', 'ip', spreadAddresses(RULES));
  for (const path of [
    `/policies/${names}/exports/rpz`,
    `/policies/${names}/exports/rpz`,
    `/policies/${names}/exports/domains?wildcards=true`,
    `/policies/${names}/exports/threats`,
    `/policies/${names}/exports/suricata`,
    `/policies/${addresses}/exports/addresses`,
    `/policies/${addresses}/exports/addresses?format=ranges`,
    `/policies/${addresses}/exports/suricata`,
    '/backup?catalogue=true',
  ]) {
    for (const coding of ['identity', 'gzip']) await measure(path, coding);
  }
}

async function measure(path: string, coding: string): Promise<void> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const args = ['-s', '-f', '-o', '/dev/null', '-w', '%{size_download}'];
  const headers = ['-H', `authorization: ${authorization}`, '-H', `accept-encoding: ${coding}`];
  delay.enable();
  const startMs = performance.now();
  const client = spawn('curl', [...args, ...headers, API + path]);
  let size = '';
  client.stdout.on('data', (data) => {
    size += data;
  });
  const [code] = await once(client, 'close');
  const ms = performance.now() - startMs;
  delay.disable();
  if (code !== 0) throw new Error(`curl ended with ${code} at ${path}`);
  const megabytes = (Number(size) / 1e6).toFixed(1);
  say(
    `${path} ${coding}: ${ms.toFixed(0)} ms, ${megabytes} MB; loop held for ${(delay.max / 1e6).toFixed(1)} ms at most`,
  );
}

async function makePolicy(name: string, type: string, lines: readonly string[]): Promise<number> {
  const { target } = await call<{ target: { id: number } }>('POST', '/targets', { name });
  const text = lines.join('\n');
  await call('PUT', `/targets/${target.id}/indicators?confirm=true`, text);
  const attachments = [{ kind: 'target', id: target.id }];
  const body = { name, type, attachments };
  const made = await call<{ policy: { id: number } }>('POST', '/policies?confirm=true', body);
  return made.policy.id;
}

/** Addresses that mostly touch nothing, so that few of them become one prefix. */
function spreadAddresses(count: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    const host = index * 4 + (index % 3);
    return `${11 + (host >>> 24)}.${(host >>> 16) & 255}.${(host >>> 8) & 255}.${host & 255}`;
  });
}

async function call<Body>(method: string, path: string, body: object | string): Promise<Body> {
  const isText = typeof body === 'string';
  const response = await fetch(API + path, {
    method,
    headers: { authorization, 'content-type': isText ? 'text/plain' : 'application/json' },
    body: isText ? body : JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${await response.text()}`);
  return (await response.json()) as Body;
}

function say(line: string): void {
  console.log(line);
}
