import { closeSync, fchmodSync, fstatSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fillSample, type SampleValues } from './fill-sample.ts';

/**
 * Writes the configuration of a name server that serves the zones of a running Sluice on, from the
 * samples in config/: `npm run tier-config -- --help`.
 */
const USAGE = `Usage: npm run tier-config -- --for bind|knot|nsd|powerdns --device NAME --primary ADDRESS [options]

Makes a device of type "secondary" at a running Sluice where there is none of that name, and writes
the files that the name server includes. BIND, Knot and PowerDNS follow the catalog zone from then on;
NSD 4.6 knows no catalog zones, so its files list the zones: run this again when zones come or go.

  --api URL         admin API (default http://127.0.0.1:8053); its token in SLUICE_TOKEN
  --for SERVER      bind, knot, nsd or powerdns
  --device NAME     the device; made when it does not exist
  --scope SCOPE     account (default) or server: which zones a new device may read
  --primary ADDRESS where Sluice answers DNS, as the name server reaches it
  --port PORT       its port (default 53)
  --own ADDRESS     where the name server asks from and is told of changes; needed for a new device
  --own-port PORT   the port at which it is told (default 53)
  --key-file FILE   the key of a device that exists already, in the form of BIND; a device that has
                    no key is known by its address
  --clients LIST    who may read from the name server (default: its own machine)
  --state FOLDER    where the name server keeps zones (default /var/lib/<server>)
  --out FOLDER      where the files are written (default .)
`;

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
const SERVERS = ['bind', 'knot', 'nsd', 'powerdns'] as const;
type ServerKind = (typeof SERVERS)[number];
/** Zones asked for in one request; the API pages them. */
const PAGE_ZONES = 500;
/** Files that hold a secret, whoever runs this. */
const SECRET_MODE = 0o600;
/** What everybody may do with a file, besides its owner and its group. */
const EVERYBODY = 0o007;

interface Device {
  readonly id: number;
  readonly name: string;
  readonly type: string;
  readonly access: string;
  readonly catalogZone: string | null;
}

interface Key {
  readonly name: string;
  readonly algorithm: string;
  readonly secret: string;
}

const { values: given } = parseArgs({
  options: {
    api: { type: 'string', default: 'http://127.0.0.1:8053' },
    for: { type: 'string' },
    device: { type: 'string' },
    scope: { type: 'string', default: 'account' },
    primary: { type: 'string' },
    port: { type: 'string', default: '53' },
    own: { type: 'string' },
    'own-port': { type: 'string', default: '53' },
    'key-file': { type: 'string' },
    clients: { type: 'string' },
    state: { type: 'string' },
    out: { type: 'string', default: '.' },
    help: { type: 'boolean', default: false },
  },
});

const STATE_FOLDER: Readonly<Record<ServerKind, string>> = {
  bind: 'bind',
  knot: 'knot',
  nsd: 'nsd',
  powerdns: 'powerdns',
};
const OWN_MACHINE: Readonly<Record<ServerKind, string>> = {
  bind: 'localhost',
  knot: '127.0.0.1, ::1',
  nsd: '127.0.0.1',
  powerdns: '127.0.0.1',
};

await main();

async function main(): Promise<void> {
  if (given.help) {
    process.stdout.write(USAGE);
    return;
  }
  const server = SERVERS.find((name) => name === given.for);
  if (server === undefined) usageError(`--for is one of ${SERVERS.join(', ')}`);
  if (given.device === undefined) usageError('--device is needed');
  if (given.primary === undefined) usageError('--primary is needed');
  if (process.env.SLUICE_TOKEN === undefined) usageError('SLUICE_TOKEN holds no token');
  try {
    for (const file of await configure(server, given.device)) process.stdout.write(`${file}\n`);
  } catch (error) {
    process.stderr.write(`tier-config: ${error instanceof Error ? error.message : error}\n`);
    process.exit(EXIT_FAILED);
  }
}

/** The files that were written. */
async function configure(server: ServerKind, name: string): Promise<string[]> {
  const known = await findSecondary(name);
  if (known !== undefined) return writeFiles(server, known, keyOfFile(known));
  const device = await makeSecondary(server, name);
  try {
    const key = device.access === 'key' ? await makeKey(device) : null;
    return await writeFiles(server, device, key);
  } catch (error) {
    // A key is told once: without its files the device is of no use, and in the way of the next attempt.
    await call('DELETE', `/devices/${device.id}`);
    throw error;
  }
}

