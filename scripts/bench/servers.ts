import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseName, type TsigKey } from '../../src/dns/index.ts';
import { freePort } from '../../test/support/free-port.ts';
import { untilServed } from './client.ts';
import { LOCAL_ADDRESS, type Rules } from './generate.ts';
import { callHttp } from './http-call.ts';
import { PEER_ZONE } from './peers/peer-zone.ts';
import { startProcess, stopProcess, until } from './processes.ts';
import type { Server } from './server.ts';

export interface SluiceServer extends Server {
  /** Calls the admin API. */
  api<Result>(method: string, path: string, body?: unknown): Promise<Result>;
  /** What the server has counted, in the text form of Prometheus. */
  metrics(): Promise<string>;
  readonly targetId: number;
}

/** The zone of the policy that `makePolicy` makes. */
export const SLUICE_ZONE = PEER_ZONE;

/** What differs from the settings of all benchmarks. */
export interface SluiceSettings {
  /** How long a client may take nothing of a transfer. */
  readonly stallSeconds?: number;
}

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const PACKAGE = fileURLToPath(new URL('../../package.json', import.meta.url));

/** Starts Sluice on a fresh folder and gives it the rules through the admin API, as a user would. */
export async function startSluice(folder: string, rules: Rules): Promise<SluiceServer> {
  const running = await startEmptySluice(folder);
  const { api } = running;
  const { policyId, targetId } = await makePolicy(api, rules);
  await makeDevice(api, { name: 'bench', sources: ['127.0.0.0/8'], policyId });
  writeFileSync(join(folder, 'ids'), JSON.stringify({ policyId, targetId }));
  return { ...running, zone: SLUICE_ZONE, targetId };
}

/** A DNS policy of the rules, whose zone is SLUICE_ZONE; `targetId` is of the blocked ones. */
export async function makePolicy(
  api: SluiceServer['api'],
  rules: Rules,
): Promise<{ readonly policyId: number; readonly targetId: number }> {
  const block = await makeTarget(api, 'bench blocked', rules.blocked);
  const allow = await makeTarget(api, 'bench allowed', rules.allowed);
  const local = await makeTarget(api, 'bench local', rules.local);
  const data = { kind: 'local-data', records: [{ type: 'A', data: LOCAL_ADDRESS }] };
  const { policy } = await api<{ policy: { id: number } }>('POST', '/policies', {
    name: 'bench',
    type: 'dns',
    attachments: [
      { kind: 'target', id: block, action: { kind: 'nxdomain' } },
      { kind: 'target', id: allow, action: { kind: 'allow' } },
      { kind: 'target', id: local, action: data },
    ],
  });
  return { policyId: policy.id, targetId: block };
}

/** A device that is known by its source addresses alone. */
export async function makeDevice(
  api: SluiceServer['api'],
  device: { readonly name: string; readonly sources: readonly string[]; readonly policyId: number },
): Promise<void> {
  await api('POST', '/devices', { ...device, type: 'dns', access: 'source' });
}

/** A device with a key that transfers may be signed with; returns the server with that key. */
export async function withSignedDevice(
  server: SluiceServer,
  folder: string,
): Promise<SluiceServer> {
  const { policyId } = readIds(folder);
  const device = await server.api<{ device: { id: number } }>('POST', '/devices', {
    name: 'signed',
    type: 'dns',
    access: 'key',
    policyId,
  });
  const path = `/devices/${device.device.id}/keys`;
  const { key, secret } = await server.api<{ key: { name: string }; secret: string }>(
    'POST',
    path,
    { algorithm: 'hmac-sha256' },
  );
  const tsigKey: TsigKey = {
    name: parseName(key.name),
    algorithm: 'hmac-sha256',
    secret: Buffer.from(secret, 'base64'),
  };
  return { ...server, tsigKey };
}

