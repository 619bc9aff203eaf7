import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { destination, type Logger, pino } from 'pino';
import { type Config, ConfigurationError, loadConfig } from './config/index.ts';
import { type Sluice, startSluice } from './sluice.ts';
import { StoreError } from './store/index.ts';

const ZONES_DIRECTORY = fileURLToPath(new URL('../zones', import.meta.url));
const { version } = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
) as { version: string };

/** Zones that a start tells of; the admin API has them all. */
const ZONES_SHOWN_MAX = 40;
const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

await main();

async function main(): Promise<void> {
  const config = readConfig();
  const log = createLog(config);
  const sluice = await startOrExplain(config, log);
  process.stdout.write(describeStart(sluice, config));
  let isStopping = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (isStopping) return;
      isStopping = true;
      log.info({ signal }, 'stopping');
      void sluice.stop().then(
        () => process.exit(0),
        (error: unknown) => {
          log.fatal({ err: error }, 'did not stop cleanly');
          process.exit(EXIT_FAILED);
        },
      );
    });
  }
}

function readConfig(): Config {
  try {
    const { values } = parseArgs({ options: { config: { type: 'string' } } });
    return loadConfig({
      ...(values.config === undefined ? {} : { path: values.config }),
      env: process.env,
    });
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    process.exit(EXIT_USAGE);
  }
}

async function startOrExplain(config: Config, log: Logger): Promise<Sluice> {
  try {
    return await startSluice({ config, log, version, zonesDirectory: ZONES_DIRECTORY });
  } catch (error) {
    if (error instanceof ConfigurationError) {
      process.stderr.write(`${error.message}\n`);
    } else if (error instanceof StoreError || isSystemError(error)) {
      process.stderr.write(`sluice cannot start: ${messageOf(error)}\n`);
    } else {
      log.fatal({ err: error }, 'sluice cannot start');
    }
    process.exit(EXIT_FAILED);
  }
}

function createLog({ log }: Config): Logger {
  // On standard error, so that what the first start tells a person stays readable.
  if (log.format === 'json') return pino({ level: log.level }, destination(2));
  return pino({
    level: log.level,
    transport: { target: 'pino-pretty', options: { destination: 2, singleLine: true } },
  });
}

/** What a person needs after the start: where it listens, what it serves and how to ask for it. */
function describeStart(sluice: Sluice, config: Config): string {
  const dns = sluice.dnsAddresses();
  const http = sluice.httpAddress();
  const { address = '127.0.0.1', port = 53 } = dns[0] ?? {};
  const scheme = config.http.tls.certificateFile === null ? 'http' : 'https';
  const base = `${scheme}://${http.address.includes(':') ? `[${http.address}]` : http.address}:${http.port}`;
  const lines = [
    `Sluice ${version}`,
    '',
    ...dns.map((listen) => `DNS    ${listen.address} port ${listen.port}, UDP and TCP`),
    `${scheme.toUpperCase().padEnd(6)} ${base}/api/v1, documentation at ${base}/api/docs`,
    `Data   ${config.dataDirectory}`,
    '',
    'Zones, and how to look at them:',
  ];
  const zones = sluice.publisher.zones();
  const devices = [...sluice.publisher.model.devices.values()];
  const pulled = new Set<number | null>(devices.map(({ policyId }) => policyId));
  // The zones of policies first; those of devices carry the same under names that stay.
  const inOrder = [...zones].sort(
    (a, b) => Number(a.deviceId !== null) - Number(b.deviceId !== null),
  );
  for (const zone of inOrder.slice(0, ZONES_SHOWN_MAX)) {
    lines.push(
      `  ${zone.origin} serial ${zone.serial}, ${zone.records} records`,
      zone.deviceId !== null || pulled.has(zone.policyId)
        ? `    dig @${address} -p ${port} ${zone.origin} AXFR`
        : '    refused to everyone until a device is assigned the policy',
    );
  }
  if (zones.length > ZONES_SHOWN_MAX) {
    lines.push(`  and ${zones.length - ZONES_SHOWN_MAX} more: GET ${base}/api/v1/zones`);
  }
  if (sluice.adminToken !== null) {
    lines.push(
      '',
      'Admin token, shown this once (only its hash is kept):',
      `  ${sluice.adminToken}`,
      `  curl -H 'Authorization: Bearer ${sluice.adminToken}' ${base}/api/v1/policies`,
    );
  }
  return `${lines.join('\n')}\n\n`;
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
