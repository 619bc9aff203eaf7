import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { type Config, parseConfig } from '../../src/config/index.ts';
import type { Message, RRTYPE } from '../../src/dns/index.ts';
import { type Sluice, startSluice } from '../../src/sluice.ts';
import { askByTcp, askByUdp, type Endpoint, transferByTcp } from './dns-clients.ts';
import { makeQuery, type QueryOptions } from './dns-query.ts';
import { type ApiCaller, apiCaller, httpCaller } from './http-caller.ts';
import type { Transfer } from './transfer.ts';

export interface TestSluice {
  readonly sluice: Sluice;
  readonly dns: Endpoint;
  readonly http: Endpoint;
  readonly adminToken: string;
  /** Records of the log at level warn and above. */
  readonly complaints: readonly { readonly msg: string }[];
  readonly api: ApiCaller;
  udp(name: string, type: keyof typeof RRTYPE | number, options?: QueryOptions): Promise<Message>;
  tcp(name: string, type: keyof typeof RRTYPE | number, options?: QueryOptions): Promise<Message>;
  transfer(zone: string, options?: QueryOptions): Promise<Transfer>;
  /** The number behind a metric's name and labels. */
  metric(line: string): Promise<number>;
  stop(): Promise<void>;
}

export interface TestSluiceOptions {
  /** Settings that differ from the defaults, as the configuration file has them. */
  readonly yaml?: string;
  /** A data directory to go on with; a new one that is gone after the test when absent. */
  readonly directory?: string;
}

const ZONES_DIRECTORY = fileURLToPath(new URL('../../zones', import.meta.url));

/**
 * The whole server in this process, on free ports of loopback, over a real database. It starts
 * empty but for the canary unless the settings say `sampleCatalogue: true`. Stops with the test.
 */
export async function startTestSluice(options: TestSluiceOptions = {}): Promise<TestSluice> {
  const directory = options.directory ?? temporaryDirectory();
  const complaints: { msg: string }[] = [];
  const log = pino({ level: 'warn' }, { write: (line) => complaints.push(JSON.parse(line)) });
  const config = testConfig(options.yaml ?? 'sampleCatalogue: false', directory);
  const sluice = await startSluice({
    config,
    log,
    version: '0.0.0',
    zonesDirectory: ZONES_DIRECTORY,
  });
  let stopped: Promise<void> | null = null;
  const stop = () => (stopped ??= sluice.stop());
  onTestFinished(stop);
  const dns = sluice.dnsAddresses()[0];
  const http = sluice.httpAddress();
  const adminToken = sluice.adminToken ?? '';
  const call = httpCaller(http, adminToken);
  return {
    sluice,
    dns,
    http,
    adminToken,
    complaints,
    api: apiCaller(http, adminToken),
    udp: (name, type, more) => askByUdp(dns, makeQuery(name, type, more)),
    tcp: (name, type, more) => askByTcp(dns, makeQuery(name, type, more)),
    transfer: (zone, more) => transferByTcp(dns, zone, more),
    async metric(line) {
      const text = await (await call('GET', '/metrics')).text();
      const found = text.split('\n').find((candidate) => candidate.startsWith(`${line} `));
      if (found === undefined) throw new Error(`there is no metric ${line}`);
      return Number(found.slice(line.length + 1));
    },
    stop,
  };
}

/** A policy made through the API, with one target and a device on this machine that reads it. */
export interface ServedPolicy {
  readonly targetId: number;
  readonly policyId: number;
  readonly deviceId: number;
  /** `rpz.…`, or `block.…` of an IP policy. */
  readonly zone: string;
}

export async function servePolicy(
  server: Pick<TestSluice, 'api'>,
  { name, type, lines }: { name: string; type: 'dns' | 'ip'; lines: readonly string[] },
): Promise<ServedPolicy> {
  const make = async (kind: 'target' | 'policy' | 'device', path: string, body: unknown) =>
    (await server.api<Record<typeof kind, { readonly id: number }>>('POST', path, body))[kind].id;
  const targetId = await make('target', '/targets', { name: `${name} target` });
  await server.api('PUT', `/targets/${targetId}/indicators`, lines.join('\n'));
  const attachments = [{ kind: 'target', id: targetId }];
  const policyId = await make('policy', '/policies', { name, type, attachments });
  const sources = ['127.0.0.0/8'];
  const device = { name: `${name}-reader`, type, access: 'source', sources, policyId };
  const deviceId = await make('device', '/devices', device);
  const side = type === 'dns' ? 'rpz' : 'block';
  return { targetId, policyId, deviceId, zone: `${side}.${name}.main.sluice.internal.` };
}

export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Ports that the system chooses, which no configuration file may ask for. */
function testConfig(yaml: string, dataDirectory: string): Config {
  const config = parseConfig(yaml, 'test');
  const tlsListen = config.dns.tls.listen.map(({ address }) => ({ address, port: 0 }));
  return {
    ...config,
    dataDirectory,
    dns: {
      ...config.dns,
      listen: [{ address: '127.0.0.1', port: 0 }],
      tls: { ...config.dns.tls, listen: tlsListen },
    },
    http: { ...config.http, listen: { address: '127.0.0.1', port: 0 } },
  };
}