async function writeFiles(server: ServerKind, device: Device, key: Key | null): Promise<string[]> {
  if (device.catalogZone === null) {
    throw new Error('Sluice serves no catalog zones: the setting zones.catalogs is false');
  }
  const values = sampleValues(server, device.catalogZone, key);
  const write = (file: string, text: string): string => {
    const path = join(given.out, file);
    writeSecret(path, text);
    return path;
  };
  switch (server) {
    case 'bind':
      return [
        ...(key === null
          ? []
          : [write('sluice-key.conf', fillSample('bind/sluice-key.conf', values))]),
        write(
          'sluice-catalog-options.conf',
          fillSample('bind/sluice-catalog-options.conf', values),
        ),
        write('sluice-catalog.conf', fillSample('bind/sluice-catalog.conf', values)),
      ];
    case 'knot':
      return [write('sluice-catalog.conf', fillSample('knot/sluice-catalog.conf', values))];
    case 'powerdns':
      return [write('sluice-catalog.sql', fillSample('powerdns/sluice-catalog.sql', values))];
    case 'nsd': {
      const zones = await zonesOf(device);
      const text = zones.map((zone) =>
        fillSample('nsd/sluice-secondary.conf', { ...values, zone }),
      );
      return [
        ...(key === null
          ? []
          : [write('sluice-key.conf', fillSample('nsd/sluice-key.conf', values))]),
        write('sluice-zones.conf', text.join('\n')),
      ];
    }
  }
}

/** A mode that is given holds for new files alone. One that is the server's group's to read stays so. */
function writeSecret(path: string, text: string): void {
  const file = openSync(path, 'w', SECRET_MODE);
  try {
    const { mode } = fstatSync(file);
    if ((mode & EVERYBODY) !== 0) fchmodSync(file, mode & ~EVERYBODY);
    writeFileSync(file, text);
  } finally {
    closeSync(file);
  }
}

async function findSecondary(name: string): Promise<Device | undefined> {
  const { items } = await call<{ items: Device[] }>(
    'GET',
    `/devices?q=${encodeURIComponent(name)}&limit=${PAGE_ZONES}`,
  );
  const known = items.find((device) => device.name === name.toLowerCase());
  if (known !== undefined && known.type !== 'secondary') {
    throw new Error(`device "${name}" is of type ${known.type}; a secondary is needed`);
  }
  return known;
}

async function makeSecondary(server: ServerKind, name: string): Promise<Device> {
  if (given.own === undefined) usageError(`there is no device "${name}" yet: --own is needed`);
  // PowerDNS signs no transfers of members, so it is known by its address (config/powerdns).
  const bySource = server === 'powerdns';
  const { device } = await call<{ device: Device }>('POST', '/devices', {
    name,
    type: 'secondary',
    scope: given.scope,
    profile: server,
    access: bySource ? 'source' : 'key',
    ...(bySource ? { sources: [given.own] } : {}),
    notify: [{ address: given.own, port: Number(given['own-port']) }],
  });
  return device;
}

async function makeKey({ id }: Device): Promise<Key> {
  const { key, secret } = await call<{ key: Omit<Key, 'secret'>; secret: string }>(
    'POST',
    `/devices/${id}/keys`,
    {},
  );
  return { ...key, name: bare(key.name), secret };
}

/** A key is told once, so that of a device that exists is read from where it was put. */
function keyOfFile(device: Device): Key | null {
  const path = given['key-file'];
  if (path === undefined) {
    if (device.access === 'source') return null;
    usageError(`device "${device.name}" is known by a key: --key-file is needed`);
  }
  const text = readFileSync(path, 'utf8');
  const name = /key\s+"?([^"\s{]+)"?\s*\{/.exec(text)?.[1];
  const algorithm = /algorithm\s+"?([a-z0-9-]+)"?\s*;/.exec(text)?.[1];
  const secret = /secret\s+"([A-Za-z0-9+/=]+)"\s*;/.exec(text)?.[1];
  if (name === undefined || algorithm === undefined || secret === undefined) {
    throw new Error(`${path} holds no key in the form of BIND`);
  }
  return { name: bare(name), algorithm, secret };
}

/** Every zone that the device may read, by what the catalog lists. */
async function zonesOf(device: Device): Promise<string[]> {
  const zones: string[] = [];
  const path = `/zones/${encodeURIComponent(device.catalogZone!)}/records?limit=${PAGE_ZONES}`;
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page: { items: { data: string }[]; next: string | null } = await call(
      'GET',
      cursor === '' ? path : `${path}&cursor=${encodeURIComponent(cursor)}`,
    );
    zones.push(...page.items.map(({ data }) => bare(data.split(' ')[0]!)));
    cursor = page.next;
  }
  return zones.sort();
}

function sampleValues(server: ServerKind, catalog: string, key: Key | null): SampleValues {
  return {
    catalog: bare(catalog),
    'primary-address': given.primary,
    'primary-port': given.port,
    'own-address': given.own,
    'state-folder': given.state ?? `/var/lib/${STATE_FOLDER[server]}`,
    clients: given.clients ?? OWN_MACHINE[server],
    'key-name': key?.name,
    'key-algorithm': key?.algorithm,
    'key-secret': key?.secret,
    'key-name-or-nokey': key?.name ?? 'NOKEY',
  };
}

async function call<Body>(method: string, path: string, body?: object): Promise<Body> {
  const response = await fetch(`${given.api}/api/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${process.env.SLUICE_TOKEN}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok)
    throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as Body;
}

function bare(name: string): string {
  return name.replace(/\.$/, '');
}

function usageError(message: string): never {
  process.stderr.write(`tier-config: ${message}\n\n${USAGE}`);
  process.exit(EXIT_USAGE);
}
