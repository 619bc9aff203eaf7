import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { parseConfig } from '../../src/config/index.ts';
import { type Sluice, startSluice } from '../../src/sluice.ts';
import { type Endpoint, endpointFor, type TsigKey } from './peers/index.ts';

/** JSON that a test looks into by name; what it finds goes to `expect` or into a text. */
export interface Json {
  readonly [key: string]: Json;
}

/** The admin API of a running Sluice. */
export interface Api {
  /** One request, which must succeed; a text goes as text/plain. */
  ok(method: string, path: string, body?: object | string | Uint8Array): Promise<Json>;
  /** The same, whatever comes of it. */
  call(
    method: string,
    path: string,
    body?: object | string | Uint8Array,
  ): Promise<{ readonly status: number; readonly body: Json }>;
}

interface StatusEvent {
  readonly serial: number;
  readonly at: string;
  readonly address: string;
}

/** What a device did with one zone. */
export interface DeviceStatus {
  readonly zone: string;
  readonly serial: number;
  readonly notified: StatusEvent | null;
  readonly polled: StatusEvent | null;
  readonly transferred: (StatusEvent & { readonly kind: string; readonly bytes: number }) | null;
}

/** A Sluice in this process, on a database of its own: the primary of the real programs. */
export interface SluicePrimary extends Endpoint, Api {
  /** A device that pulls the policy, with a key of its own unless it is known by its sources. */
  addDevice(device: NewDevice): Promise<{ readonly id: number; readonly key: TsigKey | undefined }>;
  statusOf(deviceId: number): Promise<DeviceStatus[]>;
  /** Stops it and starts it again on the same database, addresses and ports. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface NewDevice {
  readonly name: string;
  readonly type: 'dns' | 'ip';
  readonly policyId: number;
  readonly notify?: Endpoint;
  /** Known by this address instead of a key. */
  readonly source?: string;
  readonly algorithm?: string;
}

interface PrimaryOptions {
  /** Unix milliseconds. */
  readonly clock?: () => number;
  /** More of the configuration, as it stands in the file. */
  readonly settings?: object;
}

const ZONES_DIRECTORY = fileURLToPath(new URL('../../zones', import.meta.url));

export async function startPrimary(options: PrimaryOptions = {}): Promise<SluicePrimary> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-primary-'));
  let { dns, http, sluice, start } = await startOnFreePorts(folder, options);
  const api = apiClient(http, sluice.adminToken ?? '');
  return {
    ...dns,
    ...api,
    addDevice: (device) => addDevice(api, device),
    statusOf: async (deviceId) =>
      (await api.ok('GET', `/devices/${deviceId}/status`)).items as unknown as DeviceStatus[],
    restart: async () => {
      await sluice.stop();
      sluice = await start();
    },
    stop: async () => {
      await sluice.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const STARTS_MAX = 5;

/** A port that was free a moment ago may be taken by another test's connection: then others are tried. */
async function startOnFreePorts(folder: string, options: PrimaryOptions) {
  for (let attempt = 1; ; attempt++) {
    // BIND's place: 127.0.0.1 is where the NOTIFYs of a process on loopback come from.
    const dns = await endpointFor('named');
    const http = await endpointFor('named');
    const start = starter(configurationText({ folder, dns, http, ...options }), options);
    try {
      return { dns, http, start, sluice: await start() };
    } catch (error) {
      const isTaken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
      if (!isTaken || attempt === STARTS_MAX) throw error;
    }
  }
}

function starter(text: string, options: PrimaryOptions): () => Promise<Sluice> {
  const config = parseConfig(text, 'test');
  return () =>
    startSluice({
      config,
      zonesDirectory: ZONES_DIRECTORY,
      version: 'test',
      log: pino({ level: 'silent' }),
      ...(options.clock === undefined ? {} : { clock: options.clock }),
    });
}

/** A configuration file; YAML takes JSON as it is. */
export function configurationText(options: {
  readonly folder: string;
  readonly dns: Endpoint;
  readonly http: Endpoint;
  readonly settings?: object;
}): string {
  const { folder, dns, http, settings = {} } = options;
  return JSON.stringify({
    dataDirectory: folder,
    sampleCatalogue: false,
    dns: { listen: [dns] },
    http: { listen: http },
    notify: { timeout: '500ms', backoffMax: '1s' },
    log: { level: 'silent' },
    ...settings,
  });
}

export function apiClient(http: Endpoint, token: string): Api {
  const call: Api['call'] = async (method, path, body) => {
    const isText = typeof body === 'string' || body instanceof Uint8Array;
    const response = await fetch(`http://${http.address}:${http.port}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined
          ? {}
          : { 'content-type': isText ? 'text/plain' : 'application/json' }),
      },
      ...(body === undefined ? {} : { body: isText ? Buffer.from(body) : JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Json };
  };
  return {
    call,
    ok: async (method, path, body) => {
      const answer = await call(method, path, body);
      // A change that waits for a confirmation was not made, whatever the status says.
      if (answer.status < 300 && !(answer.status === 202 && 'held' in answer.body))
        return answer.body;
      throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    },
  };
}

export async function addDevice(api: Api, device: NewDevice) {
  const { name, type, policyId, notify, source, algorithm } = device;
  const created = await api.ok('POST', '/devices', {
    name,
    type,
    policyId,
    notify: notify === undefined ? [] : [{ address: notify.address, port: notify.port }],
    ...(source === undefined ? {} : { sources: [source] }),
  });
  const id = Number(created.device?.id);
  if (source !== undefined) return { id, key: undefined };
  return { id, key: await addKey(api, id, algorithm) };
}

/** The newly generated key, its name without the final dot as the peers' files have it. */
async function addKey(api: Api, deviceId: number, algorithm = 'hmac-sha256'): Promise<TsigKey> {
  const { key, secret } = await api.ok('POST', `/devices/${deviceId}/keys`, { algorithm });
  return {
    name: String(key?.name).replace(/\.$/, ''),
    algorithm: algorithm as TsigKey['algorithm'],
    secret: String(secret),
  };
}
