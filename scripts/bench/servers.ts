import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { askSerial, type Endpoint } from './client.ts';
import { LOCAL_ADDRESS, type Rules } from './generate.ts';
import { freePort, startProcess, stopProcess, until } from './processes.ts';

/** A server under test with the benchmark's zone. */
export interface Server extends Endpoint {
  readonly name: string;
  readonly zone: string;
  readonly pid: number;
  /** From the start of the process until the zone is answered. */
  readonly startMs: number;
  stop(): Promise<void>;
}

export interface SluiceServer extends Server {
  /** Calls the admin API. */
  api<Result>(method: string, path: string, body?: unknown): Promise<Result>;
  /** What the server has counted, in the text form of Prometheus. */
  metrics(): Promise<string>;
  readonly targetId: number;
}

/** The zone of the policy that `makePolicy` makes. */
export const SLUICE_ZONE = 'rpz.bench.main.sluice.internal.';

/** What differs from the settings of all benchmarks. */
export interface SluiceSettings {
  /** How long a client may take nothing of a transfer. */
  readonly stallSeconds?: number;
}

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** Starts Sluice on a fresh folder and gives it the rules through the admin API, as a user would. */
export async function startSluice(folder: string, rules: Rules): Promise<SluiceServer> {
  const running = await startEmptySluice(folder);
  const { api } = running;
  const { policyId, targetId } = await makePolicy(api, rules);
  await makeDevice(api, { name: 'bench', sources: ['127.0.0.0/8'], policyId });
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

/** Starts Sluice on a fresh folder with nothing in it but the canary. */
export async function startEmptySluice(
  folder: string,
  settings: SluiceSettings = {},
): Promise<Omit<SluiceServer, 'targetId'>> {
  const running = await launchSluice(folder, settings);
  const token = /sluice_\S+/.exec(running.output())?.[0];
  if (token === undefined) throw new Error(`no admin token in: ${running.output()}`);
  writeFileSync(join(folder, 'token'), token);
  return { ...running.server, ...callsTo(running.http, token) };
}

/** Starts Sluice again on a folder that it has served before. */
export async function restartSluice(folder: string): Promise<SluiceServer> {
  const running = await launchSluice(folder);
  const token = readFileSync(join(folder, 'token'), 'utf8');
  const startMs = await untilServed(running.server, running.startedAt);
  return { ...running.server, startMs, ...callsTo(running.http, token), targetId: 0 };
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
  // As `npm start` does it.
  const command = ['--max-semi-space-size=4', MAIN, '--config', config];
  const child = startProcess(process.execPath, command, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_COMPILE_CACHE: join(folder, 'compiled') },
  });
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const isUp = (): boolean => {
    if (child.exitCode !== null) throw new Error(`Sluice ended with code ${child.exitCode}`);
    return output.includes('HTTP');
  };
  await until(isUp, 'Sluice does not start');
  const server: Server = {
    name: 'Sluice',
    address: '127.0.0.1',
    port: dnsPort,
    zone: SLUICE_ZONE,
    pid: child.pid ?? 0,
    startMs: performance.now() - startedAt,
    stop: () => stopProcess(child),
  };
  return { server, startedAt, http: `http://127.0.0.1:${httpPort}`, output: () => output };
}

function callsTo(http: string, token: string): Pick<SluiceServer, 'api' | 'metrics'> {
  const call = async (method: string, path: string, body?: unknown): Promise<string> => {
    const isText = typeof body === 'string';
    const response = await fetch(`${http}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined
          ? {}
          : { 'content-type': isText ? 'text/plain' : 'application/json' }),
      },
      ...(body === undefined ? {} : { body: isText ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok)
      throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 500)}`);
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

async function makeTarget(
  api: SluiceServer['api'],
  name: string,
  lines: readonly string[],
): Promise<number> {
  const { target } = await api<{ target: { id: number } }>('POST', '/targets', { name });
  await api('PUT', `/targets/${target.id}/indicators`, lines.join('\n'));
  return target.id;
}

/** Waits until a server answers for its zone; returns the time since `startedAt`, in milliseconds. */
export async function untilServed(
  server: Endpoint & { readonly zone: string },
  startedAt: number,
): Promise<number> {
  const isServed = () =>
    Promise.race([
      askSerial(server, server.zone).then(
        () => true,
        () => false,
      ),
      new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 200)),
    ]);
  await until(isServed, `${server.zone} is not served`);
  return performance.now() - startedAt;
}
