import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { destination, type Logger, pino } from 'pino';
import { type Config, ConfigurationError, loadConfig } from './config/index.ts';
import { describeStart } from './describe-start.ts';
import { takeInheritedSockets } from './inherited-sockets.ts';
import { openServiceManager, type ServiceManager } from './service-manager.ts';
import { type Sluice, startSluice } from './sluice.ts';
import { StartError } from './start-error.ts';
import { StoreError } from './store/index.ts';

const ZONES_DIRECTORY = fileURLToPath(new URL('../zones', import.meta.url));
const { version } = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
) as { version: string };

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
/** A second signal cut the stop short: 128 and the number of SIGINT, as shells say it. */
const EXIT_CUT = 130;

await main();

async function main(): Promise<void> {
  const readConfig = configReader();
  const config = readOrExit(readConfig);
  const log = createLog(config);
  const manager = openServiceManager(process.env, log);
  // Without a listener it would end the process, even where the start takes a minute.
  process.on('SIGHUP', ignoreWhileStarting);
  const sluice = await startOrExit(config, log);
  process.off('SIGHUP', ignoreWhileStarting);
  process.on('SIGHUP', () => reload({ sluice, manager, log, readConfig }));
  stopOnSignals({ sluice, manager, log });
  process.stdout.write(describeStart(sluice, config, version));
  const listening = { dns: sluice.dnsAddresses(), tls: sluice.dnsTlsAddresses() };
  log.info({ ...listening, http: sluice.httpAddress() }, 'listening');
  manager.ready(statusOf(sluice));
}

function ignoreWhileStarting(): void {
  // The file has been read a moment ago.
}

function reload(running: {
  readonly sluice: Sluice;
  readonly manager: ServiceManager;
  readonly log: Logger;
  readonly readConfig: () => Config;
}): void {
  const { sluice, manager, log, readConfig } = running;
  manager.reloading();
  try {
    sluice.reload(readConfig());
  } catch (error) {
    const problems = error instanceof ConfigurationError ? error.problems : messageOf(error);
    log.error({ problems }, 'the configuration is refused; the one before stays in use');
  }
  manager.ready(statusOf(sluice));
}

/** The first signal lets transfers finish until the deadline; a second one stops at once. */
function stopOnSignals(running: {
  readonly sluice: Sluice;
  readonly manager: ServiceManager;
  readonly log: Logger;
}): void {
  const { sluice, manager, log } = running;
  let isStopping = false;
  const stop = async (signal: string): Promise<void> => {
    log.info({ signal }, 'stopping');
    manager.stopping();
    try {
      await Promise.all([sluice.stop(), manager.told()]);
      process.exit(0);
    } catch (error) {
      log.fatal({ err: error }, 'did not stop cleanly');
      process.exit(EXIT_FAILED);
    }
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (isStopping) {
        log.warn({ signal, exitCode: EXIT_CUT }, 'stopped at once, by a second signal');
        process.exit(EXIT_CUT);
      }
      isStopping = true;
      void stop(signal);
    });
  }
}

/** Reads the file that the command line or the environment names, again at each reload. */
function configReader(): () => Config {
  const { values } = parseArgs({ options: { config: { type: 'string' } }, strict: true });
  return () =>
    loadConfig({
      ...(values.config === undefined ? {} : { path: values.config }),
      env: process.env,
    });
}

function readOrExit(readConfig: () => Config): Config {
  try {
    return readConfig();
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    process.exit(EXIT_USAGE);
  }
}

async function startOrExit(config: Config, log: Logger): Promise<Sluice> {
  try {
    const inherited = takeInheritedSockets(process.env);
    return await startSluice({ config, log, inherited, version, zonesDirectory: ZONES_DIRECTORY });
  } catch (error) {
    if (error instanceof ConfigurationError) {
      process.stderr.write(`${error.message}\n`);
    } else if (isForOperator(error)) {
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

/** One line for `systemctl status`. */
function statusOf(sluice: Sluice): string {
  return `serving ${sluice.publisher.state.zones.size} zones`;
}

/** What can be put right from outside is told on one line, without where in the program it showed. */
function isForOperator(error: unknown): boolean {
  const isSystemError = error instanceof Error && 'syscall' in error;
  return error instanceof StartError || error instanceof StoreError || isSystemError;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
