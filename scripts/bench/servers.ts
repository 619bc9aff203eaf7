import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { askSerial, type Endpoint } from './client.ts';
import { LOCAL_ADDRESS, type Rules, zoneFile } from './generate.ts';

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
  readonly targetId: number;
}

export const PEER_ZONE = 'rpz.bench.example.';
const START_TIMEOUT_MS = 300_000;
const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** Starts Sluice on a fresh folder and gives it the rules through the admin API, as a user would. */
export async function startSluice(folder: string, rules: Rules): Promise<SluiceServer> {
  const running = await launchSluice(folder);
  const token = /sluice_\S+/.exec(running.output())?.[0];
  if (token === undefined) throw new Error(`no admin token in: ${running.output()}`);
  writeFileSync(join(folder, 'token'), token);
  const api = apiOf(running.http, token);
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
  await api('POST', '/devices', {
    name: 'bench',
    type: 'dns',
    sources: ['127.0.0.0/8'],
    access: 'source',
    policyId: policy.id,
  });
  return { ...running.server, api, targetId: block };
}

/** Starts Sluice on a fresh folder with nothing in it but the canary. */
export async function startEmptySluice(
  folder: string,
): Promise<Pick<SluiceServer, 'api' | 'address' | 'port' | 'pid' | 'stop'>> {
  const running = await launchSluice(folder);
  const token = /sluice_\S+/.exec(running.output())?.[0];
  if (token === undefined) throw new Error(`no admin token in: ${running.output()}`);
  return { ...running.server, api: apiOf(running.http, token) };
}

/** Starts Sluice again on a folder that it has served before. */
export async function restartSluice(folder: string): Promise<SluiceServer> {
  const running = await launchSluice(folder);
  const token = readFileSync(join(folder, 'token'), 'utf8');
  const startMs = await untilServed(running.server, running.startedAt);
  return { ...running.server, startMs, api: apiOf(running.http, token), targetId: 0 };
}

export async function startNamed(folder: string): Promise<Server> {
  const port = await freePort();
  const configuration = `
    options { directory "${folder}"; listen-on port ${port} { 127.0.0.1; }; listen-on-v6 { none; };
      recursion no; pid-file none; allow-transfer { any; }; notify no; max-ixfr-ratio unlimited;
      transfers-out 100; minimal-responses yes; };
    controls { };
    zone "${PEER_ZONE}" { type primary; file "zone.db"; allow-update { any; }; check-names ignore; ixfr-from-differences no; };`;
  writeFileSync(join(folder, 'named.conf'), configuration);
  return startPeer('BIND', port, folder, ['named', '-g', '-c', join(folder, 'named.conf')]);
}

export async function startKnot(folder: string): Promise<Server> {
  const port = await freePort();
  const configuration = `
server:
  rundir: "${folder}"
  listen: 127.0.0.1@${port}
database:
  storage: "${folder}"
acl:
  - id: any
    address: 127.0.0.0/8
    action: [transfer, update]
template:
  - id: default
    storage: "${folder}"
    semantic-checks: off
zone:
  - domain: ${PEER_ZONE}
    file: zone.db
    acl: any
    zonefile-sync: -1
    journal-content: changes
`;
  writeFileSync(join(folder, 'knot.conf'), configuration);
  return startPeer('Knot', port, folder, ['knotd', '-c', join(folder, 'knot.conf')]);
}

/** Writes the rules as a zone file into each folder. */
export async function writeZones(folders: readonly string[], rules: Rules): Promise<void> {
  for (const folder of folders) {
    mkdirSync(folder, { recursive: true });
    const file = createWriteStream(join(folder, 'zone.db'));
    let text = '';
    for (const line of zoneFile(rules, PEER_ZONE, 1)) {
      text += line;
      if (text.length < 1 << 20) continue;
      if (!file.write(text))
        await new Promise<void>((resolve) => file.once('drain', () => resolve()));
      text = '';
    }
    file.end(text);
    await finished(file);
  }
}

/** Resident memory of a process, in octets. */
export function residentOctets(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
}

async function launchSluice(folder: string) {
  mkdirSync(folder, { recursive: true });
  const [dnsPort, httpPort] = [await freePort(), await freePort()];
  const config = join(folder, 'sluice.yaml');
  writeFileSync(
    config,
    `dataDirectory: ${JSON.stringify(join(folder, 'data'))}
sampleCatalogue: false
dns: { listen: [{ address: 127.0.0.1, port: ${dnsPort} }] }
http: { listen: { port: ${httpPort} }, bodyMax: 512 MiB }
log: { level: warn }
`,
  );
  const startedAt = performance.now();
  // As `npm start` does it.
  const child = spawn(process.execPath, ['--max-semi-space-size=4', MAIN, '--config', config], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_COMPILE_CACHE: join(folder, 'compiled') },
  });
  endWithUs(child);
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  await until(() => output.includes('HTTP'), 'Sluice does not start');
  const server: Server = {
    name: 'Sluice',
    address: '127.0.0.1',
    port: dnsPort,
    zone: 'rpz.bench.main.sluice.internal.',
    pid: child.pid ?? 0,
    startMs: performance.now() - startedAt,
    stop: () => stopProcess(child),
  };
  return { server, startedAt, http: `http://127.0.0.1:${httpPort}/api/v1`, output: () => output };
}

function apiOf(base: string, token: string): SluiceServer['api'] {
  return async (method, path, body) => {
    const isText = typeof body === 'string';
    const response = await fetch(`${base}${path}`, {
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
    return text === '' ? undefined : JSON.parse(text);
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

async function startPeer(
  name: string,
  port: number,
  folder: string,
  command: readonly string[],
): Promise<Server> {
  const startedAt = performance.now();
  const child = endWithUs(spawn(command[0], command.slice(1), { stdio: 'ignore', cwd: folder }));
  const server = {
    name,
    address: '127.0.0.1',
    port,
    zone: PEER_ZONE,
    pid: child.pid ?? 0,
    startMs: 0,
    stop: () => stopProcess(child),
  };
  const startMs = await untilServed(server, startedAt);
  return { ...server, startMs };
}

async function untilServed(
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

async function until(isTrue: () => boolean | Promise<boolean>, otherwise: string): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (!(await isTrue())) {
    if (performance.now() > deadline) throw new Error(otherwise);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** A benchmark that fails leaves no server behind. */
function endWithUs(child: ChildProcess): ChildProcess {
  process.once('exit', () => child.kill('SIGKILL'));
  return child;
}

async function stopProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
  await gone;
  clearTimeout(timer);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address === 'object' && address !== null) return address.port;
  throw new Error('no free port');
}