/** Starts Sluice on a fresh folder with nothing in it but the canary. */
export async function startEmptySluice(
  folder: string,
  settings: SluiceSettings = {},
): Promise<Omit<SluiceServer, 'targetId'>> {
  const running = await launchSluice(folder, settings);
  await running.isUp;
  const token = /sluice_\S+/.exec(running.output())?.[0];
  if (token === undefined) throw new Error(`no admin token in: ${running.output()}`);
  writeFileSync(join(folder, 'token'), token);
  return { ...running.server, ...callsTo(running.http, token) };
}

/** Starts Sluice again on a folder that it has served before. */
export async function restartSluice(folder: string): Promise<SluiceServer> {
  const running = await launchSluice(folder);
  const startMs = await Promise.race([
    untilServed(running.server, running.startedAt),
    running.isUp.then(() => new Promise<never>(() => {})),
  ]);
  await running.isUp;
  const token = readFileSync(join(folder, 'token'), 'utf8');
  const { targetId } = readIds(folder);
  return { ...running.server, startMs, ...callsTo(running.http, token), targetId };
}

function readIds(folder: string): { readonly policyId: number; readonly targetId: number } {
  return JSON.parse(readFileSync(join(folder, 'ids'), 'utf8'));
}

/** The limit on answers per network is off: here all clients are one network. */
async function launchSluice(folder: string, { stallSeconds = 30 }: SluiceSettings = {}) {
  mkdirSync(folder, { recursive: true });
  const [dnsPort, httpPort] = [await freePort(), await freePort()];
  const config = join(folder, 'sluice.yaml');
  writeFileSync(
    config,
    `dataDirectory: ${JSON.stringify(join(folder, 'data'))}
sampleCatalogue: false
dns:
  listen: [{ address: 127.0.0.1, port: ${dnsPort} }]
  rateLimit: { answersPerSecond: 0 }
  transfers: { stallTimeout: ${stallSeconds}s }
http: { listen: { port: ${httpPort} }, bodyMax: 512 MiB }
log: { level: warn }
`,
  );
  const startedAt = performance.now();
  const child = startProcess(process.execPath, [...startOptions(), MAIN, '--config', config], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_COMPILE_CACHE: join(folder, 'compiled') },
  });
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const hasSaidSo = (): boolean => {
    if (child.exitCode !== null) throw new Error(`Sluice ended with code ${child.exitCode}`);
    return output.includes('HTTP');
  };
  const server: Server = {
    name: 'Sluice',
    address: '127.0.0.1',
    port: dnsPort,
    zone: SLUICE_ZONE,
    pid: child.pid ?? 0,
    startMs: 0,
    stop: () => stopProcess(child),
  };
  return {
    server,
    startedAt,
    http: `http://127.0.0.1:${httpPort}`,
    output: () => output,
    isUp: until(hasSaidSo, 'Sluice does not start'),
  };
}

/** Those of Node that `npm start` starts it with. */
function startOptions(): string[] {
  const { scripts } = JSON.parse(readFileSync(PACKAGE, 'utf8')) as { scripts: { start: string } };
  return scripts.start.split(' ').filter((word) => word.startsWith('--'));
}

function callsTo(http: string, token: string): Pick<SluiceServer, 'api' | 'metrics'> {
  const call = async (method: string, path: string, body?: unknown): Promise<string> => {
    const { status, text } = await callHttp(`${http}${path}`, { method, token, body });
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${text.slice(0, 500)}`);
    return text;
  };
  return {
    metrics: () => call('GET', '/metrics'),
    async api(method, path, body) {
      const text = await call(method, `/api/v1${path}`, body);
      return text === '' ? undefined : JSON.parse(text);
    },
  };
}

/** A target of these lines. */
export async function makeTarget(
  api: SluiceServer['api'],
  name: string,
  lines: readonly string[],
): Promise<number> {
  const { target } = await api<{ target: { id: number } }>('POST', '/targets', { name });
  await api('PUT', `/targets/${target.id}/indicators`, lines.join('\n'));
  return target.id;
}
