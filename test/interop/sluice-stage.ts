import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { parseConfig } from '../../src/config/index.ts';
import { type Sluice, startSluice } from '../../src/sluice.ts';
import { type Endpoint, endpointFor, makePeerFolder, type TsigKey } from './peers/index.ts';

/** A whole Sluice with an empty database, and its admin API as a client sees it. */
export interface SluiceStage {
  /** Its DNS server. */
  readonly dns: Endpoint;
  /** What it reported of transfers, in order. */
  readonly transfers: readonly Transfer[];
  /** One request that must succeed, below /api/v1; answers the body. */
  call<Body>(method: string, path: string, body?: unknown): Promise<Body>;
  /** A file, below /api/v1, as a firewall downloads it: the token is the password of HTTP Basic. */
  download(path: string): Promise<Buffer>;
  stop(): Promise<void>;
}

export interface Transfer {
  /** With its final dot. */
  readonly zone: string;
  readonly serial: number;
  readonly kind: 'AXFR' | 'IXFR';
  readonly address: string;
  readonly octets: number;
  readonly completed: boolean;
}

export interface DeviceStatus {
  readonly zone: string;
  readonly serial: number;
  readonly notified: { readonly serial: number; readonly address: string } | null;
  readonly polled: { readonly serial: number; readonly address: string } | null;
  readonly transferred: {
    readonly serial: number;
    readonly address: string;
    readonly kind: 'AXFR' | 'IXFR';
    readonly bytes: number;
  } | null;
}

const ZONES_DIRECTORY = fileURLToPath(new URL('../../zones', import.meta.url));

export async function startSluiceStage(): Promise<SluiceStage> {
  const folder = await makePeerFolder('sluice');
  // On 127.0.0.1, since NOTIFY comes from there whatever the loopback address of a device is.
  const dns = await endpointFor('named');
  const http = await endpointFor('sluice http');
  const transfers: Transfer[] = [];
  const sluice = await startSluice({
    config: parseConfig(configText(folder, dns, http), 'stage'),
    zonesDirectory: ZONES_DIRECTORY,
    version: '0.0.0',
    log: pino({ level: 'info' }, { write: (line) => keepTransfer(transfers, line) }),
  });
  return {
    dns,
    transfers,
    call: (method, path, body) => request({ sluice, http, method, path, body }),
    download: (path) => download(sluice, http, path),
    stop: async () => {
      await sluice.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function configText(folder: string, dns: Endpoint, http: Endpoint): string {
  return [
    `dataDirectory: ${JSON.stringify(folder)}`,
    `sampleCatalogue: false`,
    `dns: { listen: [{ address: ${dns.address}, port: ${dns.port} }] }`,
    `http: { listen: { address: ${http.address}, port: ${http.port} } }`,
    `notify: { timeout: 500ms, backoffMax: 1s }`,
  ].join('\n');
}

function keepTransfer(transfers: Transfer[], line: string): void {
  const record = JSON.parse(line) as Transfer & { readonly msg: string };
  if (record.msg === 'transferred') transfers.push(record);
}

async function request<Body>(options: {
  readonly sluice: Sluice;
  readonly http: Endpoint;
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}): Promise<Body> {
  const { sluice, http, method, path, body } = options;
  const response = await fetch(`http://${http.address}:${http.port}/api/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${sluice.adminToken}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return JSON.parse(text) as Body;
}

async function download(sluice: Sluice, http: Endpoint, path: string): Promise<Buffer> {
  const credentials = Buffer.from(`sluice:${sluice.adminToken}`).toString('base64');
  const response = await fetch(`http://${http.address}:${http.port}/api/v1${path}`, {
    headers: { authorization: `Basic ${credentials}` },
  });
  if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${await response.text()}`);
  return Buffer.from(await response.arrayBuffer());
}

export interface NewDevice {
  readonly name: string;
  readonly policyId: number;
  readonly profile: 'bind' | 'unbound' | 'powerdns';
  readonly access: 'key' | 'source';
  readonly sources?: readonly string[];
  readonly notify?: readonly Endpoint[];
}

/** Creates a device and, if it is known by a key, the key. */
export async function createDevice(
  stage: SluiceStage,
  device: NewDevice,
): Promise<{ readonly id: number; readonly key: TsigKey | null }> {
  const created = await stage.call<{ device: { id: number } }>('POST', '/devices', {
    type: 'dns',
    ...device,
    notify: (device.notify ?? []).map(({ address, port }) => ({ address, port })),
  });
  const { id } = created.device;
  if (device.access === 'source') return { id, key: null };
  const made = await stage.call<{ key: Omit<TsigKey, 'secret'>; secret: string }>(
    'POST',
    `/devices/${id}/keys`,
    {},
  );
  const { name, algorithm } = made.key;
  return { id, key: { name, algorithm, secret: made.secret } };
}

export async function deviceStatus(
  stage: SluiceStage,
  deviceId: number,
): Promise<DeviceStatus | null> {
  const { items } = await stage.call<{ items: DeviceStatus[] }>(
    'GET',
    `/devices/${deviceId}/status`,
  );
  return items[0] ?? null;
}
